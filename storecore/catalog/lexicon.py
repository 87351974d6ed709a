"""The words of a shop: what its names, shelves and attributes are made of, for suggestions and against typing errors.

A storage keeps one for each process and tells it what has changed; it is not shared between threads without a lock.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from sys import intern

from storecore.catalog.documents import Match, Wanted, shelf_mark
from storecore.catalog.model import Category, fold_name
from storecore.catalog.nearness import Near, allowance
from storecore.catalog.words import Language, Word

CANDIDATES = 50
"""Products among which those sold most are suggested."""
BEST_SELLERS = 5_000
"""Products whose sales decide which of many are the candidates."""
_TELLING = 5
"""Letters from which a beginning tells what was meant though it was mistyped; of fewer, a slip makes almost any."""
_KEPT = 2_000
_LAST = chr(0x10FFFF)


class Kind(StrEnum):
    """What a suggestion names."""

    PRODUCT = "product"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A name that goes on like what was typed."""

    text: str
    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A product: its name, and the terms it counts for, of the name and of the attributes."""

    product_id: str
    name: str
    terms: str
    labels: str


@dataclass(frozen=True, slots=True)
class _Shelf:
    category: Category
    terms: frozenset[str]
    marks: tuple[str, ...]


class Lexicon:
    """The names and words of what is on sale.

    ``near`` finds, among words, those nearest to one, within so many slips.
    """

    def __init__(self, language: Language, near: Near) -> None:
        self.language = language
        self._near = near
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._numbers: dict[str, int] = {}
        self._entries: list[_Entry | None] = []
        self._named: dict[str, array[int]] = {}
        self._counted: dict[str, int] = {}
        self._order: list[str] | None = None
        self._by_length: dict[int, list[str]] = {}
        self._beginnings: dict[int, Sequence[str]] = {}
        self._shelves: tuple[_Shelf, ...] = ()
        self._best: dict[int, int] = {}
        self._answers: dict[Match, tuple[Sequence[Suggestion], Sequence[Suggestion]]] = {}

    def put(self, product_id: str, *, name: str, terms: str, labels: str) -> None:
        """Take in a product's name, with the terms of its document; without terms it is forgotten."""
        number = self._numbers.get(product_id)
        before = None if number is None else self._entries[number]
        entry = _Entry(product_id, name, terms, intern(_counting(labels))) if terms or labels else None
        if entry == before:
            return
        self._answers.clear()
        if before is not None and number is not None:
            self._drop(number, before)
        if entry is not None:
            if number is None:
                number = self._numbers[product_id] = len(self._entries)
                self._entries.append(entry)
            self._add(number, entry)

    def put_categories(self, categories: Iterable[Category]) -> None:
        """Take in all categories, in place of those known before."""
        below: dict[str | None, list[Category]] = {}
        known = sorted(categories, key=lambda each: each.id)
        if [each.category for each in self._shelves] == known:
            return
        for category in known:
            below.setdefault(category.parent_id, []).append(category)
        self._answers.clear()
        for shelf in self._shelves:
            self._count(shelf.terms, -1)
        self._shelves = tuple(
            _Shelf(
                category,
                frozenset(self.language.terms(category.name)),
                tuple(shelf_mark(each.id) for each in _branch(category, below)),
            )
            for category in known
        )
        for shelf in self._shelves:
            self._count(shelf.terms, 1)

    def put_best_sellers(self, product_ids: Sequence[str]) -> None:
        """Take in the products that are sold most, the most sold first."""
        numbers = (self._numbers.get(product_id) for product_id in product_ids)
        best = {number: place for place, number in enumerate(numbers) if number is not None}
        if best != self._best:
            self._best = best
            self._answers.clear()

    def match(self, question: Sequence[Word]) -> Match:
        """What finds the products that have every word: as it is, by its stem, or on a shelf of such a name."""
        return self._with_shelves([_exact(word) for word in question])

    def tolerant_match(self, question: Sequence[Word]) -> Match:
        """The same, where each word may have been mistyped: it also stands for the words of the shop nearest to it."""
        return self._with_shelves([self._nearest(word) for word in question])

    def suggest(self, text: str) -> tuple[Sequence[Suggestion], Sequence[Suggestion]]:
        """Categories, the fullest first, and products, the best sellers among them, whose names have these words.

        The last word may be going on, and if nothing is called so, each may have been mistyped.
        """
        question = self.language.question(text)
        found: tuple[Sequence[Suggestion], Sequence[Suggestion]] = (), ()
        for wanted in (map(_exact, question), map(self._nearest, question)):
            found = self._suggestions(tuple(wanted))
            if any(found):
                break
        return found

    def _suggestions(self, wanted: Match) -> tuple[Sequence[Suggestion], Sequence[Suggestion]]:
        if not wanted:
            return (), ()
        kept = self._answers.get(wanted)
        if kept is None:
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            kept = self._answers[wanted] = self._categories(wanted), self._products(wanted)
        return kept

    def _categories(self, wanted: Match) -> Sequence[Suggestion]:
        found = [shelf for shelf in self._shelves if all(each.meets(shelf.terms) for each in wanted)]
        found.sort(key=lambda shelf: (-sum(self._counted.get(mark, 0) for mark in shelf.marks), shelf.category.id))
        return [
            Suggestion(text=shelf.category.name, kind=Kind.CATEGORY, id=shelf.category.id)
            for shelf in found[:CANDIDATES]
        ]

    def _products(self, wanted: Match) -> Sequence[Suggestion]:
        found: set[int] | None = None
        for each in sorted(wanted, key=lambda each: bool(each.prefixes)):  # what is most exact leaves least to look at
            having = self._having(each)
            found = having if found is None else found & having
            if not found:
                return ()
        found = found or set()
        best = sorted(self._best.keys() & found, key=self._best.__getitem__)
        others = (number for number in found if number not in self._best)
        names: dict[str, Suggestion] = {}
        for number in chain(best, others):
            if (entry := self._entries[number]) is not None:
                names.setdefault(
                    fold_name(entry.name), Suggestion(text=entry.name, kind=Kind.PRODUCT, id=entry.product_id)
                )
            if len(names) == CANDIDATES:
                break
        return list(names.values())

    def _having(self, wanted: Wanted) -> set[int]:
        """Products whose names meet a word."""
        terms = chain(wanted.terms, *(self._beginning_with(prefix) for prefix in wanted.prefixes))
        return set().union(*(self._named.get(term, ()) for term in terms))

    def _beginning_with(self, prefix: str) -> Sequence[str]:
        if self._order is None:
            self._order = sorted(self._counted)
        return self._order[bisect_left(self._order, prefix) : bisect_left(self._order, prefix + _LAST)]

    def _nearest(self, word: Word) -> Wanted:
        """A word, and what it may have been meant to be: words of the shop, or how they begin.

        What is being typed is taken for a beginning of its length or longer: a letter less would be one too many.
        """
        exact = _exact(word)
        allowed = allowance(word.text)
        if not allowed or not word.text.isalpha() or self._is_known(word):
            return exact
        lengths = range(len(word.text) - allowed, len(word.text) + allowed + 1)
        among = dict.fromkeys(chain.from_iterable(map(self._of_length, lengths)))
        if word.is_prefix and len(word.text) >= _TELLING:
            among |= dict.fromkeys(chain.from_iterable(map(self._begun, lengths[allowed:])))
        found = tuple(self._near(word.text, among, allowed))
        if word.is_prefix:
            return Wanted(exact.terms, (*exact.prefixes, *found))
        return Wanted((*exact.terms, *found))

    def _is_known(self, word: Word) -> bool:
        if word.text in self._counted or word.stem in self._counted:
            return True
        return word.is_prefix and bool(self._beginning_with(word.text))

    def _of_length(self, length: int) -> Sequence[str]:
        """Words that many letters long."""
        if not self._by_length:
            for term in self._counted:
                if term.isalpha():
                    self._by_length.setdefault(len(term), []).append(term)
        return self._by_length.get(length, ())

    def _begun(self, length: int) -> Sequence[str]:
        """How longer words begin, by so many letters."""
        if length not in self._beginnings:
            self._of_length(length)
            longer = (words for many, words in self._by_length.items() if many > length > 0)
            self._beginnings[length] = list(dict.fromkeys(term[:length] for term in chain.from_iterable(longer)))
        return self._beginnings[length]

    def _with_shelves(self, wanted: Sequence[Wanted]) -> Match:
        return tuple(
            Wanted(tuple(dict.fromkeys((*each.terms, *self._marks(each)))), tuple(dict.fromkeys(each.prefixes)))
            for each in wanted
        )

    def _marks(self, wanted: Wanted) -> Iterator[str]:
        return (mark for shelf in self._shelves if wanted.meets(shelf.terms) for mark in shelf.marks)

    def _add(self, number: int, entry: _Entry) -> None:
        self._entries[number] = entry
        terms = set(entry.terms.split())
        for term in terms:
            if term not in self._named:
                self._named[term] = array("I")
            self._named[term].append(number)
        self._count(terms | set(entry.labels.split()), 1)

    def _drop(self, number: int, entry: _Entry) -> None:
        self._entries[number] = None
        terms = set(entry.terms.split())
        for term in terms:
            self._named[term].remove(number)
            if not self._named[term]:
                del self._named[term]
        self._count(terms | set(entry.labels.split()), -1)

    def _count(self, terms: Iterable[str], by: int) -> None:
        """So many more, or fewer, products or categories have these terms."""
        for term in terms:
            before = self._counted.get(term, 0)
            if before + by:
                self._counted[term] = before + by
            else:
                del self._counted[term]
            if not before or not before + by:
                self._come_or_go(term, comes=not before)

    def _come_or_go(self, term: str, *, comes: bool) -> None:
        if self._order is not None and comes:
            insort(self._order, term)
        elif self._order is not None:
            del self._order[bisect_left(self._order, term)]
        self._by_length.clear()
        self._beginnings.clear()


def _exact(word: Word) -> Wanted:
    """A word as it was typed."""
    return Wanted(tuple(dict.fromkeys((word.text, word.stem))), (word.text,) if word.is_prefix else ())


def _counting(labels: str) -> str:
    """The terms of a document's labels that are words or marks of shelves; a number is no word to be mistyped."""
    return " ".join(dict.fromkeys(term for term in labels.split() if term.isalpha() or term.startswith("#")))


def _branch(category: Category, below: Mapping[str | None, Sequence[Category]]) -> Iterator[Category]:
    """A category and every one filed below it."""
    yield category
    for each in below.get(category.id, ()):
        yield from _branch(each, below)
