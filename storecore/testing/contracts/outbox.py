"""Mail that is owed: written once, leased to one worker at a time."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from functools import partial

import pytest

from storecore.errors import NotFound
from storecore.lists import FIRST_PAGE
from storecore.notices import NoticeState, Template
from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids, make_notice
from storecore.testing.contracts.proving import (
    Contract,
    Together,
    check_pages,
    overlap,
    seen,
    until_nothing,
    written,
)

MINUTE = timedelta(minutes=1)


class OutboxContract(Contract):
    """An event's mail to one person exists once; a lease keeps other workers away until it ends."""

    def test_every_field_of_a_notice_comes_back(self, storage: Storage) -> None:
        due = (NOW + MINUTE).astimezone(timezone(timedelta(hours=2)))
        notice = make_notice(
            ids(),
            template=Template.ORDER_PLACED,
            recipient="jürgen@exämple.de",
            data={"name": "Jürgen", "lines": [{"total": "19.99"}, {}], "none": None, "yes": True},
            invoice_of="019bc000-0000-7000-8000-000000000000",
            due_at=due,
            error="still nothing",
            attempts=3,
        )
        with written(storage) as unit:
            unit.outbox.add([notice])
        with seen(storage) as unit:
            found = unit.outbox.get(notice.id)
        assert found == notice
        assert found.due_at.tzinfo is UTC

    def test_an_unknown_notice_is_not_found(self, storage: Storage) -> None:
        with seen(storage) as unit, pytest.raises(NotFound):
            unit.outbox.get("no such id")

    def test_the_same_event_recipient_and_template_is_dropped(self, storage: Storage) -> None:
        new_id = ids()
        first = make_notice(new_id, event="order 1")
        again = make_notice(new_id, event="order 1", data={"other": "data"})
        others = [
            make_notice(new_id, event="order 2"),
            make_notice(new_id, event="order 1", recipient="other@example.com"),
            make_notice(new_id, event="order 1", template=Template.ORDER_STATUS),
        ]
        with written(storage) as unit:
            unit.outbox.add([first, again])
        with written(storage) as unit:
            unit.outbox.add([*others, again])
            unit.outbox.add([])
        with seen(storage) as unit:
            check_pages(unit.outbox.page, [*others[::-1], first])

    def test_due_notices_are_leased_oldest_first_and_to_one_worker(self, storage: Storage) -> None:
        new_id = ids()
        notices = [make_notice(new_id, created_at=NOW + n * MINUTE, due_at=NOW + n * MINUTE) for n in range(5)]
        with written(storage) as unit:
            unit.outbox.add(notices[::-1])
        at = NOW + 3 * MINUTE
        for expected in (notices[:3], notices[3:4], []):
            with written(storage, at) as unit:
                assert list(unit.outbox.lease(at, at + MINUTE, 3)) == expected

    def test_a_lease_that_runs_out_is_given_to_another(self, storage: Storage) -> None:
        notice = make_notice(ids())
        with written(storage) as unit:
            unit.outbox.add([notice])
            assert list(unit.outbox.lease(NOW, NOW + MINUTE, 10)) == [notice]
        for at, expected in (
            (NOW + MINUTE - timedelta(microseconds=1), []),
            (NOW + MINUTE, [notice]),
            (NOW + MINUTE, []),
        ):
            with written(storage, at) as unit:
                assert list(unit.outbox.lease(at, at + MINUTE, 10)) == expected

    def test_a_lease_that_is_rolled_back_was_never_taken(self, storage: Storage) -> None:
        notice = make_notice(ids())
        with written(storage) as unit:
            unit.outbox.add([notice])
        for _ in range(2):
            with storage.writing(NOW, ids()) as unit:
                assert list(unit.outbox.lease(NOW, NOW + MINUTE, 10)) == [notice]

    def test_saving_tells_how_it_went_and_gives_the_lease_back(self, storage: Storage) -> None:
        new_id = ids()
        failed, sent, dead = (make_notice(new_id) for _ in range(3))
        with written(storage) as unit:
            unit.outbox.add([failed, sent, dead])
            unit.outbox.lease(NOW, NOW + 60 * MINUTE, 10)
        results = [failed.failed(NOW, "no answer"), sent.sent(NOW), dead.failed(NOW, "no such box", for_good=True)]
        with written(storage) as unit:
            for notice in results:
                unit.outbox.save(notice)
        later = NOW + 10 * MINUTE
        with written(storage) as unit:
            assert [unit.outbox.get(notice.id) for notice in results] == results
            assert list(unit.outbox.lease(NOW, later, 10)) == [], "it is tried again after a while"
            assert list(unit.outbox.lease(results[0].due_at, later, 10)) == [results[0]]

    def test_a_revived_notice_is_due_again(self, storage: Storage) -> None:
        notice = replace(make_notice(ids()), state=NoticeState.DEAD)
        later = NOW + 600 * MINUTE
        with written(storage) as unit:
            unit.outbox.add([notice])
            assert list(unit.outbox.lease(later, later + MINUTE, 10)) == []
            unit.outbox.save(notice.revived(later))
            assert list(unit.outbox.lease(later, later + MINUTE, 10)) == [notice.revived(later)]

    def test_notices_are_listed_newest_first_and_by_state(self, storage: Storage) -> None:
        new_id = ids()
        notices = [make_notice(new_id, created_at=NOW + n // 2 * MINUTE) for n in range(6)]
        notices[1], notices[4] = notices[1].sent(NOW), notices[4].failed(NOW, "never", for_good=True)
        with written(storage) as unit:
            unit.outbox.add(notices)
        with seen(storage) as unit:
            check_pages(unit.outbox.page, notices[::-1])
            for state, expected in (
                (NoticeState.PENDING, [notices[n] for n in (5, 3, 2, 0)]),
                (NoticeState.SENT, [notices[1]]),
                (NoticeState.DEAD, [notices[4]]),
            ):
                check_pages(partial(unit.outbox.page, state=state), expected)

    def test_sweeping_forgets_what_was_sent_before(self, storage: Storage) -> None:
        new_id = ids()
        notices = [make_notice(new_id) for _ in range(4)]
        old, new = notices[0].sent(NOW), notices[1].sent(NOW + MINUTE)
        dead = notices[2].failed(NOW, "never", for_good=True)
        with written(storage) as unit:
            unit.outbox.add([old, new, dead, notices[3]])
        with written(storage) as unit:
            assert unit.outbox.sweep(NOW) == 0
            assert unit.outbox.sweep(NOW + MINUTE) == 1
        with seen(storage) as unit:
            check_pages(unit.outbox.page, [notices[3], dead, new])
        with written(storage) as unit:
            unit.outbox.add([replace(old, id=new_id())])
        with seen(storage) as unit:
            assert len(unit.outbox.page(FIRST_PAGE).items) == 4

    def test_two_workers_at_once_never_take_the_same_mail(self, storage: Storage) -> None:
        new_id = ids()
        notices = [make_notice(new_id) for _ in range(2)]
        with written(storage) as unit:
            unit.outbox.add(notices)

        def take(unit: Unit) -> list[str]:
            return [notice.id for notice in unit.outbox.lease(NOW, NOW + MINUTE, 2)]

        taken = [taken for outcome in overlap(storage, take, take) if isinstance(outcome, list) for taken in outcome]
        assert sorted(taken) == [notice.id for notice in notices]

    def test_whoever_changes_a_notice_has_it_to_themselves(self, storage: Storage) -> None:
        notice = make_notice(ids())
        with written(storage) as unit:
            unit.outbox.add([notice])

        def tried(unit: Unit) -> None:
            unit.outbox.save(unit.outbox.locked(notice.id).failed(NOW, "nobody answers"))

        assert overlap(storage, tried, tried) == [None, None]
        with seen(storage) as unit:
            assert unit.outbox.get(notice.id).attempts == 2
        with written(storage) as unit, pytest.raises(NotFound):
            unit.outbox.locked("no such id")

    def test_workers_that_race_send_each_mail_once(self, storage: Storage) -> None:
        new_id = ids()
        notices = [make_notice(new_id) for _ in range(12)]
        with written(storage) as unit:
            unit.outbox.add(notices)
        taken: list[str] = []

        def work() -> None:
            for leased in until_nothing(storage, lambda unit: unit.outbox.lease(NOW, NOW + MINUTE, 2)):
                taken.extend(notice.id for notice in leased)

        Together(*[work] * 4).succeed()
        assert sorted(taken) == [notice.id for notice in notices]

    def test_what_is_owed_is_counted(self, storage: Storage) -> None:
        new_id = ids()
        with written(storage) as unit:
            assert unit.outbox.owed() == (0, None)
            later, sooner, dead, sent = (
                make_notice(new_id, due_at=NOW + MINUTE),
                make_notice(new_id, due_at=NOW),
                make_notice(new_id, due_at=NOW - MINUTE, state=NoticeState.DEAD),
                make_notice(new_id, due_at=NOW - MINUTE, state=NoticeState.SENT, sent_at=NOW),
            )
            unit.outbox.add([later, sooner, dead, sent])
        with seen(storage) as unit:
            assert unit.outbox.owed() == (2, NOW)
