"""Lists of accounts: newest first, or by what begins with a text, for each of which there is an index."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, not_, select

from adapters.sql import tables
from adapters.sql.pages import NewestFirst, after, asked, fetched, page_of
from adapters.sql.transaction import Row, Transaction
from storecore.accounts.finding import beginnings
from storecore.accounts.model import User
from storecore.lists import Page, PageRequest
from storecore.ports import UserQuery

_users = tables.users.c
_KEYS = (_users.email, _users.name_folded, _users.name_turned)
"""What a text is looked for in, in this order: who was found by one is not found by the next."""
_LAST = chr(0x10FFFF)

_BEGINS: tuple[ColumnElement[bool], ...] = tuple(
    and_(key >= bindparam(f"from{i}"), key < bindparam(f"to{i}")) for i, key in enumerate(_KEYS)
)
_FILTERS: dict[str, ColumnElement[bool]] = {
    "role": _users.role == bindparam("role"),
    "active": _users.is_active == bindparam("active"),
}
# Kept from their indexes, which do not have the order of what is looked for.
_FILTERS_OF_FOUND: dict[str, ColumnElement[bool]] = {
    "role": func.coalesce(_users.role, "") == bindparam("role"),
    "active": func.coalesce(_users.is_active, None) == bindparam("active"),
}


class UserList:
    """The list, showing these columns of a user."""

    def __init__(self, columns: Sequence[ColumnElement[Any]]) -> None:
        self._columns = tuple(columns)
        self._id = self._columns.index(_users.id)
        self._newest = NewestFirst(columns, at=_users.created_at, id_=_users.id, conditions=_FILTERS)
        self._found, self._counted = lru_cache(self._find), lru_cache(_count)

    def page(
        self,
        transaction: Transaction,
        query: UserQuery,
        page: PageRequest,
        items: Callable[[Sequence[Row]], Sequence[User]],
    ) -> Page[User]:
        """One statement, or one for each kind of beginning; as many that count."""
        role = None if query.role is None else str(query.role)
        if query.text is None:
            return self._newest.page(transaction, page, items, role=role, active=query.active)
        values: dict[str, Any] = {
            name: value for name, value in (("role", role), ("active", query.active)) if value is not None
        }
        names = tuple(values)
        for i, begins in enumerate(beginnings(query.text)):
            values |= {f"from{i}": begins, f"to{i}": begins + _LAST}
        found: list[Row] = []
        for i in range(len(_KEYS)):
            found += transaction.rows(self._found(i, names, page.after is not None), values | asked(page))
        found.sort(key=self._key)
        total = None
        if page.total:
            total = sum(transaction.number(self._counted(i, names), values) for i in range(len(_KEYS)))
        return page_of(found[: page.limit + 1], page, lambda rows: items([row[:-1] for row in rows]), self._key, total)

    def _key(self, row: Row) -> tuple[str, str]:
        return row[-1], row[self._id]

    def _find(self, i: int, names: tuple[str, ...], further: bool) -> Select[Any]:
        statement = select(*self._columns, _KEYS[i].label("key")).where(*_conditions(i, names))
        if further:
            statement = statement.where(after(_KEYS[i], _users.id))
        return fetched(statement.order_by(_KEYS[i], _users.id))


def _count(i: int, names: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(tables.users).where(*_conditions(i, names))


def _conditions(i: int, names: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [_BEGINS[i], *(not_(each) for each in _BEGINS[:i]), *(_FILTERS_OF_FOUND[name] for name in names)]
