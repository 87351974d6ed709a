"""Servers that are killed in the middle of their work."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from random import Random
from threading import Event

from storecore.orders.model import Status
from storecore.store import Store
from tests.crash.books import check, everything
from tests.crash.customers import Answer, Customer, Cut, basket, order, token
from tests.crash.shop import PATIENCE, OpenShop, Server, Shop

SHOPPERS = 6
LONGEST_LOAD = 0.4
"""Seconds between the first answer after a start and the kill, at most."""
KILLS_A_SHOP = 25
"""Then comes a new shop, so that proving everything each time stays quick."""
PAUSE = 0.1


class Shopper:
    """Places orders, cancels some, and remembers what was acknowledged.

    What was sent and not answered is sent again, with the same key, before anything else.
    """

    def __init__(self, name: str, products: Sequence[str], random: Random) -> None:
        self.acknowledged: dict[str, Status] = {}
        self.counted: Counter[str] = Counter()
        self.slowest_refusal = 0.0
        self._name, self._products, self._random = name, products, random
        self._wish: tuple[str, object, str] | None = None

    def shop(self, port: int, signed_in: str, served: Event, closing: Event) -> None:
        """Go on until the connection breaks, or until the shop closes and nothing is left unanswered."""
        hopeless = time.monotonic() + PATIENCE
        try:
            with Customer(port, signed_in) as customer:
                while self._wish or not closing.is_set():
                    path, body, key = self._wish = self._wish or self._next()
                    answer = customer.ask("POST", path, body, key=key)
                    if answer.later:
                        assert time.monotonic() < hopeless, answer.body
                        self.counted["told to come back"] += 1
                        self.slowest_refusal = max(self.slowest_refusal, answer.seconds)
                        time.sleep(PAUSE)
                        continue
                    self._note(path, answer)
                    self._wish = None
                    served.set()
                    hopeless = time.monotonic() + PATIENCE
        except Cut:
            self.counted["cut"] += 1
        except AssertionError:
            self.counted["let down"] += 1
            raise
        finally:
            served.set()

    def _next(self) -> tuple[str, object, str]:
        self.counted["wishes"] += 1
        key = f"{self._name} {self.counted['wishes']}"
        mine = [made for made, status in self.acknowledged.items() if status is Status.PENDING]
        if mine and self._random.random() < 0.2:
            return f"/orders/{self._random.choice(mine)}/cancel", {}, key
        return "/orders", order(*basket(self._products, self._random)), key

    def _note(self, path: str, answer: Answer) -> None:
        assert answer.status == (201 if path == "/orders" else 200), (path, answer.status, answer.body)
        self.acknowledged[answer.json["id"]] = Status(answer.json["status"])
        self.counted["served"] += 1
        self.counted["replayed"] += answer.headers.get("Idempotent-Replayed") == "true"


class Crowd:
    """The shoppers of one shop, who come back after each kill."""

    def __init__(self, shop: Shop, seed: int, size: int = SHOPPERS) -> None:
        self.shop = shop
        self.shoppers = [Shopper(f"{seed}-{n}", shop.products, Random(f"{seed} {n}")) for n in range(size)]
        self.signed_in = ""

    @contextmanager
    def shopping(self, port: int) -> Iterator[Event]:
        """All of them at work on a server until the block ends, and then until each has its answer or is cut off.

        The event is set as soon as one was served, or cut off.
        """
        self.signed_in = self.signed_in or token(port)
        served, closing = Event(), Event()
        visits = []
        try:
            with ThreadPoolExecutor(len(self.shoppers)) as pool:
                visits = [pool.submit(each.shop, port, self.signed_in, served, closing) for each in self.shoppers]
                try:
                    yield served
                finally:
                    closing.set()
        finally:
            for visit in visits:
                visit.result()  # what went wrong there says more than what came of it here

    @property
    def counted(self) -> Counter[str]:
        """What happened to all of them."""
        return sum((shopper.counted for shopper in self.shoppers), Counter())

    @property
    def acknowledged(self) -> dict[str, Status]:
        """The last status that each order was acknowledged in."""
        return {made: status for each in self.shoppers for made, status in each.acknowledged.copy().items()}

    def prove(self, store: Store, *, settled: bool = False) -> None:
        """Every acknowledged order is as it was acknowledged, the books are in order, and, once ``settled``, no order
        was made twice.
        """
        found = {order.id: order.status for order in everything(store)}
        known = self.acknowledged
        lost = {made: status for made, status in known.items() if made not in found}
        assert not lost, f"{len(lost)} acknowledged orders are missing: {lost}"
        # A cancellation that was sent, carried out and not answered is known to the shop alone.
        differing = [made for made, status in known.items() if found[made] not in {status, Status.CANCELLED}]
        assert not differing, f"orders are not as they were acknowledged: {differing}"
        unknown = found.keys() - known.keys()
        assert len(unknown) <= (0 if settled else len(self.shoppers)), f"{len(unknown)} orders nobody was told of"
        if settled:
            assert found == known, "orders are not as they were acknowledged"
        check(store)


def kill_servers(open_shop: OpenShop, *, kills: int, seed: int = 0) -> str:
    """So often, kill the server while orders are placed, and prove the books while it comes back.

    Each fourth time only the process that answers is killed, and the one above it has to bring another.
    """
    counted: Counter[str] = Counter()
    for first in range(0, kills, KILLS_A_SHOP):
        with open_shop() as shop:
            counted += _kill_often(shop, Random(f"{seed} {first}"), min(KILLS_A_SHOP, kills - first))
    return (
        f"{kills} kills of the server: {counted['orders']} orders, {counted['cut']} requests cut, "
        f"{counted['replayed']} of them had been carried out, "
        f"{counted['told to come back']} told to come back later; nothing lost or doubled, verified {kills} times"
    )


def _kill_often(shop: Shop, random: Random, kills: int) -> Counter[str]:
    crowd = Crowd(shop, random.randrange(10**6))
    with ExitStack() as stack:
        server = stack.enter_context(shop.server())
        for number in range(kills):
            with crowd.shopping(server.port) as served:
                assert served.wait(PATIENCE), "nobody was served"
                time.sleep(random.uniform(0, LONGEST_LOAD))
                if number % 4 == 3:
                    server.kill_workers()
                else:
                    server.kill()
            if not server.running:
                server = stack.enter_context(shop.server())  # comes back while the books are looked at
            with shop.store() as store:
                crowd.prove(store)
        _settle(crowd, server)
    counted = crowd.counted
    counted["orders"] = len(crowd.acknowledged)
    return counted


def _settle(crowd: Crowd, server: Server) -> None:
    """Everybody gets the answer they still wait for."""
    with crowd.shopping(server.port):
        pass
    with crowd.shop.store() as store:
        crowd.prove(store, settled=True)
