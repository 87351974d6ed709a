"""A database on a server, for each test that asks for one."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import URL

from tests.postgresql import database


@pytest.fixture
def url() -> Iterator[URL]:
    """A migrated PostgreSQL database without rows."""
    with database() as url:
        yield url
