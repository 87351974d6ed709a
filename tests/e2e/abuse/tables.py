"""Every row of every table, to tell whether anything was changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, select

from adapters.sql.columns import metadata
from tests.e2e.conftest import LiveShop

Rows = dict[str, list[str]]


def rows(live: LiveShop) -> Rows:
    """What is in the database of a shop, by table."""
    engine = create_engine(f"sqlite:///{live.where}" if isinstance(live.where, Path) else live.where)
    try:
        with engine.connect() as connection:
            return {
                name: sorted(map(repr, connection.execute(select(table)))) for name, table in metadata.tables.items()
            }
    finally:
        engine.dispose()


@contextmanager
def unchanged(live: LiveShop) -> Iterator[None]:
    """Fails when what happens in between writes anything."""
    before = rows(live)
    yield
    after = rows(live)
    assert {name for name in before if before[name] != after[name]} == set()
