"""A shop in a file, on Python's own ``sqlite3``: adapters written from the ports' docstrings, held to their contracts.

``storage`` (with ``rows``) and ``files`` fill two ports, and ``test_contracts`` gives each its one fixture. ``test_shop``
and ``test_machine`` run whole shops. Begin your own with a copy.
"""
