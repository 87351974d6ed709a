"""What agents do with conversations: the queue, claiming, releasing, handing over, closing."""

from dataclasses import dataclass

from storecore import checks
from storecore.accounts.model import Actor, User, require, require_user
from storecore.accounts.permissions import Permission
from storecore.carts.pricing import PricedCart, priced
from storecore.catalog.model import Product
from storecore.errors import Forbidden, NotClaimed, NotFound
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.orders.model import Order
from storecore.ports import OrderQuery, Unit
from storecore.recording import record
from storecore.shop import Shop
from storecore.support.model import Conversation, Side
from storecore.support.telling import Telling, side_of
from storecore.transactions import reading, writing

RECENT = PageRequest(limit=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an agent should know of a customer: the last orders and wishes, newest first, and the cart.

    Guests have none.
    """

    orders: tuple[Order, ...] = ()
    cart: PricedCart | None = None
    wishes: tuple[Product, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A conversation as one side looks at it; an agent is told the ``context``, too."""

    conversation: Conversation
    side: Side
    context: Context | None = None


@dataclass(frozen=True, kw_only=True)
class Handling(Telling):
    """Conversations in the hands of agents. One agent at a time has one; nobody has their own."""

    shop: Shop

    @reading
    def queue(self, unit: Unit, *, by: Actor, page: PageRequest = FIRST_PAGE) -> Page[Conversation]:
        """Who waits, the longest waiting first."""
        require(by, Permission.SUPPORT_AGENT)
        return unit.conversations.queue(page)

    @reading
    def case(self, unit: Unit, *, by: Actor, conversation_id: str) -> Case:
        """A conversation and, for agents, what the shop knows of whoever asks. Raises ``NotFound``."""
        conversation = unit.conversations.get(conversation_id)
        side = side_of(conversation, by)
        context = self._context(unit, conversation) if side is Side.AGENT else None
        return Case(conversation=conversation, side=side, context=context)

    def _context(self, unit: Unit, conversation: Conversation) -> Context:
        if conversation.customer_id is None:
            return Context()
        customer = unit.users.get(conversation.customer_id)
        cart = unit.carts.of_user(customer.id)
        wished = [wish.product_id for wish in unit.wishes.page(customer.id, RECENT).items]
        products = unit.products.some(wished)
        return Context(
            orders=unit.orders.page(OrderQuery(customer_id=customer.id), RECENT).items,
            cart=priced(unit, cart, by=customer, shop=self.shop) if cart else None,
            wishes=tuple(products[product_id] for product_id in wished),
        )

    def claim(self, *, by: Actor, conversation_id: str) -> Conversation:
        """Take a conversation. Raises ``AlreadyClaimed``, ``ConversationClosed``, ``Forbidden`` for one's own."""
        require(by, Permission.SUPPORT_AGENT)
        return self._told("claimed", self._claim(by=by, conversation_id=conversation_id))

    @writing
    def _claim(self, unit: Unit, *, by: Actor, conversation_id: str) -> Conversation:
        agent = unit.users.locked(require_user(by).id)  # users before conversations, as everywhere
        require(agent, Permission.SUPPORT_AGENT)
        conversation = unit.conversations.locked(conversation_id)
        if conversation.customer_id == agent.id:
            raise Forbidden("Nobody handles their own conversation.")
        return _saved(unit, by, "conversation.claim", conversation, conversation.claim(agent))

    def release(self, *, by: Actor, conversation_id: str) -> Conversation:
        """Put one's conversation back where it was in the queue. Raises ``NotClaimed``, ``ConversationClosed``."""
        require(by, Permission.SUPPORT_AGENT)
        return self._told("released", self._release(by=by, conversation_id=conversation_id))

    @writing
    def _release(self, unit: Unit, *, by: Actor, conversation_id: str) -> Conversation:
        conversation = _own(unit, by, conversation_id)
        return _saved(unit, by, "conversation.release", conversation, conversation.release())

    def transfer(self, *, by: Actor, conversation_id: str, agent_id: str) -> Conversation:
        """Hand one's conversation to another agent. Raises ``NotClaimed``, ``Invalid`` for somebody who is no agent."""
        require(by, Permission.SUPPORT_AGENT)
        return self._told("claimed", self._transfer(by=by, conversation_id=conversation_id, agent_id=agent_id))

    @writing
    def _transfer(self, unit: Unit, *, by: Actor, conversation_id: str, agent_id: str) -> Conversation:
        agent = _agent(unit, agent_id)
        conversation = _own(unit, by, conversation_id)
        if agent.id == by.id:
            raise checks.refuse("agent_id", "has claimed it already")
        if agent.id == conversation.customer_id:
            raise checks.refuse("agent_id", "opened the conversation")
        return _saved(unit, by, "conversation.transfer", conversation, conversation.transfer(agent))

    def close(self, *, by: Actor, conversation_id: str, notes: str | None = None) -> Conversation:
        """End a conversation: its customer, its agent, or any agent while it waits.

        Raises ``ConversationClosed``, ``NotClaimed`` for a colleague's, ``NotFound``.
        """
        return self._told("closed", self._close(by=by, conversation_id=conversation_id, notes=notes))

    @writing
    def _close(self, unit: Unit, *, by: Actor, conversation_id: str, notes: str | None) -> Conversation:
        conversation = unit.conversations.locked(conversation_id)
        side = side_of(conversation, by)
        conversation.check_open()
        if side is Side.AGENT and conversation.agent_id is not None and not conversation.is_with(by):
            raise NotClaimed()
        closed = conversation.close(side, at=unit.now, notes=notes)
        if side is Side.AGENT:
            return _saved(unit, by, "conversation.close", conversation, closed)
        unit.conversations.save(closed)
        return closed

    def _told(self, what: str, conversation: Conversation) -> Conversation:
        self.tell_of(what, conversation)
        return conversation


def _own(unit: Unit, by: Actor, conversation_id: str) -> Conversation:
    conversation = unit.conversations.locked(conversation_id)
    conversation.check_open()
    if not conversation.is_with(by):
        raise NotClaimed()
    return conversation


def _agent(unit: Unit, user_id: str) -> User:
    """Somebody who stays an agent until the unit ends."""
    try:
        agent = unit.users.locked(user_id)
    except NotFound:
        raise checks.refuse("agent_id", "is nobody we know") from None
    if not agent.may(Permission.SUPPORT_AGENT):
        raise checks.refuse("agent_id", "is not an agent")
    return agent


def _saved(unit: Unit, by: Actor, action: str, before: Conversation, after: Conversation) -> Conversation:
    unit.conversations.save(after)
    record(unit, by, action, before=before, after=after)
    return after
