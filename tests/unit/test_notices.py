"""How often the shop tries to send a mail."""

from datetime import timedelta
from typing import Any

import pytest

from storecore.errors import Conflict
from storecore.notices import GIVE_UP_AFTER, Notice, NoticeState, Template, compose
from storecore.shop import Shop
from storecore.testing.builders import NOW, ids, make_notice


def notice(**changes: Any) -> Notice:
    return make_notice(ids(), **changes)


def test_waits_double_from_5_seconds_to_an_hour() -> None:
    waits, tried, at = [], notice(), NOW
    for _ in range(13):
        tried = tried.failed(at, "connection refused")
        waits.append((tried.due_at - at).total_seconds())
        at = tried.due_at
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]
    assert (tried.attempts, tried.state) == (13, NoticeState.PENDING)


def test_a_mail_is_given_up_after_48_hours() -> None:
    tried, last, at = notice(), NOW, NOW
    while tried.state is NoticeState.PENDING:
        tried = tried.failed(at, "connection refused")
        last, at = at, tried.due_at
    assert tried.state is NoticeState.DEAD
    assert timedelta(hours=47) < last - NOW <= GIVE_UP_AFTER
    assert tried.due_at - NOW > GIVE_UP_AFTER


def test_a_last_try_at_exactly_48_hours_is_still_made() -> None:
    at = NOW + GIVE_UP_AFTER - timedelta(hours=1)
    assert notice(attempts=50).failed(at, "x").state is NoticeState.PENDING
    assert notice(attempts=50).failed(at + timedelta(microseconds=1), "x").state is NoticeState.DEAD


def test_a_mail_that_can_never_be_delivered_is_given_up_at_once() -> None:
    dead = notice().failed(NOW, "no such mailbox", for_good=True)
    assert (dead.state, dead.attempts, dead.error) == (NoticeState.DEAD, 1, "no such mailbox")


def test_a_very_old_mail_waits_no_longer_than_an_hour() -> None:
    assert notice(attempts=10**6).failed(NOW, "x").due_at == NOW + timedelta(hours=1)


def test_a_long_error_is_cut() -> None:
    assert len(notice().failed(NOW, "x" * 10_000).error) == 500


def test_a_sent_mail_remembers_when() -> None:
    sent = notice().failed(NOW, "busy").sent(NOW + timedelta(seconds=5))
    assert (sent.state, sent.sent_at, sent.attempts, sent.error) == (
        NoticeState.SENT,
        NOW + timedelta(seconds=5),
        2,
        "",
    )


def test_its_message_id_never_changes() -> None:
    first = notice()
    tried = first.failed(NOW, "x", for_good=True).revived(NOW + timedelta(days=9)).sent(NOW)
    assert tried.message_id == first.message_id


def test_a_dead_mail_is_revived_with_48_hours_before_it() -> None:
    later = NOW + timedelta(days=9)
    revived = notice().failed(NOW, "x", for_good=True).revived(later)
    assert (revived.state, revived.attempts, revived.due_at, revived.error) == (NoticeState.PENDING, 0, later, "")
    assert revived.failed(later, "x").state is NoticeState.PENDING


def test_only_dead_mail_is_revived() -> None:
    with pytest.raises(Conflict, match="this one is pending"):
        notice().revived(NOW)
    with pytest.raises(Conflict, match="this one is sent"):
        notice().sent(NOW).revived(NOW)


def test_what_the_caller_keeps_of_the_data_changes_nothing() -> None:
    data: dict[str, object] = {"name": "Ada"}
    kept = notice(data=data)
    data.clear()
    assert kept.data == {"name": "Ada"}
    assert hash(kept) == hash(notice(data={"name": "Ada"}))
    with pytest.raises(TypeError):
        kept.data["name"] = "Eve"  # type: ignore[index] # that it is read-only is what is tested


def test_a_notice_s_person_is_not_in_its_repr() -> None:
    shown = repr(notice(recipient="ada@example.com", data={"name": "Ada"}, template=Template.VERIFY_EMAIL))
    assert not any(secret in shown for secret in ("ada@", "Ada"))


@pytest.mark.parametrize(
    ("public_url", "message_id"),
    [("https://shop.example:8443/store/", "<1@shop.example>"), ("no address", "<1@localhost>")],
)
def test_a_new_notice_is_due_at_once_under_the_shop_s_name(public_url: str, message_id: str) -> None:
    new = compose(
        id="1",
        at=NOW,
        shop=Shop(public_url=public_url),
        event="e",
        template=Template.ORDER_PLACED,
        recipient="ada@example.com",
        data={"number": "S-2222-2222"},
        invoice_of="o",
    )
    assert (new.message_id, new.due_at, new.created_at, new.state) == (message_id, NOW, NOW, NoticeState.PENDING)
    assert (new.data, new.invoice_of, new.attempts) == ({"number": "S-2222-2222"}, "o", 0)
