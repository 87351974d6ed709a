"""Fills a database with an invented shop of any size: for development, and to see how things grow."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypedDict, Unpack, cast

from sqlalchemy import Connection, Executable, text
from sqlalchemy.engine import URL

from adapters.sql.accounts import SqlUsers
from adapters.sql.categories import SqlCategories
from adapters.sql.credit_notes import SqlCreditNotes
from adapters.sql.databases import Database, open_database
from adapters.sql.dialect import Refusals
from adapters.sql.insight import SqlInsight
from adapters.sql.inventing import Invention, new_id
from adapters.sql.invoices import SqlInvoices
from adapters.sql.orders import SqlOrders
from adapters.sql.products import SqlProducts
from adapters.sql.purchases import SqlPurchases
from adapters.sql.refunds import SqlRefunds
from adapters.sql.returning import credit_note, returned
from adapters.sql.stock import SqlStock
from adapters.sql.transaction import Row, Transaction, Values
from storecore.carts.model import MAX_LINES
from storecore.catalog.english import ENGLISH
from storecore.catalog.model import PriceChange, Product, StockMove, StockReason
from storecore.catalog.words import Language
from storecore.errors import Conflict
from storecore.orders.model import Invoice, Order, Party, Status
from storecore.ports import Cipher

Progress = Callable[[str, int, int], None]
"""Is told what is being made, how many there are, and how many there will be."""

_AT_ONCE = 2_000
"""Entities whose rows are sent together."""
_TOGETHER = 25 * _AT_ONCE
"""Entities that are committed together: rows scattered over large indexes cost least when many come at once."""
_PATIENCE = 60.0
_NONE: Refusals = {}


def generate(
    where: str | Path | URL,
    invention: Invention,
    *,
    cipher: Cipher,
    progress: Progress,
    language: Language = ENGLISH,
) -> None:
    """Write an invented shop into a migrated database, beside what is there; its texts are found as in ``language``.

    Whenever it is stopped, a smaller shop is left in which everything adds up. Raises ``Conflict`` if there is an
    invented shop already.
    """
    database = open_database(where, pool_size=1, patience=_PATIENCE)
    shelves = _Shelves(invention.seed)

    @contextmanager
    def writing() -> Iterator[_Gathered]:
        with database.writing() as connection:
            _make_room(connection)
            rows = _Gathered(connection, cipher=cipher, now=invention.until, writable=True)
            yield rows
            rows.commit()

    try:
        with writing() as rows:
            _open(rows, invention)
        for some in _parts(range(invention.products), _TOGETHER):
            with writing() as rows:
                for few in _parts(some, _AT_ONCE):
                    _add_products(rows, invention, few, shelves, language)
                    progress("products", few.stop, invention.products)
        for some in _parts(range(invention.orders), _TOGETHER):
            with writing() as rows:
                sequences = count(SqlInvoices(rows).next_sequence())
                note_sequences = count(SqlCreditNotes(rows).next_sequence())
                for few in _parts(some, _AT_ONCE):
                    _add_orders(rows, invention, few, shelves, sequences=sequences, note_sequences=note_sequences)
                    progress("orders", few.stop, invention.orders)
        for some in _parts(range(invention.orders), _TOGETHER):
            with writing() as rows:
                SqlPurchases(rows).count(len(some), pairs=len(some) * MAX_LINES**2)
                progress("counted orders", some.stop, invention.orders)
        with database.migrating() as connection:
            _take_stock(connection)
        _roll_up(database, invention, cipher, progress)
    finally:
        database.close()


class _Gathered(Transaction):
    """Keeps the rows of each statement and sends them many at a time. What was not sent yet is not found."""

    def __init__(self, connection: Connection, **others: Any) -> None:
        super().__init__(connection, **others)
        self._waiting: dict[Executable, tuple[list[Values], Refusals]] = {}

    def write(self, statement: Executable, values: Values | Sequence[Values], *, refuses: Refusals = _NONE) -> int:
        """Keep rows; how many."""
        rows: list[Values] = values if isinstance(values, list) else [cast(Values, values)]
        self._waiting.setdefault(statement, ([], refuses))[0].extend(rows)
        return len(rows)

    def returned(self, statement: Executable, values: Values) -> Sequence[Row]:
        """Send what was kept, then this."""
        self.send()
        return super().returned(statement, values)

    def send(self) -> None:
        """Send what was kept, statement after statement in the order of their first rows."""
        for statement, (rows, refuses) in self._waiting.items():
            super().write(statement, rows, refuses=refuses)
        self._waiting.clear()

    def commit(self) -> None:
        """Send what was kept, and make everything lasting."""
        self.send()
        super().commit()


class _About(TypedDict, total=False):
    note: str
    order_id: str
    actor_id: str | None


class _Shelves:
    """What can be sold, and moves that are not written yet.

    What a cancelled order brings back stays on the shelf: it may come back after the next order was placed.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed} shelves")  # noqa: S311 - an invention is no secret
        self._left: dict[str, int] = {}
        self._arrived: list[StockMove] = []
        self._sold: list[StockMove] = []

    def open(self, product: Product) -> None:
        """Fill the shelf of a new product."""
        many = self._random.randint(5, 60)
        self._arrived.append(self._move(product.id, many, StockReason.OPENING, product.created_at))
        self._left[product.id] = many

    def sell(self, order: Order) -> None:
        """Take what was ordered; where there is too little, a delivery has come just before."""
        for line in order.lines:
            if self._left[line.product_id] < line.quantity:
                many, before = self._random.randint(20, 200), order.created_at - timedelta(seconds=1)
                delivery = self._move(line.product_id, many, StockReason.ADJUSTMENT, before, note="Delivery")
                self._arrived.append(delivery)
                self._left[line.product_id] += many
            self._left[line.product_id] -= line.quantity
        self._carry(order, -1, StockReason.SALE)
        if order.status is Status.CANCELLED:
            self._carry(order, 1, StockReason.CANCELLATION)

    def write(self, stock: SqlStock) -> None:
        """Write every move since the last time."""
        stock.move(self._arrived)
        stock.move(self._sold, sold=True)
        self._arrived, self._sold = [], []

    def _carry(self, order: Order, sign: int, reason: StockReason) -> None:
        entry = order.history[0 if reason is StockReason.SALE else -1]
        about: _About = {"note": order.number, "order_id": order.id, "actor_id": entry.actor_id}
        self._sold += [
            self._move(line.product_id, sign * line.quantity, reason, entry.at, **about) for line in order.lines
        ]

    def _move(
        self, product_id: str, change: int, reason: StockReason, at: datetime, **about: Unpack[_About]
    ) -> StockMove:
        move_id = new_id(at, self._random)
        return StockMove(id=move_id, product_id=product_id, change=change, reason=reason, at=at, **about)


