"""When a process of a simulated shop dies."""

from random import Random

from storecore.testing.wires import Call, Moment, ProcessDied

PASSED_OVER = frozenset({"scrub"})
"""Methods that keep nothing by which a seed would be another month."""


class Fate:
    """Counts the moments before and after each call of a port, and ends the process at some of them.

    There are ``every`` moments between two deaths on average, none while ``resting``; at twice the ``pace`` it is half
    as many, which evens out who calls a lot and who calls seldom.
    """

    def __init__(self, random: Random, *, every: int) -> None:
        self.resting = False
        self.pace = 1
        self.deaths = 0
        self._random, self._every = random, every
        self._left = self._drawn()

    def strike(self, moment: Moment, call: Call) -> None:
        """Raises ``ProcessDied`` saying where, if it is time: the hook for the wires."""
        if self.resting or call.method in PASSED_OVER:
            return
        self._left -= self.pace
        if self._left <= 0:
            self._left = self._drawn()
            self.deaths += 1
            raise ProcessDied(f"{moment} {call}")

    def _drawn(self) -> int:
        return self._random.randint(1, 2 * self._every)
