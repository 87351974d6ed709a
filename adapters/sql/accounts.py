"""Users and their address books."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, select, update

from adapters.sql import tables
from adapters.sql.dialect import Refusals
from adapters.sql.restoring import restored
from adapters.sql.transaction import Row, Transaction, dumps, loads
from adapters.sql.user_lists import UserList
from storecore.accounts.finding import names
from storecore.accounts.model import Address, SavedAddress, User
from storecore.accounts.permissions import Permission, Role
from storecore.errors import EmailTaken, NotFound
from storecore.lists import Page, PageRequest
from storecore.ports import UserQuery

_users, _addresses = tables.users.c, tables.addresses.c

USER = (
    _users.id,
    _users.email,
    _users.full_name,
    _users.password_hash,
    _users.role,
    _users.grants,
    _users.private,
    _users.preferences,
    _users.is_active,
    _users.email_verified,
    _users.created_at,
    _users.version,
)
"""The columns that :func:`user_from` takes."""
_REFUSES: Refusals = {"uq_users_email": EmailTaken}

_get = select(*USER).where(_users.id == bindparam("id"))
_locked = _get.with_for_update(key_share=True)
_by_email = select(*USER).where(_users.email == bindparam("email"))
_with_role = (
    select(*USER)
    .where(_users.role == bindparam("role"), _users.is_active)
    .order_by(_users.role, _users.created_at, _users.id)
)
_add = insert(tables.users)
_save = (
    update(tables.users)
    .where(_users.id == bindparam("this"), _users.version == bindparam("version_before"))
    .values(
        {
            column.name: bindparam(column.name)
            for column in (*USER, _users.name_folded, _users.name_turned)
            if column.name not in ("id", "created_at")
        }
    )
)
_list = UserList(USER)

_ADDRESS = (_addresses.id, _addresses.user_id, _addresses.private, _addresses.created_at)
_own = and_(_addresses.user_id == bindparam("owner"), _addresses.id == bindparam("this"))
_address = select(*_ADDRESS).where(_own)
_address_book = (
    select(*_ADDRESS)
    .where(_addresses.user_id == bindparam("owner"))
    .order_by(_addresses.user_id, _addresses.created_at, _addresses.id)
)
_add_address = insert(tables.addresses)
_save_address = update(tables.addresses).where(_own).values(private=bindparam("private"))
_remove_address = delete(tables.addresses).where(_own)


class SqlUsers:
    """The ``Users`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, user: User) -> None:
        """Raises ``EmailTaken``."""
        self._transaction.write(_add, self._values(user), refuses=_REFUSES)

    def get(self, user_id: str) -> User:
        """Raises ``NotFound``."""
        return self._one(self._transaction.row(_get, {"id": user_id}))

    def by_email(self, email: str) -> User | None:
        """``email`` is normalised."""
        row = self._transaction.row(_by_email, {"email": email})
        return user_from(self._transaction, row) if row else None

    def locked(self, user_id: str) -> User:
        """Locks the user's row. Raises ``NotFound``."""
        self._transaction.check_writable()
        return self._one(self._transaction.row(_locked, {"id": user_id}))

    def save(self, user: User) -> None:
        """Raises ``EmailTaken``, ``Contention``."""
        values = self._values(user) | {"this": user.id, "version_before": user.version - 1}
        del values["id"], values["created_at"]
        self._transaction.save(_save, values, refuses=_REFUSES)

    def page(self, query: UserQuery, page: PageRequest) -> Page[User]:
        """Newest first, or by what begins with a text."""
        return _list.page(self._transaction, query, page, self._all)

    def active_with_role(self, role: Role) -> Sequence[User]:
        """Oldest first."""
        return self._all(self._transaction.rows(_with_role, {"role": str(role)}))

    def add_address(self, address: SavedAddress) -> None:
        """Into its user's book."""
        values = {"id": address.id, "user_id": address.user_id, "created_at": address.created_at}
        self._transaction.write(_add_address, values | {"private": self._private(address)})

    def addresses(self, user_id: str) -> Sequence[SavedAddress]:
        """Oldest first."""
        return [self._address(row) for row in self._transaction.rows(_address_book, {"owner": user_id})]

    def address(self, user_id: str, address_id: str) -> SavedAddress:
        """Raises ``NotFound``."""
        row = self._transaction.row(_address, {"owner": user_id, "this": address_id})
        if row is None:
            raise _no_address()
        return self._address(row)

    def save_address(self, address: SavedAddress) -> None:
        """Raises ``NotFound``."""
        values = {"owner": address.user_id, "this": address.id, "private": self._private(address)}
        if not self._transaction.write(_save_address, values):
            raise _no_address()

    def remove_address(self, user_id: str, address_id: str) -> None:
        """Raises ``NotFound``."""
        if not self._transaction.write(_remove_address, {"owner": user_id, "this": address_id}):
            raise _no_address()

    def _all(self, rows: Sequence[Row]) -> Sequence[User]:
        return [user_from(self._transaction, row) for row in rows]

    def _one(self, row: Row | None) -> User:
        if row is None:
            raise NotFound("There is no such user.")
        return user_from(self._transaction, row)

    def _values(self, user: User) -> dict[str, Any]:
        private = {"phone": user.phone, "tax_id": user.tax_id, "home_address": user.home_address}
        folded, turned = names(user.full_name)
        return {
            "id": user.id,
            "email": user.email,
            "full_name": user.full_name,
            "password_hash": user.password_hash,
            "role": str(user.role),
            "grants": dumps(dict(user.grants)),
            "private": self._transaction.seal("users.private", user.id, private) if any(private.values()) else None,
            "preferences": dumps(dict(user.preferences)),
            "is_active": user.is_active,
            "email_verified": user.email_verified,
            "created_at": user.created_at,
            "version": user.version,
            "name_folded": folded,
            "name_turned": turned,
        }

    def _private(self, address: SavedAddress) -> bytes:
        private = {"label": address.label, "address": asdict(address.address)}
        return self._transaction.seal("addresses.private", address.id, private)

    def _address(self, row: Row) -> SavedAddress:
        id_, user_id, private, created_at = row
        opened = self._transaction.unseal("addresses.private", id_, private)
        return SavedAddress(
            id=id_,
            user_id=user_id,
            address=Address(**opened["address"]),
            label=opened["label"],
            created_at=created_at,
        )


_NOTHING: Mapping[str, Any] = {"phone": None, "tax_id": None, "home_address": None}


def user_from(transaction: Transaction, row: Row) -> User:
    """A user from the columns of ``USER``."""
    (
        id_,
        email,
        full_name,
        password_hash,
        role,
        grants,
        private,
        preferences,
        is_active,
        email_verified,
        created_at,
        version,
    ) = row
    opened = transaction.unseal("users.private", id_, private) if private else _NOTHING
    return restored(
        User,
        id=id_,
        email=email,
        full_name=full_name,
        password_hash=password_hash,
        role=Role(role),
        grants=MappingProxyType({Permission(name): allowed for name, allowed in loads(grants).items()}),
        phone=opened["phone"],
        tax_id=opened["tax_id"],
        home_address=opened["home_address"],
        preferences=MappingProxyType(loads(preferences)),
        is_active=bool(is_active),
        email_verified=bool(email_verified),
        created_at=created_at,
        version=version,
    )


def _no_address() -> NotFound:
    return NotFound("There is no such address.")
