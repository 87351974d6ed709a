"""Mail that is owed, and answers of idempotent requests."""

import json
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import datetime

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Answer, Repository
from storecore.errors import NotFound
from storecore.lists import Page, PageRequest
from storecore.notices import Notice, NoticeState

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class MemoryOutbox(Repository):
    """Notices, each cause's once."""

    def add(self, notices: Iterable[Notice]) -> None:
        """Those whose cause is not there yet."""
        draft = self._draft
        for notice in notices:
            if _cause(notice) not in draft.notices_by_cause:
                draft.notices_by_cause.put(_cause(notice), notice.id)
                self._put(notice)

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        """Due ones that nobody has, the longest due first."""
        draft = self._draft
        waiting = (draft.notices.get(notice_id) for notice_id, _ in draft.pending.items())
        due = [notice for notice in waiting if notice is not None and notice.due_at <= at and self._free(notice.id, at)]
        taken = sorted(due, key=lambda notice: (notice.due_at, notice.id))[:limit]
        for notice in taken:
            draft.leases.put(notice.id, until)
        return taken

    def save(self, notice: Notice) -> None:
        """Raises ``NotFound``."""
        draft, stored = self._draft, self.get(notice.id)
        draft.notices_by_cause.drop(_cause(stored))
        draft.notices_by_cause.put(_cause(notice), notice.id)
        draft.leases.drop(notice.id)
        self._put(notice)

    def get(self, notice_id: str) -> Notice:
        """Raises ``NotFound``."""
        if (notice := self._tables.notices.get(notice_id)) is None:
            raise NotFound("There is no such notice.")
        return notice

    def locked(self, notice_id: str) -> Notice:
        """Raises ``NotFound``. The writer's turn is the lock."""
        _ = self._draft
        return self.get(notice_id)

    def page(self, page: PageRequest, *, state: NoticeState | None = None) -> Page[Notice]:
        """Newest first."""
        rows = (notice for notice in self._tables.notices.rows() if state in (None, notice.state))
        return page_of(rows, page, lambda each: (ticks(each.created_at), each.id), descending=True)

    def owed(self) -> tuple[int, datetime | None]:
        """Of all that wait."""
        over = (NoticeState.SENT, NoticeState.DEAD)
        due = [notice.due_at for notice in self._tables.notices.rows() if notice.state not in over]
        return len(due), min(due, default=None)

    def sweep(self, before: datetime) -> int:
        """Forget what was sent before a time."""
        draft = self._draft
        old = [
            each
            for each in draft.notices.rows()
            if each.state is NoticeState.SENT and each.sent_at is not None and each.sent_at < before
        ]
        for notice in old:
            self.remove(notice.id)
        return len(old)

    def of_user(self, user_id: str, page: PageRequest) -> Page[Notice]:
        """Newest first."""
        rows = (notice for notice in self._tables.notices.rows() if notice.user_id == user_id)
        return page_of(rows, page, lambda each: (ticks(each.created_at), each.id), descending=True)

    def remove(self, notice_id: str) -> None:
        """If there is one."""
        draft = self._draft
        if (notice := draft.notices.get(notice_id)) is not None:
            draft.notices.drop(notice_id)
            draft.notices_by_cause.drop(_cause(notice))
            draft.pending.drop(notice_id)
            draft.leases.drop(notice_id)

    def forget(self, user_id: str) -> Sequence[str]:
        """Sent or not."""
        written = [notice.id for notice in self._draft.notices.rows() if notice.user_id == user_id]
        for notice_id in written:
            self.remove(notice_id)
        return written

    def _put(self, notice: Notice) -> None:
        own = replace(notice, data=json.loads(json.dumps(dict(notice.data))))
        self._draft.notices.put(notice.id, in_utc(own))
        if notice.state is NoticeState.PENDING:
            self._draft.pending.put(notice.id, True)
        else:
            self._draft.pending.drop(notice.id)

    def _free(self, notice_id: str, at: datetime) -> bool:
        until = self._tables.leases.get(notice_id)
        return until is None or until <= at


def _cause(notice: Notice) -> tuple[str, str, str]:
    return notice.event, notice.recipient, notice.template


class MemoryAnswers(Repository):
    """Answers by scope and key. The writer's turn makes a duplicate wait for the first."""

    def find(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        """The (fingerprint, answer), once there is one."""
        found = self._tables.answers.get((scope, key))
        return None if found is None or found.said is None else (found.fingerprint, found.said)

    def claim(self, scope: str, key: str, fingerprint: bytes, at: datetime) -> bool:
        """Whether the key was free."""
        draft = self._draft
        if (scope, key) in draft.answers:
            return False
        draft.answers.put((scope, key), in_utc(Answer(fingerprint=fingerprint, at=at)))
        return True

    def keep(self, scope: str, key: str, answer: bytes) -> None:
        """Raises ``LookupError`` for a key that was not claimed."""
        draft = self._draft
        if (claimed := draft.answers.get((scope, key))) is None:
            raise LookupError("an answer is kept for a key that was claimed before")
        draft.answers.put((scope, key), replace(claimed, said=answer))

    def naming(self, ids: Set[str]) -> Sequence[tuple[str, str]]:
        """Ids are found where they are written with hyphens, as everywhere."""
        return [
            (scope, key)
            for (scope, key), answer in self._tables.answers.items()
            if not ids.isdisjoint(_ID.findall(f"{scope} {(answer.said or b'').decode(errors='replace')}"))
        ]

    def forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """Those that are there."""
        draft = self._draft
        for cause in keys:
            draft.answers.drop(cause)

    def sweep(self, before: datetime) -> int:
        """Forget old ones."""
        draft = self._draft
        old = [cause for cause, answer in draft.answers.items() if answer.at < before]
        for cause in old:
            draft.answers.drop(cause)
        return len(old)
