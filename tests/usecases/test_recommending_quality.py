"""Recommendations guess better than popularity what is bought next; ``tests.bench.recommending`` says by how much."""

from pathlib import Path

import pytest

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, migrate
from tests.bench.recommending import Quality
from tests.bench.tastes import Tastes


@pytest.mark.parametrize("in_cart", [False, True])
def test_what_is_bought_next_is_guessed_twice_as_often_as_by_popularity_alone(tmp_path: Path, in_cart: bool) -> None:
    migrate(tmp_path / "tastes.db")
    storage = SqlStorage(tmp_path / "tastes.db", cipher=FernetCipher(["k" * 32]))
    tastes = Tastes(seed=1, products=400, customers=200, circles=20)
    tastes.fill(storage)
    quality = Quality(tastes=tastes, storage=storage)
    ours, popular = (quality.hit_rate(guess, in_cart=in_cart) for guess in (quality.ours, quality.popular))
    storage.close()
    assert ours >= 2 * popular > 0, (ours, popular)
