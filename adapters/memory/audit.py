"""The audit log."""

from collections.abc import Iterable

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository
from storecore.audit import AuditEntry
from storecore.lists import Page, PageRequest
from storecore.ports import AuditQuery


class MemoryAudit(Repository):
    """What staff did."""

    def add(self, entries: Iterable[AuditEntry]) -> None:
        """Raises ``RuntimeError`` for an id that is taken: no entry is ever changed."""
        draft = self._draft
        for entry in entries:
            if entry.id in draft.audit:
                raise RuntimeError("the audit log is append-only")
            draft.audit.put(entry.id, in_utc(entry))

    def page(self, query: AuditQuery, page: PageRequest) -> Page[AuditEntry]:
        """Newest first."""
        rows = (each for each in self._tables.audit.rows() if _asked_for(query, each))
        return page_of(rows, page, lambda each: (ticks(each.at), each.id), descending=True)


def _asked_for(query: AuditQuery, entry: AuditEntry) -> bool:
    return (
        query.actor_id in (None, entry.actor_id)
        and query.action in (None, entry.action)
        and query.object_type in (None, entry.object_type)
        and query.object_id in (None, entry.object_id)
        and query.request_id in (None, entry.request_id)
        and (query.written_from is None or query.written_from <= entry.at)
        and (query.written_to is None or entry.at < query.written_to)
    )
