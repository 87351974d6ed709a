"""Looking at orders: one's own, or everybody's for staff."""

from dataclasses import dataclass, replace

from storecore.accounts.model import Actor, Guest, require, require_user
from storecore.accounts.permissions import Permission
from storecore.errors import NotFound
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.orders import letters
from storecore.orders.model import Delivery, Order
from storecore.ports import OrderQuery, Signer, Unit
from storecore.transactions import Activity, reading

EVERY_ORDER = OrderQuery()


@dataclass(frozen=True, kw_only=True)
class Reading(Activity):
    """Orders on paper."""

    signer: Signer

    @reading
    def get(self, unit: Unit, *, by: Actor, order_id: str) -> Order:
        """One order: its owner's, or any for ``orders:read_all``. Raises ``NotFound``, also for somebody else's."""
        order = unit.orders.get(order_id)
        if not order.belongs_to(by) and not by.may(Permission.ORDERS_READ_ALL):
            raise NotFound("There is no such order.")
        return order

    @reading
    def mine(
        self, unit: Unit, *, by: Actor, query: OrderQuery = EVERY_ORDER, page: PageRequest = FIRST_PAGE
    ) -> Page[Order]:
        """One's own orders, newest first, without their explanation."""
        return unit.orders.page(replace(query, customer_id=require_user(by).id), page)

    @reading
    def everyones(
        self, unit: Unit, *, by: Actor, query: OrderQuery = EVERY_ORDER, page: PageRequest = FIRST_PAGE
    ) -> Page[Order]:
        """Every order, newest first, without their explanation."""
        require(by, Permission.ORDERS_READ_ALL)
        return unit.orders.page(query, page)

    @reading
    def deliveries(
        self, unit: Unit, *, by: Actor, done: bool | None = None, page: PageRequest = FIRST_PAGE
    ) -> Page[Delivery]:
        """What is to be delivered (or was), line by line, oldest first."""
        require(by, Permission.ORDERS_FULFIL)
        return unit.orders.deliveries(page, done=done)

    def token(self, order: Order) -> str:
        """What a guest shows to be taken for the order's owner."""
        return letters.order_token(self.signer, order)

    def holder(self, token: str) -> Guest:
        """Who shows such a token. Raises ``LinkInvalid``."""
        return Guest(order_id=self.signer.read(letters.ORDER_LINK, token, self.clock())["order"])
