"""Who people are and what they may do."""

import json
from datetime import timedelta
from typing import Any

import pytest

from storecore.accounts.choosing import chosen, common
from storecore.accounts.model import (
    GUEST,
    PREFERENCES_BYTES,
    SYSTEM,
    Address,
    Guest,
    SavedAddress,
    check_password,
    require,
    require_user,
)
from storecore.accounts.permissions import ROLE_PERMISSIONS, Permission, Role, effective
from storecore.errors import Forbidden, Invalid, NotAuthenticated
from storecore.shop import Shop
from storecore.testing.builders import NOW, ids, make_address, make_session, make_user

ROLES = ("customer", "vendor", "product_manager", "sales_manager", "support_agent", "admin")
TABLE = """
catalog:write      . . x . . x
stock:adjust       . . x . . x
categories:write   . . x . . x
prices:write       . . . x . x
orders:place       x x x x x x
orders:read_all    . x x x x x
orders:fulfil      . x x . . x
refunds:decide     . . . x . x
returns:receive    . . x . . x
reviews:moderate   . . x . . x
invoices:read_all  . . x x . x
reports:read       . . . x . x
support:agent      . . . . x x
users:read         . . . . . x
users:write        . . . . . x
audit:read         . . . . . x
"""
CELLS = [
    (permission, role, cell == "x")
    for permission, *cells in (row.split() for row in TABLE.strip().splitlines())
    for role, cell in zip(ROLES, cells, strict=True)
]


@pytest.mark.parametrize(("permission", "role", "allowed"), CELLS)
def test_a_role_may_do_what_the_table_says(permission: str, role: str, allowed: bool) -> None:
    user = make_user(ids(), role=Role(role))
    assert user.may(Permission(permission)) is allowed
    assert (Permission(permission) in ROLE_PERMISSIONS[Role(role)]) is allowed


def test_the_table_has_every_role_and_every_permission() -> None:
    assert {role for _, role, _ in CELLS} == set(Role) == set(ROLE_PERMISSIONS)
    assert {permission for permission, _, _ in CELLS} == set(Permission)


def test_a_grant_adds_one_permission_and_a_denial_takes_one_away() -> None:
    grants = {Permission.REPORTS_READ: True, Permission.ORDERS_FULFIL: False}
    vendor = make_user(ids(), role=Role.VENDOR, grants=grants)
    assert vendor.permissions == {Permission.ORDERS_PLACE, Permission.ORDERS_READ_ALL, Permission.REPORTS_READ}
    assert effective(Role.VENDOR, grants) == vendor.permissions


def test_granting_what_the_role_has_and_denying_what_it_has_not_changes_nothing() -> None:
    grants = {Permission.ORDERS_PLACE: True, Permission.AUDIT_READ: False}
    assert effective(Role.CUSTOMER, grants) == ROLE_PERMISSIONS[Role.CUSTOMER]


def test_an_admin_can_be_denied_too() -> None:
    assert effective(Role.ADMIN, {Permission.AUDIT_READ: False}) == set(Permission) - {Permission.AUDIT_READ}


def test_a_banned_user_may_nothing() -> None:
    banned = make_user(ids(), role=Role.ADMIN, grants={Permission.AUDIT_READ: True}, is_active=False)
    assert banned.permissions == frozenset()
    with pytest.raises(Forbidden):
        require(banned, Permission.ORDERS_PLACE)
    with pytest.raises(Forbidden, match="closed"):
        require_user(banned)


def test_guests_place_orders_and_nothing_else() -> None:
    for permission in Permission:
        assert GUEST.may(permission) is (permission is Permission.ORDERS_PLACE)
    require(Guest(cart_id="c"), Permission.ORDERS_PLACE)
    with pytest.raises(NotAuthenticated):
        require(GUEST, Permission.ORDERS_READ_ALL)
    with pytest.raises(NotAuthenticated):
        require_user(GUEST)


def test_the_shop_itself_may_everything_but_is_nobody() -> None:
    for permission in Permission:
        require(SYSTEM, permission)
    with pytest.raises(NotAuthenticated):
        require_user(SYSTEM)


