"""Far more buyers than there are units, all at once."""

from collections import Counter
from contextlib import ExitStack
from random import Random

from tests.crash.books import check
from tests.crash.customers import Answer, Customer, at_once, order, token
from tests.crash.shop import OpenShop, Shop

UNITS = 20
BUYERS = 500


def race(open_shop: OpenShop, *, processes: int, seeds: range, buyers: int = BUYERS) -> str:
    """For each seed so many buyers want one of 20 units: 20 get one, and the others are told that none is left."""
    with open_shop() as shop, ExitStack() as stack:
        servers = [stack.enter_context(shop.server()) for _ in range(processes)]
        ports = [server.port for server in servers]
        signed_in = token(ports[0])
        counted: Counter[int] = Counter()
        for seed in seeds:
            counted += _once(shop, ports, signed_in, seed, buyers)
    return (
        f"{len(seeds)} × {buyers} buyers of {UNITS} units, {processes} server processes: "
        f"{counted[201]} sold, {counted[409]} told it is sold out, verified {len(seeds)} times"
    )


def _once(shop: Shop, ports: list[int], signed_in: str, seed: int, buyers: int) -> Counter[int]:
    random = Random(seed)
    with shop.store() as store:
        product = shop.product(store, f"RARE-{seed}", stock=UNITS)
    turns = [(random.choice(ports), random.random() < 0.5, random.random() < 0.5) for _ in range(buyers)]

    def buy(number: int) -> Answer:
        port, guest, keyed = turns[number]
        with Customer(port, "" if guest else signed_in) as customer:
            wanted = order((product, 1), email=f"guest{number}@shop.example" if guest else None)
            return customer.ask("POST", "/orders", wanted, key=f"{seed}-{number}" if keyed else None)

    answers = at_once(buyers, buy)
    counted = Counter(answer.status for answer in answers)
    assert counted == {201: UNITS, 409: buyers - UNITS}, f"seed {seed}: {dict(counted)}"
    sold_out = [{"product_id": product, "requested": 1, "available": 0}]
    for answer in answers:
        if answer.status == 409:
            assert (answer.json["code"], answer.json["lines"]) == ("out-of-stock", sold_out), answer.body
    with shop.store() as store:
        assert store.catalog.product(product=product).product.stock == 0
        check(store)
    return counted
