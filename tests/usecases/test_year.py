"""Two years of trade, of which the last saw most: dashboard, reports, invoices and credit notes agree to the cent.

``nox -s year`` does the same with enough orders for fifty thousand in the last year.
"""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.encryption import FernetCipher
from adapters.secrets import new_key
from adapters.sql import SqlStorage
from adapters.sql.generating import generate
from adapters.sql.inventing import Invention
from adapters.sql.verify import verify
from storecore.accounts.model import SYSTEM
from storecore.insight.days import By, Days
from storecore.insight.model import Sales
from storecore.lists import PageRequest
from storecore.money import Money, total
from storecore.shop import Shop
from storecore.store import Store
from tests.databases import DATABASES, database
from tests.usecases.books import Books, check_reports
from tests.usecases.floor import Clock, Floor
from tests.usecases.test_insight import TAX_ADDED, TAX_INSIDE, trade

ORDERS = int(os.environ.get("TRADE_YEAR_ORDERS", "150"))
"""Eighty thousand make fifty-two thousand in the last year."""


@pytest.mark.parametrize("back_end", DATABASES)
@pytest.mark.parametrize("shop", [TAX_ADDED, TAX_INSIDE], ids=["tax added", "tax inside"])
def test_a_year_of_trade_agrees_with_its_papers_to_the_cent(back_end: str, shop: Shop, tmp_path: Path) -> None:
    cipher, clock = FernetCipher([new_key()]), Clock()
    with database(back_end, tmp_path) as where:
        invention = Invention(
            seed=1, shop=shop, products=max(60, ORDERS // 50), orders=ORDERS, until=clock.at, password_hash="nobody"
        )
        generate(where, invention, cipher=cipher, progress=lambda what, done, whole: None)
        storage = SqlStorage(where, cipher=cipher)
        floor = Floor(storage, clock, shop)
        with floor:
            store: Store = trade(floor, 5, steps=50)
            while store.work():
                pass
            today = clock.at.astimezone(ZoneInfo(shop.timezone)).date()
            year = today - timedelta(days=364), today
            books = check_reports(store, year, (today.replace(day=1), today))
            check_agreement(store, books, *year)
            assert verify(storage, clock()) == []
            while store.insight.roll_up(fewest=1):
                pass
            check_agreement(store, check_reports(store, year), *year)
            assert verify(storage, clock()) == []


def check_agreement(store: Store, books: Books, first: date, last: date) -> None:
    """The reports with one another, and with the papers of the same days."""
    days, currency = books.days(first, last), books.currency
    of_year = store.insight.sales(by=SYSTEM, first=first, last=last)
    whole = of_year.total
    for cut in By:
        parts = [sales for _, sales in store.insight.sales(by=SYSTEM, first=first, last=last, cut=cut).parts]
        for name in Sales.__dataclass_fields__:
            amounts = [getattr(part, name) for part in parts]
            if isinstance(getattr(whole, name), Money):
                assert total(amounts, currency) == getattr(whole, name), name
            else:
                assert sum(amounts) == getattr(whole, name), name
    assert whole.invoiced == total(_invoices(store, days), currency)
    credits_ = [note for folder in books.folders for note, _ in folder.credits if books.day(note.issued_at) in days]
    assert whole.credited == total((note.total for note in credits_), currency)
    assert whole.orders > len(credits_) > 0
    kept = whole.net + whole.tax + whole.shipping
    given_back = whole.refunds + whole.refunded_tax + whole.refunded_shipping
    assert whole.invoiced - whole.credited == kept - given_back
    assert whole.profit == whole.net - whole.refunds - whole.cost
    assert whole.gross - whole.discounts == whole.net
    assert whole.discounts > Money.zero(currency)
    assert whole.refunds > Money.zero(currency)
    dashboard = store.insight.dashboard(by=SYSTEM, first=first, last=last)
    assert dashboard.period.sales == whole
    assert dashboard.today.sales == of_year.parts[-1][1]
    categories = store.insight.categories(by=SYSTEM, first=first, last=last).rows
    assert sum(row.net for row in categories) == whole.net.minor
    assert sum(row.profit for row in categories) == whole.profit.minor
    products = books.products(days)
    assert sum(row.net for row in products) == whole.net.minor
    assert sum(row.units for row in products) == whole.units
    buyers = store.insight.customers(by=SYSTEM, first=first, last=last, most=1000)
    customers, guests = books.customers(days)
    assert buyers.guests == guests
    spent = sum(row.spent for row in customers) + guests.spent
    assert spent == (whole.invoiced - whole.credited).minor


def _invoices(store: Store, days: Days) -> Iterator[Money]:
    """Every total on the list of invoices of these days."""
    page = PageRequest(limit=100)
    while True:
        found = store.orders.invoices(by=SYSTEM, issued_from=days.begins, issued_to=days.ends, page=page)
        yield from (invoice.total for invoice in found.items)
        if found.next is None:
            return
        page = PageRequest(limit=100, after=found.next)
