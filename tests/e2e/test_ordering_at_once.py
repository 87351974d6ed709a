"""Many customers at once in one server process."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx

from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop, problem
from tests.e2e.goods import ADDRESS, order_of, stock

THREADS = 64


def at_once(calls: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Make these calls at the same moment; their answers."""
    start = Barrier(len(calls))

    def call(wanted: Callable[[], httpx.Response]) -> httpx.Response:
        start.wait(60)
        return wanted()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def codes(answers: Sequence[httpx.Response]) -> Counter[str]:
    return Counter("201" if answer.status_code == 201 else answer.json()["code"] for answer in answers)


def buyer(live: LiveShop, number: int, *items: tuple[str, int]) -> Callable[[], httpx.Response]:
    client, body = live.visitor(), order_of(*items, email=f"guest{number}@example.com")
    return lambda: client.post("/orders", json=body)


def test_ten_units_make_ten_of_fifty_buyers_happy(live: LiveShop) -> None:
    hat = live.hat(stock=10)
    answers = at_once([buyer(live, i, (hat, 1)) for i in range(50)])
    assert codes(answers) == {"201": 10, "out-of-stock": 40}
    assert stock(live, hat) == 0


def test_orders_of_the_same_goods_in_opposite_order_never_fail_for_each_other(live: LiveShop) -> None:
    hat, cap = live.hat(stock=100), live.hat(stock=100)
    answers = at_once(
        [buyer(live, i, *(((hat, 1), (cap, 1)) if i % 2 else ((cap, 1), (hat, 1)))) for i in range(THREADS)]
    )
    assert codes(answers) == {"201": THREADS}
    assert (stock(live, hat), stock(live, cap)) == (100 - THREADS, 100 - THREADS)


def test_twenty_parallel_duplicates_make_one_order_and_get_one_answer(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    token = customer.cookies["access_token"]
    clients = [live.visitor(Authorization=f"Bearer {token}", Idempotency_Key="one") for _ in range(20)]
    answers = at_once([lambda client=client: client.post("/orders", json=order_of((hat, 2))) for client in clients])  # type: ignore[misc] # mypy can't infer a lambda's default
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    replayed = Counter(answer.headers.get("Idempotent-Replayed") for answer in answers)
    assert replayed == {None: 1, "true": 19}
    assert stock(live, hat) == 8
    other = customer.post("/orders", json=order_of((hat, 1)), headers={"Idempotency-Key": "one"})
    problem(other, 422, "idempotency-key-reused")
    assert customer.post("/orders", json=order_of((hat, 1)), headers={"Idempotency-Key": "two"}).status_code == 201


def test_a_refusal_is_judged_afresh_when_it_is_sent_again(live: LiveShop) -> None:
    hat, customer, keeper = live.hat(stock=0), live.customer(), live.staff(Role.PRODUCT_MANAGER)
    key = {"Idempotency-Key": "patience"}
    problem(customer.post("/orders", json=order_of((hat, 1)), headers=key), 409, "out-of-stock")
    assert keeper.post(f"/products/{hat}/stock", json={"change": 1, "reason": "found"}).status_code == 200
    assert customer.post("/orders", json=order_of((hat, 1)), headers=key).status_code == 201
    for bad in (b"", b"x" * 256, b"caf\xe9"):
        answer = customer.post("/orders", json=order_of((hat, 1)), headers=[(b"Idempotency-Key", bad)])
        problem(answer, 400, "invalid-idempotency-key")


def test_a_guests_key_is_their_own(live: LiveShop) -> None:
    hat = live.hat()
    bodies = [order_of((hat, 1), email=f"guest{i}@example.com") for i in range(2)]
    answers = [live.visitor().post("/orders", json=body, headers={"Idempotency-Key": "1"}) for body in bodies]
    assert codes(answers) == {"201": 2}
    again = live.visitor().post("/orders", json=bodies[0], headers={"Idempotency-Key": "1"})
    assert again.json() == answers[0].json()
    assert stock(live, hat) == 8


def test_one_cart_is_bought_once_however_often_it_is_checked_out_at_once(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    assert customer.post("/cart/items", json={"product_id": hat, "quantity": 2}).status_code == 200
    clients = [live.visitor(Authorization=f"Bearer {customer.cookies['access_token']}") for _ in range(8)]
    answers = at_once(
        [lambda client=client: client.post("/cart/checkout", json={"delivery_address": ADDRESS}) for client in clients]  # type: ignore[misc] # mypy can't infer a lambda's default
    )
    assert codes(answers) == {"201": 1, "cart-empty": 7}
    assert stock(live, hat) == 8


def test_products_that_are_put_in_at_once_all_end_up_in_the_cart(live: LiveShop) -> None:
    hat, customer = live.hat(stock=100), live.customer()
    clients = [live.visitor(Authorization=f"Bearer {customer.cookies['access_token']}") for _ in range(16)]
    item = {"product_id": hat, "quantity": 1}
    answers = at_once([lambda client=client: client.post("/cart/items", json=item) for client in clients])  # type: ignore[misc] # mypy can't infer a lambda's default
    assert {answer.status_code for answer in answers} == {200}
    assert [line["quantity"] for line in customer.get("/cart").json()["items"]] == [16]


def test_of_two_staff_who_move_one_order_one_wins(live: LiveShop) -> None:
    hat, customer, vendor = live.hat(), live.customer(), live.staff(Role.VENDOR)
    order = customer.post("/orders", json=order_of((hat, 1))).json()
    token = vendor.cookies["access_token"]
    clients = [live.visitor(Authorization=f"Bearer {token}") for _ in range(8)]
    path = f"/orders/{order['id']}/status"
    answers = at_once([lambda client=client: client.patch(path, json={"status": "confirmed"}) for client in clients])  # type: ignore[misc] # mypy can't infer a lambda's default
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert len(customer.get(f"/orders/{order['id']}").json()["history"]) == 2


def test_an_order_that_is_cancelled_many_times_at_once_is_restocked_once(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    order = customer.post("/orders", json=order_of((hat, 3))).json()
    clients = [live.visitor(Authorization=f"Bearer {customer.cookies['access_token']}") for _ in range(8)]
    path = f"/orders/{order['id']}/cancel"
    answers = at_once([lambda client=client: client.post(path) for client in clients])  # type: ignore[misc] # mypy can't infer a lambda's default
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert stock(live, hat) == 10
