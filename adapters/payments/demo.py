"""A bank to play with: test numbers, a page for the second step, signed events, and no money.

It keeps its books in a SQLite file of its own, so that several processes and restarts see the same payments. No number
is kept.
"""

import hmac
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex, token_urlsafe
from types import MappingProxyType

from storecore.errors import EventForged, NotFound, PayoutRefused, ProviderDown
from storecore.money import Money
from storecore.orders.model import Order
from storecore.orders.payment import Outcome, Payment, PaymentState, ProviderEvent
from storecore.orders.refund import Refund

SUCCEEDS = "4242424242424242"
SECOND_STEP = "4000002500003155"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
LOST_ANSWER = "4000000000000408"
NEVER_ARRIVED = "4000000000000503"

NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        SUCCEEDS: "is charged",
        SECOND_STEP: "is charged once the customer has approved it on the bank's page",
        DECLINED: "is declined",
        NO_FUNDS: "is declined for want of funds",
        LOST_ANSWER: "is charged, but the answer is lost: the worker finds out",
        NEVER_ARRIVED: "is not charged, since the bank does not answer",
    }
)
"""Every test number, and what happens to it. Any other is declined."""

TOLERANCE = timedelta(minutes=5)
SIGNATURE = "Demo-Signature"

_FAILURES = {DECLINED: "The card was declined.", NO_FUNDS: "The card has insufficient funds."}
_GIVEN_UP = "The payment was given up."
_REJECTED = "The payment was rejected on the bank's page."

_TABLES = """
CREATE TABLE IF NOT EXISTS secrets (one INTEGER PRIMARY KEY CHECK (one = 1), secret TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS payments (
    reference TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,
    failure TEXT,
    charges INTEGER NOT NULL DEFAULT 0 CHECK (charges <= 1)
) STRICT;
CREATE TABLE IF NOT EXISTS refunds (
    refund_id TEXT PRIMARY KEY,
    reference TEXT NOT NULL REFERENCES payments (reference),
    amount INTEGER NOT NULL
) STRICT;
"""

WAITING = "waiting"
"""Nobody has given a card yet."""

CHALLENGED = "challenged"
"""The customer has to approve it on the bank's page."""


