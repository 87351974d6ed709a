"""Reading the audit log."""

from dataclasses import dataclass

from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.audit import AuditEntry
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import AuditQuery, Unit
from storecore.transactions import Activity, reading

EVERYTHING = AuditQuery()


@dataclass(frozen=True, kw_only=True)
class Auditing(Activity):
    """What staff did. Every use case writes its own entry; nothing changes or removes one."""

    @reading
    def page(
        self, unit: Unit, *, by: Actor, query: AuditQuery = EVERYTHING, page: PageRequest = FIRST_PAGE
    ) -> Page[AuditEntry]:
        """The entries that a query asks for, newest first; needs ``audit:read``."""
        require(by, Permission.AUDIT_READ)
        return unit.audit.page(query, page)
