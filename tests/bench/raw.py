"""The reference that placing is measured against: plain ``sqlite3`` writing the rows of one order again and again.

The rows are learnt by placing one order and looking at what it left in every table. The loop writes copies of them
under new ids, one transaction each, with the same durability (WAL, ``synchronous=FULL``).
"""

import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path

Row = tuple[object, ...]


def _tables(db: sqlite3.Connection) -> dict[str, list[str]]:
    names = [
        row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    ]
    return {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in names}


def _rows(db: sqlite3.Connection) -> dict[str, set[Row]]:
    return {name: set(db.execute(f"SELECT * FROM {name}")) for name in _tables(db)}


def rate(path: Path, place: Callable[[], object], *, count: int) -> float:
    """Orders per second of the bare loop; ``place`` places one order into the database at ``path``."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
    before = _rows(db)
    place()
    after = _rows(db)
    columns = _tables(db)
    added = {name: rows - before[name] for name, rows in after.items() if len(rows) > len(before[name])}
    fresh = fresh_texts(added, before)
    order = _insertable(db, added)
    shelves = [row[0] for row in after["shelf"] - before["shelf"]]
    inserts = {name: f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns[name]))})" for name in order}
    started = time.perf_counter()
    for _ in range(count):
        made = {old: str(uuid.uuid4()) for old in fresh}
        db.execute("BEGIN IMMEDIATE")
        for name in order:
            db.executemany(inserts[name], [copied(row, made) for row in added[name]])
        db.executemany(
            "UPDATE shelf SET on_hand = on_hand - 1, units_sold = units_sold + 1 WHERE product_id = ? AND on_hand >= 1",
            [(each,) for each in shelves],
        )
        db.execute("COMMIT")
    took = time.perf_counter() - started
    db.close()
    return count / took


def fresh_texts(added: dict[str, set[Row]], before: dict[str, set[Row]]) -> set[str]:
    """Ids, numbers and the like that this order brought and that can't stand twice."""
    known = {value for rows in before.values() for row in rows for value in row if isinstance(value, str)}
    new = {value for rows in added.values() for row in rows for value in row if isinstance(value, str)}
    return {value for value in new - known if _looks_unique(value)}


def _looks_unique(value: str) -> bool:
    return value.startswith(("S-", "order:", "<")) or (len(value) == 36 and value.count("-") == 4)


def copied(row: Row, made: dict[str, str]) -> Row:
    return tuple(made.get(value, value) if isinstance(value, str) else value for value in row)


def _insertable(db: sqlite3.Connection, added: dict[str, set[Row]]) -> list[str]:
    """Tables so that those that others refer to come first."""
    todo, done = set(added), []
    while todo:
        for name in sorted(todo):
            needs = {row[2] for row in db.execute(f"PRAGMA foreign_key_list({name})")}
            if not needs & (todo - {name}):
                done.append(name)
                todo.discard(name)
    return done
