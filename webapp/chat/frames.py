"""What travels over a socket: a JSON object a message, with an ``action`` on the way in, a ``type`` on the way out."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import to_json

from storecore.errors import Invalid, StoreError
from storecore.support.model import MAX_SEQ, Conversation, Message, Side
from storecore.support.talking import News
from webapp.http import bodies, problems
from webapp.http.validation import Body, check
from webapp.support import SendMessage, show_for, show_message

Seq = Annotated[int, Field(ge=0, le=MAX_SEQ)]


class Typing(Body):
    """I am writing."""


class Read(Body):
    """I have read up to a message."""

    seq: Seq


class Resume(Body):
    """Send everything after a message, once and in order: a client that comes back has it up to there."""

    after: Seq


Said = SendMessage | Typing | Read | Resume

ACTIONS: dict[str, type[Said]] = {"send_message": SendMessage, "typing": Typing, "read": Read, "resume": Resume}


def parsed(message: bytes) -> Said:
    """What a client wants. Raises ``MalformedJson``, ``Invalid``."""
    value = bodies.parse(message)
    if not isinstance(value, dict):
        raise Invalid(errors=[("", "must be an object")])
    action = value.pop("action", None)
    if not isinstance(action, str) or action not in ACTIONS:
        raise Invalid(errors=[("action", f"must be one of {', '.join(ACTIONS)}")])
    return check(ACTIONS[action], value)


def _frame(kind: str, **members: Any) -> str:
    return to_json(members | {"type": kind}, fallback=problems.show_extra).decode()


def error(refused: StoreError, request_id: str, **about: Any) -> str:
    """Why something was not done: the members of a problem, but for its ``type``."""
    return _frame("error", **problems.members(refused, request_id), **about)


def history(news: News, side: Side) -> str:
    """A conversation and the last things said in it, as one side sees them."""
    shown = [show_message(message) for message in news.messages]
    return _frame("history", conversation=show_for(news.conversation, side), messages=shown)


def message(said: Message) -> str:
    """Something said, to everybody."""
    return _frame("message", **show_message(said))


def typing(side: Side) -> str:
    """Somebody on the other side is writing."""
    return _frame("typing", side=side)


def read(side: Side, seq: int) -> str:
    """One side has read up to a message."""
    return _frame("read", side=side, seq=seq)


def moved(conversation: Conversation, side: Side) -> str:
    """A conversation was claimed (or handed to another agent), released, or closed."""
    kind = "released" if conversation.status == "waiting" else str(conversation.status)
    return _frame(f"conversation_{kind}", conversation=show_for(conversation, side))


def queue(waiting: Sequence[Conversation]) -> str:
    """Who waits, the longest waiting first, for agents."""
    return _frame("queue", conversations=[show_for(each, Side.AGENT) for each in waiting])
