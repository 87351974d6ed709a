"""Users, their addresses, and who is found by a few letters."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from storecore.accounts.permissions import Permission, Role
from storecore.errors import Contention, EmailTaken, NotFound
from storecore.lists import PageRequest
from storecore.ports import Storage, UserQuery
from storecore.testing.builders import (
    NOW,
    ids,
    make_address,
    make_saved_address,
    make_user,
)
from storecore.testing.contracts.proving import COUNT_STATEMENTS, Contract, check_pages, needs, seen, written

ISTANBUL = timezone(timedelta(hours=2))
"""Some offset that is not UTC."""


class UsersContract(Contract):
    """Accounts and address books."""

    def test_every_field_of_a_user_comes_back(self, storage: Storage) -> None:
        user = make_user(
            ids(),
            role=Role.PRODUCT_MANAGER,
            grants={Permission.PRICES_WRITE: True, Permission.STOCK_ADJUST: False},
            phone="+90 555 000 00 00",
            tax_id="TR-1234567890",
            home_address="Bağdat Caddesi 12\nİstanbul",
            preferences={"theme": "dark", "sizes": [38, None, 40.5], "nested": {"ü": True}},
            is_active=False,
            email_verified=True,
        )
        with written(storage) as unit:
            unit.users.add(user)
        with seen(storage) as unit:
            assert unit.users.get(user.id) == user
            assert unit.users.by_email(user.email) == user

    def test_an_unknown_user_is_not_found(self, storage: Storage) -> None:
        for missing in ("no such id", "", ids()()):
            with seen(storage) as unit, pytest.raises(NotFound):
                unit.users.get(missing)
            with written(storage) as unit, pytest.raises(NotFound):
                unit.users.locked(missing)
        with seen(storage) as unit:
            assert unit.users.by_email("nobody@example.com") is None

    def test_a_second_account_with_an_email_is_refused(self, storage: Storage) -> None:
        new_id = ids()
        with written(storage) as unit:
            unit.users.add(make_user(new_id, email="Ada@Example.com"))
        with pytest.raises(EmailTaken), written(storage) as unit:
            unit.users.add(make_user(new_id, email="ada@example.com"))

    def test_nobody_can_change_to_an_email_that_is_taken(self, storage: Storage) -> None:
        new_id = ids()
        one, two = make_user(new_id), make_user(new_id)
        with written(storage) as unit:
            unit.users.add(one)
            unit.users.add(two)
        with pytest.raises(EmailTaken), written(storage) as unit:
            unit.users.save(two.changed(email=one.email))

    def test_an_email_that_was_given_up_is_free_again(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id, email="old@example.com")
        with written(storage) as unit:
            unit.users.add(user)
            unit.users.save(user.changed(email="new@example.com"))
            unit.users.add(make_user(new_id, email="old@example.com"))
        with seen(storage) as unit:
            found = unit.users.by_email("new@example.com")
            assert found is not None
            assert found.id == user.id

    def test_saving_writes_every_field(self, storage: Storage) -> None:
        user = make_user(ids(), phone="123")
        changed = user.changed(
            full_name="Ada Lovelace",
            role=Role.ADMIN,
            phone=None,
            home_address="London",
            is_active=False,
            email_verified=True,
            password_hash=make_user(ids()).password_hash.upper(),
            preferences={"a": 1},
            grants={Permission.AUDIT_READ: False},
        )
        with written(storage) as unit:
            unit.users.add(user)
        with written(storage) as unit:
            assert unit.users.locked(user.id) == user
            unit.users.save(changed)
        with seen(storage) as unit:
            assert unit.users.get(user.id) == changed

    def test_saving_what_somebody_else_has_changed_is_contention(self, storage: Storage) -> None:
        user = make_user(ids())
        with written(storage) as unit:
            unit.users.add(user)
            unit.users.save(user.changed(full_name="First"))
        for stale in (user.changed(full_name="Second"), user, user.changed().changed().changed()):
            with pytest.raises(Contention), written(storage) as unit:
                unit.users.save(stale)
        with seen(storage) as unit:
            assert unit.users.get(user.id).full_name == "First"

    def test_active_people_of_a_role_are_listed_oldest_first(self, storage: Storage) -> None:
        new_id = ids()
        days = (1, 0, 2)  # not in the order of their ids
        people = [make_user(new_id, role=Role.ADMIN, created_at=NOW + timedelta(days=day)) for day in days]
        admins = [people[1], people[0], people[2]]
        with written(storage) as unit:
            for user in people:
                unit.users.add(user)
            unit.users.add(make_user(new_id, role=Role.ADMIN, is_active=False))
            unit.users.add(make_user(new_id))
        with seen(storage) as unit:
            assert list(unit.users.active_with_role(Role.ADMIN)) == admins
            assert list(unit.users.active_with_role(Role.VENDOR)) == []

    def test_times_come_back_as_the_same_moment_in_utc(self, storage: Storage) -> None:
        given = datetime(2026, 3, 1, 1, 30, 0, 123456, tzinfo=ISTANBUL)
        user = make_user(ids(), created_at=given)
        with written(storage) as unit:
            unit.users.add(user)
            assert unit.users.get(user.id).created_at.tzinfo is UTC
        with seen(storage) as unit:
            found = unit.users.get(user.id).created_at
        assert found == given
        assert found.tzinfo is UTC
        assert found.isoformat() == "2026-02-28T23:30:00.123456+00:00"

    def test_an_address_book_keeps_its_entries_oldest_first(self, storage: Storage) -> None:
        new_id = ids()
        user, other = make_user(new_id), make_user(new_id)
        book = [make_saved_address(new_id, user, created_at=NOW + timedelta(hours=n)) for n in range(3)]
        with written(storage) as unit:
            unit.users.add(user)
            unit.users.add(other)
            for address in reversed(book):
                unit.users.add_address(address)
            unit.users.add_address(make_saved_address(new_id, other))
        with seen(storage) as unit:
            assert list(unit.users.addresses(user.id)) == book
            assert unit.users.address(user.id, book[1].id) == book[1]
            assert list(unit.users.addresses("nobody")) == []

    def test_an_address_is_changed_and_removed_by_its_owner(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id)
        address = make_saved_address(new_id, user, label=None)
        changed = replace(address, label="Work", address=make_address(line2="Kat 3", region="Kadıköy"))
        other = make_saved_address(new_id, user)
        with written(storage) as unit:
            unit.users.add(user)
            unit.users.add_address(address)
            unit.users.add_address(other)
        with written(storage) as unit:
            unit.users.save_address(changed)
        with seen(storage) as unit:
            assert list(unit.users.addresses(user.id)) == [changed, other]
        with written(storage) as unit:
            unit.users.remove_address(user.id, address.id)
        with seen(storage) as unit:
            assert list(unit.users.addresses(user.id)) == [other]
        with pytest.raises(NotFound), written(storage) as unit:
            unit.users.remove_address(user.id, address.id)

    def test_nobody_has_no_address_book(self, storage: Storage) -> None:
        new_id = ids()
        with pytest.raises(NotFound), written(storage) as unit:
            unit.users.add_address(make_saved_address(new_id, make_user(new_id)))

    def test_somebody_elses_address_is_not_found(self, storage: Storage) -> None:
        new_id = ids()
        user, other = make_user(new_id), make_user(new_id)
        address = make_saved_address(new_id, user)
        with written(storage) as unit:
            unit.users.add(user)
            unit.users.add(other)
            unit.users.add_address(address)
        with seen(storage) as unit, pytest.raises(NotFound):
            unit.users.address(other.id, address.id)
        with pytest.raises(NotFound), written(storage) as unit:
            unit.users.remove_address(other.id, address.id)
        with pytest.raises(NotFound), written(storage) as unit:
            unit.users.save_address(replace(address, user_id=other.id))
        with seen(storage) as unit:
            assert unit.users.address(user.id, address.id) == address


class UserListsContract(Contract):
    """Who there is, and who is found by a few letters."""

    def test_users_are_listed_newest_first_by_role_and_by_whether_they_are_banned(self, storage: Storage) -> None:
        new_id, day = ids(), timedelta(days=1)
        users = [
            make_user(new_id, role=role, is_active=active, created_at=NOW + day * position)
            for position, (role, active) in enumerate(
                [(Role.ADMIN, True), (Role.VENDOR, True), (Role.VENDOR, False), (Role.CUSTOMER, False)]
            )
        ]
        users.append(make_user(new_id, created_at=users[-1].created_at))
        users.insert(0, make_user(new_id, role=Role.VENDOR, created_at=NOW - day))  # the oldest, with the greatest id
        with written(storage) as unit:
            for user in users:
                unit.users.add(user)
        newest_first = users[::-1]
        for role in (None, *Role):
            for active in (None, True, False):
                query = UserQuery(role=role, active=active)
                expected = [
                    user for user in newest_first if role in (None, user.role) and active in (None, user.is_active)
                ]
                with seen(storage) as unit:
                    check_pages(lambda page, query=query: unit.users.page(query, page), expected)  # type: ignore[misc] # mypy can't infer it

    def test_a_user_is_found_once_by_how_the_email_the_name_or_the_last_name_begins(self, storage: Storage) -> None:
        new_id = ids()
        people = {
            name: make_user(new_id, email=email, full_name=full_name, role=role)
            for name, email, full_name, role in (
                ("ada", "ada@example.com", "Ada King Lovelace", Role.ADMIN),
                ("adam", "smith@example.com", "Adam Smith", Role.CUSTOMER),
                ("adam2", "other@example.com", "ADAM SMITH", Role.ADMIN),
                ("ay", "ay@example.com", "Ayşe Şahin-Ada", Role.CUSTOMER),
                ("turned", "zed@example.com", "Zed Adair", Role.CUSTOMER),
                ("one", "one@example.com", "Adele", Role.CUSTOMER),
            )
        }
        with written(storage) as unit:
            for user in people.values():
                unit.users.add(user)

        def check(text: str, *names: str, role: Role | None = None) -> None:
            query = UserQuery(text=text, role=role, active=True)
            with seen(storage) as unit:
                check_pages(lambda page: unit.users.page(query, page), [people[name] for name in names])

        check("ad", "ada", "turned", "adam", "adam2", "one")  # ada@…, adair zed, adam smith twice, adele
        check("AD", "ada", "adam2", role=Role.ADMIN)
        check("lov", "ada")
        check("Ada King", "ada")
        check("sahin", "ay")
        check("ŞAHİN", "ay")
        check("smith", "adam2", "adam")  # by the last name; by the email
        check("smith@example.com", "adam")
        check("king")
        check("%")
        check("_da")

    def test_a_user_who_was_renamed_is_found_by_the_new_name(self, storage: Storage) -> None:
        user = make_user(ids(), full_name="Ada Byron")
        with written(storage) as unit:
            unit.users.add(user)
        with written(storage) as unit:
            unit.users.save(user.changed(full_name="Ada Lovelace"))
        with seen(storage) as unit:
            assert [each.id for each in unit.users.page(UserQuery(text="lovelace"), PageRequest()).items] == [user.id]
            assert unit.users.page(UserQuery(text="byron"), PageRequest()).items == ()

    @needs(COUNT_STATEMENTS)
    def test_a_page_of_users_takes_two_statements_and_one_that_is_looked_for_six(self, storage: Storage) -> None:
        new_id, page = ids(), PageRequest(limit=5, total=True)
        with written(storage) as unit:
            for _ in range(20):
                unit.users.add(make_user(new_id))
        for query, most in ((UserQuery(), 2), (UserQuery(text="a"), 6)):
            with seen(storage) as unit, self.count_statements(storage) as statements:
                assert unit.users.page(query, page).total == 20
            assert statements.count <= most
