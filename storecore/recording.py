"""Writing into the audit log what staff do, in the transaction in which they do it."""

from collections.abc import Iterable
from typing import Any

from storecore.accounts.model import Actor, User
from storecore.audit import Audited, entry
from storecore.ports import Unit

Change = tuple[Audited | None, Audited | None]
"""An entity before and after."""


def record(
    unit: Unit, by: Actor, action: str, *, before: Audited | None = None, after: Audited | None = None, **facts: Any
) -> None:
    """Note that a member of staff did something to one thing, which was not there before, or is gone, if None.

    It finds out itself what changed, and which of that is personal. ``facts`` are what else is to be known, such as a
    reason. Nothing is noted of what the shop does by itself. Call it before stock moves.
    """
    record_all(unit, by, action, [(before, after)], **facts)


def record_all(unit: Unit, by: Actor, action: str, changes: Iterable[Change], **facts: Any) -> None:
    """The same for many things that were done at once: an entry each, in one statement."""
    if isinstance(by, User):
        unit.audit.add(
            [
                entry(id=unit.new_id(), at=unit.now, by=by, action=action, before=before, after=after, facts=facts)
                for before, after in changes
            ]
        )
