"""Handling conversations over HTTP: agents take them, hand them on, and either side ends them."""

from typing import Annotated

from storecore.accounts.permissions import Permission
from storecore.errors import AlreadyClaimed, ConversationClosed, NotClaimed
from storecore.support.model import Conversation
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Id, Text
from webapp.http.validation import Body
from webapp.sessions import Who
from webapp.support import show_conversation

routes = Routes("handling", "What becomes of conversations: who takes them, and how they end.")


@routes.endpoint(
    "POST",
    "/support/conversations/{conversation_id}/claim",
    show=show_conversation,
    may=Permission.SUPPORT_AGENT,
    refuses=(AlreadyClaimed, ConversationClosed),
)
def claim(ask: Ask, conversation_id: str) -> Conversation:
    """Take a conversation from the queue; nobody takes their own."""
    return ask.store.support.claim(by=ask.by, conversation_id=conversation_id)


@routes.endpoint(
    "POST",
    "/support/conversations/{conversation_id}/release",
    show=show_conversation,
    may=Permission.SUPPORT_AGENT,
    refuses=(NotClaimed, ConversationClosed),
)
def release(ask: Ask, conversation_id: str) -> Conversation:
    """Put a conversation that I have claimed back where it was in the queue."""
    return ask.store.support.release(by=ask.by, conversation_id=conversation_id)


class Transfer(Body):
    """To whom."""

    agent_id: Id


@routes.endpoint(
    "POST",
    "/support/conversations/{conversation_id}/transfer",
    show=show_conversation,
    may=Permission.SUPPORT_AGENT,
    refuses=(NotClaimed, ConversationClosed),
)
def transfer(ask: Ask[Transfer], conversation_id: str) -> Conversation:
    """Hand a conversation that I have claimed to another agent."""
    return ask.store.support.transfer(by=ask.by, conversation_id=conversation_id, agent_id=ask.body.agent_id)


class Close(Body):
    """How it ended, for the shop's eyes."""

    notes: Annotated[str, Text(2000, least=0, lines=True)] | None = None


@routes.endpoint(
    "POST",
    "/support/conversations/{conversation_id}/close",
    show=show_conversation,
    who=Who.PARTY,
    refuses=(NotClaimed, ConversationClosed),
)
def close(ask: Ask[Close], conversation_id: str) -> Conversation:
    """End a conversation: one's own, one that I have claimed, or, for `support:agent`, one that waits."""
    return ask.store.support.close(by=ask.by, conversation_id=conversation_id, notes=ask.body.notes)