def _open(rows: _Gathered, invention: Invention) -> None:
    users = SqlUsers(rows)
    if users.by_email(invention.packer.email):
        raise Conflict("There is an invented shop in this database already.")
    users.add(invention.packer)
    categories = SqlCategories(rows)
    for category in invention.categories:
        categories.add(category)


def _add_products(rows: _Gathered, invention: Invention, numbers: range, shelves: _Shelves, language: Language) -> None:
    products, until = SqlProducts(rows, language), invention.until
    for number in numbers:
        product = invention.product(number)
        products.add(product)
        edges = (product.discount.starts_at, product.discount.ends_at) if product.discount else ()
        moments = [product.created_at, *(at for at in edges if at is not None and at <= until)]
        products.add_prices(
            PriceChange(product_id=product.id, at=at, price=product.price, final_price=product.final_price(at))
            for at in moments
        )
        shelves.open(product)
    shelves.write(SqlStock(rows))


def _add_orders(
    rows: _Gathered,
    invention: Invention,
    numbers: range,
    shelves: _Shelves,
    *,
    sequences: Iterator[int],
    note_sequences: Iterator[int],
) -> None:
    users, orders, invoices = SqlUsers(rows), SqlOrders(rows), SqlInvoices(rows)
    refunds, credit_notes = SqlRefunds(rows), SqlCreditNotes(rows)
    for number in range(invention.customers(numbers.start), invention.customers(numbers.stop)):
        users.add(invention.customer(number)[0])
    for number in numbers:
        order = invention.order(number)
        refund = returned(order, invention.until)
        orders.add(order.refund(refund.amount) if refund else order)
        shelves.sell(order)
        if order.status is Status.CANCELLED:
            continue
        invoice = _invoice(invention, order, next(sequences))
        invoices.add(invoice)
        if refund:
            refunds.add(refund)
            credit_notes.add(credit_note(refund, invoice, next(note_sequences)))
    shelves.write(SqlStock(rows))


def _invoice(invention: Invention, order: Order, sequence: int) -> Invoice:
    """As the worker would have issued it a moment after the order."""
    shop, at = invention.shop, min(order.created_at + timedelta(seconds=1), invention.until)
    return Invoice(
        id=new_id(at, Random(order.id)),  # noqa: S311 - an invention is no secret
        sequence=sequence,
        order_id=order.id,
        issued_at=at,
        seller=Party(name=shop.name, address=shop.address, tax_id=shop.tax_id),
        buyer=Party(name=order.customer_name, address=order.delivery_address.lines, email=order.email),
        total=order.total,
    )


def _roll_up(database: Database, invention: Invention, cipher: Cipher, progress: Progress) -> None:
    """What the worker would have done meanwhile."""
    done, left = 0, True
    while left:
        with database.writing() as connection:
            _make_room(connection)
            insight = SqlInsight(Transaction(connection, cipher=cipher, now=invention.until, writable=True))
            done += insight.roll_up(invention.shop.timezone, _TOGETHER)
            left = bool(waiting := insight.to_roll_up(invention.shop.timezone))
            connection.commit()
        progress("papers", done, done + waiting)


def _parts(numbers: range, size: int) -> Iterator[range]:
    return (numbers[begin : begin + size] for begin in range(0, len(numbers), size))


def _make_room(connection: Connection) -> None:
    """Let SQLite keep the pages of large indexes in memory until the commit.

    Let PostgreSQL use them: its plans are made while tables are small, and kept until they are large.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA cache_size = -262144"))  # KiB
    else:
        connection.execute(text("SET LOCAL enable_seqscan = off"))


def _take_stock(connection: Connection) -> None:
    """Let PostgreSQL count what there is now; it would do so by itself, but later."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))
        connection.commit()