def test_a_user_without_a_permission_is_told_which() -> None:
    customer = make_user(ids())
    assert require_user(customer) is customer
    with pytest.raises(Forbidden, match="reports:read"):
        require(customer, Permission.REPORTS_READ)


@pytest.mark.parametrize(
    ("full_name", "display_name"),
    [
        ("Ada Lovelace", "Ada L."),
        ("Ada", "Ada"),
        ("  Ada   King  Lovelace ", "Ada L."),
        ("İpek Şahin", "İpek Ş."),
        ("Юлия Щукина", "Юлия Щ."),
        ("山田 太郎", "山田 太."),
    ],
)
def test_strangers_see_the_first_name_and_an_initial(full_name: str, display_name: str) -> None:
    assert make_user(ids(), full_name=full_name).display_name == display_name


def test_a_user_is_stored_clean() -> None:
    user = make_user(ids(), email=" Ada@Example.COM", full_name=" Ada ", phone=" ", home_address="a\r\nb", tax_id=" 7 ")
    assert (user.email, user.full_name, user.phone, user.home_address, user.tax_id) == (
        "ada@example.com",
        "Ada",
        None,
        "a\nb",
        "7",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", " "),
        ("full_name", "\u200b"),
        ("full_name", "a" * 201),
        ("full_name", "a\nb"),
        ("email", "ada"),
        ("phone", "1" * 41),
        ("tax_id", "1" * 41),
        ("home_address", "a" * 501),
        ("home_address", "a\u202eb"),
    ],
)
def test_a_bad_field_is_refused_by_its_name(field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        make_user(ids(), **{field: value})
    assert [name for name, _ in refused.value.errors] == [field]


def test_a_changed_user_is_one_version_on_and_the_old_one_as_it_was() -> None:
    user = make_user(ids())
    changed = user.changed(full_name="Ada", grants={Permission.AUDIT_READ: True})
    assert (user.version, changed.version, changed.full_name) == (1, 2, "Ada")
    assert not user.grants


def test_preferences_hold_8_kib_of_json() -> None:
    overhead = len(json.dumps({"k": ""}))
    make_user(ids(), preferences={"k": "x" * (PREFERENCES_BYTES - overhead)})
    with pytest.raises(Invalid, match="at most 8192 bytes"):
        make_user(ids(), preferences={"k": "x" * (PREFERENCES_BYTES - overhead + 1)})
    with pytest.raises(Invalid, match="at most 8192 bytes"):
        make_user(ids(), preferences={"k": "ş" * (PREFERENCES_BYTES // 2)})


def _nested(depth: int) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for _ in range(depth):
        nested = {"k": nested}
    return nested


@pytest.mark.parametrize(
    "preferences",
    [
        {"k": float("nan")},
        {"k": float("inf")},
        {"k": object()},
        {"k": b"bytes"},
        {"k": "\ud800"},
        {"k": {1, 2}},
        {"k": 10**5000},
        {(1, 2): "k"},
        _nested(100_000),
    ],
    ids=["nan", "infinity", "object", "bytes", "surrogate", "set", "huge number", "key", "depth"],
)
def test_preferences_are_plain_json(preferences: dict[Any, Any]) -> None:
    with pytest.raises(Invalid, match="must be plain JSON"):
        make_user(ids(), preferences=preferences)


@pytest.mark.parametrize("preferences", [[], "theme", 5, None, True])
def test_preferences_are_an_object(preferences: Any) -> None:
    with pytest.raises(TypeError, match="preferences is an object"):
        make_user(ids(), preferences=preferences)


def test_what_the_caller_keeps_of_preferences_and_grants_changes_nothing() -> None:
    inner: list[str] = ["red"]
    preferences, grants = {"colours": inner}, {Permission.AUDIT_READ: True}
    user = make_user(ids(), preferences=preferences, grants=grants)
    inner.append("blue")
    preferences.clear()
    grants.clear()
    assert user.preferences == {"colours": ["red"]}
    assert user.may(Permission.AUDIT_READ)
    for mapping in (user.preferences, user.grants):
        with pytest.raises(TypeError):
            mapping["x"] = True  # type: ignore[index] # that it is read-only is what is tested


def test_users_are_values() -> None:
    one, same = (make_user(ids(), preferences={"a": 1}) for _ in range(2))
    assert (one, hash(one)) == (same, hash(same))
    assert one != same.changed(preferences={})


def test_a_user_s_secrets_are_not_in_its_repr() -> None:
    user = make_user(ids(), password_hash="$argon2id$x", phone="555", home_address="Main St", tax_id="T-1")
    assert not any(secret in repr(user) for secret in ("argon2", "555", "Main St", "T-1"))


@pytest.mark.parametrize("password", ["12345678", "p" * 128, "pass\nword\x00", "        ", "🔑" * 8, "e\u0301" * 128])
def test_a_password_is_8_to_128_characters_of_any_kind(password: str) -> None:
    assert 8 <= len(check_password(password)) <= 128


@pytest.mark.parametrize("password", ["", "1234567", "p" * 129, "e\u0301" * 7, "\u0301\u0327" * 10**6])
def test_other_lengths_are_refused(password: str) -> None:
    with pytest.raises(Invalid, match="new_password: must have 8 to 128 characters"):
        check_password(password, "new_password")


def test_a_password_is_the_same_from_any_keyboard() -> None:
    assert check_password("s\u0327ifreler") == check_password("\u015fifreler") == "\u015fifreler"


def test_a_password_keeps_its_spaces() -> None:
    assert check_password("  pass word ") == "  pass word "


def test_the_3000_most_common_passwords_are_known_as_far_as_they_are_long_enough() -> None:
    assert len(common()) == 3000
    assert all(check_password(word) == word == word.lower() for word in common())
    assert {"password", "12345678", "iloveyou", "1q2w3e4r5t"} <= common()


@pytest.mark.parametrize("password", ["password", "PassWord", "12345678", "qwertyuiop"])
def test_a_common_password_is_chosen_only_where_the_shop_takes_it(password: str) -> None:
    with pytest.raises(Invalid, match="new_password: is one of the most common passwords"):
        chosen(password, strict := Shop(refuses_common_passwords=True), "new_password")
    assert chosen(f"{password} ", strict) == f"{password} "
    assert chosen(password, Shop()) == password


def test_half_a_surrogate_pair_is_no_password() -> None:
    with pytest.raises(Invalid, match="surrogate"):
        check_password("password\ud800")


@pytest.mark.parametrize("password", [12345678, None, b"12345678"])
def test_a_password_is_a_string_and_never_shown(password: Any) -> None:
    with pytest.raises(TypeError) as refused:
        check_password(password)
    assert "12345678" not in str(refused.value)


def test_an_address_is_written_as_on_a_parcel() -> None:
    address = make_address(region="Kadıköy", line2=" ")
    assert address.lines == (
        "Ayşe Yılmaz",
        "Bağdat Caddesi 12",
        "34710 İstanbul",
        "Kadıköy",
        "TR",
    )
    assert (address.destination.country, address.destination.region) == ("TR", "Kadıköy")
    assert make_address().destination.region == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recipient", ""),
        ("line1", "a" * 201),
        ("city", "a\nb"),
        ("postal_code", "1" * 21),
        ("line2", "\x00"),
        ("region", "a" * 101),
        ("country", "Turkey"),
    ],
)
def test_a_bad_address_names_the_field(field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        make_address(**{field: value})
    assert [name for name, _ in refused.value.errors] == [f"delivery_address.{field}"]


def test_a_saved_address_may_have_a_label() -> None:
    address: Address = make_address()
    saved = SavedAddress(id="1", user_id="2", address=address, label="  ", created_at=NOW)
    assert saved.label is None
    with pytest.raises(Invalid):
        SavedAddress(id="1", user_id="2", address=address, label="x" * 61, created_at=NOW)


def test_a_session_lives_until_it_expires_or_ends() -> None:
    new_id = ids()
    session = make_session(new_id, make_user(new_id), expires_at=NOW + timedelta(hours=1))
    assert session.alive(NOW)
    assert session.alive(NOW + timedelta(minutes=59, seconds=59))
    assert not session.alive(NOW + timedelta(hours=1))
    ended = make_session(new_id, make_user(new_id), ended_at=NOW)
    assert not ended.alive(NOW)
