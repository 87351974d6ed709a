"""Taking one's data away, and being forgotten."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.memory import MemoryStorage
from adapters.sql import SqlStorage
from adapters.sql.verify import verify
from storecore.accounts.model import GUEST, SYSTEM, Address, Guest, User
from storecore.accounts.permissions import Role
from storecore.errors import (
    Forbidden,
    LastAdmin,
    NotAuthenticated,
    NotFound,
    SessionEnded,
    StillOwed,
    Unavailable,
    WrongPassword,
)
from storecore.notices import Template
from storecore.orders.model import FORGOTTEN, NOWHERE, Order, Party, Status
from storecore.orders.refund import RefundStatus
from storecore.ports import OrderQuery
from storecore.privacy import PERSONAL, Kind, names
from storecore.reviews.model import ReviewStatus
from storecore.testing.builders import usd
from storecore.testing.contracts.proving import Together
from tests.usecases.floor import BACK_ENDS, HOME, PASSWORD, Clock, Floor, open_floor, person, product
from tests.usecases.traces import NOT_THEIRS, TRACES, all_traces, kept, live, traces_in

WAY = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)
RETAINED = traces_in("Zqfirst Zqlast") | set(TRACES[Party].values()) | set(TRACES[Address].values())
"""What an invoice says of its buyer."""


def exported(store: Floor, user: User) -> dict[str, list[Any]]:
    with store.accounts.export(by=user) as file:
        document: dict[str, list[Any]] = json.load(file)
    return document


def values(document: object, name: str) -> Iterator[object]:
    """Everything that is called so, at any depth."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == name:
                yield value
            yield from values(value, name)
    elif isinstance(document, list):
        for value in document:
            yield from values(value, name)


def everywhere(store: Floor, folder: Path) -> dict[str, set[str]]:
    """Which traces are kept where, a SQLite file being vacuumed first."""
    if isinstance(store.storage, SqlStorage) and (path := folder / "store.db").exists():
        with closing(sqlite3.connect(path)) as database:
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found: dict[str, set[str]] = {}
    for place, traces in kept(store, folder):
        found[place] = found.get(place, set()) | traces
    return found


def well(store: Floor) -> bool:
    if isinstance(store.storage, MemoryStorage):
        return True
    assert isinstance(store.storage, SqlStorage)
    return not verify(store.storage, store.clock(), files=store.ports["files"])


# The map.


def test_every_personal_field_is_a_field_and_has_a_trace() -> None:
    for entity, kinds in PERSONAL.items():
        assert kinds.keys() <= {each.name for each in fields(entity)}, entity
        asked = {name for name, kind in kinds.items() if kind is not Kind.SECRET and (entity, name) not in NOT_THEIRS}
        assert asked == TRACES.get(entity, {}).keys(), f"leave a trace in each personal field of {entity.__name__}"
    assert {"email", "delivery_address", "password_hash"} <= names()


# The export.


def test_the_export_has_every_personal_field(store: Floor) -> None:
    document = exported(store, live(store).user)
    for entity, traces in TRACES.items():
        for name, trace in traces.items():
            said = [json.dumps(value, ensure_ascii=False) for value in values(document, name)]
            assert any(trace in each for each in said), f"{entity.__name__}.{name} is missing from the export"
    everything = json.dumps(document, ensure_ascii=False)
    assert traces_in(everything) == all_traces() - {"zq-answer", "zq-content of a file"}


def test_the_export_has_orders_with_their_papers_and_money_as_text(store: Floor) -> None:
    life = live(store)
    document = exported(store, life.user)
    assert list(document) == [
        "profile",
        "addresses",
        "sessions",
        "cart",
        "wishlist",
        "orders",
        "refunds",
        "reviews",
        "conversations",
        "account_changes",
        "work",
        "mail",
    ]
    assert [order["number"] for order in document["orders"]] == [
        each.number for each in store.orders.mine(by=life.user).items
    ]
    (order,) = (each for each in document["orders"] if each["id"] == life.order.id)
    assert order["total"] == {"amount": str(life.order.total), "currency": "USD"}
    assert order["created_at"] == "2026-03-01T09:00:00Z"
    assert order["invoice"]["total"] == order["total"]
    assert len(order["credit_notes"]) == 1
    assert document["cart"][0]["items"][0]["product_id"] == life.thing.id
    assert document["wishlist"][0]["product_id"] == life.thing.id
    assert {review["rating"] for review in document["reviews"]} == {1, 4}
    assert len(document["conversations"][0]["messages"]) == 3


