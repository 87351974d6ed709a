"""Events: heard by all who listen, each publisher's in order. Give a ``hub``, and a ``peer`` if there can be two."""

import pytest

from storecore.errors import Unavailable
from storecore.ports import Event, Hub, Listener
from storecore.testing.contracts.proving import MOMENT, PATIENCE, Together

ROOM = 1_000
FOREVER = 10 * PATIENCE


def heard(listener: Listener, count: int) -> list[str]:
    """The messages of the next so many events."""
    messages: list[str] = []
    for _ in range(count):
        event = listener.next(PATIENCE)
        assert event is not None, f"heard only {messages}"
        messages.append(event.message)
    return messages


class HubContract:
    """``hub`` and ``peer`` are fresh, and what one publishes the other hears; where nothing is shared, they are one.

    A listener keeps 1,000 events.
    """

    @pytest.fixture
    def peer(self, hub: Hub) -> Hub:
        """The hub of another process."""
        return hub

    def test_a_listener_hears_its_topics_and_no_others(self, hub: Hub, peer: Hub) -> None:
        with hub.listen("order 1", "order 2") as listener:
            for topic, message in (
                ("order 3", "a"),
                ("order", "b"),
                ("order 11", "e"),
                ("order 2", "c"),
                ("order 1", "d"),
            ):
                peer.publish(topic, message)
            assert [listener.next(PATIENCE), listener.next(PATIENCE)] == [Event("order 2", "c"), Event("order 1", "d")]
            assert listener.next(0) is None
            assert not listener.missed

    def test_everybody_who_listens_hears_everything(self, hub: Hub, peer: Hub) -> None:
        with hub.listen("a", "b") as one, hub.listen("a") as two, peer.listen("b", "a") as three:
            hub.publish("a", "from the hub")
            for listener in (one, two, three):
                assert heard(listener, 1) == ["from the hub"]
            peer.publish("a", "from its peer")
            for listener in (one, two, three):
                assert heard(listener, 1) == ["from its peer"]

    def test_a_listener_without_topics_hears_all(self, hub: Hub, peer: Hub) -> None:
        with hub.listen() as listener:
            hub.publish("a", "one")
            assert heard(listener, 1) == ["one"]
            peer.publish("b", "two")
            assert heard(listener, 1) == ["two"]

    def test_what_others_have_heard_before_it_began_is_not_repeated(self, hub: Hub, peer: Hub) -> None:
        with hub.listen("a") as early:
            peer.publish("a", "before")
            assert heard(early, 1) == ["before"]
            with hub.listen("a") as late:
                peer.publish("a", "after")
                assert heard(late, 1) == heard(early, 1) == ["after"]

    def test_what_nobody_heard_is_gone(self, hub: Hub) -> None:
        hub.publish("a", "nobody listens")
        with hub.listen("a") as listener:
            hub.publish("a", "now")
            assert heard(listener, 1) == ["now"]
            assert not listener.missed

    def test_the_order_of_each_publisher_is_kept(self, hub: Hub, peer: Hub) -> None:
        def talk(speaker: Hub, name: str) -> None:
            for number in range(100):
                speaker.publish("a", f"{name} {number}")

        with hub.listen("a") as listener:
            Together(*(lambda who=who, name=name: talk(who, name) for who, name in ((hub, "x"), (peer, "y")))).succeed()
            messages = heard(listener, 200)
        for name in ("x", "y"):
            assert [one for one in messages if one.startswith(name)] == [f"{name} {number}" for number in range(100)]

    def test_many_may_publish_at_once_and_each_keeps_its_order(self, hub: Hub) -> None:
        def talk(name: int) -> None:
            for number in range(25):
                hub.publish("a", f"{name} {number}")

        with hub.listen("a") as listener:
            Together(*(lambda name=name: talk(name) for name in range(8))).succeed()
            messages = heard(listener, 200)
        for name in range(8):
            own = [one for one in messages if one.startswith(f"{name} ")]
            assert own == [f"{name} {number}" for number in range(25)]

    def test_one_who_does_not_ask_loses_the_oldest_and_is_told(self, hub: Hub, peer: Hub) -> None:
        with hub.listen("a") as slow, hub.listen("end") as other:
            for number in range(ROOM + 5):
                peer.publish("a", str(number))
            peer.publish("end", "that was all")
            assert heard(other, 1) == ["that was all"], "a slow listener holds up nobody"
            assert not other.missed
            told = [(heard(slow, 1), slow.missed) for _ in range(2)]
            assert told == [(["5"], True), (["6"], False)], "it is told once"
            assert heard(slow, ROOM - 2)[-1] == str(ROOM + 4)
            assert slow.next(0) is None

    def test_a_listener_that_waits_is_woken(self, hub: Hub, peer: Hub) -> None:
        with hub.listen("a") as listener:
            waiting = Together(lambda: listener.next(FOREVER))
            waiting.linger()
            peer.publish("a", "wake up")
            assert waiting.succeed() == [Event("a", "wake up")]

    def test_waiting_ends_without_an_event(self, hub: Hub) -> None:
        with hub.listen("a") as listener:
            for timeout in (0, MOMENT / 10):
                assert listener.next(timeout) is None
            assert [listener.missed, listener.ended] == [False, False]

    def test_one_that_was_left_has_ended(self, hub: Hub) -> None:
        with hub.listen("a") as listener, hub.listen("a") as other:
            hub.publish("a", "1")
            assert heard(other, 1) == ["1"]
        hub.publish("a", "2")
        assert listener.next(PATIENCE) is None
        assert listener.ended

    def test_an_error_of_its_owner_ends_it_too(self, hub: Hub) -> None:
        def listen_and_fail() -> None:
            with hub.listen("a") as listener:
                listeners.append(listener)
                raise KeyError("its owner's mistake")

        listeners: list[Listener] = []
        with pytest.raises(KeyError):
            listen_and_fail()
        assert [listener.ended for listener in listeners] == [True]

    def test_closing_wakes_and_ends_every_listener(self, hub: Hub) -> None:
        with hub.listen("a") as one, hub.listen("b") as two:
            waiting = Together(lambda: one.next(FOREVER), lambda: two.next(FOREVER))
            waiting.linger()
            hub.close()
            assert waiting.succeed() == [None, None]
            assert [one.ended, two.ended] == [True, True]
            assert one.next(PATIENCE) is None, "it does not wait any more"

    def test_a_closed_hub_refuses_and_may_be_closed_again(self, hub: Hub) -> None:
        hub.close()
        hub.close()
        with pytest.raises(Unavailable):
            hub.publish("a", "1")
        with pytest.raises(Unavailable):
            hub.listen("a").__enter__()

    @pytest.mark.parametrize(
        "message", ["", " ", "\n", "two\nlines", "%s {} \\ '", "İstanbul 🧢", "ü" * 1_000, "\x01" * 2_000]
    )
    def test_a_message_arrives_as_it_was(self, hub: Hub, peer: Hub, message: str) -> None:
        for topic in ("t", "ü" * 200, "a topic, 'quoted' %s"):
            with hub.listen(topic) as listener:
                peer.publish(topic, message)
                assert listener.next(PATIENCE) == Event(topic, message)

    @pytest.mark.parametrize("message", ["x" * 2_001, "ü" * 1_001, "nul\x00", "\ud800"])
    def test_a_message_that_is_too_long_or_no_text_is_refused(self, hub: Hub, message: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            hub.publish("a", message)

    @pytest.mark.parametrize("topic", ["", "x" * 201, "two\nlines", "nul\x00", "\ud800"])
    def test_a_topic_is_a_short_line(self, hub: Hub, topic: str) -> None:
        with pytest.raises(ValueError, match="topic"):
            hub.publish(topic, "1")
