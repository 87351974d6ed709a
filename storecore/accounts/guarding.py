"""Checking passwords, so that nobody finds one out by trying."""

from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock

from storecore.accounts import letters
from storecore.accounts.model import User
from storecore.errors import TooManyRequests
from storecore.ports import Allowance, Passwords, RateLimit, RateLimits
from storecore.transactions import Activity

WRONG = RateLimit(name="wrong-passwords", most=5, window=timedelta(days=1))
"""Of one account, from one place, without a right one in between; from the last of these on each locks the pair."""
LOCKED = RateLimit(name="password-locked", most=1, window=timedelta(hours=1))
"""Its one hit is the lock, for the time of :func:`lock_after`, at most an hour."""
WRONG_ANYWHERE = RateLimit(name="wrong-passwords-anywhere", most=100, window=timedelta(hours=1))
"""Of one account from all places together. After that it is :data:`SLOWED` until the hour is over."""
SLOWED = RateLimit(name="password-slowed", most=1, window=timedelta(seconds=30))

FIRST_LOCK = timedelta(minutes=1)

_turns = tuple(Lock() for _ in range(256))
"""One account is tried from one place by one thread at a time, so that many at once are not many guesses."""


def lock_after(wrong: int) -> timedelta:
    """For how long so many wrong passwords in a row lock: a minute after five, twice as long after each more."""
    doublings = wrong - WRONG.most
    if doublings < 0:
        return timedelta(0)
    return min(FIRST_LOCK * (1 << min(doublings, 10)), LOCKED.window)


@dataclass(frozen=True, kw_only=True)
class Guarding(Activity):
    """What everybody does who asks for a password: ``address`` is where from, as far as the caller can tell.

    Who is known and who is not are counted alike. The counts go with the password itself: whoever sets a new one, by
    the link of a mail, begins anew. What counts them being down, nobody gets in: ``Unavailable``.
    """

    passwords: Passwords
    rate_limits: RateLimits

    def is_password(self, password: str, user: User | None, *, email: str, address: str) -> bool:
        """Whether it is the user's; never, at the same cost, where there is none with this ``email``.

        Raises ``TooManyRequests`` for the right one, too, while there were too many wrong ones.
        """
        account = f"{email}\n{letters.stamp(user) if user else ''}"
        pair = f"{account}\n{address}"
        with _turns[hash(pair) % len(_turns)]:
            self._refuse_guesser(account, pair)
            if self.passwords.verify(password, user.password_hash if user else None) and user is not None:
                self.rate_limits.clear(WRONG, pair)
                return True
            self._count(account, pair)
            return False

    def _refuse_guesser(self, account: str, pair: str) -> None:
        now = self.clock()
        locked = self.rate_limits.look(LOCKED, pair, now)
        if not locked.remaining:
            raise _too_many(locked)
        if not self.rate_limits.look(WRONG_ANYWHERE, account, now).remaining:
            slowed = self.rate_limits.take(SLOWED, account, now)
            if slowed.exceeded:
                raise _too_many(slowed)

    def _count(self, account: str, pair: str) -> None:
        now = self.clock()
        self.rate_limits.take(WRONG_ANYWHERE, account, now)
        wrong = self.rate_limits.take(WRONG, pair, now).used
        if delay := lock_after(wrong):
            self.rate_limits.take(replace(LOCKED, window=delay), pair, now)


def _too_many(allowance: Allowance) -> TooManyRequests:
    seconds = allowance.seconds
    return TooManyRequests(f"Too many wrong passwords; try again in {seconds} seconds.", retry_after=seconds)
