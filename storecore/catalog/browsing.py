"""Looking around in the shop; nobody needs to sign in for it."""

from dataclasses import dataclass, replace

from storecore.accounts.model import GUEST, Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog.facets import FacetedPage, facets
from storecore.catalog.matching import matched
from storecore.catalog.model import Category, PriceChange
from storecore.catalog.offers import Offer, offers
from storecore.errors import NotFound
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import ProductQuery, Unit
from storecore.shop import Shop
from storecore.transactions import Activity, reading

EVERYTHING = ProductQuery()


@dataclass(frozen=True, kw_only=True)
class Browsing(Activity):
    """Products, categories and their prices."""

    shop: Shop

    @reading
    def products(
        self,
        unit: Unit,
        *,
        text: str = "",
        query: ProductQuery = EVERYTHING,
        page: PageRequest = FIRST_PAGE,
        with_facets: bool = False,
    ) -> FacetedPage[Offer]:
        """Active products, those that match a text if there is one, in the query's order.

        Filters and order by price use the kept final price, which may lag a minute.
        """
        asked = replace(query, match=matched(unit, text)) if text.strip() else query
        found = unit.products.page(asked, page)
        return FacetedPage(
            items=tuple(offers(unit, found.items)),
            next=found.next,
            total=found.total,
            facets=facets(unit, asked, self.shop.currency) if with_facets else None,
        )

    @reading
    def product(self, unit: Unit, *, product: str, by: Actor = GUEST) -> Offer:
        """One product by id or slug, with its variants. Archived ones are ``NotFound`` but for catalog staff."""
        found = unit.products.get(product)
        if not found.is_active and not by.may(Permission.CATALOG_WRITE):
            raise NotFound("There is no such product.")
        variants = [each for each in unit.products.group(found.group) if each.id != found.id] if found.group else []
        shown, *siblings = offers(unit, [found, *variants])
        return replace(shown, siblings=tuple(siblings))

    @reading
    def categories(self, unit: Unit, *, page: PageRequest = FIRST_PAGE) -> Page[Category]:
        """Categories by name."""
        return unit.categories.page(page)

    @reading
    def category(self, unit: Unit, *, category_id: str) -> Category:
        """One category. Raises ``NotFound``."""
        return unit.categories.get(category_id)

    @reading
    def prices(self, unit: Unit, *, by: Actor, product_id: str, page: PageRequest = FIRST_PAGE) -> Page[PriceChange]:
        """A product's price history, newest first, for whoever sets prices."""
        require(by, Permission.CATALOG_WRITE, Permission.PRICES_WRITE)
        return unit.products.prices(unit.products.get(product_id).id, page)

    @reading
    def low_stock(self, unit: Unit, *, by: Actor, at_most: int, page: PageRequest = FIRST_PAGE) -> Page[Offer]:
        """Active products of which few are left, fewest first."""
        require(by, Permission.STOCK_ADJUST)
        found = unit.stock.low(at_most, page)
        return Page(items=tuple(offers(unit, found.items)), next=found.next, total=found.total)
