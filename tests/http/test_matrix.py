"""Every route for every kind of caller, as `matrix.txt` declares it."""

from collections.abc import Iterator

import pytest

from storecore.accounts.permissions import Permission
from tests.http.matrix import TABLE, Line, Street, read_table, routes

LINES = read_table(TABLE.read_text(encoding="utf-8"))
DENIED = {"401", "403"}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with (street := Street(tmp_path_factory.mktemp("street"))).store:
        yield street


def test_every_route_is_declared_and_every_declared_route_exists(street: Street) -> None:
    declared = {line.route for line in LINES}
    assert sorted(routes(street.app) - declared) == [], "write these routes into matrix.txt"
    assert sorted(declared - routes(street.app)) == [], "these routes are gone; take them out of matrix.txt"


def test_every_kind_of_caller_has_a_column(street: Street) -> None:
    assert all(line.cells.keys() == street.callers.keys() for line in LINES)


@pytest.mark.parametrize("line", LINES, ids=str)
def test_each_caller_gets_what_is_declared(street: Street, line: Line) -> None:
    replies = {name: street.ask(line, street.callers[name]) for name in line.cells}
    declared = {name: cell.rstrip("*") for name, cell in line.cells.items()}
    assert {name: reply.cell for name, reply in replies.items()} == declared
    refused = [name for name, cell in line.cells.items() if cell != "yes"]
    assert [name for name in refused if replies[name].changed] == []


@pytest.mark.parametrize("line", [line for line in LINES if DENIED & set(line.cells.values())], ids=str)
def test_who_asks_is_checked_before_what_is_asked(street: Street, line: Line) -> None:
    denied = {name: cell for name, cell in line.cells.items() if cell in DENIED}
    senseless = {name: street.ask(line, street.callers[name], body=line.nonsense, query="no_such=1") for name in denied}
    assert {name: reply.cell for name, reply in senseless.items()} == denied
    nowhere = {name: street.ask(line, street.callers[name], nowhere=True) for name in denied}
    assert {name: reply.cell for name, reply in nowhere.items()} == denied
    assert not any(reply.changed for reply in (*senseless.values(), *nowhere.values()))


@pytest.mark.parametrize("line", [line for line in LINES if "404" in line.cells.values()], ids=str)
def test_what_belongs_to_another_looks_like_nothing(street: Street, line: Line) -> None:
    for name in (name for name, cell in line.cells.items() if cell == "404"):
        caller = street.callers[name]
        assert street.ask(line, caller).problem == street.ask(line, caller, nowhere=True).problem
        assert street.ask(line, caller, body=line.nonsense, query="no_such=1").status == 422


def test_a_denied_permission_beats_the_role(street: Street) -> None:
    line = next(line for line in LINES if line.route == ("POST", "/api/v1/products"))
    assert line.cells["product"] == "yes"
    with street.granted("product", Permission.CATALOG_WRITE, allowed=False) as caller:
        assert street.ask(line, caller).cell == "403"


def test_a_granted_permission_beats_the_role(street: Street) -> None:
    line = next(line for line in LINES if line.route == ("POST", "/api/v1/coupons"))
    assert line.cells["owner"] == "403"
    with street.granted("owner", Permission.PRICES_WRITE, allowed=True) as caller:
        assert street.ask(line, caller).cell == "yes"


@pytest.mark.parametrize("row", ["GET /cart yes", "GET /cart yes 500", "GET /cart yes 200", "GET /cart yes no"])
def test_a_line_that_can_not_be_read_is_named(row: str) -> None:
    with pytest.raises(ValueError, match="GET /cart yes"):
        read_table(f"nobody guest\n{row}\n")
