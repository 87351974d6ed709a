"""A shop in a SQLite file under simulated processes: ``python -m storecore.testing.simulate --store sqlite``."""

from datetime import datetime
from pathlib import Path

from adapters.encryption import FernetCipher
from adapters.sql.migrations import migrate
from adapters.sql.storage import SqlStorage
from adapters.sql.verify import verify
from storecore.ports import Storage

_KEY = "a key that keeps nothing secret from anybody"


class SqliteBackend:
    """A file that every process opens anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "shop.db"
        migrate(self._path)

    def open(self) -> Storage:
        """Connections of its own."""
        return SqlStorage(self._path, cipher=FernetCipher([_KEY]))

    def prove(self, storage: Storage, at: datetime) -> None:
        """``storecore verify`` finds nothing."""
        assert isinstance(storage, SqlStorage)  # noqa: S101 - it was opened here; this tells mypy
        if findings := verify(storage, at):
            raise AssertionError("\n".join(map(str, findings)))
