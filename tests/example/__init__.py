"""A shop in a file, on Python's own ``sqlite3``: adapters written from the ports' docstrings, with all of their proofs.

``storage`` (with ``rows``) and ``files`` fill two ports, ``test_contracts`` gives each its fixtures. Begin with a copy.
"""
