"""Conversations and what is said in them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository
from storecore.errors import Contention, NotFound
from storecore.lists import Page, PageRequest
from storecore.ports import ConversationQuery
from storecore.support.model import Conversation, ConversationStatus, Message, Side


class MemoryConversations(Repository):
    """Conversations, each with its messages in order."""

    def add(self, conversation: Conversation) -> None:
        """Without messages."""
        self._draft.conversations.put(conversation.id, in_utc(conversation))

    def get(self, conversation_id: str) -> Conversation:
        """Raises ``NotFound``."""
        if (conversation := self._tables.conversations.get(conversation_id)) is None:
            raise NotFound("There is no such conversation.")
        return conversation

    def locked(self, conversation_id: str) -> Conversation:
        """Raises ``NotFound``. The writer's turn is the lock."""
        _ = self._draft
        return self.get(conversation_id)

    def save(self, conversation: Conversation) -> None:
        """Raises ``Contention``."""
        draft, stored = self._draft, self.get(conversation.id)
        if conversation.version != stored.version + 1:
            raise Contention()
        kept = replace(
            conversation,
            customer_id=stored.customer_id,
            created_at=stored.created_at,
            waiting_since=stored.waiting_since,
        )
        draft.conversations.put(conversation.id, in_utc(kept))

    def page(self, query: ConversationQuery, page: PageRequest) -> Page[Conversation]:
        """Newest first."""
        rows = (
            each
            for each in self._tables.conversations.rows()
            if query.customer_id in (None, each.customer_id)
            and query.agent_id in (None, each.agent_id)
            and query.status in (None, each.status)
        )
        return page_of(rows, page, lambda each: (ticks(each.created_at), each.id), descending=True)

    def queue(self, page: PageRequest) -> Page[Conversation]:
        """The longest waiting first."""
        waiting = (each for each in self._tables.conversations.rows() if each.status is ConversationStatus.WAITING)
        return page_of(waiting, page, lambda each: (ticks(each.waiting_since), each.id))

    def add_message(self, message: Message) -> None:
        """Raises ``Contention``."""
        draft = self._draft
        said = draft.messages.get(message.conversation_id) or ()
        name = (message.side, message.author_id, message.client_id)
        if any(each.seq == message.seq for each in said) or (
            message.client_id is not None and any((each.side, each.author_id, each.client_id) == name for each in said)
        ):
            raise Contention()
        ordered = sorted((*said, in_utc(message)), key=lambda each: each.seq)
        draft.messages.put(message.conversation_id, tuple(ordered))

    def message(self, conversation_id: str, side: Side, author_id: str | None, client_id: str) -> Message | None:
        """None if there is none."""
        name = (side, author_id, client_id)
        said = self._said(conversation_id)
        return next((each for each in said if (each.side, each.author_id, each.client_id) == name), None)

    def messages(self, conversation_id: str, page: PageRequest) -> Page[Message]:
        """In order."""
        return page_of(self._said(conversation_id), page, lambda each: (each.seq,))

    def latest(self, conversation_id: str, limit: int) -> Sequence[Message]:
        """In order."""
        return self._said(conversation_id)[-limit:]

    def versions(self, conversation_ids: Iterable[str]) -> Mapping[str, int]:
        """Those that exist."""
        found = {each: self._tables.conversations.get(each) for each in conversation_ids}
        return {each: conversation.version for each, conversation in found.items() if conversation is not None}

    def message_with(self, attachment_id: str) -> Message:
        """Raises ``NotFound``."""
        for each in self._with_files():
            if each.attached is not None and each.attached.id == attachment_id:
                return each
        raise NotFound("There is no such attachment.")

    def attached(self, stored_as: Iterable[str]) -> Set[str]:
        """By looking at every message."""
        return {each.attached.stored_as for each in self._with_files() if each.attached} & set(stored_as)

    def remove(self, conversation_id: str) -> Sequence[str]:
        """With its messages."""
        draft = self._draft
        said = self._said(conversation_id)
        draft.messages.drop(conversation_id)
        draft.conversations.drop(conversation_id)
        return [each.attached.stored_as for each in said if each.attached is not None]

    def rename_agent(self, user_id: str, name: str) -> None:
        """By looking at every message."""
        draft = self._draft
        for conversation_id, said in list(draft.messages.items()):
            if any(each.side is Side.AGENT and each.author_id == user_id for each in said):
                mine = (each.side is Side.AGENT and each.author_id == user_id for each in said)
                named = tuple(
                    replace(each, author_name=name) if own else each for each, own in zip(said, mine, strict=True)
                )
                draft.messages.put(conversation_id, named)

    def _with_files(self) -> Iterator[Message]:
        return (each for said in self._tables.messages.rows() for each in said if each.attached is not None)

    def _said(self, conversation_id: str) -> tuple[Message, ...]:
        return self._tables.messages.get(conversation_id) or ()
