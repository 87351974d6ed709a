"""Somebody who leaves a trace in every personal field that there is, and a search for these in all a shop keeps."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, cast, select, text
from sqlalchemy.types import Text

from adapters.memory import MemoryFiles, MemoryStorage
from adapters.sql import SqlStorage
from adapters.sql.columns import metadata
from adapters.sql.personal import Kept, columns
from adapters.sql.transaction import row_of
from storecore.accounts.model import SYSTEM, Address, Guest, SavedAddress, Session, User
from storecore.accounts.permissions import Role
from storecore.catalog.model import Product
from storecore.notices import Notice
from storecore.orders.model import HistoryEntry, Order, Party, Status
from storecore.orders.refund import Refund
from storecore.reviews.model import Review
from storecore.support.model import Attached, Conversation, Message
from storecore.transactions import Once
from tests.usecases.floor import PASSWORD, Floor, person, product

CONTENT = b"zq-content of a file"
TRACES: Mapping[type, Mapping[str, str]] = {
    User: {
        "email": "zq-email@example.com",
        "full_name": "Zqfirst Zqlast",
        "phone": "zq-phone",
        "tax_id": "zq-tax-id",
        "home_address": "zq-home-address",
        "preferences": "zq-preference",
    },
    Address: {
        "recipient": "zq-recipient",
        "line1": "zq-line1",
        "line2": "zq-line2",
        "city": "zq-city",
        "region": "zq-region",
        "postal_code": "zq-postal",
    },
    SavedAddress: {"address": "zq-recipient", "label": "zq-label"},
    Session: {"device": "zq-device"},
    Order: {
        "customer_name": "Zqfirst Zqformer",
        "email": "zq-email@example.com",
        "delivery_address": "zq-recipient",
        "note": "zq-order-note",
        "carrier": "zq-carrier",
        "tracking_number": "zq-tracking",
    },
    HistoryEntry: {"note": "zq-history-note"},
    Party: {"name": "Zqfirst Zqformer", "address": "zq-line1", "tax_id": "zq-tax-id", "email": "zq-email@example.com"},
    Refund: {"reason": "zq-reason", "decision_note": "zq-decision"},
    Review: {"author": "Zqfirst Z.", "comment": "zq-comment"},
    Conversation: {"customer_name": "Zqfirst Z", "subject": "zq-subject", "notes": "zq-agents-notes"},
    Message: {"author_name": "Zqfirst Z", "body": "zq-message", "client_id": "zq-client-id"},
    Attached: {"name": "zq-file.txt", "sha256": sha256(CONTENT).hexdigest()},
    Notice: {"recipient": "zq-former@example.com", "data": "zq-order-note-mailed", "error": "zq-mail-error"},
}
"""What is left where, by entity and field; names and addresses on papers are the same as on their orders."""

NOT_THEIRS = {(Conversation, "guest_email"), (Conversation, "agent_name")}
"""Personal fields that tell of somebody else than the customer with an account."""


def all_traces() -> set[str]:
    """Every trace, and what is said in places that are no field."""
    planted = {trace for each in TRACES.values() for trace in each.values()}
    return planted | {"zq-answer", "zq-unpublished", CONTENT.decode(), "zq-from-the-agent"}


@dataclass(frozen=True, kw_only=True)
class Life:
    """Somebody, as they are by now, and what they bought."""

    user: User
    order: Order
    thing: Product


def live(store: Floor) -> Life:
    """Register, change one's name and email, buy, give back, review, wish, ask, and be written to."""
    accounts = store.accounts
    registering = Once(scope="POST /register request 1", key="1", fingerprint=b"1", render=_told)
    user = accounts.register(
        email="zq-former@example.com",
        password=PASSWORD,
        full_name="Zqfirst Zqformer",
        phone="zq-phone",
        tax_id="zq-tax-id",
        home_address="zq-home-address",
        once=registering,
    )
    accounts.login(email=user.email, password=PASSWORD, device="zq-device")
    _fail_to_mail(store)
    accounts.change_email(by=user, password=PASSWORD, email="zq-email@example.com")
    store.mail()
    token = next(
        str(notice.data["link"]).partition("token=")[2]
        for notice, _ in store.mailer.sent
        if notice.recipient == "zq-email@example.com"
    )
    user = accounts.verify_email(token=token)
    address = Address(**TRACES[Address], country="GB")
    accounts.add_address(by=user, address=address, label="zq-label")
    order, thing = _buy(store, user, address)
    user = accounts.update_profile(by=user, full_name="Zqfirst Zqlast", preferences={"zq-preference": True})
    store.carts.add_item(by=user, product_id=thing.id, quantity=1)
    store.wishlist.add(by=user, product_id=thing.id)
    _review(store, user, thing)
    _talk(store, user)
    store.mail()
    return Life(user=accounts.me(by=user), order=store.orders.get(by=user, order_id=order.id), thing=thing)


def _told(result: Any) -> bytes:
    return json.dumps({"id": result.id, "said": "zq-answer"}).encode()


def _fail_to_mail(store: Floor) -> None:
    """The first mail to them is refused once."""
    with store.storage.writing(store.clock(), store.ports["new_id"]) as unit:
        for notice in unit.outbox.lease(store.clock(), store.clock(), 100):
            if notice.recipient == "zq-former@example.com":
                unit.outbox.save(notice.failed(store.clock(), "zq-mail-error", for_good=True))
        unit.commit()


