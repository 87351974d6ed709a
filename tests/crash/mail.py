"""Workers that are killed in the middle of the mail."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from random import Random
from threading import Condition

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select, update

from adapters.sql import tables
from storecore.accounts.model import Address
from storecore.store import Store
from tests.crash.books import check, statement
from tests.crash.customers import ADDRESS, basket
from tests.crash.shop import CUSTOMER, PATIENCE, OpenShop, Shop

MOST_BEFORE_A_KILL = 6
ALWAYS_WAITING = 2 * MOST_BEFORE_A_KILL
"""So much mail is waiting whenever a worker starts."""
KILLS_A_SHOP = 50


class Inbox:
    """Counts every mail that the world received, by its ``Message-ID``."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self._arrived = Condition()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take it."""
        content = envelope.content
        assert isinstance(content, bytes)
        with self._arrived:
            self.received[str(message_from_bytes(content)["Message-ID"])] += 1
            self._arrived.notify_all()
        return "250 OK"

    def wait_for(self, count: int) -> None:
        """Until so many have arrived in all."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.received.total() >= count, PATIENCE), "no mail comes"


@contextmanager
def mail_server(inbox: Inbox) -> Iterator[int]:
    """A mail server on this machine; its port."""
    controller = Controller(inbox, hostname="127.0.0.1", port=_free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def kill_workers(open_shop: OpenShop, *, kills: int, seed: int = 0) -> str:
    """So often, kill the worker while it sends mail: all of it arrives, and at most one twice for each kill."""
    mails = copies = 0
    for first in range(0, kills, KILLS_A_SHOP):
        count = min(KILLS_A_SHOP, kills - first)
        with open_shop() as shop:
            received = _kill_often(shop, Random(f"{seed} {first}"), count)
        twice = received.total() - len(received)
        assert twice <= count, f"{twice} copies after {count} kills"
        mails, copies = mails + len(received), copies + twice
    return f"{kills} kills of the worker: all of {mails} mails arrived, {copies} of them twice; verified {kills} times"


def _kill_often(shop: Shop, random: Random, kills: int) -> Counter[str]:
    inbox = Inbox()
    with mail_server(inbox) as port:
        smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_STARTTLS": "false"}
        for _ in range(kills):
            with shop.store() as store:
                _owe(store, shop, random)
            before = inbox.received.total()
            with shop.worker(**smtp) as worker:
                inbox.wait_for(before + random.randint(1, MOST_BEFORE_A_KILL))
                time.sleep(random.uniform(0, 0.03))
                worker.kill()
            with shop.store() as store:
                check(store)
                _let_leases_end(store)
        with shop.worker("--once", **smtp) as worker:
            assert worker.wait() == 0, worker.log.read_text(encoding="utf-8")
        with shop.store() as store:
            check(store)
            _compare(store, inbox.received)
    return inbox.received


def _owe(store: Store, shop: Shop, random: Random) -> None:
    """Place orders until enough mail is waiting."""
    with store.storage.reading(store.clock(), str) as unit:
        customer = unit.users.by_email(CUSTOMER)
    assert customer is not None
    waiting = sum(state == "pending" for state, _ in _outbox(store))
    for _ in range(ALWAYS_WAITING - waiting):
        store.orders.place(by=customer, items=basket(shop.products, random), deliver_to=Address(**ADDRESS))


def _let_leases_end(store: Store) -> None:
    """As if the minutes had passed that a dead worker's mail waits before another may take it."""
    statement(store, update(tables.outbox).values(leased_until=None))


def _outbox(store: Store) -> list[tuple[str, str]]:
    """Every mail's state and ``Message-ID``."""
    rows = statement(store, select(tables.outbox.c.state, tables.outbox.c.message_id))
    return [(state, message_id) for state, message_id in rows]


def _compare(store: Store, received: Counter[str]) -> None:
    owed = _outbox(store)
    assert {state for state, _ in owed} == {"sent"}
    written = [message_id for _, message_id in owed]
    assert len(set(written)) == len(written)
    assert set(written) == received.keys(), f"missing: {set(written) - received.keys()}"
