"""Opening a conversation, saying something in it, and reading what was said."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from storecore import checks
from storecore.accounts.model import Actor, Guest, User, require_user
from storecore.accounts.permissions import Permission
from storecore.accounts.staying import check_still_here
from storecore.lists import FIRST_PAGE, MAX_LIMIT, Page, PageRequest
from storecore.ports import ConversationQuery, Signer, Unit
from storecore.support.model import MAX_BODY, MAX_SEQ, Conversation, ConversationStatus, Message, Side, check_client_id
from storecore.support.saying import Said, check_may_speak, message_of, say
from storecore.support.telling import QUEUE, Telling, side_of, topic
from storecore.transactions import Once, reading, writing

CONVERSATION_LINK = "conversation"
LINK_LASTS = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A conversation as it is now, and what was said in it since somebody last looked, in order."""

    conversation: Conversation
    messages: tuple[Message, ...]


@dataclass(frozen=True, kw_only=True)
class Talking(Telling):
    """What both sides do in a conversation."""

    signer: Signer

    def open(
        self,
        *,
        by: Actor,
        message: str,
        subject: str | None = None,
        guest_name: str | None = None,
        guest_email: str | None = None,
        once: Once | None = None,
    ) -> Conversation:
        """Ask the shop something. Guests give a name and an email. Raises ``Invalid`` naming the field."""
        if isinstance(by, User):
            require_user(by)
            if guest_name is not None or guest_email is not None:
                raise checks.refuse("guest_name" if guest_name is not None else "guest_email", "is for guests")
        else:
            for name, given in (("guest_name", guest_name), ("guest_email", guest_email)):
                if given is None:
                    raise checks.refuse(name, "is needed without an account")
        message = checks.text(message, "message", most=MAX_BODY, lines=True)
        name = by.full_name if isinstance(by, User) else guest_name or ""
        opened = self._open(by=by, message=message, subject=subject, name=name, email=guest_email, once=once)
        self.tell(QUEUE, "waiting", id=opened.id)
        return opened

    @writing
    def _open(
        self,
        unit: Unit,
        *,
        by: Actor,
        message: str,
        subject: str | None,
        name: str,
        email: str | None,
        once: Once | None,
    ) -> Conversation:
        conversation = Conversation(
            id=unit.new_id(),
            customer_id=by.id,
            customer_name=name,
            guest_email=email,
            subject=subject,
            last_seq=1,
            customer_read=1,
            created_at=unit.now,
            waiting_since=unit.now,
        )
        unit.conversations.add(conversation)
        check_still_here(unit, by)
        unit.conversations.add_message(message_of(unit, conversation, by, message, side=Side.CUSTOMER))
        return conversation

    @reading
    def get(self, unit: Unit, *, by: Actor, conversation_id: str) -> Conversation:
        """One conversation: one's own, or any for ``support:agent``. Raises ``NotFound``."""
        conversation = unit.conversations.get(conversation_id)
        side_of(conversation, by)
        return conversation

    @reading
    def mine(
        self,
        unit: Unit,
        *,
        by: Actor,
        status: ConversationStatus | None = None,
        page: PageRequest = FIRST_PAGE,
    ) -> Page[Conversation]:
        """The conversations that one opened; for ``support:agent``, those that one has claimed. Newest first."""
        user = require_user(by)
        if user.may(Permission.SUPPORT_AGENT):
            return unit.conversations.page(ConversationQuery(agent_id=user.id, status=status), page)
        return unit.conversations.page(ConversationQuery(customer_id=user.id, status=status), page)

    def send(
        self, *, by: Actor, conversation_id: str, body: str, client_id: str | None = None, once: Once | None = None
    ) -> Said:
        """Say something. The same ``client_id`` by the same sender is the same message, kept once.

        Raises ``NotFound``, ``ConversationClosed``, ``NotClaimed`` for an agent who has not claimed it, ``Invalid``.
        """
        client_id = check_client_id(client_id)
        said = self._send(by=by, conversation_id=conversation_id, body=body, client_id=client_id, once=once)
        if not said.repeated:
            self.tell(topic(conversation_id), "message", seq=said.message.seq)
        return said

    @writing
    def _send(
        self, unit: Unit, *, by: Actor, conversation_id: str, body: str, client_id: str | None, once: Once | None
    ) -> Said:
        return say(unit, by=by, conversation_id=conversation_id, body=body, client_id=client_id)

    @reading
    def messages(self, unit: Unit, *, by: Actor, conversation_id: str, page: PageRequest = FIRST_PAGE) -> Page[Message]:
        """What was said, in order; ``PageRequest(after=(seq,))`` goes on after a message. Raises ``NotFound``."""
        conversation = unit.conversations.get(conversation_id)
        side_of(conversation, by)
        return unit.conversations.messages(conversation.id, page)

    @reading
    def history(self, unit: Unit, *, by: Actor, conversation_id: str, limit: int = 50) -> News:
        """A conversation with the last things said in it. Raises ``NotFound``."""
        conversation = unit.conversations.get(conversation_id)
        side_of(conversation, by)
        return News(conversation=conversation, messages=tuple(unit.conversations.latest(conversation.id, limit)))

    @reading
    def news(self, unit: Unit, *, by: Actor, conversation_id: str, after: int) -> News:
        """What came after a message: the next 100, for whoever watches a conversation. Raises ``NotFound``."""
        conversation = unit.conversations.get(conversation_id)
        side_of(conversation, by)
        page = unit.conversations.messages(conversation.id, PageRequest(limit=MAX_LIMIT, after=(after,)))
        return News(conversation=conversation, messages=page.items)

    @reading
    def versions(self, unit: Unit, *, conversation_ids: Collection[str]) -> Mapping[str, int]:
        """The versions of conversations that somebody watches, to see which of them have changed."""
        return unit.conversations.versions(conversation_ids)

    def typing(self, *, by: Actor, conversation_id: str) -> None:
        """Let the other side know that one is writing; nothing is kept. Raises like ``send``."""
        self.tell(topic(conversation_id), "typing", side=self._typing(by=by, conversation_id=conversation_id))

    @reading
    def _typing(self, unit: Unit, *, by: Actor, conversation_id: str) -> Side:
        return check_may_speak(unit.conversations.get(conversation_id), by)

    def mark_read(self, *, by: Actor, conversation_id: str, seq: int) -> Conversation:
        """One's side has read up to a message; what an agent reads counts for the one who has claimed it.

        Raises ``NotFound``, ``Invalid``.
        """
        seq = checks.whole(seq, "seq", least=0, most=MAX_SEQ)
        conversation, side, moved = self._mark_read(by=by, conversation_id=conversation_id, seq=seq)
        if moved:
            self.tell(topic(conversation_id), "read", side=side, seq=conversation.mark(side))
        return conversation

    @writing
    def _mark_read(self, unit: Unit, *, by: Actor, conversation_id: str, seq: int) -> tuple[Conversation, Side, bool]:
        conversation = unit.conversations.locked(conversation_id)
        side = side_of(conversation, by)
        if side is Side.AGENT and not conversation.is_with(by):
            return conversation, side, False
        read = conversation.read(side, seq)
        if read is not conversation:
            unit.conversations.save(read)
        return read, side, read is not conversation

    def token(self, conversation: Conversation) -> str:
        """What a guest shows to be taken for whoever opened the conversation."""
        expires = conversation.created_at + LINK_LASTS
        return self.signer.sign(CONVERSATION_LINK, {"conversation": conversation.id}, expires)

    def holder(self, token: str) -> Guest:
        """Who shows such a token. Raises ``LinkInvalid``."""
        return Guest(conversation_id=self.signer.read(CONVERSATION_LINK, token, self.clock())["conversation"])
