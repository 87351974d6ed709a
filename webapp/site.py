"""One server process: the app over a store, and a worker beside them."""

from contextlib import ExitStack, suppress
from threading import Thread
from typing import TYPE_CHECKING

from storecore.accounts.model import SYSTEM
from storecore.errors import StoreError
from webapp.settings import Settings
from webapp.wiring import access_tokens, demo_bank, open_store, release, reporting, secrets_of, signed_values
from webapp.worker import Worker

if TYPE_CHECKING:
    from flask import Flask

    from webapp.chat import Chat
    from webapp.http.parts import AccessTokens, SignedValues

LAST_WORK_SECONDS = 2
"""How long a server that ends waits for its worker; what was begun is tried again by another after a lease ends."""


class Site:
    """What one server process runs: the app, its store, and a worker beside them if ``deliver``."""

    def __init__(self, settings: Settings, public_url: str, *, deliver: bool = True) -> None:
        from webapp.metrics import Metrics

        keys = secrets_of(settings)
        self._reporting = ExitStack()
        self._reporting.enter_context(reporting(settings))
        self.metrics = Metrics(self._owed)
        self.store = open_store(settings, keys, public_url, hashing=self.metrics.hashing)
        self.worker = Worker(self.store, told=lambda failed: self.metrics.worked(failed=failed))
        self.app = self._app(settings, access_tokens(keys), signed_values(keys), deliver=deliver)
        if deliver:
            self.worker.start()
        self._warming = Thread(target=self._warm, name="warming", daemon=True)
        self._warming.start()

    def _app(self, settings: Settings, tokens: "AccessTokens", values: "SignedValues", *, deliver: bool) -> "Flask":
        from webapp import create_app
        from webapp.http.parts import SOCKETS_EACH, ChatLimits, Cookies, Parts
        from webapp.system import disk

        ready = {"database": self._database_answers, "disk": disk(settings.instance_dir)}
        if deliver:
            ready["worker"] = lambda: self.worker.alive
        return create_app(
            Parts(
                store=self.store,
                access_tokens=tokens,
                values=values,
                access_lifetime=settings.access_token_life,
                cookies=Cookies(
                    secure=settings.secure_cookies,
                    domain=settings.cookie_domain,
                    path=settings.cookie_path,
                    samesite=settings.cookie_samesite,
                ),
                cors_origins=settings.cors_origins,
                hsts_subdomains=settings.hsts_subdomains,
                trusted_proxies=settings.trusted_proxies,
                allowed_hosts=settings.allowed_hosts,
                ready=ready,
                demo_bank=demo_bank(settings, self.store.shop.public_url),
                version=release(),
                metrics=self.metrics,
                metrics_from=settings.metrics_from,
                chat=ChatLimits(
                    history=settings.support_history_limit,
                    queue=settings.support_queue_limit,
                    each=SOCKETS_EACH if settings.rate_limits == "on" else None,
                ),
            )
        )

    def _owed(self) -> tuple[int, float]:
        depth, oldest = self.store.notices.owed(by=SYSTEM)
        return depth, 0.0 if oldest is None else (self.store.clock() - oldest).total_seconds()

    @property
    def chat(self) -> "Chat":
        """Everybody at a socket."""
        chat: Chat = self.app.extensions["storecore.chat"]
        return chat

    def _database_answers(self) -> bool:
        with self.store.storage.reading(self.store.clock(), str) as unit:
            return unit.users.by_email("") is None

    def _warm(self) -> None:
        """Learn the shop's words before somebody has to wait for it."""
        with suppress(StoreError):  # of a database that is down, each request tells
            self.store.catalog.warm()

    def finish(self) -> None:
        """The server is about to end: begin nothing new."""
        self.worker.stop()
        self.chat.finish()

    def close(self) -> None:
        """Say good-bye at sockets, let the worker finish what it has in hand, and give back connections."""
        self.chat.close(wait=LAST_WORK_SECONDS)
        self.worker.stop(wait=LAST_WORK_SECONDS)
        self._warming.join(LAST_WORK_SECONDS)
        self.store.close()
        self._reporting.close()
