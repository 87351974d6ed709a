"""The sums that reports are made of are those of the papers, day by day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Executable, Table, case, func, or_, select

from adapters.sql import journal, tables
from adapters.sql.insight_tables import buyer_takings, product_takings, rolled_up, takings
from adapters.sql.journal import BY_TIME, OF_BUYERS, OF_PRODUCTS, Papers
from adapters.sql.rolling_up import summed
from adapters.sql.transaction import Row, Values
from adapters.sql.verify.snapshot import Finding, Rule, Snapshot
from storecore.insight.days import Days, day_of
from storecore.insight.model import AMOUNTS

Sums = Mapping[tuple[Any, ...], Mapping[str, int]]

_invoices, _notes = tables.invoices.c, tables.credit_notes.c
_kept = select(rolled_up.c.timezone, rolled_up.c.invoices, rolled_up.c.credit_notes)


def rolled(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every day of papers that were added up, and every day of sums, a week at a time."""
    for timezone, invoices, notes in snapshot.rows(_kept):
        papers = Papers(invoices_to=invoices, notes_to=notes)
        for days in _weeks(snapshot, papers, timezone):
            moments = {"begins": days.begins, "ends": days.ends}
            rows = partial(_rows, snapshot, moments)
            of = papers.of(days)
            rates = (((str(day), *key), sums) for day, key, sums in journal.takings_of(rows, of, timezone, BY_TIME))
            goods = (((str(day), key), sums) for day, key, sums in journal.goods_of(rows, of, timezone, BY_TIME))
            buyers = (((str(day), key), sums) for day, key, sums in journal.buyers_of(rows, of, timezone, BY_TIME))
            yield [
                *_wrong(snapshot, takings, days, summed(rates, AMOUNTS), AMOUNTS),
                *_wrong(snapshot, product_takings, days, summed(goods, OF_PRODUCTS), OF_PRODUCTS),
                *_wrong(snapshot, buyer_takings, days, summed(buyers, OF_BUYERS), OF_BUYERS),
            ]


def _rows(snapshot: Snapshot, moments: Values, statement: Executable, values: Values) -> Iterable[Row]:
    return snapshot.rows(statement, {**values, **moments})


def _weeks(snapshot: Snapshot, papers: Papers, timezone: str) -> Iterator[Days]:
    """From the first day to the last."""
    known = [date.fromisoformat(day) for day in _ends(snapshot, takings.c.day) if day]
    for column, number, last in (
        (_invoices.issued_at, _invoices.sequence, papers.invoices_to),
        (_notes.issued_at, _notes.sequence, papers.notes_to),
    ):
        known += [day_of(at, timezone) for at in _ends(snapshot, column, number <= last) if at]
    if known:
        first, last_day = min(known), max(known)
        while first <= last_day:
            until = min(first + timedelta(days=6), last_day)
            yield Days(first=first, last=until, timezone=timezone)
            first = until + timedelta(days=1)


def _ends(snapshot: Snapshot, column: Any, *conditions: Any) -> Iterable[Any]:
    return (row[0] for end in (func.min, func.max) for row in snapshot.rows(select(end(column)).where(*conditions)))


def _wrong(snapshot: Snapshot, table: Table, days: Days, due: Sums, names: Sequence[str]) -> Iterator[Finding]:
    period, *_ = keys = list(table.primary_key)
    first, last = str(days.first), str(days.last)
    of_days = period >= first, period <= last, func.length(period) == len(first)
    statement = select(*keys, *(table.c[name] for name in names)).where(*of_days)
    kept: dict[tuple[Any, ...], Mapping[str, int]] = {}
    for row in snapshot.rows(statement):
        key = tuple(bool(part) if isinstance(part, int) else part for part in row[: len(keys)])
        kept[key] = journal.named(names, row[len(keys) :])
    for key in sorted(due.keys() | kept.keys()):
        if due.get(key) != kept.get(key):
            yield Finding("takings", table.name, "/".join(map(str, key)), _difference(due.get(key), kept.get(key)))


def _difference(due: Mapping[str, int] | None, kept: Mapping[str, int] | None) -> str:
    if due is None:
        return "no paper says anything of it"
    if kept is None:
        return "is missing, and papers are about it"
    return "; ".join(f"{name} is {kept[name]}, by the papers {due[name]}" for name in due if due[name] != kept[name])


def _of_months(table: Table, key: str, names: Sequence[str]) -> Rule:
    """Months are the sums of their days."""
    period = table.c.period
    month = func.substr(period, 1, 7)
    missing = [func.sum(case((func.length(period) == 7, -table.c[name]), else_=table.c[name])) for name in names]
    return Rule(
        name="takings",
        table=table,
        breakers=select(month.label("month"), table.c[key])
        .group_by(month, table.c[key])
        .having(or_(*(each != 0 for each in missing))),
        message="the month is not the sum of its days",
        keys=2,
    )


_ahead = Rule(
    name="takings",
    table=rolled_up,
    breakers=select(rolled_up.c.id, rolled_up.c.invoices, rolled_up.c.credit_notes).where(
        or_(
            rolled_up.c.invoices > select(func.coalesce(func.max(_invoices.sequence), 0)).scalar_subquery(),
            rolled_up.c.credit_notes > select(func.coalesce(func.max(_notes.sequence), 0)).scalar_subquery(),
        )
    ),
    message="has {invoices} invoices and {credit_notes} credit notes in it; there are fewer",
)

TAKINGS: Sequence[Rule] = (
    _of_months(product_takings, "product_id", OF_PRODUCTS),
    _of_months(buyer_takings, "customer_id", OF_BUYERS),
    _ahead,
)
