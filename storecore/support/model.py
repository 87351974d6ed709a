"""A conversation between a customer and the shop's agents, its states, and its numbered messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from storecore import checks
from storecore.accounts.model import Actor, Guest, User
from storecore.errors import AlreadyClaimed, ConversationClosed, IllegalTransition

MAX_BODY = 4_000
"""Characters of a message."""
MAX_CLIENT_ID = 64
MAX_SEQ = 10**15
"""No conversation has so many messages."""


def check_client_id(value: str | None) -> str | None:
    """A sender's own name for a message, as it is kept. Raises ``Invalid``."""
    return checks.optional(value, "client_id", most=MAX_CLIENT_ID)


class ConversationStatus(StrEnum):
    """Where a conversation is."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    CLOSED = "closed"


NEXT: Mapping[ConversationStatus, frozenset[ConversationStatus]] = MappingProxyType(
    {
        ConversationStatus.WAITING: frozenset({ConversationStatus.CLAIMED, ConversationStatus.CLOSED}),
        ConversationStatus.CLAIMED: frozenset(
            {ConversationStatus.WAITING, ConversationStatus.CLAIMED, ConversationStatus.CLOSED}
        ),
        ConversationStatus.CLOSED: frozenset(),
    }
)


class Side(StrEnum):
    """Who speaks: whoever asked, or the shop."""

    CUSTOMER = "customer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What a customer, or a guest with a ``guest_email`` instead of a ``customer_id``, and an agent say to each other.

    Names are those that people had when they opened or claimed it, as on an order. Messages are numbered from 1 to
    ``last_seq``. Each side has read up to its mark; who says something has read what came before. ``waiting_since`` is
    its place in the queue, which it gets back when an agent releases it. ``notes`` are for the shop's eyes.
    """

    id: str
    customer_id: str | None
    customer_name: str = field(repr=False)
    guest_email: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)
    status: ConversationStatus = ConversationStatus.WAITING
    agent_id: str | None = None
    agent_name: str | None = field(default=None, repr=False)
    last_seq: int = 0
    customer_read: int = 0
    agent_read: int = 0
    notes: str | None = field(default=None, repr=False)
    created_at: datetime
    waiting_since: datetime
    closed_at: datetime | None = None
    closed_by: Side | None = None
    version: int = 1

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "subject", checks.optional(self.subject, "subject", most=200))
        set_(self, "notes", checks.optional(self.notes, "notes", most=2_000, lines=True))
        set_(self, "customer_name", checks.text(self.customer_name, "guest_name", most=200))
        if self.guest_email is not None:
            set_(self, "guest_email", checks.email(self.guest_email, "guest_email"))

    def belongs_to(self, by: Actor) -> bool:
        """Whether ``by`` is who opened it: the customer, or whoever holds the conversation's signed token."""
        if isinstance(by, User):
            return by.id == self.customer_id
        return isinstance(by, Guest) and self.customer_id is None and by.conversation_id == self.id

    def is_with(self, by: Actor) -> bool:
        """Whether ``by`` is the agent who has claimed it."""
        return self.agent_id is not None and self.agent_id == by.id

    def unread(self, side: Side) -> int:
        """How many messages one side has not read."""
        return self.last_seq - self.mark(side)

    def mark(self, side: Side) -> int:
        """The last message that one side has read."""
        return self.customer_read if side is Side.CUSTOMER else self.agent_read

    def check_open(self) -> None:
        """Raises ``ConversationClosed``."""
        if self.status is ConversationStatus.CLOSED:
            raise ConversationClosed()

    def said(self, side: Side) -> Self:
        """One message more, by one side. Raises ``ConversationClosed``."""
        self.check_open()
        return self._changed(last_seq=self.last_seq + 1, **{f"{side}_read": self.last_seq + 1})

    def read(self, side: Side, seq: int) -> Self:
        """One side has read up to a message; a mark never goes back, or beyond what was said."""
        if (seq := min(seq, self.last_seq)) <= self.mark(side):
            return self
        return self._changed(**{f"{side}_read": seq})

    def claim(self, agent: User) -> Self:
        """An agent takes it. Raises ``AlreadyClaimed``, ``ConversationClosed``."""
        if self.status is ConversationStatus.CLAIMED:
            raise AlreadyClaimed()
        return self._given(agent)

    def release(self) -> Self:
        """Back into the queue, where it was. Raises ``ConversationClosed``, ``IllegalTransition``."""
        if self.status is ConversationStatus.WAITING:
            raise IllegalTransition("The conversation is in the queue already.")
        return self._move(ConversationStatus.WAITING, agent_id=None, agent_name=None)

    def transfer(self, agent: User) -> Self:
        """Another agent takes it over. Raises ``ConversationClosed``, ``IllegalTransition``."""
        if self.status is ConversationStatus.WAITING:
            raise IllegalTransition("The conversation is in the queue: claim it first.")
        return self._given(agent)

    def close(self, side: Side, *, at: datetime, notes: str | None = None) -> Self:
        """It is over. Raises ``ConversationClosed``."""
        return self._move(ConversationStatus.CLOSED, closed_at=at, closed_by=side, notes=notes)

    def renamed(self, agent_name: str) -> Self:
        """The agent goes by another name."""
        return self._changed(agent_name=agent_name)

    def _given(self, agent: User) -> Self:
        return self._move(ConversationStatus.CLAIMED, agent_id=agent.id, agent_name=agent.display_name)

    def _move(self, to: ConversationStatus, **changes: Any) -> Self:
        self.check_open()
        if to not in NEXT[self.status]:
            raise IllegalTransition(f"The conversation is {self.status}; it can't become {to}.")
        return self._changed(status=to, **changes)

    def _changed(self, **changes: Any) -> Self:
        return replace(self, version=self.version + 1, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file that came with a message.

    ``name`` is what it may be saved as, ``media_type`` what its content is, ``size`` in bytes, ``sha256`` in
    hexadecimal digits. ``stored_as`` is its name among the shop's files, which is random and told to nobody.
    """

    id: str
    name: str = field(repr=False)
    media_type: str
    size: int
    sha256: str
    stored_as: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing said. ``seq`` counts within the conversation; ``client_id`` is the sender's own name for it.

    ``author_id`` is None for guests; ``author_name`` is how the other side sees who speaks. A file may have come with
    it, with or without a word.
    """

    id: str
    conversation_id: str
    seq: int
    client_id: str | None = None
    side: Side
    author_id: str | None
    author_name: str = field(repr=False)
    body: str = field(repr=False)
    attached: Attached | None = None
    created_at: datetime

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        least = 1 if self.attached is None else 0
        set_(self, "body", checks.text(self.body, "body", most=MAX_BODY, least=least, lines=True))
        set_(self, "client_id", check_client_id(self.client_id))
