"""A toy shop over HTTP for every test."""

import pytest

from tests.http.toys import Client, Toy


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def client(toy: Toy) -> Client:
    return toy.client()
