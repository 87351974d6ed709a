"""Forgetting what nobody needs any more."""

from dataclasses import dataclass
from datetime import timedelta

from storecore.ports import Mailer, Unit
from storecore.shop import Shop
from storecore.transactions import Activity, writing

KEEP_ANSWERS = timedelta(hours=48)
KEEP_SESSIONS = timedelta(days=7)
KEEP_SENT_NOTICES = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Housekeeping(Activity):
    """The worker's broom."""

    shop: Shop
    mailer: Mailer

    def sweep(self) -> int:
        """Remove old answers, ended sessions, guests' abandoned carts and sent mail; how many rows."""
        self.mailer.sweep(self.clock() - KEEP_SENT_NOTICES)
        return self._sweep()

    @writing
    def _sweep(self, unit: Unit) -> int:
        return (
            unit.answers.sweep(unit.now - KEEP_ANSWERS)
            + unit.sessions.sweep(unit.now - KEEP_SESSIONS)
            + unit.carts.sweep(unit.now - self.shop.session_lifetime)
            + unit.outbox.sweep(unit.now - KEEP_SENT_NOTICES)
        )
