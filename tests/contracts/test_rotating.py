"""Keys rotate while the shop goes on selling, and a missing one is noticed before anything is read."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.sql import KeyMissing, SqlStorage, check_keys, rotating, tables
from adapters.sql.keys import keys_in_use
from adapters.sql.personal import Kept, columns
from adapters.sql.rotating import FIELDS, Rotated, left, rotate
from adapters.sql.verify import verify
from storecore.accounts.model import SYSTEM, Guest
from storecore.errors import CouponNotApplicable, Unavailable
from storecore.lists import PageRequest
from storecore.notices import Notice, Template
from storecore.shop import Shop
from tests.contracts.test_verify import trade
from tests.databases import DATABASES, database
from tests.usecases.floor import HOME, PASSWORD, Clock, Floor, person, product

OLD, NEW = "k" * 32, "n" * 32
Where = Path | URL


@pytest.fixture(params=DATABASES)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    with database(request.param, tmp_path) as where:
        yield where


@contextmanager
def shop(where: Where, *keys: str) -> Iterator[Floor]:
    """A shop with these keys, the newest first."""
    store = Floor(SqlStorage(where, cipher=FernetCipher(keys)), Clock(), Shop())
    with closing(store):
        check_keys(storage_of(store), store.clock())
        yield store


def storage_of(store: Floor) -> SqlStorage:
    assert isinstance(store.storage, SqlStorage)
    return store.storage


def traded(where: Where) -> None:
    with shop(where, OLD) as store:
        trade(storage_of(store))


def rotated(store: Floor) -> Rotated:
    return rotate(storage_of(store), store.clock)


def secrets_of(where: Where, field: str) -> Sequence[bytes]:
    column = FIELDS[field].column
    storage = SqlStorage(where, cipher=FernetCipher([NEW]), pool_size=1)
    with storage.snapshot() as (connection, _):
        found = list(connection.scalars(select(column).where(column.is_not(None)).order_by(*column.table.primary_key)))
    storage.close()
    return found


def well_with_the_new_key_alone(where: Where) -> None:
    with shop(where, NEW) as store:
        assert [str(finding) for finding in verify(storage_of(store), store.clock())] == []
        assert keys_in_use(storage_of(store)) == list(FernetCipher([NEW]).names)


def test_every_column_that_is_sealed_or_a_blind_index_is_rotated() -> None:
    assert FIELDS.keys() == {str(column) for how in (Kept.SEALED, Kept.INDEX) for column in columns(how)}


def test_everything_is_renewed_and_then_the_old_key_is_not_needed(where: Where) -> None:
    traded(where)
    before = {name: secrets_of(where, name) for name in FIELDS}
    assert all(before.values()), "something of every field is there"
    told: dict[str, list[tuple[int, int | None]]] = {}
    with shop(where, NEW, OLD) as store:
        assert left(storage_of(store)) == sum(map(len, before.values()))
        found = rotate(
            storage_of(store), store.clock, lambda what, done, total: told.setdefault(what, []).append((done, total))
        )
        assert found == Rotated(renewed=sum(map(len, before.values())), unreadable=0, done=True)
        assert left(storage_of(store)) == 0
        assert rotated(store) == Rotated(renewed=0, unreadable=0, done=True)
    for name, old in before.items():
        assert not set(old) & set(secrets_of(where, name)), name
        assert (len(old), len(old)) in told[name]
    well_with_the_new_key_alone(where)


class OfBefore(FernetCipher):
    """Encrypts as it was done before rows had keys."""

    def encrypt(self, purpose: str, row: str, plain: bytes) -> bytes:
        *_, before = self._ciphers(purpose, row)
        return before.encrypt(plain)


def test_what_was_encrypted_for_no_row_is_read_and_then_opens_in_its_row_alone(where: Where) -> None:
    earlier = SqlStorage(where, cipher=OfBefore([OLD]))
    trade(earlier)
    earlier.close()
    with shop(where, OLD) as store:
        assert [str(finding) for finding in verify(storage_of(store), store.clock())] == []
        everything = sum(len(secrets_of(where, str(column))) for column in columns(Kept.SEALED))
        assert left(storage_of(store)) == everything
        assert rotated(store) == Rotated(renewed=everything, unreadable=0, done=True)
        assert left(storage_of(store)) == 0
        assert [str(finding) for finding in verify(storage_of(store), store.clock())] == []
    cipher = FernetCipher([OLD])
    for column in columns(Kept.SEALED):
        for secret in secrets_of(where, str(column)):
            with pytest.raises(ValueError, match="in its row"):
                cipher.decrypt(str(column), "another", secret)


def test_an_index_is_that_of_the_same_person_by_the_new_key(where: Where) -> None:
    with shop(where, OLD) as store:
        coupon = store.catalog.create_coupon(by=SYSTEM, code="ONCE", percent=Decimal(10), max_uses_per_user=1)
        buyer, thing = person(store), product(store)
        items = [(thing.id, 1)]
        store.orders.place(by=buyer, items=items, deliver_to=HOME, coupon=coupon.code)
        store.orders.place(by=Guest(), items=items, deliver_to=HOME, coupon=coupon.code, email="guest@example.com")
    for keys in ((OLD, NEW), (NEW, OLD), (NEW,)):
        with shop(where, *keys) as store:
            with pytest.raises(CouponNotApplicable):
                store.orders.place(by=buyer, items=items, deliver_to=HOME, coupon=coupon.code)
            with pytest.raises(CouponNotApplicable):
                store.orders.place(by=Guest(), items=items, deliver_to=HOME, coupon="ONCE", email="guest@example.com")
            if keys == (NEW, OLD):
                assert rotated(store).done


def notice(store: Floor, event: str = "order-1") -> Notice:
    return Notice(
        id=store.ports["new_id"](),
        event=event,
        template=Template.PASSWORD_CHANGED,
        recipient="ada@example.com",
        data={},
        message_id=f"<{store.ports['new_id']()}@shop>",
        created_at=store.clock(),
        due_at=store.clock(),
    )


def owe(store: Floor, *notices: Notice) -> None:
    with store.storage.writing(store.clock(), str) as unit:
        unit.outbox.add(notices)
        unit.commit()


def owed(store: Floor) -> int:
    with store.storage.reading(store.clock(), str) as unit:
        return unit.outbox.page(PageRequest(limit=1, total=True)).total or 0


def test_the_same_mail_is_owed_once_whichever_key_indexed_it(where: Where) -> None:
    with shop(where, OLD) as store:
        owe(store, notice(store))
    with shop(where, NEW, OLD) as store:
        owe(store, notice(store), notice(store, "order-2"))
        assert owed(store) == 2
        assert rotated(store).done
        owe(store, notice(store), notice(store, "order-2"))
        assert owed(store) == 2


def test_mail_that_two_processes_owed_by_different_keys_is_sent_once(where: Where) -> None:
    with shop(where, OLD) as store, shop(where, NEW, OLD) as newer:
        owe(newer, notice(newer))
        owe(store, notice(store), notice(store, "order-2"))
        assert owed(store) == 3
        assert rotated(newer).done
        assert owed(newer) == 2
    well_with_the_new_key_alone(where)


def _rotate_and_die(where: Where, at: int) -> None:
    """In a process of its own."""
    rotating.BATCH = 3
    steps = 0

    def progress(_what: str, _done: int, _total: int | None) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)

    rotate(SqlStorage(where, cipher=FernetCipher([NEW, OLD])), Clock(), progress)


def test_a_killed_rotation_goes_on_where_it_was(where: Where) -> None:
    traded(where)
    everything = sum(len(secrets_of(where, name)) for name in FIELDS)
    for at in (2, 40):
        process = get_context("spawn").Process(target=_rotate_and_die, args=(where, at))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        with shop(where, NEW, OLD) as store:
            assert [str(finding) for finding in verify(storage_of(store), store.clock())] == []
    with shop(where, NEW, OLD) as store:
        assert set(keys_in_use(storage_of(store))) == set(FernetCipher([NEW, OLD]).names)
        remaining = left(storage_of(store))
        assert 0 < remaining < everything - 40
        assert rotated(store) == Rotated(renewed=remaining, unreadable=0, done=True)
    well_with_the_new_key_alone(where)


def test_writers_lose_nothing_meanwhile(where: Where, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "BATCH", 5)
    traded(where)
    begun, failures, written = Barrier(3), list[Exception](), dict[str, str]()
    with shop(where, NEW, OLD) as store, shop(where, OLD, NEW) as older:
        thing = product(store, stock=100)

        def write(at: Floor) -> None:
            try:
                user = person(at)
                begun.wait()
                for number in range(25):
                    written[user.id] = f"+9055512{number:05}"
                    at.accounts.update_profile(by=user, phone=written[user.id])
                    at.orders.place(by=user, items=[(thing.id, 1)], deliver_to=HOME)
            except Exception as error:  # noqa: BLE001 - whatever it is fails the test
                failures.append(error)

        threads = [Thread(target=write, args=(at,)) for at in (store, older)]
        for thread in threads:
            thread.start()
        begun.wait()
        assert rotated(store).renewed > 0
        for thread in threads:
            thread.join()
        assert failures == []
        assert rotated(store).done
        assert store.catalog.product(product=thing.id, by=SYSTEM).product.stock == 50
    well_with_the_new_key_alone(where)
    assert len(written) == 2
    with shop(where, NEW) as store, store.storage.reading(store.clock(), str) as unit:
        for user_id, phone in written.items():
            assert unit.users.get(user_id).phone == phone


class Slow(FernetCipher):
    """Somebody writes the row between the moment it is read and the moment it is replaced."""

    meanwhile: Floor | None = None

    def renewed(self, purpose: str, row: str, secret: bytes) -> bytes | None:
        if purpose == "users.private" and self.meanwhile is not None:
            store, self.meanwhile = self.meanwhile, None
            with store.storage.reading(store.clock(), str) as unit:
                user = unit.users.by_email("ada@example.com")
            assert user is not None
            store.accounts.update_profile(by=user, phone="+905550000002")
        return super().renewed(purpose, row, secret)


def test_a_row_that_changed_since_it_was_read_is_read_again(where: Where) -> None:
    with shop(where, OLD, NEW) as older:
        user = older.accounts.register(
            email="ada@example.com", password=PASSWORD, full_name="Ada", phone="+905550000001"
        )
        cipher = Slow([NEW, OLD])
        cipher.meanwhile = older
        storage = SqlStorage(where, cipher=cipher)
        assert rotate(storage, older.clock).done
        storage.close()
    with shop(where, NEW) as store, store.storage.reading(store.clock(), str) as unit:
        assert unit.users.get(user.id).phone == "+905550000002"


def test_a_field_that_no_key_opens_is_counted_and_left(where: Where) -> None:
    with shop(where, OLD) as store:
        one, two = (
            store.accounts.register(email=f"{n}@example.com", password=PASSWORD, full_name="Ada", phone="+905550000001")
            for n in range(2)
        )
        with storage_of(store).changing(store.clock()) as transaction:
            transaction.write(update(tables.users).where(tables.users.c.id == one.id).values(private=b"garbage"), {})
            transaction.commit()
    with shop(where, NEW, OLD) as store:
        found = rotated(store)
        assert (found.unreadable, found.done) == (1, True)
        with store.storage.reading(store.clock(), str) as unit:
            assert unit.users.get(two.id).phone == "+905550000001"
            with pytest.raises(Unavailable):
                unit.users.get(one.id)
    assert secrets_of(where, "users.private").count(b"garbage") == 1


def test_a_missing_key_is_noticed_at_the_door(where: Where) -> None:
    with shop(where, OLD) as store:
        store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada", phone="+905550000001")
    name = FernetCipher([OLD]).names[0]
    with pytest.raises(KeyMissing, match=name), shop(where, NEW):
        pass
    with shop(where, NEW, OLD):
        pass
    with pytest.raises(KeyMissing, match=name), shop(where, NEW):
        pass
    with shop(where, NEW, OLD) as store:
        assert rotated(store).done
    with shop(where, NEW):
        pass
    with pytest.raises(KeyMissing), shop(where, OLD):
        pass


def test_a_database_of_before_keys_were_noted_is_tried(where: Where) -> None:
    with shop(where, OLD) as store:
        store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada", phone="+905550000001")
        with storage_of(store).changing(store.clock()) as transaction:
            transaction.write(tables.encryption_keys.delete(), {})
            transaction.commit()
    with pytest.raises(KeyMissing, match="can't be opened"), shop(where, NEW):
        pass
    with shop(where, NEW, OLD) as store:
        assert set(keys_in_use(storage_of(store))) == set(FernetCipher([NEW, OLD]).names)


def test_before_anything_is_encrypted_another_key_may_be_chosen(where: Where) -> None:
    with shop(where, OLD):
        pass
    with shop(where, NEW) as store:
        assert keys_in_use(storage_of(store)) == list(FernetCipher([NEW]).names)
