"""``python -m webapp`` is the ``storecore`` command."""

from webapp.cli import main

main()
