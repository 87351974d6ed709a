"""What is bought together."""

from collections.abc import Iterable, Iterator, Sequence, Set

from adapters.memory.tables import Repository
from storecore.catalog.affinity import Demand, Neighbour, weight
from storecore.orders.model import Order, Status

_LAST_ORDERS = 10


class MemoryPurchases(Repository):
    """Counts that are kept by product."""

    def waiting(self) -> bool:
        """Whether there is anything to count."""
        return any(True for _ in self._tables.to_count.items())

    def count(self, limit: int) -> int:
        """The newest first."""
        draft = self._draft
        waiting = (draft.orders.get(order_id) for order_id, _ in draft.to_count.items())
        found = sorted((each for each in waiting if each), key=lambda each: (each.created_at, each.id), reverse=True)
        for order in found[:limit]:
            self._add(order, 1 if order.counts else -1)
            if order.counts:
                draft.counted.put(order.id, True)
            else:
                draft.counted.drop(order.id)
            draft.to_count.drop(order.id)
        return len(found[:limit])

    def together(self, product_ids: Sequence[str], limit: int) -> Sequence[Neighbour]:
        """The most often first."""
        tables, found = self._tables, []
        for seed_id in product_ids:
            others = (tables.copurchases.get(seed_id) or {}).items()
            most = sorted(((orders, other_id) for other_id, orders in others if orders > 0), reverse=True)
            seed = tables.demand.get(seed_id)
            for orders, other_id in most[:limit]:
                other = tables.demand.get(other_id)
                if seed is not None and other is not None and self._is_on_sale(other_id):
                    found.append(Neighbour(seed_id=seed_id, seed_orders=seed.orders, together=orders, other=other))
        return found

    def wanted(self, limit: int) -> Sequence[Demand]:
        """Looks through everything that was bought."""
        return self._on_sale(_hottest(self._tables.demand.rows())[:limit])

    def wanted_in(self, category_ids: Sequence[str], limit: int) -> Sequence[Demand]:
        """Looks through every product."""
        filed: set[str] = set()
        for category_id in category_ids:
            ids = (each.id for each in self._tables.products.rows() if category_id in each.category_ids)
            filed.update(sorted(ids, reverse=True)[:limit])
        demands = (self._tables.demand.get(each) for each in filed)
        return self._on_sale(_hottest(each for each in demands if each is not None))

    def lately(self, customer_id: str, limit: int) -> Sequence[str]:
        """Looks through every order."""
        last = sorted(self._of(customer_id), key=lambda each: (each.created_at, each.id), reverse=True)[:_LAST_ORDERS]
        return list(dict.fromkeys(line.product_id for order in last for line in order.lines))[:limit]

    def bought(self, customer_id: str, product_ids: Iterable[str]) -> Set[str]:
        """Looks through every order."""
        return {line.product_id for order in self._of(customer_id) for line in order.lines} & set(product_ids)

    def _add(self, order: Order, sign: int) -> None:
        draft, products = self._draft, set(order.quantities)
        for product_id in products:
            old = draft.demand.get(product_id) or Demand(product_id=product_id, orders=0, heat=0.0)
            heat = old.heat + sign * weight(order.created_at)
            draft.demand.put(product_id, Demand(product_id=product_id, orders=old.orders + sign, heat=heat))
            others = draft.copurchases.get(product_id) or {}
            changed = {other_id: others.get(other_id, 0) + sign for other_id in products - {product_id}}
            draft.copurchases.put(product_id, {**others, **changed})

    def _of(self, customer_id: str) -> Iterator[Order]:
        orders = self._tables.orders.rows()
        return (each for each in orders if each.customer_id == customer_id and each.status is not Status.CANCELLED)

    def _on_sale(self, demands: Iterable[Demand]) -> Sequence[Demand]:
        return [each for each in demands if self._is_on_sale(each.product_id)]

    def _is_on_sale(self, product_id: str) -> bool:
        product, shelf = self._tables.products.get(product_id), self._tables.shelves.get(product_id)
        return product is not None and product.is_active and shelf is not None and shelf.on_hand > 0


def _hottest(demands: Iterable[Demand]) -> list[Demand]:
    wanted = (each for each in demands if each.heat > 0)
    return sorted(wanted, key=lambda each: (each.heat, each.product_id), reverse=True)
