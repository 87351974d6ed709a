"""Rate limits: no hit is lost. Give ``rate_limits``, and a ``peer`` if processes can share them."""

from collections.abc import Iterator
from datetime import timedelta, timezone

import pytest

from storecore.ports import RateLimit, RateLimits
from storecore.testing.builders import NOW
from storecore.testing.contracts.proving import Together

THREE = RateLimit(name="three", most=3, window=timedelta(minutes=1))
SECOND = timedelta(seconds=1)


def left(rate_limits: RateLimits, *, after: int = 0, key: str = "ada") -> int:
    """Hits that remain to a key so many seconds from the beginning."""
    return rate_limits.look(THREE, key, NOW + after * SECOND).remaining


def take(rate_limits: RateLimits, *, after: int = 0, key: str = "ada", limit: RateLimit = THREE) -> bool:
    """Whether a hit so many seconds from the beginning is allowed."""
    return not rate_limits.take(limit, key, NOW + after * SECOND).exceeded


class RateLimitsContract:
    """What every adapter of ``RateLimits`` has to do. ``rate_limits`` and its ``peer`` are fresh.

    What one counts the other knows; where nothing is shared, they are one.
    """

    @pytest.fixture
    def peer(self, rate_limits: RateLimits) -> RateLimits:
        """The rate limits of another process."""
        return rate_limits

    @pytest.fixture(autouse=True)
    def closed(self, rate_limits: RateLimits, peer: RateLimits) -> Iterator[None]:
        """Both are closed at the end."""
        yield
        rate_limits.close()
        peer.close()

    def test_as_many_as_are_allowed_are_and_no_more(self, rate_limits: RateLimits) -> None:
        assert [take(rate_limits) for _ in range(5)] == [True, True, True, False, False]

    def test_a_hit_tells_how_things_stand(self, rate_limits: RateLimits) -> None:
        first = rate_limits.take(THREE, "ada", NOW)
        assert (first.limit, first.used, first.remaining, first.exceeded) == (THREE, 1, 2, False)
        assert (first.resets_in, first.seconds) == (timedelta(minutes=1), 60)
        later = [rate_limits.take(THREE, "ada", NOW + timedelta(seconds=20.5)) for _ in range(3)][-1]
        assert (later.used, later.remaining, later.exceeded) == (4, 0, True)
        assert (later.resets_in, later.seconds) == (timedelta(seconds=39.5), 40)

    def test_a_window_begins_with_its_first_hit_and_starts_over_when_it_is_over(self, rate_limits: RateLimits) -> None:
        assert [take(rate_limits, after=second) for second in (0, 58, 59, 59)] == [True, True, True, False]
        assert [take(rate_limits, after=second) for second in (60, 61, 119, 119)] == [True, True, True, False]
        assert rate_limits.take(THREE, "ada", NOW + 500 * SECOND).seconds == 60

    def test_hits_that_are_too_many_do_not_prolong_the_window(self, rate_limits: RateLimits) -> None:
        for second in range(60):
            take(rate_limits, after=second)
        assert take(rate_limits, after=60)

    def test_looking_counts_nothing(self, rate_limits: RateLimits) -> None:
        looked = rate_limits.look(THREE, "ada", NOW)
        assert (looked.used, looked.remaining, looked.resets_in) == (0, 3, THREE.window)
        take(rate_limits)
        for _ in range(5):
            looked = rate_limits.look(THREE, "ada", NOW + 20 * SECOND)
        assert (looked.used, looked.remaining, looked.resets_in) == (1, 2, timedelta(seconds=40))
        assert (left(rate_limits, after=59), left(rate_limits, after=60)) == (2, 3)

    def test_keys_and_limits_are_counted_apart(self, rate_limits: RateLimits) -> None:
        other = RateLimit(name="other", most=1, window=THREE.window)
        assert [take(rate_limits) for _ in range(4)] == [True, True, True, False]
        assert take(rate_limits, key="grace")
        assert take(rate_limits, limit=other)
        assert [left(rate_limits), left(rate_limits, key="grace"), left(rate_limits, key="nobody")] == [0, 2, 3]

    @pytest.mark.parametrize("key", ["", "ada@example.com\n::1", "ü" * 300, "nul\x00", "\ud800", "'%s"])
    def test_any_text_is_a_key(self, rate_limits: RateLimits, key: str) -> None:
        assert [take(rate_limits, key=key) for _ in range(4)] == [True, True, True, False]
        assert left(rate_limits, key=key + "x") == 3

    def test_what_is_cleared_begins_anew(self, rate_limits: RateLimits, peer: RateLimits) -> None:
        for _ in range(4):
            take(rate_limits)
        take(rate_limits, key="grace")
        peer.clear(THREE, "ada")
        peer.clear(THREE, "nobody")
        assert (left(rate_limits), left(rate_limits, key="grace")) == (3, 2)
        assert take(rate_limits)

    def test_a_clock_that_jumps_back_forgets_nothing_and_locks_for_one_window(self, rate_limits: RateLimits) -> None:
        for _ in range(3):
            take(rate_limits, after=3600)
        assert rate_limits.look(THREE, "ada", NOW).resets_in == THREE.window
        assert not take(rate_limits)
        assert not take(rate_limits, after=59)
        assert take(rate_limits, after=60)

    def test_clocks_that_differ_a_little_share_a_window(self, rate_limits: RateLimits, peer: RateLimits) -> None:
        hits = [take(who, after=second) for who, second in ((rate_limits, 2), (peer, 0), (rate_limits, 2), (peer, 0))]
        assert hits == [True, True, True, False]

    def test_the_offset_of_a_time_does_not_matter(self, rate_limits: RateLimits) -> None:
        east = NOW.astimezone(timezone(timedelta(hours=9)))
        assert [rate_limits.take(THREE, "ada", at).used for at in (NOW, east, NOW)] == [1, 2, 3]

    def test_a_window_may_be_shorter_than_the_one_before(self, rate_limits: RateLimits) -> None:
        short = RateLimit(name=THREE.name, most=3, window=timedelta(seconds=5))
        assert rate_limits.take(short, "ada", NOW).seconds == 5
        assert rate_limits.look(THREE, "ada", NOW).seconds == 5
        assert left(rate_limits, after=5) == 3

    def test_sweeping_forgets_what_is_over_and_nothing_else(self, rate_limits: RateLimits) -> None:
        for number in range(3):
            take(rate_limits, key=str(number))
        take(rate_limits, key="later", after=30)
        assert rate_limits.sweep(NOW + 59 * SECOND) == 0
        assert rate_limits.sweep(NOW + 60 * SECOND) == 3
        assert rate_limits.sweep(NOW + 60 * SECOND) == 0
        assert left(rate_limits, key="later", after=60) == 2

    def test_of_many_at_once_exactly_as_many_as_are_allowed_are(
        self, rate_limits: RateLimits, peer: RateLimits
    ) -> None:
        limit = RateLimit(name="crowd", most=25, window=timedelta(hours=1))

        def ten(who: RateLimits) -> None:
            hits.extend(take(who, limit=limit) for _ in range(10))

        hits: list[bool] = []
        Together(*(lambda who=who: ten(who) for who in (rate_limits, peer) * 4)).succeed()
        assert hits.count(True) == 25
        assert peer.look(limit, "ada", NOW).used == 80, "none is lost"

    def test_of_many_at_once_in_a_new_window_it_is_the_same(self, rate_limits: RateLimits, peer: RateLimits) -> None:
        for _ in range(5):
            take(rate_limits)
        crowd = (lambda who=who: take(who, after=60) for who in (rate_limits, peer) * 4)
        assert Together(*crowd).succeed().count(True) == 3
