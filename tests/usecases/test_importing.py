"""Products from CSV files, and the files that they become."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from storecore.accounts.model import SYSTEM, Actor
from storecore.accounts.permissions import Permission, Role
from storecore.catalog.import_report import MOST_ROWS, ImportReport, Outcome, Result
from storecore.catalog.importing import BATCH
from storecore.catalog.model import Discount, Product, StockReason
from storecore.errors import Forbidden, ImportRefused, Invalid, MalformedSheet
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.ports import ProductQuery
from storecore.transactions import Once, Replayed
from tests.usecases.floor import HOME, Floor, on_hand, open_floor, person, product


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def bring(store: Floor, *lines: str, by: Actor = SYSTEM, **options: Any) -> ImportReport:
    return store.catalog.import_products(by=by, file=io.BytesIO("\n".join(lines).encode()), **options)


def refused(store: Floor, *lines: str, by: Actor = SYSTEM) -> Sequence[tuple[int, tuple[tuple[str, str], ...]]]:
    """What is wrong, by line, and that a strict import changes nothing then."""
    before = exported(store)
    with pytest.raises(ImportRefused) as error:
        bring(store, *lines, by=by)
    assert exported(store) == before
    report = error.value.extra["report"]
    assert bring(store, *lines, by=by, dry_run=True).rows == report.rows
    return [(row.line, row.errors) for row in report.rows if row.result is Result.REFUSED]


def exported(store: Floor, by: Actor = SYSTEM) -> str:
    return b"".join(store.catalog.export_products(by=by)).decode()


def named(store: Floor, sku: str) -> Product:
    with store.storage.reading(store.clock(), str) as unit:
        return unit.products.with_skus([sku])[sku]


def shelves(store: Floor, each: Product) -> list[str]:
    return [shelf.name for shelf in store.catalog.product(product=each.id, by=SYSTEM).categories]


HEADER = "sku,name,categories,price,stock"
HAT = "HAT,Hat,Hats,19.99,5"


def test_an_unknown_sku_makes_a_product_with_the_usual_defaults(store: Floor) -> None:
    report = bring(store, HEADER, HAT, "CAP,Cap,,10,,".removesuffix(","), skip_bad=True)
    assert (report.created, report.refused, report.new_categories) == (1, 1, ("Hats",))
    hat = named(store, "HAT")
    assert (hat.name, hat.price, hat.cost, hat.tax_class, hat.is_active) == (
        "Hat",
        usd(1999),
        usd(1000),
        "standard",
        True,
    )
    assert (hat.slug, on_hand(store, hat), shelves(store, hat)) == ("hat", 5, ["Hats"])
    assert [change.final_price for change in store.catalog.prices(by=SYSTEM, product_id=hat.id).items] == [usd(1999)]
    assert store.catalog.ledger(by=SYSTEM, product_id=hat.id).items[0].reason is StockReason.OPENING


def test_every_column_is_taken(store: Floor) -> None:
    starts, ends = store.time.at + timedelta(days=1), store.time.at + timedelta(days=2)
    bring(
        store,
        "sku;name;description;categories;price;cost;discount_percent;discount_starts_at;discount_ends_at;stock;group;"
        "tax_class;images;attributes;attr.colour;attr.fit;is_active",
        f'HAT;Hat;"Warm.\r\n""Very"" warm";Hats|Sale \\| Now;19.99;8;12.5;{starts};{ends:%Y-%m-%dT%H:%M:%SZ};'
        '7;hats;reduced;/1.png|https://cdn.example/2.png;"{""size"": ""M"", ""colour"": ""red""}";blue;;FALSE',
    )
    hat = named(store, "HAT")
    assert hat.description == 'Warm.\n"Very" warm'
    assert shelves(store, hat) == ["Hats", "Sale | Now"]
    assert (hat.price, hat.cost, hat.stock) == (usd(1999), usd(800), 7)
    assert hat.discount == Discount(percent=Decimal("12.5"), starts_at=starts, ends_at=ends)
    assert (hat.group, hat.tax_class, hat.images) == ("hats", "reduced", ("/1.png", "https://cdn.example/2.png"))
    assert dict(hat.attributes) == {"size": "M", "colour": "blue"}
    assert not hat.is_active


def test_what_costs_nothing_may_be_imported(store: Floor) -> None:
    assert bring(store, HEADER, "HAT,Hat,Hats,0,0").created == 1
    assert bring(store, HEADER, "HAT,Hat,Hats,0.00,0").unchanged == 1
    assert named(store, "HAT").price == usd(0)


def test_a_known_sku_is_changed_where_the_file_says_otherwise(store: Floor) -> None:
    bring(store, HEADER, HAT)
    hat = named(store, "HAT")
    store.time.forward(hours=1)
    report = bring(store, "sku,price,stock,attr.size", "HAT,25,3,M")
    assert [(row.result, row.changed) for row in report.rows] == [
        (Result.CHANGED, ("price", "stock", "attributes")),
    ]
    changed = named(store, "HAT")
    assert (changed.id, changed.name, changed.slug, changed.version) == (hat.id, "Hat", "hat", hat.version + 1)
    assert (changed.price, changed.cost, on_hand(store, changed)) == (usd(2500), hat.cost, 3)
    assert dict(changed.attributes) == {"size": "M"}
    history = store.catalog.prices(by=SYSTEM, product_id=hat.id).items
    assert [change.final_price for change in history] == [usd(2500), usd(1999)]
    move = store.catalog.ledger(by=SYSTEM, product_id=hat.id).items[0]
    assert (move.change, move.reason, move.note) == (-2, StockReason.ADJUSTMENT, "Import, line 2")


def test_stock_alone_makes_no_edit_stale(store: Floor) -> None:
    bring(store, HEADER, HAT)
    version = named(store, "HAT").version
    assert bring(store, "sku,stock", "HAT,6").rows[0].changed == ("stock",)
    assert (named(store, "HAT").version, named(store, "HAT").stock) == (version, 6)


def test_an_absent_column_leaves_values_alone_and_an_empty_cell_clears_what_may_be_empty(store: Floor) -> None:
    bring(
        store,
        "sku,name,description,categories,price,cost,discount_percent,stock,group,tax_class,images,attr.size,attr.fit,is_active",
        "HAT,Hat,Warm,Hats,20,8,10,5,hats,reduced,/1.png,M,slim,false",
    )
    before = named(store, "HAT")
    assert bring(store, "sku", "HAT").unchanged == 1
    empty = "sku,name,categories,price,cost,stock,tax_class,is_active"
    assert bring(store, empty, "HAT" + "," * empty.count(",")).unchanged == 1
    assert named(store, "HAT") == before
    clears = "sku,description,discount_percent,group,images,attr.size"
    report = bring(store, clears, "HAT" + "," * clears.count(","))
    assert report.rows[0].changed == ("description", "discount_percent", "group", "images", "attributes")
    hat = named(store, "HAT")
    assert (hat.description, hat.discount, hat.group, hat.images, dict(hat.attributes)) == (
        "",
        None,
        None,
        (),
        {"fit": "slim"},
    )
    assert bring(store, "sku,attributes", "HAT,").rows[0].changed == ("attributes",)
    assert dict(named(store, "HAT").attributes) == {}


def test_an_import_that_is_repeated_changes_nothing(store: Floor) -> None:
    lines = (
        "sku,name,description,categories,price,discount_percent,discount_starts_at,discount_ends_at,stock,attr.size",
        "A,  A  name ,Line,Hats,19.9,10,2020-01-01T00:00:00Z,,5,M",
        "B,B,,hats |HATS,5,100.00,,,0,",
        "C,C,,Hats,5,50,2027-01-01T00:00:00+02:00,2028-01-01T00:00:00Z,0,",
        "D,D,,Hats,5,0,,,0,",
    )
    assert bring(store, *lines).created == 4
    for minutes in (0, 1, 10):
        store.time.forward(minutes=minutes)
        before = exported(store)
        report = bring(store, *lines)
        assert (report.unchanged, report.changed, report.created) == (4, 0, 0), report.rows
        assert exported(store) == before
    store.catalog.clear_discount(by=SYSTEM, product_ids=[named(store, "A").id])
    store.time.forward(minutes=1)
    assert bring(store, *lines).rows[0].changed == ("discount_percent",)
    began = store.time.at
    store.time.forward(minutes=1)
    assert bring(store, *lines).unchanged == 4
    discount = named(store, "A").discount
    assert discount is not None
    assert discount.starts_at == began, "a start in the past would falsify the price before it"


def test_a_percentage_alone_reduces_from_now_what_is_not_reduced_by_it_already(store: Floor) -> None:
    bring(store, HEADER, HAT)
    hat = named(store, "HAT")
    file = ("sku,discount_percent", "HAT,10")
    ends = store.time.at + timedelta(hours=2)
    store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(10), ends_at=ends)
    assert bring(store, *file).unchanged == 1
    store.time.forward(hours=3)
    assert bring(store, *file).changed == 1
    assert named(store, "HAT").discount == Discount(percent=Decimal(10), starts_at=store.time.at)
    assert bring(store, *file).unchanged == 1
    assert bring(store, "sku,discount_percent,discount_ends_at", "HAT,10,2030-01-01T00:00:00Z").changed == 1
    assert bring(store, "sku,discount_percent,discount_ends_at", "HAT,10,").changed == 1
    assert bring(store, "sku,discount_percent,discount_starts_at", "HAT,10,2030-01-01T00:00:00Z").changed == 1
    assert bring(store, "sku,discount_percent", "HAT,0").changed == 1
    assert named(store, "HAT").discount is None


def test_wishers_hear_of_reductions_and_returns(store: Floor) -> None:
    wisher = person(store)
    bring(store, HEADER, HAT, "CAP,Cap,Hats,10,0")
    for sku in ("HAT", "CAP"):
        store.wishlist.add(by=wisher, product_id=named(store, sku).id)
    store.time.forward(minutes=1)
    bring(store, "sku,discount_percent,stock", "HAT,20,5", "CAP,,3")
    told = {str(notice.template) for notice in store.mail() if notice.recipient == wisher.email}
    assert {"wishlist_discount", "wishlist_restock"} <= told


@pytest.mark.parametrize("skip_bad", [False, True])
def test_nobody_waits_for_an_import_that_changes_nothing(store: Floor, skip_bad: bool) -> None:
    bring(store, HEADER, HAT)
    before = store.storage.version()
    assert bring(store, HEADER, HAT, skip_bad=skip_bad).unchanged == 1
    assert store.storage.version() == before


def test_a_dry_run_says_what_would_happen_and_changes_nothing(store: Floor) -> None:
    bring(store, HEADER, HAT)
    before = exported(store)
    told: list[Outcome] = []
    report = bring(
        store, HEADER, HAT, "CAP,Cap,Caps,10,1", "HAT,Hat,Hats,1,1", "TOP,Top,Hats,x,1", dry_run=True, tell=told.append
    )
    assert (report.dry_run, report.created, report.changed, report.unchanged, report.refused) == (True, 1, 0, 1, 2)
    assert report.new_categories == ("Caps",)
    assert tuple(told) == report.rows
    assert [(row.line, row.sku, row.result) for row in told] == [
        (2, "HAT", Result.UNCHANGED),
        (3, "CAP", Result.CREATED),
        (4, "HAT", Result.REFUSED),
        (5, "TOP", Result.REFUSED),
    ]
    assert exported(store) == before
    assert [each.name for each in store.catalog.categories().items] == ["Hats"]


def test_bad_rows_refuse_all_or_are_skipped_by_choice(store: Floor) -> None:
    lines = (HEADER, HAT, "CAP,Cap,Caps,ten,1", 'TOP,"To\np",Tops,1,1', "BAG,Bag,Bags,-1,1", "TIE,Tie,Ties,9,1")
    why = refused(store, *lines)
    assert why == [
        (3, (("price", 'must be an amount such as "19.99"'),)),
        (4, (("name", "must not contain the control character U+000A"),)),
        (6, (("price", "must be 0 or more and stay below 10000000000.00"),)),
    ]
    assert store.catalog.categories().items == ()
    report = bring(store, *lines, skip_bad=True)
    assert (report.created, report.refused, report.new_categories) == (2, 3, ("Hats", "Ties"))
    assert [each.product.sku for each in store.catalog.products(query=ProductQuery(sort="name")).items] == [
        "HAT",
        "TIE",
    ]


def test_a_refusal_names_lines_and_columns(store: Floor) -> None:
    with pytest.raises(ImportRefused, match="Nothing was imported; bad rows: 1") as error:
        bring(store, HEADER, HAT, "CAP,,Caps,ten,-1")
    assert error.value.errors == (
        ("lines.3.price", 'must be an amount such as "19.99"'),
        ("lines.3.stock", "must be a whole number, 0 or more"),
    )


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("sku", "HAT", "name"),
        ("sku,name,categories,price", "HAT,Hat,,1", "categories"),
        ("sku,name,categories,price", "HAT,Hat,|,1", "categories"),
        ("sku,name,categories,price", "-HAT,Hat,Hats,1", "sku"),
        ("sku,name,categories,price", ",Hat,Hats,1", "sku"),
        ("sku,name,categories,price", "HAT,Hat,Hats", "row"),
        ("sku,name,categories,price", "HAT,Hat,Hats,1,1", "row"),
        ("sku,name,categories,price", f"HAT,Hat,{'h' * 101},1", "categories"),
        ("sku,name,categories,price", f"HAT,{'h' * 201},Hats,1", "name"),
        ("sku,name,categories,price", "HAT,Hat,Hats,1.999", "price"),
        ("sku,name,categories,price,cost", 'HAT,Hat,Hats,1,"1,5"', "cost"),
        ("sku,name,categories,price,stock", "HAT,Hat,Hats,1,1.5", "stock"),
        ("sku,name,categories,price,stock", "HAT,Hat,Hats,1,1000000001", "stock"),
        ("sku,name,categories,price,stock", "HAT,Hat,Hats,1,²", "stock"),
        ("sku,name,categories,price,is_active", "HAT,Hat,Hats,1,maybe", "is_active"),
        ("sku,name,categories,price,images", "HAT,Hat,Hats,1,ftp://x", "images.0"),
        ("sku,name,categories,price,attributes", "HAT,Hat,Hats,1,size", "attributes"),
        ("sku,name,categories,price,attributes", 'HAT,Hat,Hats,1,"{""a"": 1}"', "attributes"),
        ("sku,name,categories,price,attributes", 'HAT,Hat,Hats,1,"[[""a"", ""b""]]"', "attributes"),
        ("sku,name,categories,price,attributes", 'HAT,Hat,Hats,1,"{""a"": ""b"", ""a"": ""b""}"', "attributes"),
        ("sku,name,categories,price,attributes", f"HAT,Hat,Hats,1,{'[' * 60_000}", "attributes"),
        ("sku,name,categories,price,attributes", f"HAT,Hat,Hats,1,{'1' * 6000}", "attributes"),
        ("sku,name,categories,price,attributes", 'HAT,Hat,Hats,1,"{""a"": ""\\ud800""}"', "attributes.a"),
        ("sku,name,categories,price,attr.size", f"HAT,Hat,Hats,1,{'h' * 501}", "attributes.size"),
        ("sku,name,categories,price,discount_percent", "HAT,Hat,Hats,1,101", "discount_percent"),
        ("sku,name,categories,price,discount_percent", "HAT,Hat,Hats,1,5%", "discount_percent"),
        (
            "sku,name,categories,price,discount_percent,discount_starts_at",
            "HAT,Hat,Hats,1,5,2026-01-01",
            "discount_starts_at",
        ),
        (
            "sku,name,categories,price,discount_percent,discount_starts_at",
            "HAT,Hat,Hats,1,5,0001-01-01T00:00:00+23:00",
            "discount_starts_at",
        ),
        (
            "sku,name,categories,price,discount_percent,discount_ends_at",
            "HAT,Hat,Hats,1,5,2020-01-01T00:00:00Z",
            "discount_ends_at",
        ),
    ],
)
def test_what_no_product_may_be_is_refused_by_column(store: Floor, header: str, row: str, column: str) -> None:
    ((line, errors),) = refused(store, header, row)
    assert (line, errors[0][0]) == (2, column)


@pytest.mark.parametrize(
    ("header", "wrong"),
    [
        ("name,price", ["sku"]),
        ("sku,prize,attr.", ["prize", "attr."]),
        ("sku,SKU", ["SKU"]),
        ("sku,name,name", ["name"]),
        ("sku,,name", ["column 2"]),
        ("sku,id", ["id"]),
        ("sku,discount_starts_at,discount_ends_at", ["discount_starts_at", "discount_ends_at"]),
        (f"sku,attr.{'x' * 61}", [f"attr.{'x' * 61}"]),
    ],
)
def test_a_wrong_header_is_refused_at_once(store: Floor, header: str, wrong: list[str]) -> None:
    with pytest.raises(Invalid) as error:
        bring(store, header, HAT, skip_bad=True)
    assert [column for column, _ in error.value.errors] == wrong


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_file_that_cannot_be_read_to_its_end_changes_nothing(store: Floor, skip_bad: bool) -> None:
    rows = [f"S{number},Hat,Hats,1,1" for number in range(BATCH + 5)]
    with pytest.raises(MalformedSheet) as error:
        bring(store, HEADER, *rows, 'TOP,"Top', skip_bad=skip_bad)
    assert error.value.extra == {"line": BATCH + 7, "column": "name"}
    assert store.catalog.products().items == ()


def test_a_sku_is_taken_once_from_a_file_wherever_it_comes_again(store: Floor) -> None:
    rows = [f"S{number},Hat,Hats,1,1" for number in range(2 * BATCH)]
    assert refused(store, HEADER, *rows, "S0,Other,Hats,2,2", "s0,Other,Hats,2,2", "S0,Hat,Hats,1,1") == [
        (2 * BATCH + 2, (("sku", "is in line 2 already"),)),
        (2 * BATCH + 4, (("sku", "is in line 2 already"),)),
    ]
    assert refused(store, HEADER, "HAT,Hat,Hats,x,1", "HAT,Hat,Hats,1,1")[1] == (3, (("sku", "is in line 2 already"),))


def test_many_rows_are_imported_and_counted(store: Floor) -> None:
    number = 2 * MOST_ROWS + BATCH // 2
    rows = [f"S{each},Hat,Hats,{each % 2 or 'x'},1" for each in range(number)]
    done: list[tuple[int, int]] = []
    report = bring(store, HEADER, *rows, skip_bad=True, progress=lambda *how_far: done.append(how_far))
    assert (report.created, report.refused) == (number // 2, number // 2)
    assert len(report.rows) == 2 * MOST_ROWS
    assert [row.line for row in report.rows] == sorted(row.line for row in report.rows)
    assert done[0] == (BATCH, number)
    assert done[-1] == (number, number)
    assert len(store.catalog.categories().items) == 1


def test_strict_progress_counts_checking_and_writing(store: Floor) -> None:
    done: list[tuple[int, int]] = []
    rows = [f"S{each},Hat,Hats,1,1" for each in range(BATCH + 1)]
    bring(store, HEADER, *rows, progress=lambda *how_far: done.append(how_far))
    both = 2 * (BATCH + 1)
    assert done == [(BATCH, both), (BATCH + 1, both), (2 * BATCH + 1, both), (both, both)]


# Who may.


def test_only_some_staff_may_import_and_export(store: Floor) -> None:
    for role in (Role.CUSTOMER, Role.VENDOR, Role.SUPPORT_AGENT):
        somebody = person(store, role)
        with pytest.raises(Forbidden):
            bring(store, HEADER, by=somebody)
        with pytest.raises(Forbidden):
            store.catalog.export_products(by=somebody)


FULL = "sku,name,categories,price,cost,discount_percent,stock"


def test_who_sets_prices_adds_no_products_and_changes_nothing_else(store: Floor) -> None:
    seller = person(store, Role.SALES_MANAGER)
    bring(store, FULL, "HAT,Hat,Hats,20,8,,5")
    needs = "needs the permission"
    assert refused(store, FULL, "CAP,Cap,Caps,20,8,,5", "HAT,Cap,Caps,21,9,5,6", by=seller) == [
        (2, (("sku", f"is new, and adding it {needs} catalog:write"),)),
        (3, (("categories", f"there is no Caps, and adding it {needs} categories:write"),)),
    ]
    assert refused(store, FULL, "HAT,Cap,Hats,21,9,5,6", by=seller) == [
        (2, (("name", f"{needs} catalog:write"), ("stock", f"{needs} stock:adjust"))),
    ]
    assert bring(store, FULL, "HAT,Hat,Hats,21,9,5,5", by=seller).rows[0].changed == (
        "price",
        "cost",
        "discount_percent",
    )
    assert store.catalog.prices(by=SYSTEM, product_id=named(store, "HAT").id).items[0].actor_id == seller.id


def test_who_keeps_the_catalog_sets_prices_of_new_products_only(store: Floor) -> None:
    keeper = person(store, Role.PRODUCT_MANAGER)
    needs = "needs the permission prices:write"
    assert refused(store, FULL, "CAP,Cap,Caps,20,8,5,5", by=keeper) == [(2, (("discount_percent", needs),))]
    assert bring(store, FULL, "CAP,Cap,Caps,20,8,,5", by=keeper).created == 1
    columns = FULL.replace("cost,", "")
    assert bring(store, columns, "CAP,Cap,Caps,20,,6", by=keeper).rows[0].changed == ("stock",)
    assert bring(store, columns, "CAP,Big cap,Hats,20.00,0,6", by=keeper).rows[0].changed == ("name", "categories")
    assert refused(store, columns, "CAP,Cap,Caps,21,,6", by=keeper) == [(2, (("price", needs),))]
    assert refused(store, columns, "CAP,Cap,Caps,20,1,6", by=keeper) == [(2, (("discount_percent", needs),))]


def test_nobody_can_guess_a_cost_by_importing_it(store: Floor) -> None:
    keeper = person(store, Role.PRODUCT_MANAGER)
    bring(store, FULL, "CAP,Cap,Caps,20,8,,5")
    for cost in ("8", "9"):
        errors = refused(store, "sku,cost", f"CAP,{cost}", by=keeper)
        assert errors == [(2, (("cost", "needs the permission prices:write"),))]
    assert bring(store, "sku,cost", "CAP,", by=keeper).unchanged == 1


def test_who_adjusts_stock_adjusts_stock(store: Floor) -> None:
    bring(store, FULL, "CAP,Cap,Caps,20,8,,5")
    counter = person(store)
    counter = store.accounts.set_permission(
        by=SYSTEM, user_id=counter.id, permission=Permission.STOCK_ADJUST, allowed=True
    )
    assert bring(store, "sku,price,stock", "CAP,20,7", by=counter).rows[0].changed == ("stock",)
    assert store.catalog.ledger(by=SYSTEM, product_id=named(store, "CAP").id).items[0].actor_id == counter.id
    assert refused(store, "sku,price", "CAP,19", by=counter)


def test_what_an_import_does_is_in_the_audit_log_as_if_it_were_done_one_by_one(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    bring(store, HEADER, HAT, "CAP,Cap,Hats,10,0", by=admin)
    store.time.forward(minutes=1)
    bring(store, HEADER, "HAT,Hat,Hats,19.99,7", "CAP,Big cap,Hats,10,0", by=admin)
    entries = store.audit.page(by=admin).items
    assert [(entry.action, dict(entry.before), dict(entry.after)) for entry in entries[:2]] == [
        ("product.adjust_stock", {"stock": 5}, {"stock": 7, "reason": "Import"}),
        ("product.update", {"name": "Cap"}, {"name": "Big cap"}),
    ]
    assert sorted(entry.action for entry in entries[2:]) == ["category.create", "product.create", "product.create"]
    assert {entry.actor_id for entry in entries} == {admin.id}
    assert (
        next(
            entry.after["stock"] for entry in entries if entry.object_id == named(store, "HAT").id and not entry.before
        )
        == 5
    )


# Exports.


def test_an_export_imports_back_to_the_same_catalog(store: Floor) -> None:
    starts = store.time.at + timedelta(days=3, microseconds=7)
    old = product(store, name="=SUM(A1)", description='\'+1\n"x";,\t|', attributes={"-size": "@M", "a,b": "\\|"})
    product(store, name="Hüte 🎈", group="+g", tax_class="=t", images=["/a|b\\c.png", "https://x.example/?a,b"])
    store.catalog.update_product(by=SYSTEM, product_id=old.id, is_active=False)
    reduced = product(store, price=333, stock=0)
    store.catalog.discount(
        by=SYSTEM, product_ids=[reduced.id], percent=Decimal("33.33"), starts_at=starts, ends_at=starts + timedelta(1)
    )
    store.catalog.discount(by=SYSTEM, product_ids=[product(store).id], percent=Decimal(100))
    store.time.forward(hours=1)
    file = exported(store)
    report = bring(store, file)
    assert (report.unchanged, report.created, report.changed) == (4, 0, 0), report.rows
    assert exported(store) == file


def test_an_export_makes_the_same_catalog_in_an_empty_shop(store: Floor, tmp_path: Path) -> None:
    product(store, name="=1+1", description="\ttab", stock=0)
    hat = product(store, name="Hat", cost=usd(1), attributes={"size": "M|L"}, images=["/1.png"])
    ends = store.time.at + timedelta(days=2)
    store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(10), ends_at=ends)
    bring(store, "sku,name,categories,price,is_active,group", "OLD,Hat,Old|Hats,0,no,hats")
    store.time.forward(days=1)
    file = exported(store)
    with open_floor("memory", tmp_path) as other:
        other.time.at = store.time.at
        assert bring(other, file).created == 3
        assert exported(other) == file
        assert bring(other, file).unchanged == 3
        shown, old = (each.catalog.product(product=hat.slug) for each in (other, store))
        assert (shown.final_price, shown.changes_at) == (old.final_price, old.changes_at)
        assert shown.prior_price is None, "it was never sold here for more"


def test_an_archived_product_may_have_lost_its_category(store: Floor) -> None:
    bring(store, "sku,name,categories,price,is_active", "HAT,Hat,Hats|Caps,20,false", "CAP,Cap,Hats,20,false")
    hats = next(each for each in store.catalog.categories().items if each.name == "Hats")
    store.catalog.remove_category(by=SYSTEM, category_id=hats.id)
    file = exported(store)
    assert bring(store, file).unchanged == 2
    assert bring(store, "sku,categories", "HAT,Caps|Gloves").changed == 1


def test_a_column_that_the_caller_may_not_see_is_absent(store: Floor) -> None:
    bring(store, HEADER, HAT)
    for role, shown in ((Role.PRODUCT_MANAGER, False), (Role.SALES_MANAGER, True), (Role.ADMIN, True)):
        somebody = person(store, role)
        file = exported(store, by=somebody)
        assert ("cost" in file.split("\r\n")[0].split(",")) is shown
        assert bring(store, file, by=somebody).unchanged == 1


def test_an_export_lists_every_product_the_oldest_first(store: Floor) -> None:
    rows = [f"S{each},Hat,Hats,1,1" for each in range(PageRequest(limit=100).limit + 3)]
    bring(store, HEADER, *rows)
    lines = exported(store).split("\r\n")
    assert [line.split(",")[0] for line in lines] == ["sku", *(f"S{each}" for each in range(len(rows))), ""]


def test_an_empty_shop_exports_a_header(store: Floor) -> None:
    assert exported(store).startswith("sku,name,")
    assert bring(store, exported(store)) == bring(store, "sku")


# Twice and at once.


def _once(store: Floor, key: str) -> Once:
    return Once("import", key, b"file", lambda report: str(report.created).encode())


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_repeated_request_is_answered_as_the_first_was(store: Floor, skip_bad: bool) -> None:
    assert bring(store, HEADER, HAT, skip_bad=skip_bad, once=_once(store, "k")).created == 1
    for _ in range(2):
        with pytest.raises(Replayed) as replayed:
            bring(store, HEADER, HAT, skip_bad=skip_bad, once=_once(store, "k"))
        assert replayed.value.answer == b"1"
    assert bring(store, HEADER, HAT, skip_bad=skip_bad, once=_once(store, "other")).unchanged == 1


def test_a_dry_run_is_not_remembered(store: Floor) -> None:
    assert bring(store, HEADER, HAT, dry_run=True, once=_once(store, "k")).created == 1
    assert bring(store, HEADER, HAT, once=_once(store, "k")).created == 1
    assert bring(store, HEADER, HAT, dry_run=True, once=_once(store, "k")).unchanged == 1


def test_what_was_changed_since_it_was_checked_is_judged_anew(store: Floor) -> None:
    keeper = person(store, Role.PRODUCT_MANAGER)

    def meddle(done: int, total: int) -> None:
        if 2 * done == total:
            product(store, sku="CAP", price=1100)

    with pytest.raises(ImportRefused) as error:
        bring(store, HEADER, HAT, "CAP,Cap,Hats,10,1", by=keeper, progress=meddle)
    assert [field for field, _ in error.value.errors] == ["lines.3.price"]
    with pytest.raises(KeyError):
        named(store, "HAT")


def test_imports_and_sales_at_once_leave_whole_books(store: Floor) -> None:
    skus = [f"S{number}" for number in range(12)]
    files = [[f"{sku},Hat,Hats {number},10,{20 + number}" for sku in skus] for number in range(4)]
    bring(store, HEADER, *files[0][:6])
    sold = [named(store, sku) for sku in skus[:6]]
    buyer = person(store)

    def take_in(number: int) -> None:
        rows = files[number] if number % 2 else files[number][::-1]
        report = bring(store, HEADER, *rows, skip_bad=number < 2)
        assert report.refused == 0

    def buy() -> None:
        for each in sold:
            store.orders.place(by=buyer, items=[(each.id, 1)], deliver_to=HOME)

    with ThreadPoolExecutor(5) as threads:
        doing = [threads.submit(take_in, number) for number in range(4)] + [threads.submit(buy)]
        for each in doing:
            each.result(timeout=60)
    for sku in skus:
        hat = named(store, sku)
        assert 20 - len(sold) <= on_hand(store, hat) <= 23
        assert [shelf[:5] for shelf in shelves(store, hat)] == ["Hats "]
