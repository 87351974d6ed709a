"""Finding products by what a shopper types, and keeping what they are found by; nobody needs to sign in to look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog.lexicon import Suggestion
from storecore.catalog.matching import found
from storecore.catalog.offers import Offer, offers
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import ProductQuery, Unit
from storecore.transactions import Activity, reading, writing

MOST_SUGGESTIONS = 10
_CATEGORIES = 3
"""Categories that are suggested where there are enough products."""
_AT_ONCE = 500
"""Products whose documents are written in one transaction."""
_EVERYTHING = ProductQuery()

Progress = Callable[[int, int], None]
"""Told how many products have been looked at, and of how many."""


def _in_silence(_done: int, _total: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An offer and how well it matches: above 0, and comparable only with others of the same list."""

    offer: Offer
    score: float


@dataclass(frozen=True, kw_only=True)
class Searching(Activity):
    """Search, suggestions, and the index they need."""

    @reading
    def search(
        self, unit: Unit, *, text: str, query: ProductQuery = _EVERYTHING, page: PageRequest = FIRST_PAGE
    ) -> Page[Found]:
        """Active products that match a text and pass the query's filters, the best first, up to 1,000 of them.

        Each of the text's words has to be met. Only if no product of the shop meets them all are words taken for
        mistyped. A text without letters and digits finds nothing.
        """
        hits = found(unit, text, query, page)
        shown = offers(unit, [hit.product for hit in hits.items])
        return Page(
            items=tuple(Found(offer=offer, score=hit.score) for offer, hit in zip(shown, hits.items, strict=True)),
            next=hits.next,
            total=hits.total,
        )

    @reading
    def suggest(self, unit: Unit, *, text: str, limit: int = MOST_SUGGESTIONS) -> Sequence[Suggestion]:
        """Up to ``limit`` (at most 10) names of categories and products that go on like what was typed.

        Categories come first, the fullest first, at most 3 where there are products enough; then products, each name
        once, those sold most first.
        """
        checks.whole(limit, "limit", least=1, most=MOST_SUGGESTIONS)
        with unit.search.lexicon() as lexicon:
            categories, products = lexicon.suggest(text)
        sold = unit.search.sold([each.id for each in products]) if products else {}
        products = sorted((each for each in products if each.id in sold), key=lambda each: (-sold[each.id], each.id))
        shelves = categories[: max(min(_CATEGORIES, limit - 1), limit - len(products))]
        return (*shelves, *products)[:limit]

    def reindex(self, *, by: Actor, outdated: bool = False, progress: Progress = _in_silence) -> int:
        """Write anew what products are found by, where it is not what it should be; how many were wrong.

        ``outdated``: only those never indexed, or in another language. The shop may run meanwhile: each transaction is
        short, and there is none where nothing is to do. It needs ``catalog:write``.
        """
        require(by, Permission.CATALOG_WRITE)
        total, done, wrong, after = self._count(), 0, 0, ""
        while product_ids := self._next(after=after, outdated=outdated):
            wrong += self._index(product_ids=product_ids)
            done, after = done + len(product_ids), product_ids[-1]
            progress(done, max(done, total))
        return wrong

    @reading
    def warm(self, unit: Unit) -> None:
        """Learn the shop's words, for which the first search would wait: about a second for 100,000 products."""
        with unit.search.lexicon():
            pass

    @reading
    def _count(self, unit: Unit) -> int:
        return unit.search.count()

    @reading
    def _next(self, unit: Unit, *, after: str, outdated: bool) -> Sequence[str]:
        return (unit.search.outdated if outdated else unit.search.products)(after, _AT_ONCE)

    @writing
    def _index(self, unit: Unit, *, product_ids: Sequence[str]) -> int:
        return unit.search.write(unit.products.locked(product_ids).values())
