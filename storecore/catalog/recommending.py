"""Recommendations: what goes with something, chosen by what was bought together."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from storecore import checks
from storecore.accounts.model import GUEST, Actor
from storecore.accounts.permissions import Permission
from storecore.carts.finding import cart_of
from storecore.catalog import affinity
from storecore.catalog.affinity import Candidate
from storecore.catalog.model import Product
from storecore.catalog.offers import Offer, offers
from storecore.errors import NotFound
from storecore.lists import MAX_LIMIT, PageRequest
from storecore.ports import ProductQuery, Unit
from storecore.transactions import Activity, reading, writing

SEEDS = 12
"""Products that it begins with, the latest ones."""
NEIGHBOURS = 50
"""How many of those that were bought with each of them are looked at, the most often first."""
WANTED = 200
"""How many are looked at among those that are wanted most."""
SHELVES, ON_SHELF = 3, 100
"""How many shelves are looked at, and the newest products on each."""
LOOKED_AT = 60
"""Beside as many as are asked for, the best are looked at closely."""


_Choice = tuple[float, Candidate, Product]


class Context(StrEnum):
    """Where the recommendations are shown, which says what they begin with."""

    HOME = "home"
    PRODUCT = "product"
    CART = "cart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """A product on sale, from 0 to 1 how much it is recommended, and why, in words."""

    offer: Offer
    score: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What recommendations begin with: ``seeds``, the latest first; what else tells of a taste; what is out."""

    seeds: Sequence[str]
    lately: Sequence[str] = ()
    out: Set[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Recommending(Activity):
    """What somebody may like as well. Looking costs the same however many orders there are."""

    @reading
    def recommendations(
        self,
        unit: Unit,
        *,
        by: Actor = GUEST,
        context: Context = Context.HOME,
        product_id: str | None = None,
        limit: int = 20,
    ) -> Sequence[Recommendation]:
        """Up to ``limit`` products, the best first, equals by id: in stock, and none that the user ever bought.

        At home they go with what the user bought lately, in the cart with what is in there (and are not in there), and
        beside a product, by its id, with that one. What is wanted most fills them up, on the same shelves first, and
        after that what is new. Raises ``Invalid`` for a product's without a product, ``NotFound``.
        """
        checks.whole(limit, "limit", least=1, most=MAX_LIMIT)
        ground = _ground(unit, by, context, product_id)
        begun = unit.products.some({*ground.seeds, *ground.lately})
        tastes = affinity.taste(
            begun[each].category_ids for each in dict.fromkeys((*ground.seeds, *ground.lately)) if each in begun
        )
        found = self._candidates(unit, ground, tastes)
        found = affinity.without(found, ground.out | _bought(unit, by, found))
        chosen = _best(unit, found, tastes, limit)
        if len(chosen) < limit:
            chosen += _newest(unit, by, {*found, *ground.out}, limit - len(chosen))
        shown = offers(unit, [product for _, _, product in chosen])
        return [
            Recommendation(offer=offer, score=round(score, 6), reason=_reason(each, offer, begun, tastes))
            for offer, (score, each, _) in zip(shown, chosen, strict=True)
        ]

    def count_purchases(self, *, limit: int = 100) -> int:
        """The worker's: count orders that were placed, cancelled or given back since; how many.

        An order counts by the next time that a worker looks around, and placing it stays as quick as it was: what
        all customers buy is not counted in rows that all checkouts would wait for.
        """
        return self._count_orders(limit=limit) if self._waiting() else 0

    @reading
    def _waiting(self, unit: Unit) -> bool:
        return unit.purchases.waiting()

    @writing
    def _count_orders(self, unit: Unit, *, limit: int) -> int:
        return unit.purchases.count(limit)

    def _candidates(self, unit: Unit, ground: _Ground, tastes: Mapping[str, float]) -> Mapping[str, Candidate]:
        neighbours = unit.purchases.together(ground.seeds, NEIGHBOURS) if ground.seeds else ()
        wanted = unit.purchases.wanted(WANTED)
        on_shelves = unit.purchases.wanted_in(affinity.favourites(tastes, SHELVES), ON_SHELF) if tastes else ()
        return affinity.candidates(neighbours, [*wanted, *on_shelves])


def _ground(unit: Unit, by: Actor, context: Context, product_id: str | None) -> _Ground:
    lately = unit.purchases.lately(by.id, SEEDS) if by.id is not None else ()
    if context is Context.HOME:
        return _Ground(seeds=lately)
    if context is Context.CART:
        cart = cart_of(unit, by)
        inside = [item.product_id for item in cart.items] if cart else []
        return _Ground(seeds=inside[: -SEEDS - 1 : -1], lately=lately, out=frozenset(inside))
    if product_id is None:
        raise checks.refuse("product_id", "is needed to recommend what goes with a product")
    product = unit.products.get(product_id)
    if not product.is_active and not by.may(Permission.CATALOG_WRITE):
        raise NotFound("There is no such product.")
    return _Ground(seeds=[product.id], lately=lately, out=frozenset({product.id}))


def _bought(unit: Unit, by: Actor, product_ids: Collection[str]) -> Set[str]:
    return unit.purchases.bought(by.id, product_ids) if by.id is not None and product_ids else frozenset()


def _best(unit: Unit, found: Mapping[str, Candidate], tastes: Mapping[str, float], limit: int) -> list[_Choice]:
    """A look at everything, and a closer one, at the shelves too, at what is left of it."""
    first = affinity.ranked(found, {}, {})[: limit + LOOKED_AT]
    products = unit.products.some([each.product_id for _, each in first]) if first else {}
    shelves = {product.id: product.category_ids for product in products.values()}
    ranked = affinity.ranked({each.product_id: each for _, each in first}, tastes, shelves)
    return [(score, each, products[each.product_id]) for score, each in ranked[:limit]]


def _newest(unit: Unit, by: Actor, but: Set[str], number: int) -> list[_Choice]:
    """What is in stock and was never bought by anybody comes last."""
    page = unit.products.page(ProductQuery(in_stock=True), PageRequest(limit=MAX_LIMIT))
    fresh = {product.id: product for product in page.items if product.id not in but}
    bought = _bought(unit, by, fresh)
    return [(0.0, Candidate(product_id=each.id), each) for each in fresh.values() if each.id not in bought][:number]


def _reason(each: Candidate, offer: Offer, begun: Mapping[str, Product], tastes: Mapping[str, float]) -> str:
    """Why, from what everybody may know and what the user did: it tells nothing of other customers."""
    if each.seed_id is not None and each.seed_id in begun:
        return f"bought together with {begun[each.seed_id].name}"
    if not each.heat:
        return "new in the shop"
    liked = [category for category in offer.categories if category.id in tastes]
    if liked:
        best = max(liked, key=lambda category: (tastes[category.id], category.id))
        return f"popular in {best.name}"
    return "popular right now"
