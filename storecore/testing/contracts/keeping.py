"""What is kept is what is read, whatever it is: drawn, so that no field and no character is forgotten."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from storecore.accounts.model import SavedAddress, User
from storecore.carts.model import Cart
from storecore.catalog.coupon import Coupon
from storecore.catalog.model import Category, Product
from storecore.ports import Storage
from storecore.testing.builders import NOW, ids
from storecore.testing.contracts.proving import Contract
from storecore.testing.strategies import Trade, carts, coupons, products, saved_addresses, trades, users

SHELF = Category(id="0199bc00-0000-7000-8000-000000000000", name="Things", created_at=NOW)

a_few = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # what an example writes is never committed: the next one finds nothing
        HealthCheck.differing_executors,  # each adapter is given the same examples, and none is remembered
        HealthCheck.too_slow,
    ],
)


class KeepingContract(Contract):
    """Entities come out as they went in."""

    @a_few
    @given(users())
    def test_a_user_is_read_as_written(self, storage: Storage, user: User) -> None:
        with storage.writing(NOW, ids(10**6)) as unit:
            unit.users.add(user)
            assert unit.users.get(user.id) == unit.users.by_email(user.email) == user

    @a_few
    @given(users().flatmap(lambda user: saved_addresses(user).map(lambda saved: (user, saved))))
    def test_an_address_is_read_as_written(self, storage: Storage, whose: tuple[User, SavedAddress]) -> None:
        user, saved = whose
        with storage.writing(NOW, ids(10**6)) as unit:
            unit.users.add(user)
            unit.users.add_address(saved)
            assert unit.users.address(user.id, saved.id) == saved

    @a_few
    @given(products(category_ids=[SHELF.id]))
    def test_a_product_is_read_as_written(self, storage: Storage, product: Product) -> None:
        with storage.writing(NOW, ids(10**6)) as unit:
            unit.categories.add(SHELF)
            unit.products.add(product)
            assert unit.products.get(product.id) == product
            assert unit.products.with_skus([product.sku]) == {product.sku: product}

    @a_few
    @given(coupons())
    def test_a_coupon_is_read_as_written(self, storage: Storage, coupon: Coupon) -> None:
        with storage.writing(NOW, ids(10**6)) as unit:
            unit.coupons.add(coupon)
            assert unit.coupons.get(coupon.id) == unit.coupons.by_code(coupon.code) == coupon

    @a_few
    @given(
        products(category_ids=[SHELF.id]).flatmap(lambda product: carts([product]).map(lambda cart: (product, cart)))
    )
    def test_a_cart_is_read_as_written(self, storage: Storage, filled: tuple[Product, Cart]) -> None:
        product, cart = filled
        with storage.writing(NOW, ids(10**6)) as unit:
            unit.categories.add(SHELF)
            unit.products.add(product)
            unit.carts.save(cart)
            assert unit.carts.get(cart.id) == cart

    @a_few
    @given(trades(currency="USD"))
    def test_an_order_is_read_as_written_with_its_payments_and_refunds(self, storage: Storage, trade: Trade) -> None:
        order = trade.order
        with storage.writing(NOW, ids(10**6)) as unit:
            unit.categories.add(SHELF)
            for product in trade.products:
                unit.products.add(replace(product, category_ids=(SHELF.id,)))
            if trade.customer:
                unit.users.add(trade.customer)
            if trade.coupon:
                unit.coupons.add(trade.coupon)
            unit.orders.add(order)
            for payment in trade.payments:
                unit.payments.add(payment)
            for refund in trade.refunds:
                unit.refunds.add(refund)
            assert unit.orders.get(order.id) == order
            assert tuple(unit.payments.of_order(order.id)) == trade.payments
            assert {each.id: each for each in unit.refunds.of_order(order.id)} == {
                each.id: each for each in trade.refunds
            }
