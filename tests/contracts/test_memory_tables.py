"""The tables of the memory adapter beside a plain dict, and turns of writers."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory import MemoryStorage
from adapters.memory.tables import Table
from storecore.errors import Busy
from storecore.ports import NewId
from storecore.testing.builders import NOW, ids, make_user

KEYS = st.integers(0, 12)
COMMITS = st.lists(st.lists(st.tuples(KEYS, st.none() | st.integers(1, 99))))


@given(COMMITS)
def test_a_table_holds_what_a_dict_would_after_any_commits(commits: list[list[tuple[int, int | None]]]) -> None:
    table, model = Table[int, int](), dict[int, int]()
    moments = [(table, model.copy())]
    for writes in commits:
        draft = table.draft()
        for key, row in writes:
            if row is None:
                draft.drop(key)
                model.pop(key, None)
            else:
                draft.put(key, row)
                model[key] = row
            assert dict(draft.items()) == model
        table = draft.sealed()
        moments.append((table, model.copy()))
    for moment, expected in moments:
        assert dict(moment.items()) == expected
        assert [moment.get(key) for key in range(13)] == [expected.get(key) for key in range(13)]
        assert all((key in moment) == (key in expected) for key in range(13))


def test_a_sealed_table_does_not_change() -> None:
    with pytest.raises(RuntimeError):
        Table[int, int]().put(1, 1)


def test_layers_stay_few_however_many_commits_there_were() -> None:
    table = Table[int, int]()
    for key in range(1000):
        draft = table.draft()
        draft.put(key, key)
        table = draft.sealed()
    assert len(table._layers) <= 11
    assert len(dict(table.items())) == 1000


def test_a_writer_that_gets_no_turn_is_told_that_the_shop_is_busy() -> None:
    storage = MemoryStorage(deadline=0.01)
    with storage.writing(NOW, ids()), pytest.raises(Busy):
        open_and_leave(storage, NOW, ids())
    open_and_leave(storage, NOW, ids())


def test_a_unit_that_has_ended_writes_no_more() -> None:
    storage, new_id = MemoryStorage(), ids()
    with storage.writing(NOW, new_id) as unit:
        unit.users.add(make_user(new_id))
        unit.commit()
        with pytest.raises(RuntimeError):
            unit.users.add(make_user(new_id))
    with pytest.raises(RuntimeError):
        unit.commit()


def test_a_time_without_an_offset_is_refused() -> None:
    storage, new_id = MemoryStorage(), ids()
    user = make_user(new_id, created_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
    with storage.writing(NOW, new_id) as unit, pytest.raises(ValueError, match="offset"):
        unit.users.add(user)


def open_and_leave(storage: MemoryStorage, now: datetime, new_id: NewId) -> None:
    with storage.writing(now, new_id):
        pass
