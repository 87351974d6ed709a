"""Products, prices, discounts, categories, stock and coupons in the hands of staff and visitors."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from storecore.accounts.model import GUEST, SYSTEM
from storecore.accounts.permissions import Role
from storecore.catalog.model import StockReason
from storecore.errors import (
    CategoryExists,
    CategoryInUse,
    CouponExists,
    Forbidden,
    Invalid,
    NotAuthenticated,
    NotFound,
    OutOfStock,
    PreconditionFailed,
    SkuTaken,
)
from storecore.money import Money
from storecore.ports import AuditQuery, ProductQuery
from tests.usecases.floor import Floor, on_hand, person, product


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def _names(store: Floor, **query: Any) -> list[str]:
    return [offer.product.name for offer in store.catalog.products(query=ProductQuery(**query)).items]


def test_a_new_product_is_on_the_shelf_with_its_stock_and_half_its_price_as_cost(store: Floor) -> None:
    hat = product(store, price=1999, stock=7, name="Red “Wool” Hat")
    assert (hat.slug, hat.stock, hat.cost) == ("red-wool-hat", 7, usd(1000))
    assert store.catalog.product(product="red-wool-hat").product.id == hat.id
    assert on_hand(store, hat) == 7


def test_two_products_of_one_name_have_two_slugs(store: Floor) -> None:
    one, two = product(store, name="Hat"), product(store, name="Hat")
    assert one.slug != two.slug
    assert store.catalog.product(product=two.slug).product.id == two.id


def test_a_sku_is_taken_once(store: Floor) -> None:
    product(store, sku="HAT-1")
    with pytest.raises(SkuTaken):
        product(store, sku="HAT-1")


def test_a_product_needs_a_category_that_exists(store: Floor) -> None:
    with pytest.raises(Invalid) as refused:
        product(store, category_ids=["nowhere"])
    assert refused.value.errors[0][0] == "category_ids.0"


def test_a_product_manager_sets_the_price_at_first_and_a_sales_manager_later(store: Floor) -> None:
    manager, sales = person(store, Role.PRODUCT_MANAGER), person(store, Role.SALES_MANAGER)
    shelf = store.catalog.create_category(by=manager, name="Hats")
    hat = store.catalog.create_product(
        by=manager, sku="H", name="Hat", price=usd(1000), category_ids=[shelf.id]
    ).product
    with pytest.raises(Forbidden):
        store.catalog.update_product(by=manager, product_id=hat.id, price=usd(900))
    with pytest.raises(Forbidden):
        store.catalog.update_product(by=sales, product_id=hat.id, name="Cap")
    assert store.catalog.update_product(by=sales, product_id=hat.id, price=usd(900)).final_price == usd(900)
    assert store.catalog.update_product(by=manager, product_id=hat.id, name="Cap").product.name == "Cap"


def test_visitors_and_customers_change_nothing(store: Floor) -> None:
    hat, customer = product(store), person(store)
    with pytest.raises(NotAuthenticated):
        store.catalog.update_product(by=GUEST, product_id=hat.id, name="Mine")
    with pytest.raises(Forbidden):
        store.catalog.archive_product(by=customer, product_id=hat.id)
    with pytest.raises(Forbidden):
        store.catalog.adjust_stock(by=customer, product_id=hat.id, change=1, reason="gift")
    with pytest.raises(Forbidden):
        store.catalog.discount(by=customer, product_ids=[hat.id], percent=Decimal(50))


def test_a_stale_edit_is_refused_but_a_sale_makes_no_edit_stale(store: Floor) -> None:
    hat = product(store)
    store.catalog.adjust_stock(by=SYSTEM, product_id=hat.id, change=-1, reason="lost")
    edited = store.catalog.update_product(by=SYSTEM, product_id=hat.id, name="Cap", if_version=hat.version).product
    with pytest.raises(PreconditionFailed):
        store.catalog.update_product(by=SYSTEM, product_id=hat.id, name="Hat", if_version=hat.version)
    assert edited.version == hat.version + 1


def test_an_archived_product_leaves_lists_and_can_come_back(store: Floor) -> None:
    hat = product(store)
    store.catalog.archive_product(by=SYSTEM, product_id=hat.id)
    store.catalog.archive_product(by=SYSTEM, product_id=hat.id)
    assert not store.catalog.products().items
    with pytest.raises(NotFound):
        store.catalog.product(product=hat.id)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, is_active=True)
    assert store.catalog.product(product=hat.id).product.is_active


def test_lists_filter_and_sort_on_the_final_price(store: Floor) -> None:
    cheap, dear = product(store, price=1000), product(store, price=3000)
    store.catalog.discount(by=SYSTEM, product_ids=[dear.id], percent=Decimal(90))
    assert _names(store, sort="price") == [dear.name, cheap.name]
    assert _names(store, max_price=500) == [dear.name]
    assert _names(store, min_price=500) == [cheap.name]


def test_words_are_found_in_names_and_descriptions_whatever_their_accents(store: Floor) -> None:
    shawl = product(store, name="Şahin Shawl")
    product(store, name="Hat", description="warm")
    for text, names in (("sahin", [shawl.name]), ("war", ["Hat"]), ("hat sahin", []), ("%", [])):
        for sort in ("relevance", "price"):
            found = store.catalog.products(text=text, query=ProductQuery(sort=sort))
            assert [offer.product.name for offer in found.items] == names
    assert len(store.catalog.products(text=" ").items) == 2


def test_variants_are_shown_with_one_another(store: Floor) -> None:
    red, blue = (product(store, group="hat", name=name) for name in ("Red Hat", "Blue Hat"))
    assert [each.product.id for each in store.catalog.product(product=red.id).siblings] == [blue.id]


def test_a_discount_counts_in_its_window_only(store: Floor) -> None:
    hat = product(store, price=1000)
    start = store.time.at + timedelta(hours=1)
    store.catalog.discount(
        by=SYSTEM, product_ids=[hat.id], percent=Decimal("12.5"), starts_at=start, ends_at=start + timedelta(hours=1)
    )
    prices = []
    for _ in range(3):
        prices.append(store.catalog.product(product=hat.id).final_price)
        store.time.forward(hours=1)
    assert prices == [usd(1000), usd(875), usd(1000)]


def test_a_hundred_percent_off_is_free(store: Floor) -> None:
    hat = product(store)
    (offer,) = store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(100))
    assert offer.final_price == usd(0)


def test_the_worker_brings_kept_prices_up_to_date_when_windows_open_and_close(store: Floor) -> None:
    hat = product(store, price=1000)
    start = store.time.at + timedelta(hours=1)
    store.catalog.discount(
        by=SYSTEM, product_ids=[hat.id], percent=Decimal(50), starts_at=start, ends_at=start + timedelta(hours=1)
    )
    assert _names(store, max_price=500) == []
    store.time.forward(hours=1)
    store.mail()
    assert _names(store, max_price=500) == [hat.name]
    store.time.forward(hours=1)
    store.mail()
    assert _names(store, max_price=500) == []
    history = store.catalog.prices(by=SYSTEM, product_id=hat.id).items
    assert [(each.final_price, each.at) for each in history] == [
        (usd(1000), start + timedelta(hours=1)),
        (usd(500), start),
        (usd(1000), hat.created_at),
    ]


def test_a_window_that_opened_and_closed_while_the_worker_slept_is_in_the_history_all_the_same(store: Floor) -> None:
    hat = product(store, price=1000)
    start = store.time.at + timedelta(hours=1)
    store.catalog.discount(
        by=SYSTEM, product_ids=[hat.id], percent=Decimal(50), starts_at=start, ends_at=start + timedelta(hours=1)
    )
    store.time.forward(hours=5)
    store.mail()
    history = store.catalog.prices(by=SYSTEM, product_id=hat.id).items
    assert [each.final_price for each in history] == [usd(1000), usd(500), usd(1000)]


def test_the_prior_price_is_the_lowest_of_thirty_days_before_the_discount(store: Floor) -> None:
    hat = product(store, price=1000)
    store.time.forward(days=10)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, price=usd(800))
    store.time.forward(days=10)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, price=usd(1200))
    store.time.forward(days=5)
    (offer,) = store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(10))
    assert (offer.final_price, offer.prior_price) == (usd(1080), usd(800))
    store.catalog.clear_discount(by=SYSTEM, product_ids=[hat.id])
    assert store.catalog.product(product=hat.id).prior_price is None


def test_a_discount_on_many_products_is_all_or_nothing(store: Floor) -> None:
    hat = product(store)
    with pytest.raises(NotFound) as refused:
        store.catalog.discount(by=SYSTEM, product_ids=[hat.id, "nothing"], percent=Decimal(10))
    assert refused.value.errors[0][0] == "product_ids.1"
    assert store.catalog.product(product=hat.id).product.discount is None


def test_stock_is_corrected_with_a_reason_and_never_below_nothing(store: Floor) -> None:
    hat, manager = product(store, stock=3), person(store, Role.PRODUCT_MANAGER)
    offer = store.catalog.adjust_stock(by=manager, product_id=hat.id, change=-2, reason="water damage")
    assert offer.product.stock == 1
    with pytest.raises(OutOfStock) as short:
        store.catalog.adjust_stock(by=manager, product_id=hat.id, change=-2, reason="more of it")
    assert short.value.extra["lines"] == [{"product_id": hat.id, "requested": 2, "available": 1}]
    last = store.catalog.ledger(by=manager, product_id=hat.id).items[0]
    assert (last.change, last.note, last.actor_id) == (-2, "water damage", manager.id)
    assert (last.reason, last.at) == (StockReason.ADJUSTMENT, store.time.at)
    assert on_hand(store, hat) == 1
    (entry,) = store.audit.page(by=SYSTEM, query=AuditQuery(action="product.adjust_stock")).items
    assert entry.before == {"stock": 3}
    assert entry.after == {"stock": 1, "change": -2, "reason": "water damage"}


@pytest.mark.parametrize(
    ("change", "reason", "refused"),
    [
        (0, "found", ("change", "must not be 0")),
        (1, " ", ("reason", "must have 1 to 500 characters")),
        (1, "x" * 501, ("reason", "must have 1 to 500 characters")),
    ],
)
def test_stock_changes_by_something_and_for_a_reason(
    store: Floor, change: int, reason: str, refused: tuple[str, str]
) -> None:
    hat = product(store, stock=3)
    with pytest.raises(Invalid) as invalid:
        store.catalog.adjust_stock(by=SYSTEM, product_id=hat.id, change=change, reason=reason)
    assert invalid.value.errors == (refused,)
    longest = "found\n" + "x" * 494
    store.catalog.adjust_stock(by=SYSTEM, product_id=hat.id, change=1, reason=longest)
    assert store.catalog.ledger(by=SYSTEM, product_id=hat.id).items[0].note == longest
    assert on_hand(store, hat) == 4


def test_stock_and_its_ledger_are_for_those_who_keep_it(store: Floor) -> None:
    hat = product(store)
    for role in set(Role) - {Role.PRODUCT_MANAGER, Role.ADMIN}:
        somebody = person(store, role)
        with pytest.raises(Forbidden):
            store.catalog.adjust_stock(by=somebody, product_id=hat.id, change=1, reason="found")
        with pytest.raises(Forbidden):
            store.catalog.ledger(by=somebody, product_id=hat.id)
    with pytest.raises(NotFound):
        store.catalog.ledger(by=person(store, Role.PRODUCT_MANAGER), product_id="nothing")


def test_category_names_differ_in_more_than_case_and_space(store: Floor) -> None:
    store.catalog.create_category(by=SYSTEM, name="Hats")
    with pytest.raises(CategoryExists):
        store.catalog.create_category(by=SYSTEM, name="  hATS ")


def test_a_category_in_use_stays(store: Floor) -> None:
    parent = store.catalog.create_category(by=SYSTEM, name="Clothes")
    child = store.catalog.create_category(by=SYSTEM, name="Hats", parent_id=parent.id)
    hat = product(store, category_ids=[child.id])
    for category in (parent, child):
        with pytest.raises(CategoryInUse):
            store.catalog.remove_category(by=SYSTEM, category_id=category.id)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, category_ids=[parent.id])
    store.catalog.remove_category(by=SYSTEM, category_id=child.id)
    with pytest.raises(NotFound):
        store.catalog.category(category_id=child.id)


def test_categories_never_form_a_circle(store: Floor) -> None:
    top = store.catalog.create_category(by=SYSTEM, name="Top")
    below = store.catalog.create_category(by=SYSTEM, name="Below", parent_id=top.id)
    with pytest.raises(Invalid):
        store.catalog.update_category(by=SYSTEM, category_id=top.id, parent_id=below.id)


def test_a_category_shows_what_is_filed_below_it_too(store: Floor) -> None:
    top = store.catalog.create_category(by=SYSTEM, name="Top")
    below = store.catalog.create_category(by=SYSTEM, name="Below", parent_id=top.id)
    hat = product(store, category_ids=[below.id])
    product(store)
    assert _names(store, category_id=top.id) == [hat.name]
    assert _names(store, category_id="nowhere") == []


def test_coupon_codes_are_unique_whatever_their_case(store: Floor) -> None:
    store.catalog.create_coupon(by=SYSTEM, code="spring", percent=Decimal(10))
    with pytest.raises(CouponExists):
        store.catalog.create_coupon(by=SYSTEM, code="SPRING ", percent=Decimal(10))


def test_a_coupon_is_a_percent_or_an_amount(store: Floor) -> None:
    with pytest.raises(Invalid):
        store.catalog.create_coupon(by=SYSTEM, code="SPRING")
    with pytest.raises(Invalid):
        store.catalog.create_coupon(by=SYSTEM, code="SPRING", percent=Decimal(10), amount=usd(100))


def test_coupons_are_changed_and_withdrawn(store: Floor) -> None:
    sales = person(store, Role.SALES_MANAGER)
    coupon = store.catalog.create_coupon(by=sales, code="SPRING", percent=Decimal(10))
    changed = store.catalog.update_coupon(by=sales, coupon_id=coupon.id, max_uses=5, if_version=coupon.version)
    with pytest.raises(PreconditionFailed):
        store.catalog.update_coupon(by=sales, coupon_id=coupon.id, max_uses=6, if_version=coupon.version)
    store.catalog.withdraw_coupon(by=sales, coupon_id=coupon.id)
    (listed,) = store.catalog.coupons(by=sales).items
    assert (listed.max_uses, listed.is_active, changed.max_uses) == (5, False, 5)
