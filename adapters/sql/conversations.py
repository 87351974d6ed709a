"""Conversations and what is said in them. Names, addresses and everything said are encrypted."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, select, text, update

from adapters.sql import tables
from adapters.sql.columns import from_ticks, to_ticks
from adapters.sql.dialect import Refusals
from adapters.sql.pages import NewestFirst, after, asked, fetched, page_of
from adapters.sql.transaction import Row, Transaction, row_of
from storecore.errors import Contention, NotFound
from storecore.lists import Page, PageRequest, every
from storecore.ports import ConversationQuery
from storecore.support.model import Attached, Conversation, ConversationStatus, Message, Side

_conversations, _messages, _attachments = tables.conversations.c, tables.messages.c, tables.attachments.c
_CONVERSATION = (
    _conversations.id,
    _conversations.customer_id,
    _conversations.private,
    _conversations.status,
    _conversations.agent_id,
    _conversations.last_seq,
    _conversations.customer_read,
    _conversations.agent_read,
    _conversations.created_at,
    _conversations.waiting_since,
    _conversations.closed_at,
    _conversations.closed_by,
    _conversations.version,
)
_MESSAGE = (
    _messages.conversation_id,
    _messages.seq,
    _messages.id,
    _messages.side,
    _messages.author_id,
    _messages.client_id,
    _messages.private,
    _messages.created_at,
    _attachments.id.label("attachment_id"),
    _attachments.private.label("attachment_private"),
    _attachments.media_type,
    _attachments.size,
    _attachments.sha256,
    _attachments.stored_as,
)
_CHANGING = (
    "private",
    "status",
    "agent_id",
    "last_seq",
    "customer_read",
    "agent_read",
    "closed_at",
    "closed_by",
    "version",
)
_TAKEN: Refusals = {
    "pk_messages": Contention,
    "uq_messages_conversation_id_seq": Contention,  # SQLite's name for the same
    "uq_messages_conversation_id_side_author_key_client_id": Contention,
}

_add = insert(tables.conversations)
_get = select(*_CONVERSATION).where(_conversations.id == bindparam("id"))
_locked = _get.with_for_update(key_share=True)
_save = (
    update(tables.conversations)
    .where(_conversations.id == bindparam("this"), _conversations.version == bindparam("version_before"))
    .values({name: bindparam(name) for name in _CHANGING})
)
_queue_first = fetched(
    select(*_CONVERSATION)
    .where(_conversations.status == str(ConversationStatus.WAITING))
    .order_by(_conversations.waiting_since, _conversations.id)
)
_queue_after = _queue_first.where(after(_conversations.waiting_since, _conversations.id))
_count_queue = (
    select(func.count())
    .select_from(tables.conversations)
    .where(_conversations.status == str(ConversationStatus.WAITING))
)
_add_message = insert(tables.messages)
_add_attachment = insert(tables.attachments)
_with_files = select(*_MESSAGE).outerjoin_from(
    tables.messages,
    tables.attachments,
    and_(_attachments.conversation_id == _messages.conversation_id, _attachments.seq == _messages.seq),
)
_by_client_id = _with_files.where(
    _messages.conversation_id == bindparam("conversation_id"),
    _messages.side == bindparam("side"),
    _messages.author_key == bindparam("author_key"),
    _messages.client_id == bindparam("client_id"),
)
_by_attachment = _with_files.where(_attachments.id == bindparam("id"))
_attached = select(_attachments.stored_as).where(_attachments.stored_as.in_(bindparam("names", expanding=True)))
_of_conversation = _with_files.where(_messages.conversation_id == bindparam("conversation_id"))
_in_order = fetched(_of_conversation.order_by(_messages.seq))
_in_order_after = _in_order.where(_messages.seq > bindparam("after0"))
_last = fetched(_of_conversation.order_by(_messages.seq.desc()))
_versions = select(_conversations.id, _conversations.version).where(
    _conversations.id.in_(bindparam("ids", expanding=True))
)
_files_of = select(_attachments.stored_as).where(_attachments.conversation_id == bindparam("conversation_id"))
_remove = delete(tables.conversations).where(_conversations.id == bindparam("this"))
_by_agent = fetched(
    select(_messages.conversation_id, _messages.seq, _messages.private)
    .where(text(tables.BY_AGENTS), _messages.author_id == bindparam("author_id"))
    .order_by(_messages.conversation_id, _messages.seq)
)
_by_agent_after = _by_agent.where(after(_messages.conversation_id, _messages.seq))
_rename = (
    update(tables.messages)
    .where(_messages.conversation_id == bindparam("this"), _messages.seq == bindparam("number"))
    .values(private=bindparam("private"))
)
_count_messages = select(func.count()).where(_messages.conversation_id == bindparam("conversation_id"))

_list = NewestFirst(
    _CONVERSATION,
    at=_conversations.created_at,
    id_=_conversations.id,
    conditions={
        "customer_id": _conversations.customer_id == bindparam("customer_id"),
        "agent_id": _conversations.agent_id == bindparam("agent_id"),
        "status": _conversations.status == bindparam("status"),
    },
)


class SqlConversations:
    """The ``Conversations`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, conversation: Conversation) -> None:
        """One row."""
        values = {
            "id": conversation.id,
            "customer_id": conversation.customer_id,
            "created_at": conversation.created_at,
            "waiting_since": conversation.waiting_since,
            **self._changing(conversation),
        }
        self._transaction.write(_add, values)

    def get(self, conversation_id: str) -> Conversation:
        """Raises ``NotFound``."""
        return self._one(_get, conversation_id)

    def locked(self, conversation_id: str) -> Conversation:
        """Raises ``NotFound``."""
        self._transaction.check_writable()
        return self._one(_locked, conversation_id)

    def save(self, conversation: Conversation) -> None:
        """Raises ``Contention``."""
        values = {
            "this": conversation.id,
            "version_before": conversation.version - 1,
            **self._changing(conversation),
        }
        self._transaction.save(_save, values)

    def page(self, query: ConversationQuery, page: PageRequest) -> Page[Conversation]:
        """Newest first."""
        given = {each.name: getattr(query, each.name) for each in fields(query)}
        return _list.page(self._transaction, page, self._whole, **given)

    def queue(self, page: PageRequest) -> Page[Conversation]:
        """The longest waiting first."""
        rows = self._transaction.rows(_queue_after if page.after else _queue_first, asked(page, first=from_ticks))
        total = self._transaction.number(_count_queue) if page.total else None
        return page_of(rows, page, self._whole, lambda row: (to_ticks(row[9]), row[0]), total)

    def add_message(self, message: Message) -> None:
        """Raises ``Contention``."""
        row = row_of(message.conversation_id, message.seq)
        private = {"name": message.author_name, "body": message.body}
        values = {
            "conversation_id": message.conversation_id,
            "seq": message.seq,
            "id": message.id,
            "side": str(message.side),
            "author_id": message.author_id,
            "author_key": message.author_id or "",
            "client_id": message.client_id,
            "private": self._transaction.seal("messages.private", row, private),
            "created_at": message.created_at,
        }
        self._transaction.write(_add_message, values, refuses=_TAKEN)
        if (attached := message.attached) is not None:
            file = {
                "id": attached.id,
                "conversation_id": message.conversation_id,
                "seq": message.seq,
                "private": self._transaction.seal("attachments.private", attached.id, {"name": attached.name}),
                "media_type": attached.media_type,
                "size": attached.size,
                "sha256": attached.sha256,
                "stored_as": attached.stored_as,
            }
            self._transaction.write(_add_attachment, file)

    def message(self, conversation_id: str, side: Side, author_id: str | None, client_id: str) -> Message | None:
        """None if there is none."""
        values = {
            "conversation_id": conversation_id,
            "side": str(side),
            "author_key": author_id or "",
            "client_id": client_id,
        }
        row = self._transaction.row(_by_client_id, values)
        return self._message(row) if row else None

    def messages(self, conversation_id: str, page: PageRequest) -> Page[Message]:
        """In order."""
        whose = {"conversation_id": conversation_id}
        rows = self._transaction.rows(_in_order_after if page.after else _in_order, whose | asked(page))
        total = self._transaction.number(_count_messages, whose) if page.total else None
        return page_of(rows, page, self._all, lambda row: (row[1],), total)

    def latest(self, conversation_id: str, limit: int) -> Sequence[Message]:
        """In order."""
        rows = self._transaction.rows(_last, {"conversation_id": conversation_id, "fetch": limit})
        return self._all(list(reversed(rows)))

    def versions(self, conversation_ids: Iterable[str]) -> Mapping[str, int]:
        """One look-up."""
        wanted = list(set(conversation_ids))
        rows = self._transaction.rows(_versions, {"ids": wanted}) if wanted else ()
        return {row[0]: row[1] for row in rows}

    def message_with(self, attachment_id: str) -> Message:
        """Raises ``NotFound``."""
        row = self._transaction.row(_by_attachment, {"id": attachment_id})
        if row is None:
            raise NotFound("There is no such attachment.")
        return self._message(row)

    def attached(self, stored_as: Iterable[str]) -> Set[str]:
        """One statement."""
        return {name for (name,) in self._transaction.rows(_attached, {"names": list(stored_as)})}

    def remove(self, conversation_id: str) -> Sequence[str]:
        """Messages and attachments go with it."""
        files = [name for (name,) in self._transaction.rows(_files_of, {"conversation_id": conversation_id})]
        self._transaction.write(_remove, {"this": conversation_id})
        return files

    def rename_agent(self, user_id: str, name: str) -> None:
        """A handful of messages at a time."""
        self._transaction.check_writable()
        for said in every(lambda page: self._by_agent(user_id, page)):
            conversation_id, seq, private = said
            row = row_of(conversation_id, seq)
            opened = self._transaction.unseal("messages.private", row, private)
            sealed = self._transaction.seal("messages.private", row, {**opened, "name": name})
            self._transaction.write(_rename, {"this": conversation_id, "number": seq, "private": sealed})

    def _by_agent(self, user_id: str, page: PageRequest) -> Page[Row]:
        statement = _by_agent_after if page.after else _by_agent
        rows = self._transaction.rows(statement, {"author_id": user_id} | asked(page))
        return page_of(rows, page, lambda shown: shown, lambda row: (row[0], row[1]), None)

    def _one(self, statement: Select[Any], conversation_id: str) -> Conversation:
        row = self._transaction.row(statement, {"id": conversation_id})
        if row is None:
            raise NotFound("There is no such conversation.")
        return self._conversation(row)

    def _changing(self, conversation: Conversation) -> dict[str, Any]:
        private = {
            "customer_name": conversation.customer_name,
            "guest_email": conversation.guest_email,
            "agent_name": conversation.agent_name,
            "subject": conversation.subject,
            "notes": conversation.notes,
        }
        return {
            "private": self._transaction.seal("conversations.private", conversation.id, private),
            "status": str(conversation.status),
            "agent_id": conversation.agent_id,
            "last_seq": conversation.last_seq,
            "customer_read": conversation.customer_read,
            "agent_read": conversation.agent_read,
            "closed_at": conversation.closed_at,
            "closed_by": conversation.closed_by and str(conversation.closed_by),
            "version": conversation.version,
        }

    def _whole(self, rows: Sequence[Row]) -> Sequence[Conversation]:
        return [self._conversation(row) for row in rows]

    def _conversation(self, row: Row) -> Conversation:
        (
            id_,
            customer_id,
            private,
            status,
            agent_id,
            last_seq,
            customer_read,
            agent_read,
            created_at,
            waiting_since,
            closed_at,
            closed_by,
            version,
        ) = row
        return Conversation(
            id=id_,
            customer_id=customer_id,
            status=ConversationStatus(status),
            agent_id=agent_id,
            last_seq=last_seq,
            customer_read=customer_read,
            agent_read=agent_read,
            created_at=created_at,
            waiting_since=waiting_since,
            closed_at=closed_at,
            closed_by=Side(closed_by) if closed_by else None,
            version=version,
            **self._transaction.unseal("conversations.private", id_, private),
        )

    def _all(self, rows: Sequence[Row]) -> Sequence[Message]:
        return [self._message(row) for row in rows]

    def _message(self, row: Row) -> Message:
        conversation_id, seq, id_, side, author_id, client_id, private, created_at, *attached = row
        opened = self._transaction.unseal("messages.private", row_of(conversation_id, seq), private)
        return Message(
            id=id_,
            conversation_id=conversation_id,
            seq=seq,
            client_id=client_id,
            side=Side(side),
            author_id=author_id,
            author_name=opened["name"],
            body=opened["body"],
            attached=self._attached(attached),
            created_at=created_at,
        )

    def _attached(self, row: Row) -> Attached | None:
        id_, private, media_type, size, sha256, stored_as = row
        if id_ is None:
            return None
        name = self._transaction.unseal("attachments.private", id_, private)["name"]
        return Attached(id=id_, name=name, media_type=media_type, size=size, sha256=sha256, stored_as=stored_as)
