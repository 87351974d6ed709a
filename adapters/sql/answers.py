"""What idempotent requests were answered."""

import re
from collections.abc import Iterable, Sequence, Set
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, select, update

from adapters.sql import tables
from adapters.sql.dialect import add_missing
from adapters.sql.pages import after, asked, fetched, page_of
from adapters.sql.transaction import Row, Transaction, row_of
from storecore.errors import Busy, RequestInProgress
from storecore.lists import Page, PageRequest, every

_answers = tables.answers.c
_this = and_(_answers.scope == bindparam("in_scope"), _answers.key == bindparam("of_key"))

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_some = fetched(select(_answers.scope, _answers.key, _answers.answer).order_by(_answers.scope, _answers.key))
_more = _some.where(after(_answers.scope, _answers.key))
_forget = delete(tables.answers).where(_this)
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
        return fingerprint, self._transaction.decrypt("answers.answer", row_of(scope, key), answer)

    def claim(self, scope: str, key: str, fingerprint: bytes, at: datetime) -> bool:
        """Waits for whoever has claimed it. Raises ``RequestInProgress``."""
        values = {"scope": scope, "key": key, "fingerprint": fingerprint, "answer": None, "at": at}
        try:
            return self._transaction.write(_claim, values) == 1
        except Busy:
            raise RequestInProgress() from None

    def keep(self, scope: str, key: str, answer: bytes) -> None:
        """Encrypted."""
        secret = self._transaction.encrypt("answers.answer", row_of(scope, key), answer)
        self._transaction.write(_keep, {"in_scope": scope, "of_key": key, "answer": secret})

    def naming(self, ids: Set[str]) -> Sequence[tuple[str, str]]:
        """Opens each answer: what it says is in no index."""
        return [
            (scope, key)
            for scope, key, answer in every(self._page)
            if not ids.isdisjoint(_ID.findall(f"{scope} {self._text(scope, key, answer)}"))
        ]

    def forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """One statement for each."""
        self._transaction.write(_forget, [{"in_scope": scope, "of_key": key} for scope, key in keys])

    def sweep(self, before: datetime) -> int:
        """Whatever the answer."""
        return self._transaction.write(_sweep, {"before": before})

    def _page(self, page: PageRequest) -> Page[Row]:
        rows = self._transaction.rows(_more if page.after else _some, asked(page))
        return page_of(rows, page, lambda shown: shown, lambda row: (row[0], row[1]), None)

    def _text(self, scope: str, key: str, answer: bytes | None) -> str:
        if answer is None:
            return ""
        return self._transaction.decrypt("answers.answer", row_of(scope, key), answer).decode(errors="replace")
