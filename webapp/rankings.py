"""Reports of what sells, who buys and what runs out over HTTP."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.catalog.model import MAX_STOCK, Product
from storecore.insight.model import Buyers, BuyerTakings, Goods, GoodsTakings
from storecore.insight.reporting import MOST
from storecore.lists import MAX_LIMIT, Page, PageRequest
from storecore.money import Money, half_up
from storecore.notices import Attachment
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount
from webapp.reports import Range, ReportQuery, Sheet, named, range_of, sheet_of

routes = Routes("rankings", "What sells, who buys, and what runs out.")

_GOODS = ("units", "units_returned", "net", "refunds", "cost", "profit")


class RankingQuery(ReportQuery):
    """How many."""

    limit: int = Field(100, ge=1, le=MOST, description="The best so many.")


class LowStockQuery(Sheet):
    """Which products."""

    at_most: Annotated[int, Field(ge=0, le=MAX_STOCK)] | None = Field(
        None, description="Units left; the shop's own mark unless it is given."
    )


# Products and categories.


class GoodsView(TypedDict):
    """What sold; amounts without tax."""

    units: int
    units_returned: int
    net: Amount
    refunds: Amount
    cost: Amount
    profit: Amount


class ProductRow(GoodsView):
    """A product's part in the sales, under the name that it has now."""

    product_id: str
    sku: str
    name: str


class ProductsReport(Range):
    """Products by net revenue."""

    currency: str
    items: list[ProductRow]


class CategoryRow(GoodsView):
    """A category's part in the sales; null for categories that are gone. `share` is its percentage of net revenue."""

    category_id: str | None
    name: str | None
    share: Amount | None


class CategoriesReport(Range):
    """Categories by net revenue, which add up to the sales: a product counts in the first of its categories."""

    currency: str
    items: list[CategoryRow]


def _show_goods(row: GoodsTakings, currency: str) -> GoodsView:
    return {
        "units": row.units,
        "units_returned": row.units_returned,
        "net": str(Money(row.net, currency)),
        "refunds": str(Money(row.refunds, currency)),
        "cost": str(Money(row.cost, currency)),
        "profit": str(Money(row.profit, currency)),
    }


def show_product(row: GoodsTakings, currency: str) -> ProductRow:
    """One product."""
    return {
        "product_id": row.id or "",
        "sku": row.sku or "",
        "name": row.name or "",
        **_show_goods(row, currency),
    }


def show_products(goods: Goods, ask: Ask[Any, Any]) -> ProductsReport:
    """The best products."""
    currency = ask.store.shop.currency
    return {
        **range_of(goods.days),
        "currency": currency,
        "items": [show_product(row, currency) for row in goods.rows],
    }


def show_categories(goods: Goods, ask: Ask[Any, Any]) -> CategoriesReport:
    """Every category."""
    currency, net = ask.store.shop.currency, sum(row.net for row in goods.rows)
    return {
        **range_of(goods.days),
        "currency": currency,
        "items": [
            {
                "category_id": row.id,
                "name": row.name,
                "share": str(Money(half_up(row.net * 100_00, net), "USD")) if net > 0 else None,
                **_show_goods(row, currency),
            }
            for row in goods.rows
        ],
    }


def _report_sheet(name: str, report: Any, ask: Ask[Any, Any], *columns: str) -> Attachment | None:
    """These columns of its items, and the currency in the last one."""
    rows = ([*(item[column] for column in columns), report["currency"]] for item in report["items"])
    return sheet_of(ask, name, [(*columns, "currency"), *rows])


def _products_sheet(goods: Goods, ask: Ask[Any, Any]) -> Attachment | None:
    name = named("products", goods.days)
    return _report_sheet(name, show_products(goods, ask), ask, "product_id", "sku", "name", *_GOODS)


def _categories_sheet(goods: Goods, ask: Ask[Any, Any]) -> Attachment | None:
    name = named("categories", goods.days)
    return _report_sheet(name, show_categories(goods, ask), ask, "category_id", "name", "share", *_GOODS)


