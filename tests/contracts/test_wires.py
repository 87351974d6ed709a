"""The wires between a process and its ports: what they tell, and what a process that died there leaves."""

import pytest

from adapters import memory
from adapters.memory import ScryptPasswords
from storecore.store import Store
from storecore.testing.builders import NOW, ids, make_user
from storecore.testing.wires import Call, Moment, ProcessDied, Wires


def told(store: Store) -> tuple[Store, list[str]]:
    """The store over wires, and what they tell from now on."""
    heard: list[str] = []

    def hear(moment: Moment, call: Call) -> None:
        where = " writing" if call.writes else " inside" if call.inside else ""
        heard.append(f"{call.number} {moment} {call}{where}")

    return Wires(hear).wire(store), heard


def dying(store: Store, number: int, moment: Moment) -> Store:
    """The store of a process that dies there."""

    def die(now: Moment, call: Call) -> None:
        if (call.number, now) == (number, moment):
            raise ProcessDied(f"{now} {call}")

    return Wires(die).wire(store)


@pytest.fixture
def store() -> Store:
    return memory.open_store(passwords=ScryptPasswords(n=4))


def test_each_call_is_told_before_and_after_it_and_whether_it_is_inside_a_unit(store: Store) -> None:
    wired, heard = told(store)
    wired.ports["signer"].sign("test", {}, NOW)
    with wired.storage.writing(NOW, ids()) as unit:
        unit.new_id()
        wired.ports["mailer"].sweep(NOW)
        unit.commit()
        unit.new_id()
        assert unit.now == NOW
    with wired.storage.reading(NOW, ids()) as unit:
        unit.users.by_email("ada@example.com")
    assert heard == [
        "0 before Signer.sign",
        "0 after Signer.sign",
        "1 before Storage.writing",
        "1 after Storage.writing",
        "2 before Unit.new_id writing",
        "2 after Unit.new_id writing",
        "3 before Mailer.sweep writing",
        "3 after Mailer.sweep writing",
        "4 before Unit.commit writing",
        "4 after Unit.commit writing",
        "5 before Unit.new_id inside",
        "5 after Unit.new_id inside",
        "1 after the end of Storage.writing",
        "6 before Storage.reading",
        "6 after Storage.reading",
        "7 before Users.by_email inside",
        "7 after Users.by_email inside",
        "6 after the end of Storage.reading",
    ]


def test_a_unit_that_was_left_by_an_error_is_over(store: Store) -> None:
    wired, heard = told(store)
    with pytest.raises(ValueError, match="its own"), wired.storage.writing(NOW, ids()):
        raise ValueError("its own")
    wired.storage.scrub()
    assert heard[2:] == ["1 before Storage.scrub", "1 after Storage.scrub"]


def test_what_a_port_gives_for_the_length_of_a_with_is_over_wires_too(store: Store) -> None:
    wired, heard = told(store)
    with wired.ports["hub"].listen("news") as listener:
        wired.ports["hub"].publish("news", "1")
        assert listener.next(0) is not None
        assert not listener.missed
    assert [line for line in heard if "after" in line] == [
        "0 after Hub.listen",
        "1 after Hub.publish",
        "2 after Listener.next",
    ]


@pytest.mark.parametrize(
    ("number", "moment", "lasts"),
    [
        (0, Moment.BEFORE, False),
        (0, Moment.AFTER, False),
        (1, Moment.AFTER, False),
        (2, Moment.BEFORE, False),
        (2, Moment.AFTER, True),
        (0, Moment.LEFT, True),
    ],
)
def test_what_was_committed_before_the_process_died_lasts_and_nothing_else(
    store: Store, number: int, moment: Moment, lasts: bool
) -> None:
    user = make_user(new_id := ids())

    def add() -> None:
        with dying(store, number, moment).storage.writing(NOW, new_id) as unit:
            unit.users.add(user)
            unit.commit()

    with pytest.raises(ProcessDied):
        add()
    with store.storage.writing(NOW, new_id) as unit:
        assert unit.users.by_email(user.email) == (user if lasts else None)


def test_a_dead_process_reaches_no_port_on_its_way_out_and_another_one_does(store: Store) -> None:
    dead = dying(store, 0, Moment.AFTER)
    with pytest.raises(ProcessDied, match=r"^after Passwords\.hash$"):
        dead.ports["passwords"].hash("a")
    with pytest.raises(ProcessDied, match=r"^before Hub\.publish$"):
        dead.ports["hub"].publish("news", "1")
    with pytest.raises(ProcessDied), dead.storage.reading(NOW, ids()):
        pass
    assert dying(store, 1, Moment.BEFORE).ports["passwords"].hash("a")


def test_what_a_port_says_of_itself_is_looked_up_each_time(store: Store) -> None:
    wired, _ = told(store)
    with wired.ports["hub"].listen() as listener:
        assert not listener.missed
        for number in range(1_001):
            wired.ports["hub"].publish("news", str(number))
        listener.next(0)
        assert listener.missed


def test_a_wire_has_what_the_port_has_and_nothing_else(store: Store) -> None:
    wired, _ = told(store)
    assert wired.storage.one_writer
    with pytest.raises(KeyError):
        _ = wired.storage.tables  # type: ignore[attr-defined] # on purpose
