"""Every use case is tested on every back end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.usecases.floor import BACK_ENDS, Floor, open_floor


@pytest.fixture(params=BACK_ENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    """A fresh, empty store."""
    with open_floor(request.param, tmp_path) as floor:
        yield floor
