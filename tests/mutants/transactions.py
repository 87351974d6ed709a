# ruff: noqa: E501 - what is changed is shown as it is written
"""Storages, units and pages gone wrong: half commits, lost updates, dirty and unrepeatable reads."""

from tests.mutants.mutating import mutants

MUTANTS = (
    *mutants(
        "adapters.memory.storage",
        "BreakingContract",
        (
            "what comes before a commit breaks lasts",
            "        self._storage.swap_in(self._space.draft.sealed())\n",
            "        after = self._space.draft.sealed()\n"
            '        self._storage.tables = __import__("dataclasses").replace(self._storage.tables, orders=after.orders)\n'
            "        self._storage.swap_in(after)\n",
        ),
        (
            "a commit that breaks is told in words of the driver",
            "        self._storage.swap_in(self._space.draft.sealed())\n",
            "        try:\n"
            "            self._storage.swap_in(self._space.draft.sealed())\n"
            "        except Exception as error:\n"
            "            raise OSError from error\n",
        ),
    ),
    *mutants(
        "adapters.memory.storage",
        "UnitsContract",
        (
            "writers don't take turns",
            "        if not self._turn.acquire(timeout=self._deadline):\n"
            "            raise Busy()\n"
            "        try:\n"
            "            space",
            "        try:\n            space",
        ),
        (
            "writers take turns to begin, not to end",
            "            space = Workspace(self.tables.draft(), now, writable=True)\n",
            "            space = Workspace(self.tables.draft(), now, writable=True)\n"
            "            self._turn.release()\n",
        ),
        (
            "whoever does not commit commits",
            "                yield MemoryUnit(self, space, new_id)\n            finally:",
            "                yield MemoryUnit(self, space, new_id)\n"
            "                self.swap_in(space.draft.sealed())\n"
            "            finally:",
        ),
        (
            "what failed is committed",
            "            finally:\n                space.writable = False",
            "            finally:\n"
            "                self.tables = space.draft.sealed()\n"
            "                space.writable = False",
        ),
        (
            "half of a unit is committed",
            "self._storage.swap_in(self._space.draft.sealed())",
            "before, after = self._storage.tables, self._space.draft.sealed()\n"
            '        half = {"notices": before.notices, "shelves": before.shelves}\n'
            '        self._storage.swap_in(__import__("dataclasses").replace(after, **half))',
        ),
        (
            "readers see what is not committed",
            "            space = Workspace(self.tables.draft(), now, writable=True)\n",
            "            self.tables = draft = self.tables.draft()\n"
            "            space = Workspace(draft, now, writable=True)\n",
        ),
        (
            "a reader sees what is committed while it reads",
            "yield MemoryUnit(self, Workspace(self.tables, now, writable=False), new_id)",
            "space = Workspace(self.tables, now, writable=False)\n"
            '        type(space).tables = property(lambda each: each.__dict__["tables"] if each.writable else self.tables, lambda each, value: each.__dict__.update(tables=value))\n'
            "        yield MemoryUnit(self, space, new_id)",
        ),
        (
            "a reader waits for a writer",
            "yield MemoryUnit(self, Workspace(self.tables, now, writable=False), new_id)",
            "if not self._turn.acquire(timeout=0.2):\n"
            "            raise Busy()\n"
            "        try:\n"
            "            yield MemoryUnit(self, Workspace(self.tables, now, writable=False), new_id)\n"
            "        finally:\n"
            "            self._turn.release()",
        ),
        (
            "a reader may write",
            "Workspace(self.tables, now, writable=False), new_id)",
            "Workspace(self.tables.draft(), now, writable=True), new_id)",
        ),
        (
            "a unit has no ids of its own",
            "        return self._new_id()\n",
            '        return __import__("uuid").uuid4().hex\n',
        ),
        (
            "a unit has a clock of its own",
            "        self.now = space.now\n",
            "        self.now = datetime.now(tz=space.now.tzinfo)\n",
        ),
        ("the version stays as it was", "        self._commits += 1\n", ""),
        (
            "the version is never the same",
            "        return self._commits\n",
            "        self._commits += 1\n        return self._commits\n",
        ),
        (
            "a unit commits in parts",
            "        self._storage.swap_in(self._space.draft.sealed())\n",
            "        self._storage.swap_in(self._space.draft.sealed())\n        raise ZeroDivisionError\n",
        ),
        (
            "a storage that was left by an error is locked for ever",
            "        finally:\n            self._turn.release()",
            "        finally:\n"
            '            if __import__("sys").exc_info()[0] is None:\n'
            "                self._turn.release()",
        ),
    ),
    *mutants(
        "adapters.memory.tables",
        "UnitsContract",
        (
            "writing in a unit that only reads is passed over",
            "        if not self.writable:\n"
            '            raise RuntimeError("this unit does not write: it only reads, or it has ended")\n'
            "        return self.tables",
            "        return self.tables if self.writable else self.tables.draft()",
        ),
        (
            "a unit does not see what it wrote itself",
            "        if self._changes and key in self._changes:\n"
            "            row = self._changes[key]\n"
            "            return None if row is _GONE else row\n",
            "",
        ),
        (
            "what a unit removed is still listed",
            "        return ((key, row) for key, row in merged.items() if row is not _GONE)",
            "        return ((key, row) for key, row in merged.items() if row is not _GONE or self._changes)",
        ),
    ),
    *mutants(
        "adapters.memory.tables",
        "ConventionsContract",
        ("a unit's lists don't show what it wrote itself", "        merged |= self._changes or {}\n", ""),
    ),
    *mutants(
        "adapters.memory.pages",
        "OrdersContract",
        (
            "a page begins with the last row of the one before",
            "if (sort < after if descending else sort > after)]",
            "if (sort <= after if descending else sort >= after)]",
        ),
        ("a page is one short", "shown = found[: page.limit]", "shown = found[: page.limit - 1]"),
        (
            "a full last page says that there is another",
            "next=shown[-1][0] if len(found) > len(shown) else None",
            "next=shown[-1][0] if len(found) >= page.limit else None",
        ),
        (
            "the total counts what is left",
            "        keyed = [(sort, row) for sort, row in keyed if (sort < after if descending else sort > after)]\n",
            "        keyed = [(sort, row) for sort, row in keyed if (sort < after if descending else sort > after)]\n"
            "        total = len(keyed) if page.total else None\n",
        ),
        ("the total counts the page", "        total=total,\n", "        total=len(shown) if page.total else None,\n"),
        ("the total is told unasked", "total = len(keyed) if page.total else None", "total = len(keyed)"),
    ),
    *mutants(
        "adapters.memory.pages",
        "ConventionsContract",
        (
            "times lose what is less than a second",
            "return value if value.tzinfo is UTC else value.astimezone(UTC)",
            "return value.astimezone(UTC).replace(microsecond=0)",
        ),
        (
            "times lose their offset without being turned",
            "return value if value.tzinfo is UTC else value.astimezone(UTC)",
            "return value.replace(tzinfo=UTC)",
        ),
        (
            "times within what an entity holds keep their offset",
            "    if isinstance(value, tuple):\n        converted",
            "    if isinstance(value, tuple):\n        return value\n        converted",
        ),
    ),
    *mutants(
        "adapters.memory.storage",
        "PeersContract",
        (
            "a commit leaves the version as it was",
            "        self._commits += 1\n",
            "        self._commits += 0\n",
        ),
        (
            "writers don't take turns",
            "        if not self._turn.acquire(timeout=self._deadline):\n"
            "            raise Busy()\n"
            "        try:\n"
            "            space",
            "        try:\n            space",
        ),
    ),
)
