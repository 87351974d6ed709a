"""What agents do with conversations: the queue, claiming, releasing, handing over, closing."""

from dataclasses import dataclass

from storecore import checks
from storecore.accounts.model import Actor, User, require, require_user
from storecore.accounts.permissions import Permission
from storecore.carts.model import Cart
from storecore.errors import Forbidden, NotClaimed, NotFound
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.orders.model import Order
from storecore.ports import OrderQuery, Unit
from storecore.support.model import Conversation, ConversationStatus, Side
from storecore.support.telling import QUEUE, Telling, side_of, topic
from storecore.transactions import reading, writing

RECENT = PageRequest(limit=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an agent should know of a customer: the last orders, newest first, and the cart. Guests have none."""

    orders: tuple[Order, ...] = ()
    cart: Cart | None = None


@dataclass(frozen=True, kw_only=True)
class Handling(Telling):
    """Conversations in the hands of agents. One agent at a time has one; nobody has their own."""

    @reading
    def queue(self, unit: Unit, *, by: Actor, page: PageRequest = FIRST_PAGE) -> Page[Conversation]:
        """Who waits, the longest waiting first."""
        require(by, Permission.SUPPORT_AGENT)
        return unit.conversations.queue(page)

    @reading
    def context(self, unit: Unit, *, by: Actor, conversation_id: str) -> Context:
        """What the shop knows of whoever asks."""
        require(by, Permission.SUPPORT_AGENT)
        customer_id = unit.conversations.get(conversation_id).customer_id
        if customer_id is None:
            return Context()
        return Context(
            orders=unit.orders.page(OrderQuery(customer_id=customer_id), RECENT).items,
            cart=unit.carts.of_user(customer_id),
        )

    def claim(self, *, by: Actor, conversation_id: str) -> Conversation:
        """Take a conversation. Raises ``AlreadyClaimed``, ``ConversationClosed``, ``Forbidden`` for one's own."""
        require(by, Permission.SUPPORT_AGENT)
        return self._told("claimed", self._claim(by=by, conversation_id=conversation_id))

    @writing
    def _claim(self, unit: Unit, *, by: Actor, conversation_id: str) -> Conversation:
        agent, conversation = require_user(by), unit.conversations.locked(conversation_id)
        if conversation.customer_id == agent.id:
            raise Forbidden("Nobody handles their own conversation.")
        return _saved(unit, conversation.claim(agent))

    def release(self, *, by: Actor, conversation_id: str) -> Conversation:
        """Put one's conversation back where it was in the queue. Raises ``NotClaimed``, ``ConversationClosed``."""
        require(by, Permission.SUPPORT_AGENT)
        return self._told("released", self._release(by=by, conversation_id=conversation_id))

    @writing
    def _release(self, unit: Unit, *, by: Actor, conversation_id: str) -> Conversation:
        return _saved(unit, _own(unit, by, conversation_id).release())

    def transfer(self, *, by: Actor, conversation_id: str, agent_id: str) -> Conversation:
        """Hand one's conversation to another agent. Raises ``NotClaimed``, ``Invalid`` for somebody who is no agent."""
        require(by, Permission.SUPPORT_AGENT)
        return self._told("claimed", self._transfer(by=by, conversation_id=conversation_id, agent_id=agent_id))

    @writing
    def _transfer(self, unit: Unit, *, by: Actor, conversation_id: str, agent_id: str) -> Conversation:
        conversation = _own(unit, by, conversation_id)
        agent = _agent(unit, agent_id)
        if agent.id == conversation.customer_id:
            raise checks.refuse("agent_id", "opened the conversation")
        return _saved(unit, conversation.transfer(agent))

    def close(self, *, by: Actor, conversation_id: str, notes: str | None = None) -> Conversation:
        """End a conversation: its customer, its agent, or any agent while it waits.

        Raises ``ConversationClosed``, ``NotClaimed`` for a colleague's, ``NotFound``.
        """
        return self._told("closed", self._close(by=by, conversation_id=conversation_id, notes=notes))

    @writing
    def _close(self, unit: Unit, *, by: Actor, conversation_id: str, notes: str | None) -> Conversation:
        conversation = unit.conversations.locked(conversation_id)
        side = side_of(conversation, by)
        claimed = conversation.status is ConversationStatus.CLAIMED
        if side is Side.AGENT and claimed and conversation.agent_id != by.id:
            raise NotClaimed()
        return _saved(unit, conversation.close(side, at=unit.now, notes=notes))

    def _told(self, what: str, conversation: Conversation) -> Conversation:
        self.tell(topic(conversation.id), what)
        self.tell(QUEUE, what, id=conversation.id)
        return conversation


def _own(unit: Unit, by: Actor, conversation_id: str) -> Conversation:
    conversation = unit.conversations.locked(conversation_id)
    conversation.check_open()
    if conversation.agent_id != by.id:
        raise NotClaimed()
    return conversation


def _agent(unit: Unit, user_id: str) -> User:
    try:
        agent = unit.users.get(user_id)
    except NotFound:
        raise checks.refuse("agent_id", "is nobody we know") from None
    if not agent.may(Permission.SUPPORT_AGENT):
        raise checks.refuse("agent_id", "is not an agent")
    return agent


def _saved(unit: Unit, conversation: Conversation) -> Conversation:
    unit.conversations.save(conversation)
    return conversation
