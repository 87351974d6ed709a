"""Finding products by what a shopper types, and keeping what they are found by; nobody needs to sign in to look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog.facets import FacetedPage, facets
from storecore.catalog.lexicon import Suggestion
from storecore.catalog.matching import matched
from storecore.catalog.offers import Offer, offers
from storecore.lists import FIRST_PAGE, PageRequest
from storecore.ports import ProductQuery, Unit
from storecore.shop import Shop
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

    shop: Shop

    @reading
    def search(
        self,
        unit: Unit,
        *,
        text: str,
        query: ProductQuery = _EVERYTHING,
        page: PageRequest = FIRST_PAGE,
        with_facets: bool = False,
    ) -> FacetedPage[Found]:
        """Active products that match a text and pass the query's filters, the best first, up to 1,000 of them.

        Each of the text's words has to be met. Only if no product of the shop meets them all are words taken for
        mistyped. A text without letters and digits finds nothing.
        """
        asked = replace(query, match=matched(unit, text), sort="relevance")
        hits = unit.search.page(asked, page)
        shown = offers(unit, [hit.product for hit in hits.items])
        return FacetedPage(
            items=tuple(Found(offer=offer, score=hit.score) for offer, hit in zip(shown, hits.items, strict=True)),
            next=hits.next,
            total=hits.total,
            facets=facets(unit, asked, self.shop.currency) if with_facets else None,
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
        short. It needs ``catalog:write``.
        """
        require(by, Permission.CATALOG_WRITE)
        total, done, wrong, after = self._count(), 0, 0, ""
        while True:
            looked_at, written, after = self._index(after=after, outdated=outdated)
            if not looked_at:
                return wrong
            done, wrong = done + looked_at, wrong + written
            progress(done, max(done, total))

    @reading
    def _count(self, unit: Unit) -> int:
        return unit.search.count()

    @writing
    def _index(self, unit: Unit, *, after: str, outdated: bool) -> tuple[int, int, str]:
        """How many of the next products were looked at, how many were written, and the id of the last."""
        next_ids = unit.search.outdated if outdated else unit.search.products
        product_ids = next_ids(after, _AT_ONCE)
        if not product_ids:
            return 0, 0, after
        products = unit.products.locked(product_ids)
        return len(product_ids), unit.search.write(products.values()), product_ids[-1]