def test_the_export_tells_no_secret_and_nothing_of_others(store: Floor) -> None:
    life = live(store)
    bob = person(store, name="Bob Babbage")
    store.orders.place(by=bob, items=[(life.thing.id, 1)], deliver_to=HOME)
    document = exported(store, life.user)
    for secret in ("password_hash", "hash", "attempt_key", "stored_as", "cost"):
        assert list(values(document, secret)) == []
    assert "Bob" not in json.dumps(document)
    assert [order["customer_name"] for order in exported(store, bob)["orders"]] == ["Bob Babbage"]


def test_the_export_says_what_staff_did_to_the_account_and_what_they_did_as_staff(store: Floor) -> None:
    ada, boss = person(store, name="Ada Lovelace"), person(store, Role.ADMIN, name="Bob Babbage")
    store.accounts.set_role(by=boss, user_id=ada.id, role=Role.SALES_MANAGER)
    hat = product(store)
    store.catalog.update_product(
        by=store.accounts.profile(by=boss, user_id=ada.id).user, product_id=hat.id, cost=usd(1)
    )
    document = exported(store, ada)
    (change,), (act,) = document["account_changes"], document["work"]
    assert (change["action"], change["before"], change["after"]) == (
        "user.set_role",
        {"role": "customer"},
        {"role": "sales_manager"},
    )
    assert (act["action"], act["object_id"]) == ("product.update", hat.id)
    assert act.keys() == {"at", "action", "object_type", "object_id"}
    assert boss.id not in json.dumps(document)


def test_a_link_that_was_mailed_can_not_be_taken_from_an_export(store: Floor) -> None:
    ada = person(store)
    store.accounts.forgot_password(email=ada.email)
    store.accounts.change_email(by=ada, password=PASSWORD, email="elsewhere@example.com")
    document = exported(store, ada)
    assert sorted(each["template"] for each in document["mail"]) == ["reset_password", "verify_email", "verify_email"]
    assert {each["data"]["name"] for each in document["mail"]} == {"Ada Lovelace"}
    assert list(values(document, "link")) == []
    assert "token=" not in json.dumps(document)


def test_a_long_life_is_exported_whole(store: Floor) -> None:
    ada, thing = person(store), product(store, stock=500)
    for _ in range(103):
        store.orders.place(by=ada, items=[(thing.id, 1)], deliver_to=HOME)
    document = exported(store, ada)
    assert len({order["number"] for order in document["orders"]}) == 103
    assert len(document["mail"]) == 104
    assert (document["wishlist"], document["cart"], document["reviews"]) == ([], [], [])


def test_only_users_export(store: Floor) -> None:
    for nobody in (GUEST, SYSTEM):
        with pytest.raises(NotAuthenticated):
            store.accounts.export(by=nobody)


