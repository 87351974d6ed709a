"""Saying something in a conversation, with a file or without."""

from dataclasses import dataclass

from storecore.accounts.model import Actor, User
from storecore.errors import NotClaimed
from storecore.ports import Unit
from storecore.support.model import Attached, Conversation, Message, Side
from storecore.support.telling import side_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message as it is kept. ``repeated``: its sender had sent it before, and nothing happened this time."""

    message: Message
    repeated: bool = False


def say(
    unit: Unit, *, by: Actor, conversation_id: str, body: str, client_id: str | None, attached: Attached | None = None
) -> Said:
    """One message more, unless its sender has sent it before.

    Raises ``NotFound``, ``ConversationClosed``, ``NotClaimed``, ``Invalid``.
    """
    conversation = unit.conversations.locked(conversation_id)
    if (before := said_before(unit, conversation, by=by, client_id=client_id)) is not None:
        return before
    side = check_may_speak(conversation, by)
    said = conversation.said(side)
    message = message_of(unit, said, by, body, side=side, client_id=client_id, attached=attached)
    unit.conversations.save(said)
    unit.conversations.add_message(message)
    return Said(message=message)


def said_before(unit: Unit, conversation: Conversation, *, by: Actor, client_id: str | None) -> Said | None:
    """What somebody has sent under a name of their own, if they have. Raises ``NotFound`` for strangers."""
    side = side_of(conversation, by)
    if client_id is None:
        return None
    before = unit.conversations.message(conversation.id, side, by.id, client_id)
    return None if before is None else Said(message=before, repeated=True)


def check_may_speak(conversation: Conversation, by: Actor) -> Side:
    """The side on which somebody speaks. Raises ``NotFound``, ``ConversationClosed``, ``NotClaimed`` for agents."""
    side = side_of(conversation, by)
    conversation.check_open()
    if side is Side.AGENT and not conversation.is_with(by):
        raise NotClaimed()
    return side


def message_of(
    unit: Unit,
    conversation: Conversation,
    by: Actor,
    body: str,
    *,
    side: Side,
    client_id: str | None = None,
    attached: Attached | None = None,
) -> Message:
    """The last message of a conversation, said by somebody now."""
    return Message(
        id=unit.new_id(),
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        client_id=client_id,
        side=side,
        author_id=by.id,
        author_name=by.display_name if isinstance(by, User) else conversation.customer_name,
        body=body,
        attached=attached,
        created_at=unit.now,
    )
