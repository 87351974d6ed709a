"""The proof kit itself: what it collects, and what it notices."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import pytest

from adapters.memory import MemoryStorage
from adapters.memory.storage import MemoryUnit
from adapters.memory.tables import Workspace
from storecore.lists import Page, PageRequest
from storecore.ports import NewId, Storage, Unit
from storecore.testing.contracts import ALL_CAPABILITIES, COUNT_STATEMENTS, Counted, StorageContract
from storecore.testing.contracts.proving import Contract, Together, check_pages, needs


def count_nothing(_: Contract, storage: Storage) -> AbstractContextManager[Counted]:
    """Nothing is sent."""
    raise AssertionError(storage)


class Budgeted(Contract):
    @needs(COUNT_STATEMENTS)
    def test_a_budget(self) -> None: ...


def test_a_test_that_needs_a_missing_capability_says_what_is_not_checked() -> None:
    class Without(Budgeted):
        missing = ALL_CAPABILITIES

    class With(Budgeted):
        capabilities = frozenset({COUNT_STATEMENTS})
        count_statements = count_nothing

    class WithAfterAll(Without):
        capabilities = frozenset({COUNT_STATEMENTS})
        missing = ALL_CAPABILITIES - capabilities
        count_statements = count_nothing

    with pytest.raises(pytest.skip.Exception, match="without count_statements it is not checked that a budget"):
        Without().test_a_budget()
    for contract in (With(), WithAfterAll()):
        contract.test_a_budget()


def test_an_undeclared_capability_fails_the_run() -> None:
    class Silent(Budgeted):
        pass

    with pytest.raises(AssertionError):
        Silent().test_every_capability_is_declared_or_named_as_missing()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"missing": frozenset({"count_statments"})}, "no capability: count_statments"),
        ({"capabilities": frozenset({COUNT_STATEMENTS})}, "declares count_statements: override"),
        ({"missing": ALL_CAPABILITIES, "count_statements": count_nothing}, "overrides count_statements, which"),
    ],
)
def test_a_capability_that_is_declared_wrongly_is_refused_at_once(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        type("Wrong", (Budgeted,), wrong)


def test_two_contracts_with_a_test_of_one_name_can_not_be_joined() -> None:
    class One(Contract):
        def test_it(self) -> None: ...

    class Two(Contract):
        def test_it(self) -> None: ...

    with pytest.raises(TypeError, match="test_it"):
        type("Both", (One, Two), {})


def test_an_error_in_a_thread_is_not_lost() -> None:
    def fail() -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError):
        Together(fail, lambda: 1).succeed()


@pytest.mark.parametrize("rows", [[1, 2, 3, 5], [1, 2, 3, 4, 4], [2, 1, 3, 4], []])
def test_a_list_that_loses_repeats_or_shuffles_rows_is_noticed(rows: list[int]) -> None:
    def fetch(page: PageRequest) -> Page[int]:
        start = page.after[0] if page.after else 0
        assert isinstance(start, int)
        end = start + page.limit
        return Page(
            items=tuple(rows[start:end]),
            next=(end,) if end < len(rows) else None,
            total=len(rows) if page.total else None,
        )

    with pytest.raises(AssertionError):
        check_pages(fetch, [1, 2, 3, 4])


def test_a_list_that_never_ends_is_noticed() -> None:
    with pytest.raises(AssertionError):
        check_pages(lambda page: Page(items=(1,) * page.limit, next=(1,)), [1])


class Forgetful(MemoryStorage):
    """Writers don't take turns: the last to commit wins."""

    @contextmanager
    def writing(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        yield MemoryUnit(self, Workspace(self.tables.draft(), now, writable=True), new_id)


@pytest.mark.parametrize(
    "contract",
    [
        StorageContract.test_the_second_writer_waits_for_the_first_or_is_told_to_try_again,
        StorageContract.test_two_edits_at_once_are_both_kept,
        StorageContract.test_two_units_that_both_saw_the_last_one_sell_it_once,
        StorageContract.test_two_units_that_both_want_the_last_use_use_it_once,
        StorageContract.test_a_user_who_orders_twice_at_once_has_one_share,
        StorageContract.test_a_user_who_opens_two_carts_at_once_has_one,
        StorageContract.test_two_staff_who_race_on_an_order_have_one_winner,
        StorageContract.test_two_units_that_draw_a_number_at_once_draw_two,
        StorageContract.test_two_workers_at_once_never_take_the_same_mail,
        StorageContract.test_two_units_at_once_do_not_both_get_a_key,
        StorageContract.test_of_two_who_rotate_one_token_at_once_the_second_sees_that_it_is_replaced,
        StorageContract.test_two_workers_that_refresh_at_once_tell_of_each_price_once,
        StorageContract.test_of_two_units_that_want_one_name_at_once_one_gets_it,
    ],
)
def test_a_storage_that_loses_updates_is_noticed(contract: Callable[[StorageContract, Storage], None]) -> None:
    with pytest.raises(AssertionError):
        contract(StorageContract(), Forgetful())
