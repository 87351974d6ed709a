"""A shop in a file, on Python's own ``sqlite3``: adapters written from the ports' docstrings, held to their contracts.

``storage`` (with ``rows``) and ``files`` fill two ports, ``test_contracts`` gives each its one fixture, and whole shops
are run by ``test_shop``. Begin your own with a copy.
"""
