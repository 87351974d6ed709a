"""What idempotent requests were answered."""

from datetime import datetime

from sqlalchemy import and_, bindparam, delete, select, update

from adapters.sql import tables
from adapters.sql.dialect import add_missing
from adapters.sql.transaction import Transaction
from storecore.errors import Busy, RequestInProgress

_answers = tables.answers.c
_this = and_(_answers.scope == bindparam("in_scope"), _answers.key == bindparam("of_key"))

_find = select(_answers.fingerprint, _answers.answer).where(_this, _answers.answer.is_not(None))
_claim = add_missing(tables.answers)
_keep = update(tables.answers).where(_this).values(answer=bindparam("answer"))
_sweep = delete(tables.answers).where(_answers.at < bindparam("before"))


class SqlAnswers:
    """The ``Answers`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def find(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        """None unless it was carried out."""
        row = self._transaction.row(_find, {"in_scope": scope, "of_key": key})
        if row is None:
            return None
        fingerprint, answer = row
        return fingerprint, self._transaction.decrypt("answers.answer", answer)

    def claim(self, scope: str, key: str, fingerprint: bytes, at: datetime) -> bool:
        """Waits for whoever has claimed it. Raises ``RequestInProgress``."""
        values = {"scope": scope, "key": key, "fingerprint": fingerprint, "answer": None, "at": at}
        try:
            return self._transaction.write(_claim, values) == 1
        except Busy:
            raise RequestInProgress() from None

    def keep(self, scope: str, key: str, answer: bytes) -> None:
        """Encrypted."""
        secret = self._transaction.encrypt("answers.answer", answer)
        self._transaction.write(_keep, {"in_scope": scope, "of_key": key, "answer": secret})

    def sweep(self, before: datetime) -> int:
        """Whatever the answer."""
        return self._transaction.write(_sweep, {"before": before})
