"""Transactions, on the smallest storage there can be: a list of words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from threading import Thread
from typing import Any, cast

import pytest

from storecore.errors import Conflict, Contention, IdempotencyKeyReused
from storecore.ports import NewId, Storage, Unit
from storecore.testing.builders import NOW
from storecore.transactions import ATTEMPTS, Activity, Once, Replayed, reading, writing


class Words:
    """A storage of words and of answers; the first ``losing`` commits lose to somebody else."""

    def __init__(self, *, losing: int = 0) -> None:
        self.words: list[str] = []
        self.answers: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self.losing = losing
        self.units: list[WordsUnit] = []
        self.pauses: list[int] = []

    @contextmanager
    def reading(self, now: datetime, new_id: NewId) -> Iterator["WordsUnit"]:
        self.units.append(unit := WordsUnit(self, now, new_id))
        yield unit

    @contextmanager
    def writing(self, now: datetime, new_id: NewId) -> Iterator["WordsUnit"]:
        self.units.append(unit := WordsUnit(self, now, new_id))
        yield unit

    def pause(self, attempt: int) -> None:
        self.pauses.append(attempt)


class WordsUnit:
    """What one use case has written so far; as its own ``answers`` repository."""

    def __init__(self, storage: Words, now: datetime, new_id: NewId) -> None:
        self.now, self.new_id, self.storage = now, new_id, storage
        self.words = list(storage.words)
        self.kept = dict(storage.answers)
        self.claimed: dict[tuple[str, str], bytes] = {}
        self.commits = 0

    @property
    def answers(self) -> "WordsUnit":
        return self

    def find(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        return self.kept.get((scope, key))

    def claim(self, scope: str, key: str, fingerprint: bytes, at: datetime) -> bool:
        assert at == self.now
        if (scope, key) in self.kept:
            return False
        self.claimed[scope, key] = fingerprint
        return True

    def keep(self, scope: str, key: str, answer: bytes) -> None:
        self.kept[scope, key] = (self.claimed[scope, key], answer)

    def commit(self) -> None:
        self.commits += 1
        if self.storage.losing:
            self.storage.losing -= 1
            raise Contention
        self.storage.words, self.storage.answers = self.words, self.kept


@dataclass(frozen=True, kw_only=True)
class Writing(Activity):
    """Use cases that write and read words."""

    seen: list[tuple[datetime, tuple[str, ...]]] = field(default_factory=list)

    @writing
    def add(self, unit: Unit, *, word: str, once: Once | None = None) -> str:
        self.seen.append((unit.now, (unit.new_id(), unit.new_id())))
        cast(Any, unit).words.append(word)
        return word.upper()

    @writing
    def add_and_fail(self, unit: Unit, *, word: str, error: Exception) -> None:
        self.seen.append((unit.now, ()))
        cast(Any, unit).words.append(word)
        raise error

    @writing
    def run(self, unit: Unit, what: Callable[[], object]) -> object:
        return what()

    @reading
    def look(self, unit: Unit, *, once: Once | None = None) -> tuple[str, ...]:
        return tuple(cast(Any, unit).words)

    @reading
    def look_and_run(self, unit: Unit, what: Callable[[], object]) -> object:
        return what()


def activity(words: Words) -> Writing:
    """An activity whose clock moves on a second and whose ids count up at each call."""
    seconds, numbers = count(), count(1)
    return Writing(
        storage=cast(Storage, words),
        clock=lambda: NOW + timedelta(seconds=next(seconds)),
        new_id=lambda: f"id-{next(numbers)}",
    )


def once(key: str = "k", *, scope: str = "route:actor", fingerprint: bytes = b"body") -> Once:
    return Once(scope=scope, key=key, fingerprint=fingerprint, render=lambda result: str(result).encode())


def test_a_use_case_that_returns_is_committed_once() -> None:
    words = Words()
    assert activity(words).add(word="hat") == "HAT"
    assert words.words == ["hat"]
    assert [unit.commits for unit in words.units] == [1]


@pytest.mark.parametrize(
    "error", [Conflict("no"), ValueError("bug"), RuntimeError("stop")], ids=["refusal", "bug", "stop"]
)
def test_a_use_case_that_raises_changes_nothing_and_is_not_rerun(error: Exception) -> None:
    words = Words()
    with pytest.raises(type(error)) as raised:
        activity(words).add_and_fail(word="hat", error=error)
    assert raised.value is error
    assert words.words == []
    assert [unit.commits for unit in words.units] == [0]


def test_a_use_case_that_loses_is_rerun_with_the_same_ids_and_time() -> None:
    words = Words(losing=2)
    shop = activity(words)
    assert shop.add(word="hat") == "HAT"
    assert words.words == ["hat"]
    assert words.pauses == [1, 2]
    assert shop.seen == [(NOW, ("id-1", "id-2"))] * 3


def test_the_next_use_case_has_another_time_and_other_ids() -> None:
    words = Words(losing=1)
    shop = activity(words)
    shop.add(word="hat")
    shop.add(word="cap")
    assert shop.seen[-1] == (NOW + timedelta(seconds=1), ("id-3", "id-4"))


def test_losing_inside_the_use_case_is_rerun_too() -> None:
    words = Words()
    shop = activity(words)
    with pytest.raises(Contention):
        shop.add_and_fail(word="hat", error=Contention())
    assert len(shop.seen) == ATTEMPTS


def test_a_use_case_that_always_loses_gives_up() -> None:
    words = Words(losing=ATTEMPTS)
    with pytest.raises(Contention):
        activity(words).add(word="hat")
    assert words.words == []
    assert words.pauses == list(range(1, ATTEMPTS))
    assert activity(words).add(word="hat") == "HAT"


def test_a_use_case_wins_at_its_last_attempt() -> None:
    words = Words(losing=ATTEMPTS - 1)
    assert activity(words).add(word="hat") == "HAT"
    assert words.words == ["hat"]


def test_a_use_case_does_not_call_use_cases() -> None:
    shop = activity(Words())
    for outer in (shop.run, shop.look_and_run):
        for inner in (lambda: shop.add(word="hat"), shop.look):
            with pytest.raises(RuntimeError, match=r"was called inside Writing\.(run|look_and_run)"):
                outer(inner)
    assert shop.add(word="hat") == "HAT"


def test_use_cases_in_other_threads_don_t_count_as_inside() -> None:
    words = Words()
    shop = activity(words)
    done: list[tuple[str, ...]] = []

    def another() -> None:
        thread = Thread(target=lambda: done.append(shop.look()))
        thread.start()
        thread.join()

    shop.run(another)
    assert done == [()]


def test_reading_commits_nothing() -> None:
    words = Words()
    shop = activity(words)
    shop.add(word="hat")
    assert shop.look() == ("hat",)
    assert words.units[-1].commits == 0


def test_a_request_is_carried_out_once_and_its_answer_repeated() -> None:
    words = Words()
    shop = activity(words)
    assert shop.add(word="hat", once=once()) == "HAT"
    with pytest.raises(Replayed) as replayed:
        shop.add(word="hat", once=once())
    assert replayed.value.answer == b"HAT"
    assert words.words == ["hat"]
    assert words.units[-1].commits == 0


def test_another_request_with_the_same_key_is_refused() -> None:
    words = Words()
    shop = activity(words)
    shop.add(word="hat", once=once())
    with pytest.raises(IdempotencyKeyReused):
        shop.add(word="cap", once=once(fingerprint=b"another body"))
    assert words.words == ["hat"]


def test_keys_are_each_actor_s_own() -> None:
    words = Words()
    shop = activity(words)
    shop.add(word="hat", once=once())
    assert shop.add(word="cap", once=once(scope="route:somebody else")) == "CAP"
    assert shop.add(word="tie", once=once("another key")) == "TIE"
    assert words.words == ["hat", "cap", "tie"]


def test_the_answer_is_kept_with_the_effect_or_not_at_all() -> None:
    words = Words(losing=ATTEMPTS)
    with pytest.raises(Contention):
        activity(words).add(word="hat", once=once())
    assert (words.words, words.answers) == ([], {})
    assert activity(words).add(word="hat", once=once()) == "HAT"
    assert (words.words, words.answers) == (["hat"], {("route:actor", "k"): (b"body", b"HAT")})


def test_a_refused_request_is_judged_afresh() -> None:
    words = Words()
    shop = activity(words)

    def render(_: object) -> bytes:
        raise Conflict

    with pytest.raises(Conflict):
        shop.add(word="hat", once=Once(scope="route:actor", key="k", fingerprint=b"body", render=render))
    assert (words.words, words.answers) == ([], {})
    assert shop.add(word="hat", once=once()) == "HAT"


def test_a_lost_request_repeats_the_winner_s_answer() -> None:
    words = Words()
    shop = activity(words)

    def render(_: object) -> bytes:  # between this request's effect and its commit, its twin commits
        words.answers = {("route:actor", "k"): (b"body", b"FIRST")}
        words.losing = 1
        return b"SECOND"

    with pytest.raises(Replayed) as replayed:
        shop.add(word="hat", once=Once(scope="route:actor", key="k", fingerprint=b"body", render=render))
    assert replayed.value.answer == b"FIRST"
    assert words.words == []


def test_an_answer_swept_in_the_last_moment_makes_the_request_new() -> None:
    words = Words()
    words.answers = {("route:actor", "k"): (b"body", b"OLD")}

    class Sweeping(WordsUnit):
        def find(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
            words.answers = {}
            return None

    @contextmanager
    def sweeping(now: datetime, new_id: NewId) -> Iterator[WordsUnit]:
        yield Sweeping(words, now, new_id)

    shop = activity(words)
    words.writing = sweeping  # type: ignore[method-assign] # this storage sweeps at the worst moment
    assert shop.add(word="hat", once=once()) == "HAT"
    assert words.pauses == [1]


def test_reading_repeats_an_answer_that_is_there_and_looks_otherwise() -> None:
    words = Words()
    shop = activity(words)
    assert shop.look(once=once()) == ()
    assert words.answers == {}
    shop.add(word="hat", once=once())
    with pytest.raises(Replayed) as replayed:
        shop.look(once=once())
    assert replayed.value.answer == b"HAT"
    with pytest.raises(IdempotencyKeyReused):
        shop.look(once=once(fingerprint=b"another body"))


def test_a_use_case_keeps_its_name_and_documentation() -> None:
    assert Writing.add.__name__ == "add"
    assert Writing.look.__qualname__ == "Writing.look"