# The erasure.


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_after_an_erasure_no_trace_is_left_but_in_invoices(
    back_end: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    with open_floor(back_end, tmp_path) as store:
        life = live(store)
        before = everywhere(store, tmp_path)
        assert set().union(*before.values()) == all_traces(), "the search finds what is there"
        assert well(store)

        store.accounts.erase(by=life.user, password=PASSWORD)
        after = everywhere(store, tmp_path)
        assert after.pop("outbox.private", after.pop("notices", set())) <= {"zq-email@example.com"}
        assert not after.pop("notices_by_cause", set()) - {"zq-email@example.com"}
        store.mail()
        after = everywhere(store, tmp_path)
        assert after.keys() <= {"invoices", "invoices.private", "credit_notes", "credit_notes.private"}
        assert set().union(*after.values()) == RETAINED
        assert well(store)

        store.time.forward(days=366 * 10)
        while store.work():
            pass
        assert everywhere(store, tmp_path) == {}
        assert well(store)
    assert traces_in(caplog.text) == set()


def test_the_books_stay_whole_without_the_person(store: Floor) -> None:
    life = live(store)
    rating = store.catalog.product(product=life.thing.id).product.rating
    papers = store.orders.invoice(by=SYSTEM, order_id=life.order.id)
    orders = store.orders.everyones(by=SYSTEM).items
    refunds = store.refunds.find(by=SYSTEM).items
    store.accounts.erase(by=life.user, password=PASSWORD)
    erased = store.orders.everyones(by=SYSTEM).items
    assert [(each.number, each.total, each.lines, each.status) for each in erased] == [
        (each.number, each.total, each.lines, each.status) for each in orders
    ]
    assert {each.customer_name for each in erased} == {"Erased"}
    assert {each.email for each in erased} == {NOWHERE}
    assert [(each.amount, each.status, each.reason) for each in store.refunds.find(by=SYSTEM).items] == [
        (each.amount, each.status, "") for each in refunds
    ]
    assert store.orders.invoice(by=SYSTEM, order_id=life.order.id) == papers
    assert store.catalog.product(product=life.thing.id).product.rating == rating
    (review,) = store.reviews.of_product(product_id=life.thing.id).items
    assert (review.rating, review.comment, review.author) == (4, None, "Erased")
    assert review.status is ReviewStatus.PUBLISHED
    assert store.reviews.pending(by=SYSTEM).items == ()
    assert store.support.queue(by=SYSTEM).items[0].guest_email == "bob@example.com"


def test_what_points_at_the_account_goes_and_so_do_copies_of_mail(store: Floor) -> None:
    user = live(store).user
    assert any(notice.user_id == user.id for notice, _ in store.mailer.sent)
    store.accounts.erase(by=user, password=PASSWORD)
    with store.storage.reading(store.clock(), str) as unit:
        assert unit.carts.of_user(user.id) is None
        assert unit.wishes.count(user.id) == 0
        assert list(unit.users.addresses(user.id)) == []
        assert list(unit.sessions.of_user(user.id)) == []
    assert not any(notice.user_id == user.id for notice, _ in store.mailer.sent)


def test_nobody_is_signed_in_any_more_and_the_address_is_free(store: Floor) -> None:
    user = person(store)
    signed_in = store.accounts.login(email=user.email, password=PASSWORD)
    store.accounts.erase(by=user, password=PASSWORD)
    with pytest.raises(SessionEnded):
        store.accounts.authenticate(session_id=signed_in.session.id)
    with pytest.raises(SessionEnded):
        store.accounts.refresh(refresh_token=signed_in.refresh_token)
    with pytest.raises(SessionEnded):
        store.accounts.erase(by=user, password=PASSWORD)
    with pytest.raises(NotAuthenticated):
        store.accounts.login(email=user.email, password=PASSWORD)
    again = store.accounts.register(email=user.email, password=PASSWORD, full_name="Ada Again")
    assert again.id != user.id
    assert exported(store, again)["orders"] == []
    shell = store.accounts.profile(by=again, user_id=user.id).user
    assert (shell.full_name, shell.display_name, shell.is_active, shell.role) == (
        "Erased",
        "Erased",
        False,
        Role.CUSTOMER,
    )


def test_a_last_mail_says_so_and_its_address_is_not_kept(store: Floor) -> None:
    user = person(store)
    store.accounts.erase(by=user, password=PASSWORD)
    (last,) = store.mail()
    assert (last.template, last.recipient, dict(last.data)) == (Template.ACCOUNT_ERASED, user.email, {})
    with store.storage.reading(store.clock(), str) as unit, pytest.raises(NotFound):
        unit.outbox.get(last.id)


def test_mail_that_was_on_its_way_is_not_kept_either(store: Floor) -> None:
    user = person(store)

    class Slow:
        """A mail server that takes so long that the recipient is erased meanwhile."""

        def send(self, notice: object, attachments: object) -> None:
            store.accounts.erase(by=user, password=PASSWORD)
            store.mailer.send(notice, attachments)  # type: ignore[arg-type] # as given

        def forget(self, notice_ids: Any) -> None:
            store.mailer.forget(notice_ids)

        def sweep(self, before: object) -> None:
            """Nothing is old."""

    slow = type(store.notices)(
        **{**{f.name: getattr(store.notices, f.name) for f in fields(store.notices)}, "mailer": Slow()}
    )
    assert slow.deliver(limit=1) == 1
    assert store.mailer.sent == []
    assert [notice.template for notice in store.mail()] == [Template.ACCOUNT_ERASED]


def test_the_password_shows_whose_wish_it_is(store: Floor) -> None:
    user = person(store)
    with pytest.raises(WrongPassword):
        store.accounts.erase(by=user, password="not this one")
    assert store.accounts.me(by=user) == user
    for nobody in (GUEST, SYSTEM):
        with pytest.raises(NotAuthenticated):
            store.accounts.erase(by=nobody, password=PASSWORD)
    banned = store.accounts.ban(by=SYSTEM, user_id=user.id)
    with pytest.raises(Forbidden):
        store.accounts.erase(by=banned, password=PASSWORD)


def test_a_password_that_was_changed_meanwhile_erases_nothing(store: Floor) -> None:
    user = person(store)
    store.accounts.change_password(by=user, current=PASSWORD, new="battery staple")
    with pytest.raises(SessionEnded):
        store.accounts.erase(by=user, password=PASSWORD)
    assert store.accounts.me(by=user).email == user.email


def test_whoever_waits_for_goods_is_not_forgotten_yet(store: Floor) -> None:
    user, thing = person(store), product(store)
    order = store.orders.place(by=user, items=[(thing.id, 1)], deliver_to=HOME)
    for status in WAY:
        with pytest.raises(StillOwed, match=order.number) as refused:
            store.accounts.erase(by=user, password=PASSWORD)
        assert refused.value.extra["orders"] == [order.number]
        assert store.accounts.me(by=user) == user
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    store.accounts.erase(by=user, password=PASSWORD)


def test_whoever_waits_for_money_is_not_forgotten_yet(store: Floor) -> None:
    user, thing = person(store), product(store)
    order = store.orders.place(by=user, items=[(thing.id, 1)], deliver_to=HOME)
    for status in WAY:
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    refund = store.refunds.request(by=user, order_id=order.id, items=[(order.lines[0].id, 1)], reason="Too big")
    with pytest.raises(StillOwed):
        store.accounts.erase(by=user, password=PASSWORD)
    store.refunds.approve(by=SYSTEM, refund_id=refund.id)
    with pytest.raises(StillOwed):
        store.accounts.erase(by=user, password=PASSWORD)
    store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition="scrap")  # type: ignore[arg-type] # as a client says it
    assert store.refunds.get(by=user, refund_id=refund.id).status is RefundStatus.REFUNDED
    store.accounts.erase(by=user, password=PASSWORD)


