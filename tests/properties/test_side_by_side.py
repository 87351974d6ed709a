"""Two stores as one answer as one; where they differ, the call is named with both answers."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.memory import MemoryStorage, open_store
from storecore.accounts.model import SYSTEM
from storecore.audit import AuditEntry
from storecore.errors import OutOfStock, SkuTaken, Unavailable
from storecore.insight.model import Takings
from storecore.lists import PageRequest, every
from storecore.money import Money
from storecore.ports import AuditQuery, NewId, Unit
from storecore.store import Store
from storecore.testing.builders import NOW, fixed_clock
from storecore.testing.machine import Difference, SideBySide
from storecore.testing.machine.alike import gap, merged
from tests.usecases.floor import HOME, PASSWORD, person, product


class Lying(MemoryStorage):
    """A storage of which one method says something else: ``lies`` are made of what it said, and of its error."""

    def __init__(self, repository: str, method: str, lie: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        super().__init__()
        self.told = repository, method, lie

    @contextmanager
    def writing(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        with super().writing(now, new_id) as unit:
            yield self.changed(unit)

    @contextmanager
    def reading(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        with super().reading(now, new_id) as unit:
            yield self.changed(unit)

    def changed(self, unit: Unit) -> Unit:
        repository, method, lie = self.told
        liar = getattr(unit, repository)
        setattr(liar, method, lie(getattr(liar, method)))
        return unit


def on(storage: MemoryStorage) -> Store:
    store = open_store(clock=fixed_clock())
    return Store(**{**store.ports, "storage": storage})


def beside(repository: str, method: str, lie: Callable[[Callable[..., Any]], Callable[..., Any]]) -> SideBySide:
    """An honest store, and one that lies."""
    return SideBySide(on(MemoryStorage()), on(Lying(repository, method, lie)))


def raising(error: Exception) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise error

    return lambda _: refuse


def test_what_is_done_to_it_is_done_to_each() -> None:
    one, two = on(MemoryStorage()), on(MemoryStorage())
    with SideBySide(one, two) as both:
        hat = product(both, stock=3)
        order = both.orders.place(by=person(both), items=[(hat.id, 2)], deliver_to=HOME)
        for store in (one, two):
            assert store.orders.get(by=SYSTEM, order_id=order.id) == order
            assert store.catalog.product(product=hat.id, by=SYSTEM).product.stock == 1
        with pytest.raises(SkuTaken):
            product(both, sku=hat.sku)


def test_a_call_that_is_answered_differently_is_told_with_its_arguments_and_both_answers() -> None:
    def renamed(said: Callable[..., Any]) -> Callable[..., Any]:
        return lambda wanted: {each: found.changed(name="Other") for each, found in said(wanted).items()}

    both = beside("categories", "some", renamed)
    shelf = both.catalog.create_category(by=SYSTEM, name="Hats")
    with pytest.raises(Difference) as told:
        product(both, category_ids=[shelf.id])
    assert str(told.value).splitlines() == [
        f"categories.some([{shelf.id!r}])",
        f"  answer[{shelf.id!r}].name of store 1: 'Hats'",
        f"  answer[{shelf.id!r}].name of store 2: 'Other'",
    ]


def test_a_refusal_where_the_other_does_it_is_told() -> None:
    both = beside("stock", "move", raising(OutOfStock("None left.")))
    with pytest.raises(Difference, match=r"(?s)^stock\.move\(.*store 1: \{.*store 2: OutOfStock: None left\."):
        product(both, stock=3)


def test_a_refusal_in_other_words_is_told() -> None:
    both = beside("products", "add", raising(SkuTaken("Taken.")))
    with pytest.raises(Difference, match=r"store 2: SkuTaken: Taken\."):
        product(both)


def test_an_error_is_compared_by_its_code_message_fields_and_extras() -> None:
    assert gap(OutOfStock("No.", lines=[1]), OutOfStock("No.", lines=(1,))) is None
    for other in (SkuTaken("No.", lines=[1]), OutOfStock("None.", lines=[1]), OutOfStock("No.", lines=[2])):
        assert gap(OutOfStock("No.", lines=[1]), other) is not None
    assert gap(ValueError("this"), ValueError("that")) is None
    assert gap(ValueError("this"), RuntimeError("this")) is not None
    assert gap(ValueError("this"), None) is not None


def test_the_gap_is_where_two_answers_begin_to_differ() -> None:
    found = gap({"a": [1, Money(1, "USD")]}, {"a": (1, Money(2, "USD"))})
    assert found is not None
    assert (found.at, found.one, found.other) == ("['a'][1].minor", 1, 2)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([1, 2], (1, 2), True),
        ([1, 2], [1], False),
        ([1, 2], [2, 1], False),
        ("ab", "ab", True),
        ("ab", "ba", False),
        (0.1 + 0.2, 0.3, True),
        (0.1, 0.2, False),
        ({1, 2}, frozenset({2, 1}), True),
        ({"a": 1}, {"b": 1}, False),
        (None, [], False),
        (True, 1, True),
        (NOW, NOW, True),
    ],
)
def test_answers_are_compared_by_what_they_say(one: object, other: object, same: bool) -> None:
    assert (gap(one, other) is None) is same


def test_takings_may_come_in_any_order_and_in_several_rows() -> None:
    def taken(units: int, rate: int = 8) -> Takings:
        return Takings(day=NOW.date(), tax_rate=Decimal(rate), tax_included=False, units=units)

    assert gap(merged([taken(1), taken(5, 2), taken(2)]), merged([taken(5, 2), taken(3), taken(0, 1)])) is None
    assert gap(merged([taken(1), taken(2)]), merged([taken(4)])) is not None


class OwnKeysets(MemoryStorage):
    """Its pages of the audit log go on after keysets that no other storage understands."""

    @contextmanager
    def reading(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        with super().reading(now, new_id) as unit:
            audit: Any = unit.audit
            page_of = audit.page

            def page(query: AuditQuery, request: PageRequest) -> Any:
                after = None if request.after is None else tuple(request.after[1:])
                found = page_of(query, PageRequest(limit=request.limit, after=after))
                return type(found)(items=found.items, next=found.next and ("mine", *found.next))

            audit.page = page
            yield unit


def test_each_store_goes_on_after_its_own_keyset() -> None:
    both = SideBySide(on(OwnKeysets()), on(MemoryStorage()), on(OwnKeysets()))
    admin = both.accounts.create_admin(by=SYSTEM, email="a@example.com", password="correct horse", full_name="Ada")
    for number in range(4):
        both.catalog.create_category(by=admin, name=f"Shelf {number}")

    def log(request: PageRequest) -> Any:
        return both.audit.page(by=SYSTEM, page=PageRequest(limit=2, after=request.after))

    found: Sequence[AuditEntry] = list(every(log))
    assert [entry.action for entry in found] == ["category.create"] * 4 + ["user.create_admin"]


def test_it_takes_two() -> None:
    with pytest.raises(TypeError):
        SideBySide(on(MemoryStorage()))


def test_the_worker_goes_on_until_every_store_has_done_its_own() -> None:
    both = beside("insight", "to_roll_up", lambda _: lambda _timezone: 10**6)
    assert both.insight._to_roll_up() == 10**6


def test_rate_limits_are_compared_too() -> None:
    one, two = on(MemoryStorage()), on(MemoryStorage())
    both = SideBySide(one, two)
    ada = person(both)
    liar: Any = two.rate_limits
    liar.clear = raising(Unavailable())(liar.clear)
    with pytest.raises(Difference, match=r"^rate_limits\.clear\(RateLimit\(name='wrong-passwords'"):
        both.accounts.login(email=ada.email, password=PASSWORD)


MINE = """
from hypothesis import Phase, settings

from adapters.memory import ScryptPasswords, open_store
from storecore.testing.machine import ShopMachine


class TestMyShop(ShopMachine):
    settings = settings(max_examples=5, stateful_step_count=20, deadline=None, phases=[Phase.generate])

    def open_store(self, clock, providers):
        return open_store(clock=clock, providers=providers, passwords=ScryptPasswords(n=16))
"""

PROVING = """
    def prove(self, store):
        with store.storage.reading(store.clock(), str) as unit:
            assert not unit.invoices.due(10), "an order waits for its invoice"
"""


def run(test: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A file of tests as its author would run it, any warning being an error."""
    (folder / "test_mine.py").write_text(test, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", "."]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_class_and_one_method_put_a_store_of_ones_own_to_the_test(tmp_path: Path) -> None:
    ran = run(MINE, tmp_path)
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr


def test_what_breaks_it_is_told_with_the_steps_that_led_there(tmp_path: Path) -> None:
    ran = run(MINE + PROVING, tmp_path)
    assert "1 failed" in ran.stdout, ran.stdout + ran.stderr
    assert "an order waits for its invoice" in ran.stdout
    assert "state.first_sale(" in ran.stdout
