from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from adapters import system


def test_now_is_aware_and_in_utc() -> None:
    assert system.utc_now().utcoffset() == timedelta(0)


def test_random_bytes_come_in_the_length_asked_for_and_differ() -> None:
    assert len(system.random_bytes(16)) == 16
    assert system.random_bytes(16) != system.random_bytes(16)


def test_an_id_is_a_uuid_of_version_7_with_the_variant_of_the_rfc() -> None:
    made = UUID(system.uuid7())
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert str(made) == str(made).lower()


def test_an_id_begins_with_the_time_in_milliseconds() -> None:
    before = datetime.now(UTC)
    stamp = datetime.fromtimestamp((UUID(system.uuid7()).int >> 80) / 1000, UTC)
    assert before - timedelta(milliseconds=1) <= stamp <= datetime.now(UTC) + timedelta(seconds=1)


def test_ids_of_one_process_sort_in_the_order_they_were_made() -> None:
    made = [system.uuid7() for _ in range(5000)]
    assert made == sorted(set(made))


def test_ids_keep_their_order_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = system.uuid7()
    monkeypatch.setattr("time.time_ns", lambda: 0)
    made = [before, *(system.uuid7() for _ in range(100))]
    assert made == sorted(set(made))
    assert {UUID(each).version for each in made} == {7}


def test_threads_never_get_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [each for some in pool.map(lambda _: [system.uuid7() for _ in range(500)], range(8)) for each in some]
    assert len(set(made)) == len(made)