def _buy(store: Floor, user: User, address: Address) -> tuple[Order, Product]:
    """One order is delivered and partly given back, another cancelled; staff do something about both, once."""
    staff, thing = person(store, Role.ADMIN, name="Grace Hopper"), product(store, stock=50)
    items = [(thing.id, 2)]
    once = Once(scope=f"POST /orders user {user.id}", key="k", fingerprint=b"2", render=_told)
    order = store.orders.place(by=user, items=items, deliver_to=address, note="zq-order-note", once=once)
    store.orders.advance(by=staff, order_id=order.id, to=Status.CONFIRMED, note="zq-history-note")
    store.orders.advance(by=staff, order_id=order.id, to=Status.PROCESSING, note="zq-order-note-mailed")
    store.orders.advance(
        by=staff, order_id=order.id, to=Status.SHIPPED, carrier="zq-carrier", tracking_number="zq-tracking"
    )
    store.orders.advance(by=staff, order_id=order.id, to=Status.DELIVERED)
    store.orders.invoice(by=user, order_id=order.id)
    refund = store.refunds.request(by=user, order_id=order.id, items=[(order.lines[0].id, 1)], reason="zq-reason")
    deciding = Once(
        scope=f"POST /refunds user {staff.id}",
        key="k",
        fingerprint=b"3",
        render=lambda refund: f'{{"order_id": "{refund.order_id}", "reason": "{refund.reason}"}}'.encode(),
    )
    store.refunds.approve(by=staff, refund_id=refund.id, expect_return=False, note="zq-decision", once=deciding)
    regretted = store.orders.place(by=user, items=items, deliver_to=address, note="zq-order-note")
    store.orders.cancel(by=user, order_id=regretted.id, note="zq-history-note")
    return order, thing


def _review(store: Floor, user: User, thing: Product) -> None:
    """One review is read by everybody, another by nobody yet."""
    other = product(store)
    bought = store.orders.place(by=user, items=[(other.id, 1)], deliver_to=Address(**TRACES[Address], country="GB"))
    for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
        store.orders.advance(by=SYSTEM, order_id=bought.id, to=status)
    review = store.reviews.write(by=user, product_id=thing.id, rating=4, comment="zq-comment")
    store.reviews.approve(by=SYSTEM, review_id=review.id)
    store.reviews.write(by=user, product_id=other.id, rating=1, comment="zq-unpublished")


def _talk(store: Floor, user: User) -> None:
    agent, support = person(store, Role.SUPPORT_AGENT, name="Mary Seacole"), store.support
    asked = support.open(by=user, subject="zq-subject", message="zq-message")
    support.claim(by=agent, conversation_id=asked.id)
    support.send(by=agent, conversation_id=asked.id, body="zq-from-the-agent")
    support.attach(
        by=user, conversation_id=asked.id, name="zq-file.txt", content=[CONTENT], body="Look", client_id="zq-client-id"
    )
    support.close(by=agent, conversation_id=asked.id, notes="zq-agents-notes")
    store.support.open(by=Guest(), message="Somebody else", guest_name="Bob", guest_email="bob@example.com")


def traces_in(found: str | bytes) -> set[str]:
    """Those of the traces that something has in it, whatever their case."""
    plain = (found.encode() if isinstance(found, str) else found).lower()
    return {trace for trace in all_traces() if trace.lower().encode() in plain}


def kept(store: Floor, folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Every place that has traces: a row as it lies there, a secret by its column, a file by its name."""
    storage = store.storage
    if isinstance(storage, MemoryStorage):
        for table in fields(storage.tables):
            for row in getattr(storage.tables, table.name).items():
                if found := traces_in(_spelled_out(row)):
                    yield table.name, found
    else:
        assert isinstance(storage, SqlStorage)
        yield from _in_rows(storage)
        yield from _in_secrets(storage)
    if isinstance(files := store.ports["files"], MemoryFiles):
        for name in files.kept_before(store.clock() + timedelta(days=1)):
            with files.open(name) as file:
                if found := traces_in(file.read()):
                    yield name, found
    for path in folder.rglob("*"):
        if path.is_file() and (found := traces_in(path.read_bytes())):
            yield path.name, found


def _spelled_out(value: Any) -> str:
    """An entity with the fields that its ``repr`` is silent about."""
    if is_dataclass(value):
        return " ".join(f"{each.name}={_spelled_out(getattr(value, each.name))}" for each in fields(value))
    if isinstance(value, (tuple, list)):
        return " ".join(map(_spelled_out, value))
    if isinstance(value, Mapping):
        return " ".join(f"{_spelled_out(key)} {_spelled_out(each)}" for key, each in value.items())
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _in_rows(storage: SqlStorage) -> Iterator[tuple[str, set[str]]]:
    with storage.snapshot() as (connection, _):
        for table in metadata.sorted_tables:
            shown = [c if isinstance(c.type, LargeBinary) else cast(c, Text) for c in table.columns]
            for row in connection.execute(select(*shown)):
                if found := traces_in(
                    b" ".join(each if isinstance(each, bytes) else str(each).encode() for each in row)
                ):
                    yield f"a row of {table.name}", found
        for name in ("alembic_version",):
            assert not traces_in(str(connection.execute(text(f"SELECT * FROM {name}")).all()))


def _in_secrets(storage: SqlStorage) -> Iterator[tuple[str, set[str]]]:
    with storage.snapshot() as (connection, cipher):
        for column in columns(Kept.SEALED):
            rows = select(*column.table.primary_key, column).where(column.is_not(None))
            for *key, secret in connection.execute(rows):
                if found := traces_in(cipher.decrypt(str(column), row_of(*key), secret)):
                    yield str(column), found
