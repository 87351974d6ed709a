"""Every list that a unit shows: none may sort rows that it does not show."""

from collections.abc import Callable

from storecore.accounts.permissions import Role
from storecore.lists import PageRequest
from storecore.notices import NoticeState
from storecore.orders.model import Status
from storecore.orders.refund import RefundStatus
from storecore.ports import (
    SORTS,
    AuditQuery,
    ConversationQuery,
    OrderQuery,
    ProductQuery,
    RefundQuery,
    Unit,
    UserQuery,
)
from storecore.support.model import ConversationStatus
from storecore.testing.builders import NOW, ids, make_product, make_wish_alert

ALERT = make_wish_alert(ids(), make_product(ids(), category_ids=["shelf"]))
USERS = (
    UserQuery(),
    UserQuery(role=Role.ADMIN),
    UserQuery(active=False),
    UserQuery(text="ada"),
    UserQuery(text="ada", role=Role.ADMIN, active=True),
)
AUDITED = (
    AuditQuery(),
    AuditQuery(actor_id="somebody"),
    AuditQuery(action="product.update"),
    AuditQuery(object_type="product"),
    AuditQuery(object_id="something"),
    AuditQuery(object_type="product", object_id="something"),
    AuditQuery(request_id="4711"),
    AuditQuery(written_from=NOW, written_to=NOW),
    AuditQuery(actor_id="somebody", written_from=NOW),
)
Look = Callable[[Unit, PageRequest], object]

LOOKS: tuple[Look, ...] = (
    *(lambda unit, page, sort=sort: unit.products.page(ProductQuery(sort=sort), page) for sort in SORTS),
    lambda unit, page: unit.products.every(page),
    lambda unit, page: unit.products.prices("product", page),
    lambda unit, page: unit.stock.ledger("product", page),
    lambda unit, page: unit.stock.low(5, page),
    lambda unit, page: unit.categories.page(page),
    lambda unit, page: unit.coupons.page(page),
    lambda unit, page: unit.orders.page(OrderQuery(), page),
    lambda unit, page: unit.orders.page(OrderQuery(customer_id="customer"), page),
    lambda unit, page: unit.orders.page(OrderQuery(status=Status.PENDING), page),
    lambda unit, page: unit.orders.page(OrderQuery(placed_from=NOW, placed_to=NOW), page),
    lambda unit, page: unit.orders.deliveries(page),
    lambda unit, page: unit.orders.deliveries(page, done=False),
    lambda unit, page: unit.orders.deliveries(page, done=True),
    lambda unit, page: unit.invoices.page(page, issued_from=None, issued_to=None),
    lambda unit, page: unit.invoices.due(5),
    lambda unit, page: unit.invoices.forget_buyers(NOW, 5),
    lambda unit, page: unit.credit_notes.forget_buyers(NOW, 5),
    lambda unit, page: unit.reviews.of_product("product", page),
    lambda unit, page: unit.reviews.of_author("author", page),
    lambda unit, page: unit.reviews.pending(page),
    lambda unit, page: unit.conversations.queue(page),
    lambda unit, page: unit.conversations.page(ConversationQuery(customer_id="customer"), page),
    lambda unit, page: unit.conversations.page(ConversationQuery(agent_id="agent"), page),
    lambda unit, page: unit.conversations.page(
        ConversationQuery(agent_id="agent", status=ConversationStatus.CLAIMED), page
    ),
    lambda unit, page: unit.conversations.messages("conversation", page),
    lambda unit, page: unit.conversations.latest("conversation", 5),
    *(lambda unit, page, query=query: unit.users.page(query, page) for query in USERS),
    *(lambda unit, page, query=query: unit.audit.page(query, page) for query in AUDITED),
    lambda unit, page: unit.outbox.page(page),
    lambda unit, page: unit.outbox.page(page, state=NoticeState.DEAD),
    lambda unit, page: unit.outbox.of_user("user", page),
    lambda unit, page: unit.outbox.owed(),
    lambda unit, page: unit.outbox.lease(NOW, NOW, 5),
    lambda unit, page: unit.products.refresh_prices(NOW, 5),
    lambda unit, page: unit.sessions.of_user("user"),
    lambda unit, page: unit.wishes.page("user", page),
    lambda unit, page: unit.wishes.next_alert(),
    lambda unit, page: unit.wishes.wishers(ALERT, 5),
    lambda unit, page: unit.purchases.waiting(),
    lambda unit, page: unit.purchases.count(5),
    lambda unit, page: unit.purchases.wanted(5),
    lambda unit, page: unit.purchases.together(["product", "other"], 5),
    lambda unit, page: unit.orders.overdue(NOW, 5),
    lambda unit, page: unit.payments.lease(NOW, NOW, 5),
    lambda unit, page: unit.payments.of_order("order"),
    lambda unit, page: unit.refunds.page(RefundQuery(), page),
    lambda unit, page: unit.refunds.page(RefundQuery(customer_id="customer"), page),
    lambda unit, page: unit.refunds.page(RefundQuery(order_id="order"), page),
    lambda unit, page: unit.refunds.page(RefundQuery(status=RefundStatus.REQUESTED), page),
    lambda unit, page: unit.refunds.lease(NOW, NOW, 5),
    lambda unit, page: unit.refunds.of_order("order"),
    lambda unit, page: unit.credit_notes.of_order("order"),
)
