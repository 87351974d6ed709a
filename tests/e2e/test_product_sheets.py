"""The catalog as CSV files over HTTP."""

import csv
import http.client
import io
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.money import Money
from tests.e2e.conftest import LiveShop, problem
from tests.e2e.goods import stock
from webapp.product_sheets import MOST

HEADER = "sku,name,categories,price,stock\n"
HAT = "HAT,Hat,Hats,19.99,5\n"


def send(client: httpx.Client, content: str | bytes, **options: str) -> httpx.Response:
    headers = {"Content-Type": "text/csv"}
    return client.post("/products/import", content=content, params=options, headers=headers)


def report(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def counts(found: dict[str, Any]) -> list[int]:
    return [found[name] for name in ("created", "changed", "unchanged", "refused")]


def exported(client: httpx.Client) -> str:
    answer = client.get("/products/export")
    assert answer.status_code == 200, answer.text
    return answer.text


def skus(live: LiveShop) -> list[str]:
    return sorted(each["sku"] for each in live.visitor().get("/products").json()["items"])


def test_a_file_is_tried_imported_and_imported_again(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    file = HEADER + HAT + "CAP,Cap,Caps,10,0\n"
    tried = report(send(admin, file, dry_run="true"))
    assert (tried["dry_run"], counts(tried), tried["new_categories"]) == (True, [2, 0, 0, 0], ["Hats", "Caps"])
    assert skus(live) == []
    done = report(send(admin, file))
    assert done == {**tried, "dry_run": False}
    assert done["rows"][0] == {"line": 2, "sku": "HAT", "result": "created", "changed": [], "errors": []}
    assert skus(live) == ["CAP", "HAT"]
    assert counts(report(send(admin, file))) == [0, 0, 2, 0]
    changed = report(send(admin, "sku;price\nHAT;25\n"))
    assert changed["rows"] == [{"line": 2, "sku": "HAT", "result": "changed", "changed": ["price"], "errors": []}]


def test_a_file_may_come_in_a_form(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    for name in ("products.csv", "Ürünler.xls"):
        answer = admin.post("/products/import", files={"file": (name, HEADER + HAT, "application/vnd.ms-excel")})
        assert sum(counts(report(answer))) == 1
    problem(admin.post("/products/import", files={"other": ("a.csv", HEADER, CSV)}), 422, "invalid")
    problem(admin.post("/products/import", data={"file": HEADER}), 415, "unsupported-type")
    answer = admin.post("/products/import", files={"file": ("a.csv", HEADER, CSV)}, data={"mode": "skip"})
    assert problem(answer, 422, "invalid")["errors"][0]["field"] == "mode"


CSV = "text/csv"


def test_bad_rows_refuse_the_file_unless_they_are_skipped(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    file = HEADER + HAT + "CAP,Cap,Caps,ten,x\n"
    told = problem(send(admin, file), 422, "import-refused")
    assert told["errors"] == [
        {"field": "lines.3.price", "message": 'must be an amount such as "19.99"'},
        {"field": "lines.3.stock", "message": "must be a whole number, 0 or more"},
    ]
    assert counts(told["report"]) == [1, 0, 0, 1]
    assert told["report"]["rows"][1]["errors"][0] == {"field": "price", "message": 'must be an amount such as "19.99"'}
    assert skus(live) == []
    assert counts(report(send(admin, file, dry_run="true"))) == [1, 0, 0, 1]
    assert counts(report(send(admin, file, mode="skip"))) == [1, 0, 0, 1]
    assert skus(live) == ["HAT"]


@pytest.mark.parametrize("mode", ["all", "skip"])
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ("", 400, "malformed-csv"),
        (HEADER.encode("utf-16"), 400, "malformed-csv"),
        (HEADER + 'HAT,"Hat', 400, "malformed-csv"),
        ("sku\0", 400, "malformed-csv"),
        (b"PK\x03\x04" + bytes(range(256)) * 99, 400, "malformed-csv"),
        ("name\nHat", 422, "invalid"),
        ("sku,id\nHAT,1", 422, "invalid"),
        ("sku,sku\nHAT,1", 422, "invalid"),
        ('{"sku": "HAT"}', 422, "invalid"),
    ],
)
def test_what_is_no_sheet_of_products_is_refused(
    live: LiveShop, content: str | bytes, status: int, code: str, mode: str
) -> None:
    admin = live.staff(Role.ADMIN)
    problem(send(admin, content, mode=mode), status, code)


def test_a_refusal_to_read_names_line_and_column(live: LiveShop) -> None:
    told = problem(send(live.staff(Role.ADMIN), HEADER + HAT + "CAP,C\0p,,,"), 400, "malformed-csv")
    assert (told["line"], told["column"]) == (3, "name")
    assert told["detail"] == "Line 3, column name: it contains the control character U+0000."


def test_options_are_checked(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    for options in ({"mode": "some"}, {"dry_run": "perhaps"}, {"dryrun": "true"}):
        problem(send(admin, HEADER, **options), 422, "invalid")
    for kind in ("application/json", "text/plain", "text/csv; charset=latin1"):
        answer = admin.post("/products/import", content=HEADER, headers={"Content-Type": kind})
        problem(answer, 415, "unsupported-type")


def test_a_file_that_is_too_large_is_refused_at_once_or_once_it_is(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    address, cookies = urlsplit(live.address), "; ".join(f"{name}={value}" for name, value in admin.cookies.items())
    for announced in (True, False):
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        connection.putrequest("POST", "/api/v1/products/import")
        connection.putheader("Content-Type", CSV)
        connection.putheader("Cookie", cookies)
        connection.putheader("Content-Length", str(MOST + 2**20 if announced else 5))
        connection.endheaders()
        connection.send(b"sku\nA")
        assert connection.getresponse().status == (413 if announced else 422)
        connection.close()


def test_a_repeated_key_gets_the_first_answer(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    headers = {"Content-Type": CSV, "Idempotency-Key": "monday"}
    for mode in ("all", "skip"):
        headers["Idempotency-Key"] = mode
        path, file = f"/products/import?mode={mode}", HEADER + HAT.replace("HAT", mode)
        first = admin.post(path, content=file, headers=headers)
        again = admin.post(path, content=file, headers=headers)
        assert counts(report(first)) == [1, 0, 0, 0]
        assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
        other = admin.post(path, content=file + "X,X,X,1,1", headers=headers)
        problem(other, 422, "idempotency-key-reused")
        unread = admin.post(path, content=HEADER + "X,X,X,x,1", headers={**headers, "Idempotency-Key": f"bad {mode}"})
        assert unread.status_code == (422 if mode == "all" else 200)
    assert skus(live) == ["all", "skip"]


def test_staff_download_what_they_may_see_and_send_it_back(live: LiveShop) -> None:
    live.hat(price="20.00", stock=3, name="=Hat", description="Straw,\n'quoted' \"twice\" 🎩")
    for role, cost in ((Role.ADMIN, True), (Role.PRODUCT_MANAGER, False), (Role.SALES_MANAGER, True)):
        client = live.staff(role)
        answer = client.get("/products/export")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="products.csv"'
        assert answer.headers["Cache-Control"].startswith("private")
        (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
        assert ("cost" in row) is cost
        assert (row["name"], row["price"], row["stock"]) == ("'=Hat", "20.00", "3")
        assert counts(report(send(client, answer.content))) == [0, 0, 1, 0]


def test_a_few_columns_are_changed_in_a_spreadsheet_by_whoever_may(live: LiveShop) -> None:
    hat = live.hat(price="20.00", stock=3)
    sku = live.store.catalog.product(product=hat).product.sku
    seller, keeper = live.staff(Role.SALES_MANAGER), live.staff(Role.PRODUCT_MANAGER)
    file = f"\ufeffsku;price;stock\r\n{sku};18.00;4\r\n"
    assert problem(send(seller, file), 422, "import-refused")["errors"] == [
        {"field": "lines.2.stock", "message": "needs the permission stock:adjust"}
    ]
    assert problem(send(keeper, file), 422, "import-refused")["errors"] == [
        {"field": "lines.2.price", "message": "needs the permission prices:write"}
    ]
    assert counts(report(send(seller, f"sku;price;stock\r\n{sku};18.00;3\r\n"))) == [0, 1, 0, 0]
    assert counts(report(send(keeper, file))) == [0, 1, 0, 0]
    assert stock(live, hat) == 4
    assert live.visitor().get(f"/products/{hat}").json()["price"] == "18.00"


def test_a_long_catalog_is_downloaded_whole(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    rows = "".join(f"S{number},Hat {number},Hats,1,1\n" for number in range(250))
    assert counts(report(send(admin, HEADER + rows))) == [250, 0, 0, 0]
    found = list(csv.DictReader(io.StringIO(exported(admin), newline="")))
    assert [row["sku"] for row in found] == [f"S{number}" for number in range(250)]
    live.store.catalog.update_product(
        by=SYSTEM, product_id=live.visitor().get("/products/hat-7").json()["id"], price=Money(200, "USD")
    )
    assert counts(report(send(admin, HEADER + rows))) == [0, 1, 249, 0]
