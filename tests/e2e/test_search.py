"""Search and suggestions over a real server."""

from urllib.parse import quote

import httpx
import pytest

from storecore.accounts.model import SYSTEM
from storecore.money import Money
from tests.e2e import processes
from tests.e2e.conftest import LiveShop, problem
from tests.e2e.goods import category


def fill(live: LiveShop) -> dict[str, str]:
    """Ids of some products by name."""
    shelf = category(live, "Headwear")
    made = {}
    for n, (name, description) in enumerate((("Wool hat", "warm"), ("Felt hat", "of wool"), ("Şahin cap", "light"))):
        made[name] = live.store.catalog.create_product(
            by=SYSTEM,
            sku=f"H-{n}",
            name=name,
            description=description,
            price=Money(1000 * (n + 1), "USD"),
            stock=n,
            category_ids=[shelf],
            attributes={"size": "M"} if n else {},
        ).product.id
    return made


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def suggestions(visitor: httpx.Client, text: str) -> list[tuple[str, str]]:
    answer = visitor.get(f"/search/suggest?q={quote(text)}")
    assert answer.status_code == 200, answer.text
    return [(item["kind"], item["text"]) for item in answer.json()["items"]]


def test_what_is_found_comes_with_its_score_the_best_first(live: LiveShop, visitor: httpx.Client) -> None:
    fill(live)
    answer = visitor.get("/search?q=wool&include_total=true").json()
    assert [item["name"] for item in answer["items"]] == ["Wool hat", "Felt hat"]
    scores = [item["score"] for item in answer["items"]]
    assert scores[0] > scores[1] > 0
    assert (answer["total"], answer["next_cursor"]) == (2, None)
    listed = visitor.get("/products?q=wool").json()["items"]
    assert [{**item, "score": score} for item, score in zip(listed, scores, strict=True)] == answer["items"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=woll+haat", ["Wool hat", "Felt hat"]),
        ("q=sahin", ["Şahin cap"]),
        ("q=headwear&in_stock=true", ["Felt hat", "Şahin cap"]),
        ("q=hat&attr.size=M", ["Felt hat"]),
        ("q=hat&max_price=10.00", ["Wool hat"]),
        ("q=hats+OR+%22", ["Wool hat", "Felt hat"]),
        ("q=%25", []),
        ("q=nonsense", []),
    ],
)
def test_a_search_keeps_to_its_filters(live: LiveShop, visitor: httpx.Client, query: str, expected: list[str]) -> None:
    fill(live)
    assert sorted(names(visitor.get(f"/search?{query}"))) == sorted(expected)


def test_pages_follow_one_another(live: LiveShop, visitor: httpx.Client) -> None:
    fill(live)
    whole, paged, cursor = names(visitor.get("/search?q=headwear")), [], ""
    for _ in whole:
        answer = visitor.get(f"/search?q=headwear&limit=1{cursor}")
        paged += names(answer)
        cursor = f"&cursor={answer.json()['next_cursor']}"
    assert paged == whole
    assert cursor == "&cursor=None"
    other = visitor.get("/search?q=headwear&limit=1").json()["next_cursor"]
    problem(visitor.get(f"/search?q=hat&cursor={other}"), 422, "invalid")


@pytest.mark.parametrize(
    "path",
    [
        "/search",
        "/search?q=",
        "/search?q=+",
        "/search?q=a&sort=price",
        "/search?q=a&min_price=1.001",
        "/search/suggest?q=a&limit=0",
        "/search/suggest?q=a&limit=11",
        "/search/suggest?q=" + "a" * 201,
    ],
)
def test_what_makes_no_sense_is_refused(visitor: httpx.Client, path: str) -> None:
    problem(visitor.get(path), 422, "invalid")


def test_suggestions_name_shelves_and_products(live: LiveShop, visitor: httpx.Client) -> None:
    made = fill(live)
    assert suggestions(visitor, "h") == [("category", "Headwear"), ("product", "Wool hat"), ("product", "Felt hat")]
    assert suggestions(visitor, "hat w") == [("product", "Wool hat")]
    assert suggestions(visitor, "feltt h") == [("product", "Felt hat")]
    assert suggestions(visitor, "") == []
    (item,) = visitor.get("/search/suggest?q=sah&limit=1").json()["items"]
    assert item == {"text": "Şahin cap", "kind": "product", "id": made["Şahin cap"]}


def test_an_edit_is_found_and_suggested_at_once(live: LiveShop, visitor: httpx.Client) -> None:
    made = fill(live)
    assert suggestions(visitor, "wool") == [("product", "Wool hat")]
    live.store.catalog.update_product(by=SYSTEM, product_id=made["Wool hat"], name="Silk hat")
    assert (suggestions(visitor, "wool"), suggestions(visitor, "silk")) == ([], [("product", "Silk hat")])
    assert names(visitor.get("/search?q=silk")) == ["Silk hat"]
    live.store.catalog.archive_product(by=SYSTEM, product_id=made["Wool hat"])
    assert (suggestions(visitor, "silk"), names(visitor.get("/search?q=silk"))) == ([], [])


def test_what_one_process_changes_every_other_finds(shop: processes.Shop) -> None:
    product_id = processes.product(shop, stock=1)
    with shop.visitor(0, shop.token("manager")) as manager, shop.visitor(1) as visitor:
        for name in ("Quaint Zither", "Zestful Quill"):
            assert manager.patch(f"/products/{product_id}", json={"name": name}).status_code == 200
            assert [text for _, text in suggestions(visitor, name[:4])] == [name]
            assert names(visitor.get(f"/search?q={quote(name)}")) == [name]
        assert suggestions(visitor, "zith") == []
        assert manager.delete(f"/products/{product_id}").status_code == 204
        assert suggestions(visitor, "zest") == []
