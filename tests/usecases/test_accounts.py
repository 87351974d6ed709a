"""Registering, signing in, recovering, profiles and the powers of staff."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.memory import MemoryStorage
from storecore.accounts.model import GUEST, SYSTEM
from storecore.accounts.permissions import Permission, Role
from storecore.errors import (
    EmailTaken,
    Forbidden,
    Invalid,
    InvalidCredentials,
    LastAdmin,
    LinkInvalid,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    SessionEnded,
    TokenReused,
    WrongPassword,
)
from storecore.notices import Notice, Template
from storecore.shop import Shop
from tests.usecases.floor import BACK_ENDS, HOME, PASSWORD, Clock, Floor, open_floor, person


def _token(notice: Notice) -> str:
    return parse_qs(urlsplit(str(notice.data["link"])).query)["token"][0]


def _mailed(store: Floor, template: Template) -> Notice:
    return [notice for notice in store.mail() if notice.template is template][-1]


def test_registering_makes_an_unverified_customer_and_asks_to_confirm_the_address(store: Floor) -> None:
    user = store.accounts.register(email=" Ada@Example.COM ", password=PASSWORD, full_name="Ada Lovelace")
    assert (user.email, user.role, user.email_verified) == ("ada@example.com", Role.CUSTOMER, False)
    assert _mailed(store, Template.VERIFY_EMAIL).recipient == "ada@example.com"


def test_an_email_belongs_to_one_account_whatever_its_case(store: Floor) -> None:
    store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada")
    with pytest.raises(EmailTaken):
        store.accounts.register(email="ADA@example.com", password=PASSWORD, full_name="Other")


def test_a_session_that_began_when_they_lasted_longer_is_over_too() -> None:
    storage, clock = MemoryStorage(), Clock()
    before = Floor(storage, clock, Shop(session_longest=None))
    token = before.accounts.login(email=person(before).email, password=PASSWORD).refresh_token
    for _ in range(20):
        clock.forward(days=29)
        token = before.accounts.refresh(refresh_token=token).refresh_token
    with pytest.raises(SessionEnded):
        Floor(storage, clock, Shop()).accounts.refresh(refresh_token=token)


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_a_session_ends_some_day_however_often_it_is_used(back_end: str, tmp_path: Path) -> None:
    shop = Shop(session_lifetime=timedelta(days=30), session_longest=timedelta(days=70))
    with open_floor(back_end, tmp_path, shop) as store:
        signed_in = store.accounts.login(email=person(store).email, password=PASSWORD)
        began, ends = signed_in.session.created_at, []
        for _ in range(3):
            store.time.forward(days=23)
            signed_in = store.accounts.refresh(refresh_token=signed_in.refresh_token)
            ends.append((signed_in.session.expires_at - began).days)
        assert ends == [53, 70, 70]
        store.time.forward(days=1)
        with pytest.raises(SessionEnded):
            store.accounts.authenticate(session_id=signed_in.session.id)
        with pytest.raises(SessionEnded):
            store.accounts.refresh(refresh_token=signed_in.refresh_token)


@pytest.mark.parametrize("password", ["short", "x" * 129])
def test_a_password_has_8_to_128_characters(store: Floor, password: str) -> None:
    with pytest.raises(Invalid) as refused:
        store.accounts.register(email="ada@example.com", password=password, full_name="Ada")
    assert refused.value.errors[0][0] == "password"


def test_what_half_the_world_has_is_no_new_password_where_the_shop_refuses_it() -> None:
    store, common = Floor(MemoryStorage(), Clock(), Shop(refuses_common_passwords=True)), "Password1"
    with pytest.raises(Invalid, match="password: is one of the most common passwords; choose another"):
        store.accounts.register(email="bob@example.com", password=common, full_name="Bob")
    with pytest.raises(Invalid, match="password: is one of the most common"):
        store.accounts.create_admin(by=SYSTEM, email="bob@example.com", password=common, full_name="Bob")
    user = person(store)
    with pytest.raises(Invalid, match="new_password: is one of the most common"):
        store.accounts.change_password(by=user, current=PASSWORD, new=common)
    store.accounts.forgot_password(email=user.email)
    token = _token(_mailed(store, Template.RESET_PASSWORD))
    with pytest.raises(Invalid, match="password: is one of the most common"):
        store.accounts.reset_password(token=token, password=common)
    store.accounts.reset_password(token=token, password=f"{common}, and more")


def test_who_has_a_common_password_already_signs_in_and_changes_it() -> None:
    storage, clock = MemoryStorage(), Clock()
    lax = Floor(storage, clock, Shop())
    user = lax.accounts.register(email="ada@example.com", password="12345678", full_name="Ada")
    strict = Floor(storage, clock, Shop(refuses_common_passwords=True))
    assert strict.accounts.login(email=user.email, password="12345678").user == user
    strict.accounts.change_password(by=user, current="12345678", new=PASSWORD)


def test_the_link_in_the_mail_verifies_the_address_once(store: Floor) -> None:
    store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada")
    token = _token(_mailed(store, Template.VERIFY_EMAIL))
    assert store.accounts.verify_email(token=token).email_verified
    with pytest.raises(LinkInvalid):
        store.accounts.verify_email(token=token)


def test_a_verified_user_is_not_asked_again(store: Floor) -> None:
    user = person(store)
    store.accounts.verify_email(token=_token(_mailed(store, Template.VERIFY_EMAIL)))
    store.accounts.resend_verification(by=user)
    assert len(store.mail()) == 1


def test_an_unverified_user_is_asked_again(store: Floor) -> None:
    store.accounts.resend_verification(by=person(store))
    assert len(store.mail()) == 2


def test_signing_in_opens_a_session_that_authenticates(store: Floor) -> None:
    user = person(store)
    signed_in = store.accounts.login(email=user.email, password=PASSWORD)
    assert store.accounts.authenticate(session_id=signed_in.session.id).id == user.id


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", ""])
def test_a_wrong_password_and_an_unknown_email_are_refused_alike(store: Floor, email: str) -> None:
    user = person(store)
    with pytest.raises(InvalidCredentials) as known:
        store.accounts.login(email=user.email, password="wrong password")
    with pytest.raises(InvalidCredentials) as unknown:
        store.accounts.login(email=email, password=PASSWORD)
    assert known.value.message == unknown.value.message


def test_refreshing_rotates_the_token_and_prolongs_the_session(store: Floor) -> None:
    first = store.accounts.login(email=person(store).email, password=PASSWORD)
    store.time.forward(days=20)
    second = store.accounts.refresh(refresh_token=first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert second.session.id == first.session.id
    store.time.forward(days=20)
    assert store.accounts.refresh(refresh_token=second.refresh_token).user.id == first.user.id


def test_a_rotated_token_is_taken_for_ten_seconds_more(store: Floor) -> None:
    first = store.accounts.login(email=person(store).email, password=PASSWORD)
    store.accounts.refresh(refresh_token=first.refresh_token)
    store.time.forward(seconds=10)
    again = store.accounts.refresh(refresh_token=first.refresh_token)
    assert store.accounts.refresh(refresh_token=again.refresh_token).user == first.user


def test_a_rotated_token_that_comes_back_later_ends_the_whole_session(store: Floor) -> None:
    first = store.accounts.login(email=person(store).email, password=PASSWORD)
    second = store.accounts.refresh(refresh_token=first.refresh_token)
    store.time.forward(seconds=10.1)
    with pytest.raises(TokenReused):
        store.accounts.refresh(refresh_token=first.refresh_token)
    with pytest.raises(SessionEnded):
        store.accounts.refresh(refresh_token=second.refresh_token)
    with pytest.raises(SessionEnded):
        store.accounts.authenticate(session_id=first.session.id)


def test_the_ten_seconds_count_from_the_first_rotation(store: Floor) -> None:
    first = store.accounts.login(email=person(store).email, password=PASSWORD)
    for _ in range(3):
        store.accounts.refresh(refresh_token=first.refresh_token)
        store.time.forward(seconds=4)
    with pytest.raises(TokenReused):
        store.accounts.refresh(refresh_token=first.refresh_token)


def test_an_unknown_refresh_token_opens_nothing(store: Floor) -> None:
    with pytest.raises(SessionEnded):
        store.accounts.refresh(refresh_token="nothing")


def test_a_session_that_nobody_prolongs_ends_after_thirty_days(store: Floor) -> None:
    signed_in = store.accounts.login(email=person(store).email, password=PASSWORD)
    store.time.forward(days=30)
    with pytest.raises(SessionEnded):
        store.accounts.authenticate(session_id=signed_in.session.id)
    with pytest.raises(SessionEnded):
        store.accounts.refresh(refresh_token=signed_in.refresh_token)


def test_logout_ends_the_session_by_either_name_and_twice_is_fine(store: Floor) -> None:
    email = person(store).email
    one, two = (store.accounts.login(email=email, password=PASSWORD) for _ in range(2))
    store.accounts.logout(session_id=one.session.id)
    store.accounts.logout(refresh_token=two.refresh_token)
    store.accounts.logout(session_id=one.session.id, refresh_token="unknown")
    for signed_in in (one, two):
        with pytest.raises(SessionEnded):
            store.accounts.authenticate(session_id=signed_in.session.id)


def test_users_see_their_own_open_sessions_and_can_end_them(store: Floor) -> None:
    user, stranger = person(store), person(store)
    phone = store.accounts.login(email=user.email, password=PASSWORD, device="Phone").session
    store.time.forward(minutes=1)
    laptop = store.accounts.login(email=user.email, password=PASSWORD, device="Laptop").session
    assert [each.device for each in store.accounts.sessions(by=user)] == ["Laptop", "Phone"]
    with pytest.raises(NotFound):
        store.accounts.end_session(by=stranger, session_id=phone.id)
    store.accounts.end_session(by=user, session_id=phone.id)
    assert [each.id for each in store.accounts.sessions(by=user)] == [laptop.id]
    with pytest.raises(NotFound):
        store.accounts.end_session(by=user, session_id=phone.id)


def test_changing_the_password_ends_every_session_and_tells_the_owner(store: Floor) -> None:
    user = person(store)
    signed_in = store.accounts.login(email=user.email, password=PASSWORD)
    store.accounts.change_password(by=user, current=PASSWORD, new="another password")
    with pytest.raises(SessionEnded):
        store.accounts.authenticate(session_id=signed_in.session.id)
    with pytest.raises(InvalidCredentials):
        store.accounts.login(email=user.email, password=PASSWORD)
    assert store.accounts.login(email=user.email, password="another password").user.id == user.id
    assert _mailed(store, Template.PASSWORD_CHANGED).recipient == user.email


def test_a_wrong_current_password_changes_nothing(store: Floor) -> None:
    user = person(store)
    with pytest.raises(WrongPassword):
        store.accounts.change_password(by=user, current="wrong password", new="another password")
    assert store.accounts.login(email=user.email, password=PASSWORD).user.id == user.id


def test_a_forgotten_password_is_reset_by_mail_once_within_the_hour(store: Floor) -> None:
    user = person(store)
    signed_in = store.accounts.login(email=user.email, password=PASSWORD)
    store.accounts.forgot_password(email=user.email)
    token = _token(_mailed(store, Template.RESET_PASSWORD))
    assert store.accounts.reset_password(token=token, password="another password").email_verified
    assert store.accounts.login(email=user.email, password="another password").user.id == user.id
    with pytest.raises(SessionEnded):
        store.accounts.authenticate(session_id=signed_in.session.id)
    with pytest.raises(LinkInvalid):
        store.accounts.reset_password(token=token, password="a third password")


def test_a_reset_link_dies_with_time_and_with_any_other_password_change(store: Floor) -> None:
    user = person(store)
    store.accounts.forgot_password(email=user.email)
    token = _token(_mailed(store, Template.RESET_PASSWORD))
    changed = store.accounts.change_password(by=user, current=PASSWORD, new="another password")
    with pytest.raises(LinkInvalid):
        store.accounts.reset_password(token=token, password="a third password")
    store.accounts.forgot_password(email=changed.email)
    token = _token(_mailed(store, Template.RESET_PASSWORD))
    store.time.forward(hours=1)
    with pytest.raises(LinkInvalid):
        store.accounts.reset_password(token=token, password="a third password")


def test_nothing_is_mailed_to_an_address_without_account(store: Floor) -> None:
    store.accounts.forgot_password(email="nobody@example.com")
    assert not store.mail()


def test_a_verification_link_is_no_reset_link(store: Floor) -> None:
    person(store)
    with pytest.raises(LinkInvalid):
        store.accounts.reset_password(token=_token(_mailed(store, Template.VERIFY_EMAIL)), password="another password")


def test_a_new_email_counts_when_it_is_verified_and_the_old_one_is_told(store: Floor) -> None:
    user = person(store)
    store.accounts.change_email(by=user, password=PASSWORD, email="new@example.com")
    assert store.accounts.me(by=user).email == user.email
    store.accounts.verify_email(token=_token(_mailed(store, Template.VERIFY_EMAIL)))
    assert store.accounts.login(email="new@example.com", password=PASSWORD).user.email_verified
    assert _mailed(store, Template.EMAIL_CHANGED).recipient == user.email


def test_an_email_can_not_be_changed_to_one_that_is_taken_meanwhile(store: Floor) -> None:
    user = person(store)
    store.accounts.change_email(by=user, password=PASSWORD, email="new@example.com")
    token = _token(_mailed(store, Template.VERIFY_EMAIL))
    store.accounts.register(email="new@example.com", password=PASSWORD, full_name="Faster")
    with pytest.raises(LinkInvalid):
        store.accounts.verify_email(token=token)
    assert store.accounts.me(by=user).email == user.email


def test_changing_the_email_needs_the_password(store: Floor) -> None:
    with pytest.raises(WrongPassword):
        store.accounts.change_email(by=person(store), password="wrong password", email="new@example.com")


def test_profile_changes_touch_only_what_is_given(store: Floor) -> None:
    user = person(store)
    changed = store.accounts.update_profile(by=user, phone="+90 555 000 00 00", preferences={"theme": "dark"})
    assert (changed.phone, changed.full_name) == ("+90 555 000 00 00", user.full_name)
    assert store.accounts.me(by=user).preferences == {"theme": "dark"}
    assert store.accounts.update_profile(by=user, phone=None).phone is None


def test_a_stale_profile_edit_is_refused(store: Floor) -> None:
    user = person(store)
    store.accounts.update_profile(by=user, phone="1")
    with pytest.raises(PreconditionFailed):
        store.accounts.update_profile(by=user, phone="2", if_version=user.version)


def test_the_address_book_is_ones_own(store: Floor) -> None:
    user, stranger = person(store), person(store)
    saved = store.accounts.add_address(by=user, address=HOME, label="Home")
    assert store.accounts.addresses(by=user) == [saved]
    assert not store.accounts.addresses(by=stranger)
    with pytest.raises(NotFound):
        store.accounts.update_address(by=stranger, address_id=saved.id, changes={"city": "Elsewhere"})
    with pytest.raises(NotFound):
        store.accounts.remove_address(by=stranger, address_id=saved.id)
    moved = store.accounts.update_address(by=user, address_id=saved.id, changes={"city": "Shelbyville"})
    assert (moved.address, moved.label) == (replace(HOME, city="Shelbyville"), "Home")
    store.accounts.remove_address(by=user, address_id=saved.id)
    assert not store.accounts.addresses(by=user)


def test_guests_have_no_profile(store: Floor) -> None:
    with pytest.raises(NotAuthenticated):
        store.accounts.me(by=GUEST)


def test_only_an_admin_appoints_staff_and_nobody_appoints_themselves(store: Floor) -> None:
    admin, user = person(store, Role.ADMIN), person(store)
    with pytest.raises(Forbidden):
        store.accounts.set_role(by=user, user_id=admin.id, role=Role.CUSTOMER)
    with pytest.raises(Forbidden):
        store.accounts.set_role(by=admin, user_id=admin.id, role=Role.CUSTOMER)
    assert store.accounts.set_role(by=admin, user_id=user.id, role=Role.VENDOR).role is Role.VENDOR


def test_the_last_admin_can_be_neither_demoted_nor_banned_nor_stripped(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    with pytest.raises(LastAdmin):
        store.accounts.set_role(by=SYSTEM, user_id=admin.id, role=Role.CUSTOMER)
    with pytest.raises(LastAdmin):
        store.accounts.ban(by=SYSTEM, user_id=admin.id)
    person(store, Role.ADMIN)
    assert not store.accounts.ban(by=SYSTEM, user_id=admin.id).is_active


def test_a_ban_ends_sessions_and_signing_in_until_it_is_lifted(store: Floor) -> None:
    admin, user = person(store, Role.ADMIN), person(store)
    signed_in = store.accounts.login(email=user.email, password=PASSWORD)
    store.accounts.ban(by=admin, user_id=user.id)
    with pytest.raises(SessionEnded):
        store.accounts.authenticate(session_id=signed_in.session.id)
    with pytest.raises(Forbidden):
        store.accounts.login(email=user.email, password=PASSWORD)
    with pytest.raises(InvalidCredentials):
        store.accounts.login(email=user.email, password="wrong password")
    store.accounts.unban(by=admin, user_id=user.id)
    assert store.accounts.login(email=user.email, password=PASSWORD).user.id == user.id


def test_single_permissions_are_granted_denied_and_returned_to_the_roles_default(store: Floor) -> None:
    admin, user = person(store, Role.ADMIN), person(store)
    change = store.accounts.set_permission
    granted = change(by=admin, user_id=user.id, permission=Permission.REPORTS_READ, allowed=True)
    assert granted.may(Permission.REPORTS_READ)
    denied = change(by=admin, user_id=user.id, permission=Permission.ORDERS_PLACE, allowed=False)
    assert not denied.may(Permission.ORDERS_PLACE)
    back = change(by=admin, user_id=user.id, permission=Permission.ORDERS_PLACE, allowed=None)
    assert back.may(Permission.ORDERS_PLACE)
    assert store.accounts.me(by=user).grants == {Permission.REPORTS_READ: True}


def test_the_first_admin_is_made_by_the_shop_itself_and_by_nobody_else(store: Floor) -> None:
    admin = store.accounts.create_admin(by=SYSTEM, email="root@example.com", password=PASSWORD, full_name="Root")
    assert admin.role is Role.ADMIN
    with pytest.raises(Forbidden):
        store.accounts.create_admin(by=admin, email="b@example.com", password=PASSWORD, full_name="B")  # type: ignore[arg-type]  # on purpose
