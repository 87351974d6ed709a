"""The demo shop has something for every screen, on every back end."""

from collections import Counter

import pytest

from storecore.accounts.model import SYSTEM
from storecore.lists import PageRequest
from storecore.orders.model import PaymentStatus, Status
from storecore.orders.refund import RefundCause, RefundStatus
from storecore.reviews.model import ReviewStatus
from storecore.support.model import ConversationStatus, Side
from tests.usecases.floor import Floor, on_hand
from webapp import demo


def test_the_demo_shop_shows_everything_once(store: Floor) -> None:
    demo.seed(store)
    everything = PageRequest(limit=100, total=True)
    products = [offer.product for offer in store.catalog.products(page=everything).items]
    assert len(products) >= 60
    assert store.catalog.categories(page=everything).total == 10
    assert Counter(product.group for product in products).most_common(1)[0][1] > 2
    assert any(product.discount for product in products)
    assert 0 in [on_hand(store, product) for product in products]
    orders = store.orders.everyones(by=SYSTEM, page=everything).items
    assert {order.status for order in orders} == set(Status)
    refunds = store.refunds.find(by=SYSTEM).items
    wanted = {RefundStatus.REQUESTED, RefundStatus.APPROVED, RefundStatus.REFUNDED, RefundStatus.REJECTED}
    assert {refund.status for refund in refunds if refund.cause is RefundCause.RETURN} == wanted
    assert len({order.customer_id for order in orders}) >= 3
    written = Counter(
        review.status
        for email in demo.CUSTOMERS
        for review in store.reviews.mine(
            by=store.accounts.login(email=email, password=demo.PASSWORD).user, page=everything
        ).items
    )
    assert set(written) == set(ReviewStatus)
    assert sum(product.rating.count for product in products) == written[ReviewStatus.PUBLISHED]
    online = Counter((order.status, order.payment_status) for order in orders if order.payment_provider == "demo")
    assert online == {
        (Status.DELIVERED, PaymentStatus.PAID): 1,
        (Status.CONFIRMED, PaymentStatus.PAID): 1,
        (Status.PENDING, PaymentStatus.FAILED): 1,
    }
    waiting = store.support.queue(by=SYSTEM).items
    assert {each.customer_id is None for each in waiting} == {True, False}
    robin = store.accounts.login(email="support@example.com", password=demo.PASSWORD).user
    talked = store.support.mine(by=robin).items
    assert {each.status for each in (*waiting, *talked)} == set(ConversationStatus)
    assert all(each.last_seq > 2 for each in talked)
    assert any(each.unread(Side.AGENT) for each in talked)
    for email in (*demo.STAFF, *demo.CUSTOMERS):
        assert store.accounts.login(email=email, password=demo.PASSWORD).user.email_verified
    for email in demo.CUSTOMERS:
        wished = store.wishlist.wishes(by=store.accounts.login(email=email, password=demo.PASSWORD).user).items
        assert len(wished) >= 3
        assert any(each.offer.product.stock == 0 for each in wished)
    with pytest.raises(RuntimeError, match="not empty"):
        demo.seed(store)
