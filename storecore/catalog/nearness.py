"""How far a mistyped word is from a word of the shop."""

from collections.abc import Callable, Iterable

Near = Callable[[str, Iterable[str], int], list[str]]
"""The words nearest to one, as :func:`near` finds them."""


def allowance(word: str) -> int:
    """How many slips a word of this length may have: none up to 3 letters, one up to 7, two from 8 on.

    Of the English words of 7 letters that a shop of 650 words does not know, 2 % have a neighbour there within one slip
    and 15 % within two; of those of 8 letters, 4 % within two.
    """
    return 0 if len(word) <= 3 else 1 if len(word) <= 7 else 2


def distance(a: str, b: str, at_most: int) -> int | None:
    """How many slips lie between two words, None if more than ``at_most``.

    A slip is a missing, extra or wrong letter or two neighbours swapped, no place twice (optimal string alignment).
    """
    if abs(len(a) - len(b)) > at_most:
        return None
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            least = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                least = min(least, before[j - 2] + 1)
            row.append(least)
        if min(row) > at_most:
            return None
        before, last = last, row
    return last[-1] if last[-1] <= at_most else None


def near(word: str, among: Iterable[str], at_most: int) -> list[str]:
    """The words nearest to one: all of those at the smallest distance at which there are any, in their order."""
    nearest: list[str] = []
    for other in among:
        found = distance(word, other, at_most)
        if found is None:
            continue
        if found < at_most:
            nearest, at_most = [], found
        nearest.append(other)
    return nearest
