"""Requests that are sent again and again, over connections that break."""

from collections import Counter, defaultdict
from random import Random

from storecore.accounts.model import SYSTEM
from storecore.lists import PageRequest
from tests.crash.books import check
from tests.crash.customers import Answer, Customer, Cut, at_once, basket, order, token
from tests.crash.shop import OpenShop, Shop

SENDINGS = 5
CLIENTS = 24


def resend(open_shop: OpenShop, *, keys: int, seed: int = 0) -> str:
    """So many idempotency keys, each sent five times, a tenth of all never waiting for the answer: one order a key."""
    with open_shop() as shop:
        return _resend(shop, keys, Random(seed))


def _resend(shop: Shop, keys: int, random: Random) -> str:
    bodies = [order(*basket(shop.products, random)) for _ in range(keys)]
    sendings = [number for number in range(keys) for _ in range(SENDINGS)]
    random.shuffle(sendings)
    # The last sending of each key is heard to its end, or nothing could be said about that key.
    last = {number: position for position, number in enumerate(sendings)}
    cuttable = sorted(set(range(len(sendings))) - set(last.values()))
    cut = set(random.sample(cuttable, len(sendings) // 10))
    rude = {position for position in cut if random.random() < 0.5}
    with shop.server() as server:
        port = server.port
        signed_in = token(port)

        def client(mine: int) -> list[tuple[int, Answer]]:
            heard = []
            with Customer(port, signed_in) as customer:
                for position in range(mine, len(sendings), CLIENTS):
                    number = sendings[position]
                    wanted = ("POST", "/orders", bodies[number])
                    if position in cut:
                        with Customer(port, signed_in) as hasty:
                            hasty.send(*wanted, key=f"key {number}")
                            hasty.hang_up(rudely=position in rude)
                    else:
                        heard.append((number, _heard(customer, *wanted, key=f"key {number}")))
            return heard

        answers: dict[int, list[Answer]] = defaultdict(list)
        for heard in at_once(CLIENTS, client):
            for number, answer in heard:
                answers[number].append(answer)
    counted = Counter(answer.status for each in answers.values() for answer in each)
    assert set(counted) == {201}, dict(counted)
    assert len(answers) == keys
    told = {number: {(answer.body, answer.headers["Location"]) for answer in each} for number, each in answers.items()}
    assert all(len(each) == 1 for each in told.values()), "a key was answered in two ways"
    replayed = sum(answer.headers.get("Idempotent-Replayed") == "true" for each in answers.values() for answer in each)
    with shop.store() as store:
        orders = store.orders.everyones(by=SYSTEM, page=PageRequest(limit=1, total=True)).total
        assert orders == keys, f"{orders} orders of {keys} keys"
        check(store)
    return (
        f"{keys} keys × {SENDINGS} sendings, {len(cut)} cut ({len(rude)} by a reset): {orders} orders, "
        f"{counted[201]} answers of which {replayed} replayed, all alike; verified"
    )


def _heard(customer: Customer, method: str, path: str, body: object, *, key: str) -> Answer:
    """A connection that was idle too long is closed by the server: then ask on a new one."""
    try:
        return customer.ask(method, path, body, key=key)
    except Cut:
        return customer.ask(method, path, body, key=key)
