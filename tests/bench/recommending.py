"""``python -m tests.bench.recommending``: how well recommendations guess what is bought next, and what they cost.

Guessing: of invented customers with tastes (:mod:`tests.bench.tastes`) the last order is held back. A hit is a product
of it among the first ten: at home any, in the cart the one that was taken out of it. Beside popularity alone, chance,
somebody who knows all tastes, and the same with similar texts (TF-IDF) mixed in.
"""

import argparse
import math
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from statistics import median, quantiles

from sqlalchemy import select

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, migrate, tables
from adapters.system import utc_now, uuid7
from storecore.accounts.model import Actor
from storecore.carts.model import Cart
from storecore.catalog.model import Product, fold
from storecore.catalog.recommending import Context, Recommending
from storecore.errors import OutOfStock, ProductUnavailable
from storecore.lists import PageRequest
from storecore.ports import ProductQuery, Storage
from storecore.testing.builders import NOW, fixed_clock, usd
from tests.bench import growth
from tests.bench.tastes import Customer, Tastes

FIRST = 10
"""Recommendations that are looked at."""
LOOKS = 200
"""Customers who are recommended something in each context, to see what it costs."""

_orders = tables.orders.c

Guess = Callable[["Case"], Sequence[str]]
"""What somebody might buy next, as ids of products, the likeliest first."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A customer, what is in their cart (None: they are at home), and what they bought then."""

    customer: Customer
    bought: frozenset[str]
    cart: Sequence[Product] | None
    answer: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """A shop in which recommendations are judged."""

    tastes: Tastes
    storage: Storage

    def cases(self, *, in_cart: bool) -> Iterator[Case]:
        """One for each customer, but for those whose last order had one line when the cart is asked."""
        goods = self.tastes.goods
        for customer in self.tastes.people:
            if len(customer.orders) < 2:
                continue
            last = [goods[number] for number in customer.orders[-1]]
            bought = frozenset(goods[number].id for basket in customer.orders[:-1] for number in basket)
            if not in_cart:
                yield Case(
                    customer=customer, bought=bought, cart=None, answer=frozenset(each.id for each in last) - bought
                )
            elif len(last) > 1:
                yield Case(customer=customer, bought=bought, cart=last[:-1], answer=frozenset({last[-1].id}))

    def hit_rate(self, guess: Guess, *, in_cart: bool) -> float:
        """The share of cases in which the answer is among the first ten."""
        hits = [not case.answer.isdisjoint(guess(case)[:FIRST]) for case in self.cases(in_cart=in_cart)]
        return sum(hits) / len(hits)

    def ours(self, case: Case, *, limit: int = FIRST) -> Sequence[str]:
        """What the shop recommends."""
        return [each for each, _ in self.scored(case, limit=limit)]

    def scored(self, case: Case, *, limit: int) -> Sequence[tuple[str, float]]:
        """The same with its scores."""
        by: Actor = case.customer.user
        if case.cart is not None:
            self._fill_cart(case)
        context = Context.HOME if case.cart is None else Context.CART
        found = self._recommending.recommendations(by=by, context=context, limit=limit)
        return [(each.offer.product.id, each.score) for each in found]

    def popular(self, case: Case) -> Sequence[str]:
        """What everybody buys."""
        return [each for each in self._by_heat if each not in case.bought and each not in _in(case)][:FIRST]

    def random(self, case: Case) -> Sequence[str]:
        """Anything."""
        return Random(case.customer.user.id).sample([each.id for each in self.tastes.goods], FIRST)

    def all_knowing(self, case: Case) -> Sequence[str]:
        """What somebody would guess who knows everybody's taste: nobody can do better in the long run."""
        likely = {
            product.id: self.tastes.likelihood(case.customer, number)
            for number, product in enumerate(self.tastes.goods)
            if product.id not in case.bought and product.id not in _in(case)
        }
        return sorted(likely, key=lambda each: -likely[each])[:FIRST]

    def with_texts(self, share: float) -> Guess:
        """Ours, the first hundred in another order: similar texts count with this share."""

        def guess(case: Case) -> Sequence[str]:
            scored = self.scored(case, limit=100)
            seeds = list(case.cart) if case.cart is not None else [self._named[each] for each in sorted(case.bought)]
            like = _sum(self._vectors[seed.id] for seed in seeds)
            mixed = [((1 - share) * score + share * _cosine(like, self._vectors[each]), each) for each, score in scored]
            return [each for _, each in sorted(mixed, reverse=True)]

        return guess

    @cached_property
    def _recommending(self) -> Recommending:
        return Recommending(storage=self.storage, clock=fixed_clock(), new_id=uuid7)

    @cached_property
    def _by_heat(self) -> Sequence[str]:
        with self.storage.reading(NOW, uuid7) as unit:
            return [each.product_id for each in unit.purchases.wanted(1_000)]

    @cached_property
    def _named(self) -> Mapping[str, Product]:
        return {product.id: product for product in self.tastes.goods}

    @cached_property
    def _vectors(self) -> Mapping[str, Mapping[str, float]]:
        texts = {each.id: Counter(re.findall(r"[^\W\d]+", fold(each.name))) for each in self.tastes.goods}
        among = Counter(word for words in texts.values() for word in words)
        return {
            product_id: {word: many * math.log(len(texts) / among[word]) for word, many in words.items()}
            for product_id, words in texts.items()
        }

    def _fill_cart(self, case: Case) -> None:
        user = case.customer.user
        with self.storage.writing(NOW, uuid7) as unit:
            cart = (unit.carts.of_user(user.id) or Cart(id=uuid7(), user_id=user.id, updated_at=NOW)).emptied(at=NOW)
            for product in case.cart or ():
                cart = cart.put(product.id, 1, seen_price=usd(2000), at=NOW)
            unit.carts.save(cart)
            unit.commit()


