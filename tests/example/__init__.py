"""A shop in a file, on Python's own ``sqlite3``: adapters written from the ports' docstrings, held to their contracts.

``storage`` (with ``rows``) and ``files`` fill two ports, and ``test_contracts`` gives each its one fixture; whole shops
are run by ``test_shop`` and ``test_machine``. Begin your own with a copy.
"""
