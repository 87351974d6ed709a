"""What staff do is in the audit log, in the same transaction; what customers do, and the shop by itself, is not."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from itertools import count
from pathlib import Path

import pytest

from adapters.sql import SqlStorage
from storecore import audit
from storecore.accounts.model import GUEST, SYSTEM, User
from storecore.accounts.permissions import Permission, Role
from storecore.audit import HIDDEN, AuditEntry
from storecore.errors import Forbidden, LastAdmin, NotAuthenticated, OutOfStock, SkuTaken
from storecore.lists import PageRequest
from storecore.notices import NoticeState
from storecore.orders.model import Order, Status
from storecore.orders.refund import Disposition, Refund
from storecore.ports import AuditQuery
from storecore.store import Store
from storecore.support.model import Conversation
from storecore.testing.builders import make_notice
from storecore.transactions import Activity, Once, Replayed, reading
from tests.databases import DATABASES
from tests.usecases.floor import HOME, PASSWORD, Floor, open_floor, person, product

EVERYTHING = PageRequest(limit=100)

Act = Callable[[Floor, User], object]

_numbers = count(1)


def log(store: Store, **query: str) -> Sequence[AuditEntry]:
    """What is in the audit log, newest first."""
    return store.audit.page(by=SYSTEM, query=AuditQuery(**query), page=EVERYTHING).items  # type: ignore[arg-type] # times are not asked for


def an_order(store: Floor, *, to: Status = Status.PENDING, buyer: User | None = None) -> Order:
    order = store.orders.place(by=buyer or person(store), items=[(product(store).id, 2)], deliver_to=HOME)
    for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
        if order.status is to:
            break
        order = store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    return order


def a_refund(store: Floor) -> Refund:
    buyer = person(store)
    order = an_order(store, to=Status.DELIVERED, buyer=buyer)
    return store.refunds.request(by=buyer, order_id=order.id, items=[(order.lines[0].id, 1)], reason="Too small")


def an_approved_refund(store: Floor) -> Refund:
    return store.refunds.approve(by=SYSTEM, refund_id=a_refund(store).id)


def a_review(store: Floor) -> str:
    buyer = person(store)
    order = an_order(store, to=Status.DELIVERED, buyer=buyer)
    return store.reviews.write(by=buyer, product_id=order.lines[0].product_id, rating=1, comment="Ugly").id


def a_conversation(store: Floor) -> Conversation:
    return store.support.open(by=person(store), message="Hello?")


def claimed(store: Floor, agent: User) -> str:
    return store.support.claim(by=agent, conversation_id=a_conversation(store).id).id


def dead_mail(store: Floor) -> str:
    with store.storage.writing(store.clock(), store.ports["new_id"]) as unit:
        notice = make_notice(unit.new_id, state=NoticeState.DEAD, attempts=40)
        unit.outbox.add([notice])
        unit.commit()
    return notice.id


def a_shelf(store: Floor) -> str:
    return store.catalog.create_category(by=SYSTEM, name=f"Hats {next(_numbers)}").id


def a_coupon(store: Floor) -> str:
    return store.catalog.create_coupon(by=SYSTEM, code=f"TEN{next(_numbers)}", percent=Decimal(10)).id


STAFF: Mapping[str, tuple[str, Act]] = {
    "accounts.set_role": (
        "user.set_role",
        lambda store, by: store.accounts.set_role(by=by, user_id=person(store).id, role=Role.VENDOR),
    ),
    "accounts.set_permission": (
        "user.set_permission",
        lambda store, by: store.accounts.set_permission(
            by=by, user_id=person(store).id, permission=Permission.REPORTS_READ, allowed=True
        ),
    ),
    "accounts.ban": ("user.ban", lambda store, by: store.accounts.ban(by=by, user_id=person(store).id)),
    "accounts.unban": ("user.unban", lambda store, by: store.accounts.unban(by=by, user_id=person(store).id)),
    "catalog.create_product": (
        "product.create",
        lambda store, by: store.catalog.create_product(
            by=by,
            sku=f"HAT-{next(_numbers)}",
            name="Hat",
            price=product(store).price,
            category_ids=[a_shelf(store)],
            stock=3,
        ),
    ),
    "catalog.update_product": (
        "product.update",
        lambda store, by: store.catalog.update_product(by=by, product_id=product(store).id, name="Cap"),
    ),
    "catalog.archive_product": (
        "product.archive",
        lambda store, by: store.catalog.archive_product(by=by, product_id=product(store).id),
    ),
    "catalog.import_products": (
        "product.update",
        lambda store, by: store.catalog.import_products(
            by=by, file=BytesIO(f"sku,name\n{product(store).sku},Cap".encode())
        ),
    ),
    "catalog.adjust_stock": (
        "product.adjust_stock",
        lambda store, by: store.catalog.adjust_stock(by=by, product_id=product(store).id, change=1, reason="found"),
    ),
    "catalog.discount": (
        "product.discount",
        lambda store, by: store.catalog.discount(by=by, product_ids=[product(store).id], percent=Decimal(10)),
    ),
    "catalog.clear_discount": (
        "product.clear_discount",
        lambda store, by: store.catalog.clear_discount(by=by, product_ids=[product(store).id]),
    ),
    "catalog.create_category": (
        "category.create",
        lambda store, by: store.catalog.create_category(by=by, name=f"Caps {next(_numbers)}"),
    ),
    "catalog.update_category": (
        "category.update",
        lambda store, by: store.catalog.update_category(
            by=by, category_id=a_shelf(store), name=f"Caps {next(_numbers)}"
        ),
    ),
    "catalog.remove_category": (
        "category.remove",
        lambda store, by: store.catalog.remove_category(by=by, category_id=a_shelf(store)),
    ),
    "catalog.create_coupon": (
        "coupon.create",
        lambda store, by: store.catalog.create_coupon(by=by, code=f"TEN{next(_numbers)}", percent=Decimal(10)),
    ),
    "catalog.update_coupon": (
        "coupon.update",
        lambda store, by: store.catalog.update_coupon(by=by, coupon_id=a_coupon(store), max_uses=3),
    ),
    "catalog.withdraw_coupon": (
        "coupon.withdraw",
        lambda store, by: store.catalog.withdraw_coupon(by=by, coupon_id=a_coupon(store)),
    ),
    "orders.advance": (
        "order.advance",
        lambda store, by: store.orders.advance(by=by, order_id=an_order(store).id, to=Status.CONFIRMED),
    ),
    "orders.cancel": ("order.cancel", lambda store, by: store.orders.cancel(by=by, order_id=an_order(store).id)),
    "orders.record_payment": (
        "order.record_payment",
        lambda store, by: store.orders.record_payment(by=by, order_id=an_order(store).id),
    ),
    "refunds.approve": (
        "refund.approve",
        lambda store, by: store.refunds.approve(by=by, refund_id=a_refund(store).id, note="Sorry"),
    ),
    "refunds.reject": (
        "refund.reject",
        lambda store, by: store.refunds.reject(by=by, refund_id=a_refund(store).id, note="Worn"),
    ),
    "refunds.receive": (
        "refund.receive",
        lambda store, by: store.refunds.receive(
            by=by, refund_id=an_approved_refund(store).id, disposition=Disposition.RESTOCK
        ),
    ),
    "reviews.approve": (
        "review.approve",
        lambda store, by: store.reviews.approve(by=by, review_id=a_review(store)),
    ),
    "reviews.reject": ("review.reject", lambda store, by: store.reviews.reject(by=by, review_id=a_review(store))),
    "reviews.delete": ("review.delete", lambda store, by: store.reviews.delete(by=by, review_id=a_review(store))),
    "support.claim": (
        "conversation.claim",
        lambda store, by: store.support.claim(by=by, conversation_id=a_conversation(store).id),
    ),
    "support.release": (
        "conversation.release",
        lambda store, by: store.support.release(by=by, conversation_id=claimed(store, by)),
    ),
    "support.transfer": (
        "conversation.transfer",
        lambda store, by: store.support.transfer(
            by=by, conversation_id=claimed(store, by), agent_id=person(store, Role.SUPPORT_AGENT).id
        ),
    ),
    "support.close": (
        "conversation.close",
        lambda store, by: store.support.close(by=by, conversation_id=a_conversation(store).id, notes="Rude"),
    ),
    "notices.retry": ("notice.retry", lambda store, by: store.notices.retry(by=by, notice_id=dead_mail(store))),
}
"""Every use case that staff change something with: what it is called in the log, and an example."""

OWN: Mapping[str, str] = {
    "accounts": "add_address change_email change_password end_session erase remove_address resend_verification "
    "update_address update_profile",
    "carts": "add_item apply_coupon clear merge remove_coupon remove_item set_quantity",
    "orders": "amend checkout pay place",
    "refunds": "request withdraw",
    "reviews": "edit write",
    "support": "attach mark_read open send",
    "wishlist": "add clear remove",
}
"""What people do with what is their own, and what agents say, which is written down elsewhere."""

SEEN: Mapping[str, str] = {
    "catalog": "export_products reindex",
    "orders": "invoice",
    "refunds": "credit_note",
    "support": "attachment typing",
}
"""What changes nothing of the shop, though it is not marked as reading."""

SHOP: Mapping[str, str] = {"accounts": "create_admin"}
"""What the command line alone may do; it is in the log all the same."""


def use_cases(store: Store) -> set[str]:
    """Whatever somebody can do that is not marked as reading: ``catalog.create_product``."""
    looking = reading(lambda _activity, _unit: None).__code__
    return {
        f"{area}.{name}"
        for area, activity in vars(store).items()
        if isinstance(activity, Activity)
        for name, method in inspect.getmembers(type(activity), inspect.isfunction)
        if not name.startswith("_") and "by" in inspect.signature(method).parameters and method.__code__ is not looking
    }


def test_every_use_case_is_known_to_be_staffs_or_not(store: Floor) -> None:
    others = {f"{area}.{name}" for each in (OWN, SEEN, SHOP) for area, names in each.items() for name in names.split()}
    assert use_cases(store) - others - STAFF.keys() == set(), "add an example to STAFF, or the name to OWN"
    assert (others | STAFF.keys()) - use_cases(store) == set(), "these are gone"
    assert others.isdisjoint(STAFF)


@pytest.mark.parametrize("name", STAFF)
def test_whatever_staff_do_is_in_the_log(store: Floor, name: str) -> None:
    admin, (action, act) = person(store, Role.ADMIN), STAFF[name]
    act(store, admin)
    newest, *older = log(store)
    assert (newest.action, newest.actor_id, newest.actor_role, newest.at) == (action, admin.id, "admin", store.clock())
    assert newest.object_type == action.partition(".")[0]
    assert newest.request_id is None
    assert [each.action for each in older] == ["conversation.claim"] * (action in _AFTER_A_CLAIM)


_AFTER_A_CLAIM = frozenset({"conversation.release", "conversation.transfer"})


@pytest.mark.parametrize("name", STAFF)
def test_what_the_shop_does_by_itself_is_not_in_the_log(store: Floor, name: str) -> None:
    try:
        STAFF[name][1](store, SYSTEM)  # type: ignore[arg-type] # on purpose
    except NotAuthenticated:
        assert name.startswith("support."), "only conversations need somebody"
    assert log(store) == ()


def test_what_customers_do_with_their_own_is_not_in_the_log_even_if_they_are_staff(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    order = an_order(store, buyer=admin)
    store.orders.cancel(by=admin, order_id=order.id)
    delivered = an_order(store, to=Status.DELIVERED, buyer=admin)
    review = store.reviews.write(by=admin, product_id=delivered.lines[0].product_id, rating=5)
    store.reviews.delete(by=admin, review_id=review.id)
    opened = store.support.open(by=admin, message="Hello?")
    store.support.close(by=admin, conversation_id=opened.id)
    store.accounts.update_profile(by=admin, full_name="Somebody Else")
    assert log(store) == ()


def test_an_entry_shows_what_changed_and_nothing_else(store: Floor) -> None:
    admin, hat = person(store, Role.ADMIN), product(store, price=1999)
    store.catalog.update_product(
        by=admin, product_id=hat.id, price=hat.price * 2, name=hat.name, discount_percent=Decimal("12.5")
    )
    (entry,) = log(store)
    assert (entry.object_type, entry.object_id) == ("product", hat.id)
    assert entry.before == {"price": "19.99 USD", "discount": None}
    discount = {"percent": "12.5", "starts_at": "2026-03-01T09:00:00Z", "ends_at": None}
    assert entry.after == {"price": "39.98 USD", "discount": discount}


def test_what_was_made_has_no_before_and_what_was_removed_no_after(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    shelf = store.catalog.create_category(by=admin, name="Hats")
    store.catalog.remove_category(by=admin, category_id=shelf.id)
    removed, made = log(store, object_id=shelf.id)
    assert (made.before, made.after) == ({}, {"name": "Hats", "parent_id": None})
    assert (removed.before, removed.after) == ({"name": "Hats", "parent_id": None}, {})


def test_corrected_stock_is_there_before_and_after_with_the_reason(store: Floor) -> None:
    admin, hat = person(store, Role.ADMIN), product(store, stock=10)
    store.catalog.adjust_stock(by=admin, product_id=hat.id, change=-3, reason="broken")
    (entry,) = log(store)
    assert entry.before == {"stock": 10}
    assert entry.after == {"stock": 7, "change": -3, "reason": "broken"}


def test_personal_fields_are_noted_as_changed_without_their_values(store: Floor) -> None:
    admin, refund, review = person(store, Role.ADMIN), a_refund(store), a_review(store)
    store.refunds.reject(by=admin, refund_id=refund.id, note="Ada wore it")
    store.reviews.delete(by=admin, review_id=review)
    opened = store.support.open(by=GUEST, message="?", subject="Secret", guest_name="Zoe", guest_email="z@example.com")
    store.support.close(by=admin, conversation_id=opened.id, notes="Zoe is rude")
    closed, deleted, rejected = log(store)
    assert rejected.before == {"status": "requested", "decision_note": None}
    assert rejected.after == {"status": "rejected", "decision_note": HIDDEN}
    assert deleted.before["comment"] == HIDDEN
    assert closed.after == {"status": "closed", "closed_by": "agent", "notes": HIDDEN}
    shown = "".join(str((each.before, each.after)) for each in (closed, deleted, rejected))
    for secret in ("Ada", "Zoe", "Ugly", "Secret", "z@example.com"):
        assert secret not in shown


def test_the_first_admin_is_in_the_log(store: Floor) -> None:
    made = store.accounts.create_admin(by=SYSTEM, email="root@example.com", password=PASSWORD, full_name="Root")
    (entry,) = log(store)
    assert (entry.action, entry.actor_id, entry.actor_role) == ("user.create_admin", None, "system")
    assert entry.object_id == made.id
    assert (entry.after["role"], entry.after["email"]) == ("admin", HIDDEN)


def test_the_role_is_the_one_that_the_actor_had_then(store: Floor) -> None:
    manager = person(store, Role.PRODUCT_MANAGER)
    store.catalog.create_category(by=manager, name="Hats")
    store.accounts.set_role(by=SYSTEM, user_id=manager.id, role=Role.CUSTOMER)
    assert log(store)[0].actor_role == "product_manager"


def test_what_was_refused_is_not_in_the_log(store: Floor) -> None:
    admin, hat = person(store, Role.ADMIN), product(store, stock=1)
    with pytest.raises(OutOfStock):
        store.catalog.adjust_stock(by=admin, product_id=hat.id, change=-2, reason="lost")
    with pytest.raises(SkuTaken):
        store.catalog.update_product(by=admin, product_id=product(store).id, sku=hat.sku)
    with pytest.raises(Forbidden):
        store.accounts.ban(by=admin, user_id=admin.id)
    with pytest.raises(LastAdmin):
        store.accounts.ban(by=SYSTEM, user_id=admin.id)
    assert log(store) == ()


def test_doing_again_what_is_done_is_not_in_the_log(store: Floor) -> None:
    admin, hat, coupon = person(store, Role.ADMIN), product(store), a_coupon(store)
    for _ in range(2):
        store.catalog.archive_product(by=admin, product_id=hat.id)
        store.catalog.withdraw_coupon(by=admin, coupon_id=coupon)
    once = Once("scope", "key", b"fingerprint", lambda _: b"answer")
    store.catalog.create_category(by=admin, name="Hats", once=once)
    with pytest.raises(Replayed):
        store.catalog.create_category(by=admin, name="Hats", once=once)
    assert [each.action for each in log(store)] == ["category.create", "coupon.withdraw", "product.archive"]


def test_a_request_is_named_by_its_id(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    token = audit.request_id.set("4711")
    try:
        store.catalog.create_category(by=admin, name="Hats")
    finally:
        audit.request_id.reset(token)
    store.catalog.create_category(by=admin, name="Caps")
    assert [each.request_id for each in log(store)] == [None, "4711"]
    assert [each.after["name"] for each in log(store, request_id="4711")] == ["Hats"]


def test_a_discount_on_many_products_has_an_entry_for_each(store: Floor) -> None:
    admin, hats = person(store, Role.ADMIN), [product(store).id for _ in range(30)]
    store.catalog.discount(by=admin, product_ids=hats, percent=Decimal(10))
    store.catalog.clear_discount(by=admin, product_ids=hats[:2])
    assert sorted(each.object_id for each in log(store, action="product.discount")) == sorted(hats)
    assert sorted(each.object_id for each in log(store, action="product.clear_discount")) == sorted(hats[:2])


@pytest.mark.parametrize("back_end", DATABASES)
def test_being_logged_costs_one_statement(back_end: str, tmp_path: Path) -> None:
    with open_floor(back_end, tmp_path) as store:
        admin, hats = person(store, Role.ADMIN), [product(store).id for _ in range(30)]
        store.catalog.discount(by=SYSTEM, product_ids=hats, percent=Decimal(10))
        acts: dict[str, Act] = {name: act for name, (_, act) in STAFF.items() if not name.startswith("support.")}
        acts["many"] = lambda store, by: store.catalog.discount(by=by, product_ids=hats, percent=Decimal(10))
        for name, act in acts.items():
            unlogged = statements(store, act, SYSTEM)  # type: ignore[arg-type] # on purpose
            assert statements(store, act, admin) == unlogged + 1, name


def statements(store: Floor, act: Act, by: User) -> int:
    assert isinstance(store.storage, SqlStorage)
    with store.storage.count_statements() as counted:
        act(store, by)
    return counted.count


def test_the_log_is_for_those_who_may_read_it(store: Floor) -> None:
    for by in (person(store), *(person(store, role) for role in Role if role is not Role.ADMIN)):
        with pytest.raises(Forbidden):
            store.audit.page(by=by)
    with pytest.raises(NotAuthenticated):
        store.audit.page(by=GUEST)
    assert store.audit.page(by=person(store, Role.ADMIN)).items == ()


def test_an_erased_or_renamed_user_stays_an_id(store: Floor) -> None:
    admin = person(store, Role.ADMIN, name="Grace Hopper")
    store.catalog.create_category(by=admin, name="Hats")
    (entry,) = log(store)
    assert "Grace" not in str(entry)
    assert "@" not in str(entry)
