"""Somebody who buys."""

from dataclasses import dataclass, field

from storecore.accounts.model import Actor, Guest, User

PASSWORD = "correct horse battery"  # noqa: S105 - of people who don't exist


@dataclass(eq=False)
class Shopper:
    """A customer, or (without ``user``) a guest, and what they remember: ids of their own things."""

    email: str
    user: User | None = None
    cart_id: str | None = None
    refresh_token: str | None = None
    orders: list[str] = field(default_factory=list)
    bought: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)

    @property
    def by(self) -> Actor:
        """Who asks, when it is about the cart or a new order."""
        return self.user or Guest(cart_id=self.cart_id)

    def owning(self, order_id: str) -> Actor:
        """Who asks, when it is about an order."""
        return self.user or Guest(order_id=order_id)

    def talking(self, conversation_id: str) -> Actor:
        """Who asks, when it is about a conversation."""
        return self.user or Guest(conversation_id=conversation_id)