def _in(case: Case) -> frozenset[str]:
    return frozenset(each.id for each in case.cart or ())


def _sum(vectors: Iterator[Mapping[str, float]]) -> Mapping[str, float]:
    total: Counter[str] = Counter()
    for vector in vectors:
        total.update(vector)
    return total


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    dot = sum(value * other.get(word, 0.0) for word, value in one.items())
    return dot / (math.hypot(*one.values()) * math.hypot(*other.values()) or 1.0)


def judge(tastes: Tastes, folder: Path) -> None:
    """Print the hit rates."""
    migrate(folder / "tastes.db")
    storage = SqlStorage(folder / "tastes.db", cipher=FernetCipher(["k" * 32]))
    tastes.fill(storage)
    quality = Quality(tastes=tastes, storage=storage)
    guesses: Mapping[str, Guess] = {
        "recommended": quality.ours,
        "popular": quality.popular,
        "random": quality.random,
        "all-knowing": quality.all_knowing,
        **{f"with texts, {share:.0%}": quality.with_texts(share) for share in (0.02, 0.05, 0.1, 0.2)},
    }
    print(f"{'hit rate at 10':<24}{'home':>10}{'cart':>10}")
    for name, guess in guesses.items():
        rates = (quality.hit_rate(guess, in_cart=in_cart) for in_cart in (False, True))
        print(f"{name:<24}{''.join(f'{rate:>10.3f}' for rate in rates)}", flush=True)
    storage.close()


def clock(grown: growth.Grown) -> None:
    """Print milliseconds of a look in each context, and of counting orders, in an invented shop."""
    store, random = grown.store, Random(1)
    rows = grown.rows(select(_orders.id).where(_orders.customer_id.is_not(None)).order_by(_orders.id))
    with store.storage.reading(utc_now(), uuid7) as unit:
        orders = [unit.orders.get(row[0]) for row in random.sample(rows, min(LOOKS, len(rows)))]
        customers = [unit.users.get(str(order.customer_id)) for order in orders]
    for customer, order in zip(customers, orders, strict=True):
        for line in order.lines:
            with suppress(OutOfStock, ProductUnavailable):
                store.carts.add_item(by=customer, product_id=line.product_id, quantity=1)
    print(f"\n{f'ms at {grown.orders:,} orders':<28}{'median':>10}{'p99':>10}")
    for context in Context:
        times = []
        for customer, order in zip(customers, orders, strict=True):
            started = time.perf_counter()
            store.catalog.recommendations(by=customer, context=context, product_id=order.lines[0].product_id)
            times.append(1000 * (time.perf_counter() - started))
        print(f"{context:<28}{median(times):>10.2f}{quantiles(times, n=100)[-1]:>10.2f}", flush=True)
    on_sale = store.catalog.products(query=ProductQuery(in_stock=True), page=PageRequest(limit=100)).items
    for many in (2, 100):
        items = [(offer.product.id, 1) for offer in on_sale[:many]]
        store.orders.place(by=customers[0], items=items, deliver_to=orders[0].delivery_address)
        started = time.perf_counter()
        assert store.catalog.count_purchases() == 1
        print(f"{f'count an order of {many}':<28}{1000 * (time.perf_counter() - started):>10.2f}", flush=True)


def main() -> None:
    """Print every figure."""
    asked = argparse.ArgumentParser(description="How good recommendations are, and what they cost.")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--orders", type=int, nargs="*", default=(1_000, 10_000), help="shops to measure in")
    asked.add_argument("--folder", type=Path, help="keep their databases here, and use those that are here")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for orders in options.orders:
            kept = options.folder or Path(folder)
            with growth.opened(growth.invented(kept, orders), orders) as grown:
                clock(grown)
        judge(Tastes(seed=options.seed, products=1_000, customers=1_500, circles=50), Path(folder))


if __name__ == "__main__":
    main()
