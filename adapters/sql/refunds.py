"""Refunds with their items."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from adapters.sql import tables
from adapters.sql.pages import NewestFirst
from adapters.sql.transaction import Row, Transaction, readable
from storecore.errors import NotFound
from storecore.lists import Page, PageRequest
from storecore.money import Money
from storecore.orders.refund import Disposition, Refund, RefundCause, RefundItem, RefundStatus
from storecore.ports import RefundQuery

_refunds, _items = tables.refunds.c, tables.refund_items.c
_REFUND = (
    _refunds.id,
    _refunds.order_id,
    _refunds.customer_id,
    _refunds.cause,
    _refunds.status,
    _refunds.shipping,
    _refunds.shipping_tax,
    _refunds.currency,
    _refunds.private,
    _refunds.expect_return,
    _refunds.disposition,
    _refunds.decided_by,
    _refunds.created_at,
    _refunds.decided_at,
    _refunds.received_at,
    _refunds.refunded_at,
    _refunds.payment_id,
    _refunds.payout_at,
    _refunds.payout_problem,
    _refunds.version,
)
_ITEM = (_items.refund_id, _items.line_id, _items.product_id, _items.quantity, _items.amount, _items.tax)
_CHANGING = (
    "status",
    "amount",
    "tax",
    "shipping",
    "shipping_tax",
    "private",
    "expect_return",
    "disposition",
    "decided_by",
    "decided_at",
    "received_at",
    "refunded_at",
    "payment_id",
    "payout_at",
    "payout_problem",
    "version",
)

_add = insert(tables.refunds)
_add_items = insert(tables.refund_items)
_get = select(*_REFUND).where(_refunds.id == bindparam("id"))
_of_order = (
    select(*_REFUND).where(_refunds.order_id == bindparam("order_id")).order_by(_refunds.created_at, _refunds.id)
)
_items_of = (
    select(*_ITEM)
    .where(_items.refund_id.in_(bindparam("ids", expanding=True)))
    .order_by(_items.refund_id, _items.line_id)
)
_save = (
    update(tables.refunds)
    .where(_refunds.id == bindparam("this"), _refunds.version == bindparam("version_before"))
    .values({name: bindparam(name) for name in _CHANGING})
)
_save_item = (
    update(tables.refund_items)
    .where(_items.refund_id == bindparam("this"), _items.line_id == bindparam("line"))
    .values(amount=bindparam("amount"), tax=bindparam("tax"))
)
_due = (
    select(*_REFUND)
    .where(_refunds.payout_at <= bindparam("at"))
    .order_by(_refunds.payout_at, _refunds.id)
    .limit(bindparam("most"))
    .with_for_update(key_share=True, skip_locked=True)
)
_lease = update(tables.refunds).where(_refunds.id == bindparam("this")).values(payout_at=bindparam("until"))

_list = NewestFirst(
    _REFUND,
    at=_refunds.created_at,
    id_=_refunds.id,
    conditions={
        "customer_id": _refunds.customer_id == bindparam("customer_id"),
        "order_id": _refunds.order_id == bindparam("order_id"),
        "status": _refunds.status == bindparam("status"),
    },
)


class SqlRefunds:
    """The ``Refunds`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, refund: Refund) -> None:
        """Two statements."""
        values = {
            "id": refund.id,
            "order_id": refund.order_id,
            "customer_id": refund.customer_id,
            "cause": str(refund.cause),
            "currency": refund.shipping.currency,
            "created_at": refund.created_at,
            **self._changing(refund),
        }
        self._transaction.write(_add, values)
        items = [
            {
                "refund_id": refund.id,
                "line_id": item.line_id,
                "product_id": item.product_id,
                "quantity": item.quantity,
                "amount": item.amount.minor,
                "tax": item.tax.minor,
            }
            for item in refund.items
        ]
        self._transaction.write(_add_items, items)

    def get(self, refund_id: str) -> Refund:
        """Raises ``NotFound``."""
        found = self._whole(self._transaction.rows(_get, {"id": refund_id}))
        if not found:
            raise NotFound("There is no such refund.")
        return found[0]

    def of_order(self, order_id: str) -> Sequence[Refund]:
        """Oldest first."""
        return self._whole(self._transaction.rows(_of_order, {"order_id": order_id}))

    def save(self, refund: Refund) -> None:
        """Raises ``Contention``."""
        values = {"this": refund.id, "version_before": refund.version - 1, **self._changing(refund)}
        self._transaction.save(_save, values)
        amounts = [
            {"this": refund.id, "line": item.line_id, "amount": item.amount.minor, "tax": item.tax.minor}
            for item in refund.items
        ]
        self._transaction.write(_save_item, amounts)

    def page(self, query: RefundQuery, page: PageRequest) -> Page[Refund]:
        """Newest first."""
        given = {each.name: getattr(query, each.name) for each in fields(query)}
        return _list.page(self._transaction, page, self._whole, **given)

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Refund]:
        """Locks those it returns and skips those that others have locked."""
        self._transaction.check_writable()
        rows = self._transaction.rows(_due, {"at": at, "most": limit})
        self._transaction.write(_lease, [{"this": row[0], "until": until} for row in rows])
        return [
            replace(refund, payout_at=until.astimezone(UTC))
            for (refund,) in readable(lambda row: self._whole([row]), rows)
        ]

    def _changing(self, refund: Refund) -> dict[str, Any]:
        private = {"reason": refund.reason, "decision_note": refund.decision_note}
        return {
            "status": str(refund.status),
            "amount": refund.amount.minor,
            "tax": refund.tax.minor,
            "shipping": refund.shipping.minor,
            "shipping_tax": refund.shipping_tax.minor,
            "private": self._transaction.seal("refunds.private", refund.id, private),
            "expect_return": refund.expect_return,
            "disposition": refund.disposition and str(refund.disposition),
            "decided_by": refund.decided_by,
            "decided_at": refund.decided_at,
            "received_at": refund.received_at,
            "refunded_at": refund.refunded_at,
            "payment_id": refund.payment_id,
            "payout_at": refund.payout_at,
            "payout_problem": refund.payout_problem,
            "version": refund.version,
        }

    def _whole(self, rows: Sequence[Row]) -> Sequence[Refund]:
        if not rows:
            return ()
        items = self._transaction.rows(_items_of, {"ids": [row[0] for row in rows]})
        by_refund = {refund_id: list(group) for refund_id, group in groupby(items, key=itemgetter(0))}
        return [
            _refund(row, by_refund.get(row[0], ()), self._transaction.unseal("refunds.private", row[0], row[8]))
            for row in rows
        ]


def _refund(row: Row, items: Sequence[Row], private: Mapping[str, Any]) -> Refund:
    (
        id_,
        order_id,
        customer_id,
        cause,
        status,
        shipping,
        shipping_tax,
        currency,
        _,
        expect_return,
        disposition,
        decided_by,
        created_at,
        decided_at,
        received_at,
        refunded_at,
        payment_id,
        payout_at,
        payout_problem,
        version,
    ) = row
    return Refund(
        id=id_,
        order_id=order_id,
        customer_id=customer_id,
        cause=RefundCause(cause),
        status=RefundStatus(status),
        items=tuple(_item(item, currency) for item in items),
        shipping=Money(shipping, currency),
        shipping_tax=Money(shipping_tax, currency),
        reason=private["reason"],
        expect_return=bool(expect_return),
        disposition=Disposition(disposition) if disposition else None,
        decision_note=private["decision_note"],
        decided_by=decided_by,
        created_at=created_at,
        decided_at=decided_at,
        received_at=received_at,
        refunded_at=refunded_at,
        payment_id=payment_id,
        payout_at=payout_at,
        payout_problem=payout_problem,
        version=version,
    )


def _item(row: Row, currency: str) -> RefundItem:
    _, line_id, product_id, quantity, amount, tax = row
    return RefundItem(
        line_id=line_id,
        product_id=product_id,
        quantity=quantity,
        amount=Money(amount, currency),
        tax=Money(tax, currency),
    )