def test_whoever_may_still_be_paying_is_not_forgotten_yet(store: Floor) -> None:
    user, thing = person(store), product(store)
    order = store.orders.place(by=user, items=[(thing.id, 1)], deliver_to=HOME, payment="demo")
    store.orders.pay(by=user, order_id=order.id, provider="demo")
    store.orders.cancel(by=user, order_id=order.id)
    with pytest.raises(StillOwed):
        store.accounts.erase(by=user, password=PASSWORD)
    store.time.forward(minutes=10)
    store.mail()
    store.accounts.erase(by=user, password=PASSWORD)


def test_an_invoice_that_is_due_is_issued_to_whom_it_is_due(store: Floor) -> None:
    user, thing = person(store, name="Ada Lovelace"), product(store)
    user = store.accounts.update_profile(by=user, tax_id="TAX-1")
    order = store.orders.place(by=user, items=[(thing.id, 1)], deliver_to=HOME)
    for status in WAY:
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    store.accounts.erase(by=user, password=PASSWORD)
    (invoice,) = store.orders.invoices(by=SYSTEM).items
    assert (invoice.order_id, invoice.buyer.name, invoice.buyer.tax_id) == (order.id, "Ada Lovelace", "TAX-1")
    assert invoice.buyer.email == user.email
    assert store.orders.issue_due() == 0