@routes.endpoint(
    "GET", "/admin/reports/top-products", show=show_products, sheet=_products_sheet, may=Permission.REPORTS_READ
)
def top_products(ask: Ask[None, RankingQuery]) -> Goods:
    """The products with the greatest net revenue."""
    query = ask.query
    return ask.store.insight.top_products(by=ask.by, first=query.from_, last=query.to, most=query.limit)


@routes.endpoint(
    "GET", "/admin/reports/categories", show=show_categories, sheet=_categories_sheet, may=Permission.REPORTS_READ
)
def categories(ask: Ask[None, ReportQuery]) -> Goods:
    """What each category contributes, by how products are filed now."""
    return ask.store.insight.categories(by=ask.by, first=ask.query.from_, last=ask.query.to)


# Customers.


class BuyerView(TypedDict):
    """`spent` is what was invoiced less what was credited, tax and shipping included."""

    orders: int
    spent: Amount


class CustomerRow(BuyerView):
    """A customer, under the name that anybody may see."""

    customer_id: str
    display_name: str


class CustomersReport(Range):
    """Customers by what they spent, all guests together, and how many accounts were opened."""

    currency: str
    items: list[CustomerRow]
    guests: BuyerView
    new_users: int


def _show_buyer(row: BuyerTakings, currency: str) -> BuyerView:
    return {"orders": row.orders, "spent": str(Money(row.spent, currency))}


def show_customers(buyers: Buyers, ask: Ask[Any, Any]) -> CustomersReport:
    """Who bought."""
    currency = ask.store.shop.currency
    return {
        **range_of(buyers.days),
        "currency": currency,
        "items": [
            {"customer_id": row.id or "", "display_name": row.name or "", **_show_buyer(row, currency)}
            for row in buyers.best
        ],
        "guests": _show_buyer(buyers.guests, currency),
        "new_users": buyers.new_users,
    }


def _customers_sheet(buyers: Buyers, ask: Ask[Any, Any]) -> Attachment | None:
    name = named("customers", buyers.days)
    return _report_sheet(name, show_customers(buyers, ask), ask, "customer_id", "display_name", "orders", "spent")


@routes.endpoint(
    "GET", "/admin/reports/customers", show=show_customers, sheet=_customers_sheet, may=Permission.REPORTS_READ
)
def customers(ask: Ask[None, RankingQuery]) -> Buyers:
    """The customers who spent most."""
    query = ask.query
    return ask.store.insight.customers(by=ask.by, first=query.from_, last=query.to, most=query.limit)


# Stock.


class LowStockRow(TypedDict):
    """A product that runs out."""

    product_id: str
    sku: str
    name: str
    stock: int


def show_low_stock(product: Product) -> LowStockRow:
    """How many are left."""
    return {"product_id": product.id, "sku": product.sku, "name": product.name, "stock": product.stock}


def _low_stock_sheet(page: Page[Product], ask: Ask[Any, Any]) -> Attachment | None:
    return sheet_of(ask, "low-stock", _low_stock_rows(page, ask))


def _low_stock_rows(page: Page[Product], ask: Ask[Any, Any]) -> Iterator[Sequence[object]]:
    """Of this page and all that follow."""
    yield tuple(LowStockRow.__annotations__)
    yield from (tuple(show_low_stock(product).values()) for product in page.items)
    while page.next is not None:
        following = PageRequest(limit=MAX_LIMIT, after=page.next)
        page = ask.store.insight.low_stock(by=ask.by, at_most=ask.query.at_most, page=following)
        yield from (tuple(show_low_stock(product).values()) for product in page.items)


@routes.endpoint(
    "GET", "/admin/reports/low-stock", show=show_low_stock, sheet=_low_stock_sheet, may=Permission.REPORTS_READ
)
def low_stock(ask: Ask[None, LowStockQuery]) -> Page[Product]:
    """Products of which few are left, fewest first.

    A file has all of them, from the page that was asked for.
    """
    return ask.store.insight.low_stock(by=ask.by, at_most=ask.query.at_most, page=ask.page)
