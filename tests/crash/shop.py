"""A shop to be ill-treated: a database, and real server and worker processes over it that are killed and come back."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy.engine import URL

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.money import Money
from storecore.store import Store
from tests import postgresql
from webapp import wiring
from webapp.settings import Settings

ROOT = Path(__file__).parents[2]
PATIENCE = 60
"""Seconds that anything may take before it counts as hanging."""
CUSTOMER, KEEPER, PASSWORD = "customer@shop.example", "keeper@shop.example", "correct horse battery"


def settings(folder: Path, database_url: str | None = None) -> Settings:
    """The settings of a shop in a folder; nothing is taken from this process's environment."""
    given: dict[str, Any] = {"_env_prefix": "NO_SETTING_", "instance_dir": folder, "database_url": database_url}
    return Settings(**given)


class Program:
    """A ``storecore`` command in a process group of its own, so that it can be killed with all it has started."""

    def __init__(self, log: Path, *command: str, **settings: str) -> None:
        known = {name.upper() for name in Settings.model_fields}
        env = {name: value for name, value in os.environ.items() if name.upper() not in known}
        self.log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "webapp", *command],
                env=env | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "LOG_LEVEL": "WARNING"} | settings,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=log.parent,  # where no .env file is
                start_new_session=True,
            )

    @property
    def pids(self) -> list[int]:
        """The process that was started, and those it has started; only where there is ``/proc``."""
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """As ``kill -9`` would; whatever it was doing is not finished."""
        if self.running:
            self.signal(signal.SIGKILL)
        self._process.wait(PATIENCE)

    def wait(self) -> int:
        """Until it ends by itself; its exit code."""
        return self._process.wait(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            finally:
                self.kill()


class Server(Program):
    """``storecore serve`` on a free port of this machine."""

    def __init__(self, log: Path, *options: str, **settings: str) -> None:
        super().__init__(log, "serve", *options, PORT="0", **settings)
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens, as soon as it says so."""
        deadline = time.monotonic() + PATIENCE
        while not self._port:
            said = self.log.read_text(encoding="utf-8")
            if found := re.search(r"http://127\.0\.0\.1:(\d+)\s", said):
                self._port = int(found[1])
            else:
                assert self.running, f"the server did not start:\n{said}"
                assert time.monotonic() < deadline, f"the server says no address:\n{said}"
                time.sleep(0.01)
        return self._port

    def kill_workers(self) -> None:
        """Kill the processes that answer requests, but not the one that starts them anew."""
        for pid in self.pids[1:]:
            os.kill(pid, signal.SIGKILL)


class Shop:
    """An instance folder, or a database elsewhere by its URL, with a few products, a customer and a shopkeeper."""

    def __init__(self, folder: Path, database: URL | None = None, *, products: int = 5) -> None:
        self.folder = folder
        self._environment = {"INSTANCE_DIR": str(folder), "RATE_LIMITS": "off"}
        if database:
            self._environment["DATABASE_URL"] = database.render_as_string(hide_password=False)
        self.settings = settings(folder, self._environment.get("DATABASE_URL"))
        self._logs = 0
        wiring.migrate(self.settings)
        self.keys = wiring.secrets_of(self.settings)
        self._store = wiring.open_store(self.settings, self.keys)  # kept, since the statements of another are made anew
        with self.store() as store:
            self._shelf = store.catalog.create_category(by=SYSTEM, name="Rare things").id
            _, keeper = (
                store.accounts.register(email=email, password=PASSWORD, full_name="Ada Lovelace")
                for email in (CUSTOMER, KEEPER)
            )
            store.accounts.set_role(by=SYSTEM, user_id=keeper.id, role=Role.PRODUCT_MANAGER)
            self.products = [self.product(store, f"THING-{number}", stock=10**6) for number in range(products)]

    def product(self, store: Store, sku: str, *, stock: int) -> str:
        """Put a new product on the shelf; its id."""
        price = Money(1999, store.shop.currency)
        made = store.catalog.create_product(
            by=SYSTEM, sku=sku, name=f"Rare {sku}", price=price, stock=stock, category_ids=[self._shelf]
        )
        return made.product.id

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The shop in this process, which lets go of the database afterwards."""
        try:
            yield self._store
        finally:
            self._store.close()

    def server(self, *options: str, **settings: str) -> Server:
        """Start a server process, perhaps another; use it in a ``with``."""
        return Server(self._log("serve"), *options, **self._environment, **settings)

    def worker(self, *options: str, **settings: str) -> Program:
        """Start a worker process; use it in a ``with``."""
        return Program(self._log("deliver"), "deliver", *options, **self._environment, **settings)

    def _log(self, name: str) -> Path:
        self._logs += 1
        return self.folder / f"{name}-{self._logs}.log"


OpenShop = Callable[[], AbstractContextManager[Shop]]
"""Opens a new shop on some kind of database, and removes it afterwards."""


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder, which is kept when something went wrong."""
    made = Path(tempfile.mkdtemp(prefix="storecore-crash-"))
    kept = False
    try:
        yield made
    except Exception as error:
        error.add_note(f"what is left of the shop is in {made}")
        kept = True
        raise
    finally:
        if not kept:
            shutil.rmtree(made)


@contextmanager
def on_sqlite() -> Iterator[Shop]:
    """A shop on a SQLite file."""
    with folder() as made:
        yield Shop(made)


@contextmanager
def on_postgresql() -> Iterator[Shop]:
    """A shop in a database of its own on the PostgreSQL server for tests."""
    with folder() as made, postgresql.empty_database() as url:
        yield Shop(made, url)