def test_the_last_admin_stays(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    with pytest.raises(LastAdmin):
        store.accounts.erase(by=admin, password=PASSWORD)
    banned = person(store, Role.ADMIN)
    store.accounts.ban(by=SYSTEM, user_id=banned.id)
    with pytest.raises(LastAdmin):
        store.accounts.erase(by=admin, password=PASSWORD)
    person(store, Role.ADMIN)
    store.accounts.erase(by=admin, password=PASSWORD)


def test_of_two_admins_who_leave_at_once_one_stays(store: Floor) -> None:
    admins = [person(store, Role.ADMIN), person(store, Role.ADMIN)]
    outcomes = Together(
        *(lambda admin=admin: store.accounts.erase(by=admin, password=PASSWORD) for admin in admins)
    ).outcomes
    assert sorted(type(each).__name__ for each in outcomes) == ["LastAdmin", "NoneType"]


def test_an_order_that_is_placed_at_the_same_time_is_either_seen_or_refused_later(store: Floor) -> None:
    for _ in range(5):
        user, thing = person(store), product(store)

        def buy(user: User = user, thing: Any = thing) -> Order:
            return store.orders.place(by=user, items=[(thing.id, 1)], deliver_to=HOME)

        def leave(user: User = user) -> None:
            store.accounts.erase(by=user, password=PASSWORD)

        bought, left = Together(buy, leave).outcomes
        assert not (isinstance(bought, Order) and left is None), "an order of nobody was placed with their name on it"


def test_an_agent_who_leaves_has_no_name_and_the_customers_keep_what_was_said(store: Floor) -> None:
    ada, agent = person(store), person(store, Role.SUPPORT_AGENT, name="Grace Hopper")
    over, going = (store.support.open(by=ada, message="Hello?") for _ in range(2))
    for each in (over, going):
        store.support.claim(by=agent, conversation_id=each.id)
        store.support.send(by=agent, conversation_id=each.id, body="At your service")
    store.support.close(by=agent, conversation_id=over.id)
    store.accounts.erase(by=agent, password=PASSWORD)
    for each in (over, going):
        said = store.support.messages(by=ada, conversation_id=each.id).items
        assert [message.author_name for message in said][1:] == ["Erased"]
        assert said[1].body == "At your service"
        assert store.support.get(by=ada, conversation_id=each.id).agent_name in ("Erased", None)
    assert [each.id for each in store.support.queue(by=SYSTEM).items] == [going.id]
    assert well(store)


def test_what_can_not_be_removed_at_once_fails_no_erasure(store: Floor, caplog: pytest.LogCaptureFixture) -> None:
    user = person(store)
    asked = store.support.open(by=user, message="Look")
    store.support.attach(by=user, conversation_id=asked.id, name="a.txt", content=[b"Hello"])

    class Down:
        """Files on a disk that is away."""

        def remove(self, name: str) -> None:
            raise Unavailable()

    leaving = type(store.accounts)(
        **{**{f.name: getattr(store.accounts, f.name) for f in fields(store.accounts)}, "files": Down()}
    )
    leaving.erase(by=user, password=PASSWORD)
    assert "still to be removed" in caplog.text
    files = store.ports["files"]
    assert len(files.kept_before(store.clock() + timedelta(hours=1))) == 1
    store.time.forward(hours=2)
    store.mail()
    assert list(files.kept_before(store.clock())) == []


# Papers that are old enough.


def test_a_guests_order_goes_when_its_invoice_may(tmp_path: Path) -> None:
    for back_end in BACK_ENDS:
        (folder := tmp_path / back_end).mkdir()
        with open_floor(back_end, folder) as store:
            thing = product(store)
            order = store.orders.place(by=GUEST, items=[(thing.id, 1)], deliver_to=HOME, email="guest@example.com")
            ada = person(store)
            hers = store.orders.place(by=ada, items=[(thing.id, 1)], deliver_to=HOME)
            store.mail()
            store.time.at = Clock().at.replace(year=2036)
            assert store.orders.forget_buyers() == 0
            store.time.forward(seconds=1)
            assert store.orders.forget_buyers() == 2
            assert store.orders.forget_buyers() == 0
            assert store.orders.get(by=SYSTEM, order_id=order.id).email == NOWHERE
            assert store.orders.get(by=SYSTEM, order_id=hers.id).email == ada.email
            assert {invoice.buyer for invoice in store.orders.invoices(by=SYSTEM).items} == {FORGOTTEN}
            assert b"Erased" in store.orders.invoice(by=SYSTEM, order_id=order.id).content
            assert store.orders.mine(by=ada, query=OrderQuery()).items[0].customer_name == "Ada Lovelace"


def test_what_was_said_of_a_guests_refund_goes_with_its_papers(store: Floor) -> None:
    ada, thing = person(store), product(store)
    refunds = []
    for by, email in ((ada, None), (GUEST, "guest@example.com")):
        order = store.orders.place(by=by, items=[(thing.id, 1)], deliver_to=HOME, email=email)
        for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
            store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
        owner = ada if by is ada else Guest(order_id=order.id)
        asked = store.refunds.request(by=owner, order_id=order.id, items=[(order.lines[0].id, 1)], reason="Too small")
        refunds.append(store.refunds.approve(by=SYSTEM, refund_id=asked.id, note="Sorry", expect_return=False))
    store.mail()
    store.time.at = Clock().at.replace(year=2037)
    assert store.orders.forget_buyers(limit=1) == 4, "two invoices and two credit notes, however few at a time"
    hers, guests = (store.refunds.get(by=SYSTEM, refund_id=each.id) for each in refunds)
    assert (hers.reason, hers.decision_note) == ("Too small", "Sorry")
    assert (guests.reason, guests.decision_note) == ("", None)
