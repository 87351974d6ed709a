"""What a search ought to find: questions with the products that answer them, and how well an answer serves.

The grades come from what the products are, never from what a search engine makes of them:

- 3: the product is what was asked for; everything that was asked for is true of it.
- 2: the same, but it is made for the kind of thing that was asked for: a sleeve, when a laptop was meant.
- 1: the same, but its description only mentions the kind of thing.
- 0: anything else. Who asks for a red hat is not served by a blue one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DEPTH = 10
"""Results that a shopper looks at."""
RELEVANT = 2
"""The least grade that counts as found."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A shopper's text, the class of questions it stands for, and the grade of each product that it has, by SKU."""

    kind: str
    text: str
    grades: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How well an answer serves, each from 0 to 1. ``recall`` is of the relevant, as many as fit."""

    ndcg: float
    recall: float


def judge(question: Question, found: Sequence[str]) -> Figures:
    """NDCG@10 with gains of ``2**grade - 1``, and recall@10. Nonsense is fully served by nothing at all."""
    if not question.grades:
        nothing = float(not found)
        return Figures(ndcg=nothing, recall=nothing)
    grades = [question.grades.get(sku, 0) for sku in found[:DEPTH]]
    ideal = sorted(question.grades.values(), reverse=True)
    relevant = sum(grade >= RELEVANT for grade in ideal)
    return Figures(
        ndcg=_gain(grades) / _gain(ideal[:DEPTH]),
        recall=sum(grade >= RELEVANT for grade in grades) / min(DEPTH, relevant),
    )


def _gain(grades: Sequence[int]) -> float:
    return math.fsum(((1 << grade) - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def mean(figures: Sequence[Figures]) -> Figures:
    """The average of some."""
    return Figures(
        ndcg=sum(each.ndcg for each in figures) / len(figures),
        recall=sum(each.recall for each in figures) / len(figures),
    )
