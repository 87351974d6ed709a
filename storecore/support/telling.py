"""Telling whoever watches a conversation, or the queue, that something happened there."""

import json
import logging
from dataclasses import dataclass

from storecore.accounts.model import Actor, User, require_user
from storecore.accounts.permissions import Permission
from storecore.errors import NotFound, Unavailable
from storecore.ports import Event, Hub
from storecore.support.model import Conversation, Side
from storecore.transactions import Activity

log = logging.getLogger(__name__)

QUEUE = "queue"
"""The topic of the agents' queue: something in it changed."""


def topic(conversation_id: str) -> str:
    """The topic of a conversation: something was said, read or decided in it."""
    return f"conversation:{conversation_id}"


def typing_in(event: Event) -> Side | None:
    """Who is writing, if that is what an event tells of."""
    try:
        told = json.loads(event.message)
        return Side(told["side"]) if told["what"] == "typing" else None
    except (ValueError, LookupError, TypeError):
        return None


def side_of(conversation: Conversation, by: Actor) -> Side:
    """On which side somebody is. Raises ``NotFound`` for strangers, ``Forbidden`` for the banned."""
    if isinstance(by, User):
        require_user(by)
    if conversation.belongs_to(by):
        return Side.CUSTOMER
    if by.may(Permission.SUPPORT_AGENT):
        return Side.AGENT
    raise NotFound("There is no such conversation.")


@dataclass(frozen=True, kw_only=True)
class Telling(Activity):
    """What activities that tell have in common. Telling comes after the commit, and never fails a use case."""

    hub: Hub

    def tell(self, topic_: str, what: str, **facts: object) -> None:
        """Publish ``{"what": …}`` with a few facts: ids and numbers, never what was said."""
        try:
            self.hub.publish(topic_, json.dumps({"what": what, **facts}))
        except Unavailable:
            log.warning("the event hub is down: whoever watches %s hears of it later", topic_)

    def tell_of(self, what: str, conversation: Conversation) -> None:
        """Tell whoever watches a conversation, and whoever watches the queue, what became of it."""
        self.tell(topic(conversation.id), what)
        self.tell(QUEUE, what, id=conversation.id)
