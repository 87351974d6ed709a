"""Invented purchases with a structure that can be found: people of some tastes, and things that go together.

There are circles of taste, each with a Zipf-like popularity of its own products; a customer moves in one to three of
them. What is bought in one order comes from one circle, mostly from one corner of it, but for some noise that comes
from anywhere. Shelves and names follow the circles loosely. Nobody buys a thing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate
from random import Random

from storecore.accounts.model import User
from storecore.catalog.model import Category, Product
from storecore.ports import NewId, Storage
from storecore.testing.builders import NOW, ids, make_category, make_move, make_order, make_product, make_user

NOISE = 0.2
"""Of what is bought."""
STRAY = 0.3
"""Of products that stand on another shelf, or are named otherwise, than those of their circle mostly are."""
CORNER = 8
"""Products that go together best."""
_THINGS = ("Lamp", "Rug", "Kettle", "Pan", "Tent", "Flask", "Pen", "Kite", "Bench", "Knife", "Puzzle", "Cushion")
_BRANDS = ("Alder", "Nordhavn", "Verde", "Mühlbach", "Harbour", "Bahçe", "Finch", "Østerlund")
_MATERIALS = ("oak", "steel", "linen", "stoneware", "glass", "cork", "wool", "bamboo")


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody, the circles they move in, and their orders as numbers of products, the oldest first."""

    user: User
    circles: Sequence[int]
    orders: Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Tastes:
    """A shop of ``products`` products and its customers, out of a number."""

    seed: int
    products: int
    customers: int
    circles: int

    @cached_property
    def shelves(self) -> Sequence[Category]:
        """One for two circles."""
        new_id = ids(10)
        return [make_category(new_id) for _ in range(max(1, self.circles // 2))]

    @cached_property
    def goods(self) -> Sequence[Product]:
        """The product of a number belongs to the circle of that number."""
        new_id, random = ids(1_000), self._random("goods")
        return [self._product(new_id, random, number) for number in range(self.products)]

    @cached_property
    def people(self) -> Sequence[Customer]:
        """Each with three to eight orders."""
        new_id, random = ids(1_000_000), self._random("people")
        return [self._customer(make_user(new_id), random) for _ in range(self.customers)]

    def likelihood(self, customer: Customer, number: int) -> float:
        """How likely a customer is to buy a product next, for somebody who knows how all of this was invented."""
        circle, rank = number % self.circles, number // self.circles
        likely = NOISE * _share(number, self.products)
        if circle in customer.circles:
            per_circle = self.products // self.circles
            corner = _share(rank // CORNER, -(-per_circle // CORNER)) / CORNER
            likely += (1 - NOISE) / len(customer.circles) * (0.6 * corner + 0.4 * _share(rank, per_circle))
        return likely

    def fill(self, storage: Storage) -> None:
        """Write it down; each customer's last order is left out, to be guessed."""
        new_id, random = ids(10_000_000), self._random("times")
        with storage.writing(NOW, new_id) as unit:
            for shelf in self.shelves:
                unit.categories.add(shelf)
            for product in self.goods:
                unit.products.add(product)
                unit.stock.move([make_move(new_id, product.id, 100)])
            for customer in self.people:
                unit.users.add(customer.user)
                for basket in customer.orders[:-1]:
                    bought = [self.goods[number] for number in basket]
                    at = NOW - timedelta(days=random.uniform(0, 365))
                    unit.orders.add(make_order(new_id, bought, customer=customer.user, at=at))
            unit.commit()
        counting = True
        while counting:
            with storage.writing(NOW, new_id) as unit:
                counting = unit.purchases.count(1_000) > 0
                unit.commit()

    def _product(self, new_id: NewId, random: Random, number: int) -> Product:
        circle = number % self.circles
        shelf = random.randrange(len(self.shelves)) if random.random() < STRAY else circle % len(self.shelves)
        brand = random.choice(_BRANDS) if random.random() < STRAY else _BRANDS[circle % len(_BRANDS)]
        name = f"{brand} {random.choice(_MATERIALS)} {_THINGS[shelf % len(_THINGS)]} {number}"
        return make_product(new_id, category_ids=[self.shelves[shelf].id], name=name, created_at=_opened())

    def _customer(self, user: User, random: Random) -> Customer:
        circles = random.sample(range(self.circles), random.randint(1, 3))
        had: set[int] = set()
        orders = [self._basket(random, random.choice(circles), had) for _ in range(random.randint(3, 8))]
        return Customer(user=user, circles=circles, orders=[basket for basket in orders if basket])

    def _basket(self, random: Random, circle: int, had: set[int]) -> Sequence[int]:
        per_circle = self.products // self.circles
        corner = random.choices(range(-(-per_circle // CORNER)), cum_weights=_zipf(-(-per_circle // CORNER)))[0]
        basket = []
        for _ in range(random.choice((1, 2, 2, 3, 3, 4))):
            if random.random() < NOISE:
                number = random.choices(range(self.products), cum_weights=_zipf(self.products))[0]
            elif random.random() < 0.6:
                number = min(corner * CORNER + random.randrange(CORNER), per_circle - 1) * self.circles + circle
            else:
                number = random.choices(range(per_circle), cum_weights=_zipf(per_circle))[0] * self.circles + circle
            if number not in had:
                had.add(number)
                basket.append(number)
        return basket

    def _random(self, what: str) -> Random:
        return Random(f"{self.seed} {what}")


def _opened() -> datetime:
    return NOW - timedelta(days=400)


def _share(rank: int, number: int) -> float:
    """The part of what is drawn that falls to a rank."""
    sums = _zipf(number)
    return (sums[rank] - (sums[rank - 1] if rank else 0)) / sums[-1] if rank < number else 0.0


def _zipf(number: int, known: dict[int, list[float]] = {}) -> list[float]:  # noqa: B006 - kept between calls
    if number not in known:
        known[number] = list(accumulate(1 / (rank + 3) for rank in range(number)))
    return known[number]
