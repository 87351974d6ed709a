"""The constraints of a table, as rules: no orphan, no duplicate, no value that a check refuses."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)

from adapters.sql.verify.snapshot import Rule


@cache
def constraints(table: Table) -> Sequence[Rule]:
    """Every foreign key, unique and check constraint of a table, its primary key, and what is unique of some rows."""
    rules = [_orphans(table, each) for each in table.foreign_key_constraints]
    rules += [_duplicates(table, each) for each in table.constraints if isinstance(each, UniqueConstraint)]
    rules += [_duplicates(table, table.primary_key)]
    rules += [_duplicates_where(table, each) for each in table.indexes if each.unique]
    if checks := sorted(str(each.sqltext) for each in table.constraints if isinstance(each, CheckConstraint)):
        rules += [_refused(table, checks)]
    return sorted(rules, key=lambda rule: rule.message)  # a table keeps its constraints in no order


def _orphans(table: Table, foreign: ForeignKeyConstraint) -> Rule:
    (element,) = foreign.elements
    column, there = element.parent, foreign.referred_table.alias("there")
    found = exists().where(there.c[element.column.name] == column)
    return Rule(
        name="orphan",
        table=table,
        breakers=select(*table.primary_key, column.label("refers")).where(column.is_not(None), ~found),
        message=f"{column.name} {{refers}} is not among the {foreign.referred_table.name}",
        keys=len(table.primary_key),
    )


def _duplicates(table: Table, unique: PrimaryKeyConstraint | UniqueConstraint) -> Rule:
    columns = list(unique.columns)
    names = columns if isinstance(unique, PrimaryKeyConstraint) else [func.max(key) for key in table.primary_key]
    return Rule(
        name="duplicate",
        table=table,
        breakers=select(*names, func.count().label("rows"))
        .where(and_(*(column.is_not(None) for column in columns)))
        .group_by(*columns)
        .having(func.count() > 1),
        message=f"{{rows}} rows have the same {', '.join(column.name for column in columns)}",
        keys=len(names),
    )


def _duplicates_where(table: Table, index: Index) -> Rule:
    columns = list(index.columns)
    kept = index.dialect_options["sqlite"]["where"]
    names = [func.max(key) for key in table.primary_key]
    return Rule(
        name="duplicate",
        table=table,
        breakers=select(*names, func.count().label("rows")).where(kept).group_by(*columns).having(func.count() > 1),
        message=f"{{rows}} rows where {kept} have the same {', '.join(column.name for column in columns)}",
        keys=len(names),
    )


def _refused(table: Table, checks: Sequence[str]) -> Rule:
    broken = {check: text(f"NOT ({check})") for check in checks}
    return Rule(
        name="constraint",
        table=table,
        breakers=select(
            *table.primary_key, case(*((breaks, literal(check)) for check, breaks in broken.items())).label("check")
        ).where(or_(*broken.values())),
        message="breaks the constraint {check}",
        keys=len(table.primary_key),
    )