class DemoPayments:
    """The ``PaymentProvider`` port for development and tests: nothing is ever charged, so production refuses it.

    ``page`` is the address of the bank's own page, to which a reference is appended.
    """

    def __init__(self, path: Path, *, page: str = "http://127.0.0.1:8000/demo-bank") -> None:
        self._path = path
        self._page = page
        self._opened = False

    @property
    def numbers(self) -> Mapping[str, str]:
        """Every test number, and what happens to it."""
        return NUMBERS

    def prepare(self, payment: Payment, order: Order) -> str:
        """A reference that nobody can guess, since whoever has it may pay."""
        with self._books() as books:
            books.execute(
                "INSERT INTO payments (reference, payment_id, title, amount, currency, state) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (payment_id) DO NOTHING",
                (
                    f"demo_{token_urlsafe(18)}",
                    payment.id,
                    order.number,
                    payment.amount.minor,
                    payment.amount.currency,
                    WAITING,
                ),
            )
            found = books.execute("SELECT reference FROM payments WHERE payment_id = ?", (payment.id,)).fetchone()
        return str(found[0])

    def take(self, payment: Payment, token: str | None) -> Outcome:
        """``token`` is one of the :data:`NUMBERS`."""
        return self.charge(payment.reference or "", token) if token else self.look_up(payment)

    def look_up(self, payment: Payment) -> Outcome:
        """As the books say."""
        with self._books() as books:
            return self._outcome(books, payment.reference or "")

    def abandon(self, payment: Payment) -> Outcome:
        """Refuse every card from now on, unless one was charged before."""
        reference = payment.reference or ""
        with self._books() as books:
            self._fail(books, reference, _GIVEN_UP)
            return self._outcome(books, reference)

    def give_back(self, refund: Refund, payment: Payment) -> None:
        """Raises ``PayoutRefused`` for a payment that was not charged, or for more than is left of it."""
        with self._books() as books:
            if books.execute("SELECT 1 FROM refunds WHERE refund_id = ?", (refund.id,)).fetchone():
                return
            outcome = self._outcome(books, payment.reference or "")
            (given,) = books.execute(
                "SELECT coalesce(sum(amount), 0) FROM refunds WHERE reference = ?", (payment.reference,)
            ).fetchone()
            if outcome.amount is None or given + refund.amount.minor > outcome.amount.minor:
                raise PayoutRefused("The demo bank has not charged that much.")
            books.execute("INSERT INTO refunds VALUES (?, ?, ?)", (refund.id, payment.reference, refund.amount.minor))

    def read_event(self, headers: Mapping[str, str], body: bytes, at: datetime) -> ProviderEvent | None:
        """How a payment stood when the bank wrote of it. Raises ``EventForged``."""
        sent = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE.lower(), "")
        time, _, signature = sent.rpartition(".")
        with self._books() as books:
            secret = _secret(books)
        if not hmac.compare_digest(signature.encode(), _signature(secret, time, body).encode()):
            raise EventForged()
        if at - datetime.fromisoformat(time) > TOLERANCE:
            raise EventForged("This event is too old.")
        told = json.loads(body)
        if told["type"] != "payment":
            return None
        amount = None if told["amount"] is None else Money(told["amount"], told["currency"])
        outcome = Outcome(state=PaymentState(told["state"]), amount=amount, failure=told["failure"])
        return ProviderEvent(reference=told["reference"], outcome=outcome)

    # The bank's page.

    def due(self, reference: str) -> tuple[str, Money, str, str | None]:
        """What the page shows: the order's number, the amount, the state, and why it failed. Raises ``NotFound``."""
        with self._books() as books:
            row = books.execute(
                "SELECT title, amount, currency, state, failure FROM payments WHERE reference = ?", (reference,)
            ).fetchone()
        if row is None:
            raise NotFound("There is no such payment.")
        title, amount, currency, state, failure = row
        return title, Money(amount, currency), state, failure

    def charge(self, reference: str, number: str) -> Outcome:
        """Somebody gave a number. One that was charged or has failed stays as it is. Raises ``ProviderDown``."""
        number = "".join(character for character in number if character not in " -")
        if number == NEVER_ARRIVED:
            raise ProviderDown("The demo bank does not answer.")
        charged = False
        with self._books() as books:
            if number in {SUCCEEDS, LOST_ANSWER}:
                charged = self._take(books, reference, WAITING)
            elif number == SECOND_STEP:
                books.execute(
                    "UPDATE payments SET state = ? WHERE reference = ? AND state = ?", (CHALLENGED, reference, WAITING)
                )
            else:
                self._fail(books, reference, _FAILURES.get(number, "This is none of the demo bank's test numbers."))
            outcome = self._outcome(books, reference)
        if charged and number == LOST_ANSWER:
            raise ProviderDown("The demo bank's answer was lost.")
        return outcome

    def approve(self, reference: str, *, approved: bool) -> Outcome:
        """The second step: the customer says yes or no on the bank's page."""
        with self._books() as books:
            if approved:
                self._take(books, reference, CHALLENGED)
            else:
                self._fail(books, reference, _REJECTED)
            return self._outcome(books, reference)

    def tell(self, reference: str, at: datetime) -> tuple[Mapping[str, str], bytes]:
        """What the bank sends to the shop: the headers and the body of an event, signed."""
        with self._books() as books:
            outcome, secret = self._outcome(books, reference), _secret(books)
        told = {
            "type": "payment",
            "reference": reference,
            "state": outcome.state,
            "failure": outcome.failure,
            "amount": outcome.amount and outcome.amount.minor,
            "currency": outcome.amount and outcome.amount.currency,
        }
        return self._signed(secret, json.dumps(told).encode(), at)

    def _signed(self, secret: str, body: bytes, at: datetime) -> tuple[Mapping[str, str], bytes]:
        time = at.isoformat()
        signature = f"{time}.{_signature(secret, time, body)}"
        return {"Content-Type": "application/json", SIGNATURE: signature}, body

    # The books.

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        """The books, in a transaction."""
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as books:
            if not self._opened:
                books.executescript(_TABLES)
                self._opened = True
            books.execute("BEGIN IMMEDIATE")
            try:
                yield books
            except BaseException:
                books.execute("ROLLBACK")
                raise
            books.execute("COMMIT")

    def _take(self, books: sqlite3.Connection, reference: str, state: str) -> bool:
        done = books.execute(
            "UPDATE payments SET state = ?, charges = charges + 1 WHERE reference = ? AND state = ?",
            (PaymentState.SUCCEEDED, reference, state),
        )
        return done.rowcount == 1

    def _fail(self, books: sqlite3.Connection, reference: str, failure: str) -> None:
        books.execute(
            "UPDATE payments SET state = ?, failure = ? WHERE reference = ? AND state IN (?, ?)",
            (PaymentState.FAILED, failure, reference, WAITING, CHALLENGED),
        )

    def _outcome(self, books: sqlite3.Connection, reference: str) -> Outcome:
        row = books.execute(
            "SELECT amount, currency, state, failure FROM payments WHERE reference = ?", (reference,)
        ).fetchone()
        if row is None:
            raise ProviderDown("The demo bank has lost its books.")
        amount, currency, state, failure = row
        if state in {WAITING, CHALLENGED}:
            action = {"type": "redirect", "url": f"{self._page}/{reference}"}
            return Outcome(state=PaymentState.ACTION_NEEDED, action=MappingProxyType(action))
        taken = Money(amount, currency) if state == PaymentState.SUCCEEDED else None
        return Outcome(state=PaymentState(state), amount=taken, failure=failure)


def _secret(books: sqlite3.Connection) -> str:
    books.execute("INSERT INTO secrets VALUES (1, ?) ON CONFLICT DO NOTHING", (token_hex(32),))
    return str(books.execute("SELECT secret FROM secrets").fetchone()[0])


def _signature(secret: str, time: str, body: bytes) -> str:
    return hmac.new(secret.encode(), time.encode(errors="replace") + b"." + body, sha256).hexdigest()
