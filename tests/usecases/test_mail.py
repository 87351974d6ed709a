"""The outbox under bad weather: outages, refusals, broken templates, several workers."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from storecore.errors import Invalid, MailerDown
from storecore.lists import PageRequest
from storecore.notices import GIVE_UP_AFTER, LEASE, Attachment, Notice, NoticeState
from storecore.store import Store
from tests.usecases.floor import Floor, person


def _outbox(store: Store) -> Sequence[Notice]:
    with store.storage.reading(store.clock(), lambda: "") as unit:
        return unit.outbox.page(PageRequest(limit=100)).items


def _break(store: Floor, error: Callable[[], BaseException]) -> None:
    def send(notice: Notice, attachments: Sequence[Attachment]) -> None:
        raise error()

    store.mailer.send = send  # type: ignore[method-assign]  # this mailer is the test's own


def _mend(store: Floor) -> None:
    del store.mailer.send


def test_a_mail_survives_an_outage_and_arrives_once(store: Floor) -> None:
    _break(store, MailerDown)
    person(store)
    assert store.notices.deliver() == 1
    assert store.notices.deliver() == 0
    (waiting,) = _outbox(store)
    assert (waiting.attempts, waiting.due_at - store.time.at) == (1, timedelta(seconds=5))
    _mend(store)
    store.time.forward(seconds=5)
    assert len(store.mail()) == 1
    store.time.forward(hours=1)
    assert len(store.mail()) == 1
    assert _outbox(store)[0].state is NoticeState.SENT


def test_a_mail_that_can_not_be_sent_for_two_days_is_parked(store: Floor) -> None:
    _break(store, MailerDown)
    person(store)
    start = store.time.at
    while store.time.at - start <= GIVE_UP_AFTER + timedelta(hours=2):
        store.notices.deliver()
        store.time.forward(minutes=30)
    (parked,) = _outbox(store)
    assert parked.state is NoticeState.DEAD
    assert parked.due_at - start <= GIVE_UP_AFTER + timedelta(hours=1)
    assert store.notices.deliver() == 0


def test_a_refused_recipient_is_parked_at_once(store: Floor) -> None:
    _break(store, lambda: Invalid("no such mailbox"))
    person(store)
    store.notices.deliver()
    (parked,) = _outbox(store)
    assert (parked.state, parked.error) == (NoticeState.DEAD, "no such mailbox")


def test_a_mail_that_breaks_its_mailer_does_not_stop_the_others(store: Floor) -> None:
    sent: list[Notice] = []

    def send(notice: Notice, attachments: Sequence[Attachment]) -> None:
        if not sent:
            sent.append(notice)
            raise ZeroDivisionError
        sent.append(notice)

    store.mailer.send = send  # type: ignore[method-assign]  # this mailer is the test's own
    person(store)
    person(store)
    assert store.notices.deliver() == 2
    assert sorted(notice.state for notice in _outbox(store)) == [NoticeState.PENDING, NoticeState.SENT]
    assert "ZeroDivisionError" in [notice.error for notice in _outbox(store)]


def test_what_a_dead_worker_took_is_taken_again_when_its_lease_is_over(store: Floor) -> None:
    class Killed(BaseException):
        """Not an error that anybody catches."""

    _break(store, Killed)
    person(store)
    try:
        store.notices.deliver()
    except Killed:
        _mend(store)
    assert not store.mail()
    store.time.forward(seconds=LEASE.total_seconds())
    assert len(store.mail()) == 1
