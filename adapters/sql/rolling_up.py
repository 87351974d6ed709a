"""Adding papers up by day and month, so that reports need not look at them again.

Papers are numbered in the order in which they are committed and never change, so two numbers say how far this has come.
Nothing that a sale writes is locked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Table, delete, func, select

from adapters.sql import journal, tables
from adapters.sql.dialect import add_or_replace, add_up
from adapters.sql.insight_tables import buyer_takings, product_takings, rolled_up, takings
from adapters.sql.journal import OF_BUYERS, OF_PRODUCTS, Papers
from adapters.sql.transaction import Transaction
from storecore.insight.model import AMOUNTS

_kept = select(rolled_up.c.timezone, rolled_up.c.invoices, rolled_up.c.credit_notes).where(rolled_up.c.id == 1)
_last = select(
    select(func.coalesce(func.max(tables.invoices.c.sequence), 0)).scalar_subquery(),
    select(func.coalesce(func.max(tables.credit_notes.c.sequence), 0)).scalar_subquery(),
)
_keep = add_or_replace(rolled_up, "timezone", "invoices", "credit_notes")
_add_takings = add_up(takings, *AMOUNTS)
_add_products = add_up(product_takings, *OF_PRODUCTS)
_add_buyers = add_up(buyer_takings, *OF_BUYERS)


def kept(transaction: Transaction) -> tuple[str, int, int]:
    """The time zone of what is kept (empty for nothing), and the last invoice and credit note in it."""
    row = transaction.row(_kept)
    return (row[0], row[1], row[2]) if row else ("", 0, 0)


class RollingUp:
    """What is kept, for the days of one time zone."""

    def __init__(self, transaction: Transaction, timezone: str) -> None:
        self._transaction, self._timezone = transaction, timezone

    def waiting(self) -> int:
        """How many papers are not in it."""
        timezone, invoices, notes = kept(self._transaction)
        if timezone != self._timezone:
            invoices = notes = 0
        last_invoice, last_note = self._last()
        return last_invoice - invoices + last_note - notes

    def add(self, most: int) -> int:
        """Add the next ones."""
        self._transaction.queue_for("takings")
        timezone, invoices, notes = kept(self._transaction)
        if timezone != self._timezone:
            for table in (takings, product_takings, buyer_takings):
                self._transaction.write(delete(table), {})
            invoices = notes = 0
        last_invoice, last_note = self._last()
        papers = Papers(
            invoices_after=invoices,
            invoices_to=min(invoices + most, last_invoice),
            notes_after=notes,
            notes_to=min(notes + most, last_note),
        )
        self._add(papers)
        self._transaction.write(
            _keep,
            {
                "id": 1,
                "timezone": self._timezone,
                "invoices": papers.invoices_to,
                "credit_notes": papers.notes_to,
            },
        )
        return papers.invoices_to - invoices + papers.notes_to - notes

    def _add(self, papers: Papers) -> None:
        by_rate = journal.takings_of(self._transaction.rows, papers, self._timezone)
        sums = summed((((str(day), *rate), amounts) for day, rate, amounts in by_rate), AMOUNTS)
        self._write(_add_takings, takings, sums)
        goods = journal.goods_of(self._transaction.rows, papers, self._timezone)
        self._write(_add_products, product_takings, summed(_by_period(goods), OF_PRODUCTS))
        buyers = journal.buyers_of(self._transaction.rows, papers, self._timezone)
        self._write(_add_buyers, buyer_takings, summed(_by_period(buyers), OF_BUYERS))

    def _write(self, statement: Any, table: Table, sums: Mapping[tuple[Any, ...], Mapping[str, int]]) -> None:
        keys = [column.name for column in table.primary_key]
        rows = [dict(zip(keys, key, strict=True)) | dict(amounts) for key, amounts in sorted(sums.items())]
        self._transaction.write(statement, rows)

    def _last(self) -> tuple[int, int]:
        invoice, note = self._transaction.rows(_last)[0]
        return invoice, note


def _by_period(
    found: Iterable[tuple[date, str, Mapping[str, int]]],
) -> Iterable[tuple[tuple[str, str], Mapping[str, int]]]:
    for day, key, amounts in found:
        yield (str(day), key), amounts
        yield (str(day)[:7], key), amounts


def summed(
    found: Iterable[tuple[tuple[Any, ...], Mapping[str, int]]], names: Sequence[str]
) -> Mapping[tuple[Any, ...], Mapping[str, int]]:
    """Add up by key; an amount of these names that nobody mentions is 0."""
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for key, amounts in found:
        sums.setdefault(key, Counter(dict.fromkeys(names, 0))).update(amounts)
    return sums
