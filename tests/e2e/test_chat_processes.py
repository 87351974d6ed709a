"""Live conversations across server processes that share a database."""

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import websocket

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests import postgresql
from tests.e2e.servers import serving
from tests.e2e.sockets import Phone, calling
from webapp import wiring
from webapp.settings import Settings

PASSWORD = "12345678"
CUTS, LINES = 20, 100


@dataclass
class Pair:
    """Servers of one shop."""

    addresses: list[str]
    processes: list[subprocess.Popen[str]]

    def person(self, name: str, server: int, stack: ExitStack) -> httpx.Client:
        """Somebody at one of the servers."""
        address = self.addresses[server]
        answer = httpx.post(
            f"{address}/auth/token", json={"email": f"{name}@example.com", "password": PASSWORD}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return stack.enter_context(httpx.Client(base_url=address, headers=headers, timeout=30))


PEOPLE = {"customer": Role.CUSTOMER, "support": Role.SUPPORT_AGENT, "second": Role.SUPPORT_AGENT}


@contextmanager
def _servers(folder: Path, count: int, database_url: str | None = None, **environment: str) -> Iterator[Pair]:
    """So many servers of a shop that has people, and is spared the demo data by a shelf."""
    settings = Settings(instance_dir=folder, database_url=database_url)
    wiring.migrate(settings)
    with wiring.opened(settings) as store:
        store.catalog.create_category(by=SYSTEM, name="Hats")
        for name, role in PEOPLE.items():
            user = store.accounts.register(email=f"{name}@example.com", password=PASSWORD, full_name="Ada Lovelace")
            if role is not user.role:
                store.accounts.set_role(by=SYSTEM, user_id=user.id, role=role)
    if database_url:
        environment["DATABASE_URL"] = database_url
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(folder, **environment)) for _ in range(count)]
        yield Pair([address for _, address in servers], [process for process, _ in servers])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("instance")
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            url = stack.enter_context(postgresql.database()).render_as_string(hide_password=False)
        yield stack.enter_context(_servers(folder, 2, url))


def opened(customer: httpx.Client) -> str:
    answer = customer.post("/support/conversations", json={"message": "Hello?"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def post(client: httpx.Client, conversation: str, action: str, **body: Any) -> None:
    answer = client.post(f"/support/conversations/{conversation}/{action}", json=body)
    assert answer.is_success, answer.text


def test_customer_and_agent_meet_across_processes(pair: Pair) -> None:
    with ExitStack() as stack:
        customer, agent = pair.person("customer", 0, stack), pair.person("support", 1, stack)
        second = pair.person("second", 0, stack)
        queue = stack.enter_context(calling(agent))
        asked = opened(customer)
        while asked not in [each["id"] for each in queue.until("queue")["conversations"]]:
            pass
        here, there = (stack.enter_context(calling(who, asked)) for who in (customer, agent))
        post(agent, asked, "claim")
        assert here.until("conversation_claimed")["conversation"]["agent"]["name"]
        while asked in [each["id"] for each in queue.until("queue")["conversations"]]:
            pass
        said = here.say("from a socket")
        assert there.until("message", body="from a socket") == said
        here.do("typing")
        assert there.until("typing") == {"type": "typing", "side": "customer"}
        there.do("read", seq=said["seq"])
        assert here.until("read", side="agent")["seq"] == said["seq"]
        post(agent, asked, "messages", body="over REST")
        for phone in (here, there):
            phone.until("message", body="over REST")
        second_id = second.get("/auth/me").json()["id"]
        post(agent, asked, "transfer", agent_id=second_id)
        assert here.until("conversation_claimed")["conversation"]["agent"]["id"] == second_id
        post(customer, asked, "close")
        assert there.until("conversation_closed")["conversation"]["closed_by"] == "customer"


class Caller:
    """A side whose connection is cut again and again, and that comes back each time to where it was."""

    def __init__(self, client: httpx.Client, conversation: str, name: str) -> None:
        self.client, self.conversation, self.name = client, conversation, name
        self.seen: list[int] = [1]
        self.bodies: list[str] = []
        self.owed = [f"{name} {number}" for number in range(LINES)]
        self.cuts = 0

    def run(self, total: int) -> None:
        """Write all that it has to say, cutting the connection in between, until it has heard everything."""
        while len(self.bodies) < total:
            last_words = self.cuts >= CUTS
            with suppress(websocket.WebSocketException, OSError), calling(self.client, self.conversation) as phone:
                phone.do("resume", after=self.seen[-1])
                for body in self.owed[:10]:
                    phone.do("send_message", body=body, client_id=body)
                while len(self.bodies) < total and (last_words or len(self.seen) % (total // CUTS)):
                    self._hear(phone.until("message"), phone)
                if len(self.bodies) < total:
                    self._hear(phone.until("message"), phone)
                    phone.hang_up()
                    self.cuts += 1

    def _hear(self, frame: dict[str, Any], phone: Phone) -> None:
        if frame["seq"] <= self.seen[-1]:
            assert frame["client_id"] == frame["body"]  # the answer to a copy of what it had sent before
            return
        assert frame["seq"] == self.seen[-1] + 1, "every message once, in order"
        self.seen.append(frame["seq"])
        self.bodies.append(frame["body"])
        if frame["body"] in self.owed:
            self.owed.remove(frame["body"])
            if self.owed[9:]:
                phone.do("send_message", body=self.owed[9], client_id=self.owed[9])


def test_nothing_is_lost_or_doubled_however_often_connections_are_cut(pair: Pair) -> None:
    with ExitStack() as stack:
        customer, agent = pair.person("customer", 0, stack), pair.person("support", 1, stack)
        asked = opened(customer)
        post(agent, asked, "claim")
        callers = [Caller(customer, asked, "customer"), Caller(agent, asked, "agent")]
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(each.run, 2 * LINES) for each in callers]:
                done.result()
        one, other = callers
        assert one.bodies == other.bodies
        assert sorted(one.bodies) == sorted(
            f"{name} {number}" for name in ("customer", "agent") for number in range(LINES)
        )
        assert min(one.cuts, other.cuts) >= CUTS


def seated(customer: httpx.Client, conversation_id: str, stack: ExitStack) -> Phone:
    """A socket that has found room: workers share a port, and one that is full says so."""
    while True:
        phone = stack.enter_context(calling(customer, conversation_id, greeted=False))
        if phone.read()["type"] == "history":
            return phone
        assert phone.goodbye() == 1013


@pytest.mark.parametrize("workers", [1, 2])
def test_two_hundred_sockets_a_worker_leave_room_for_requests_and_end_with_the_server(
    tmp_path: Path, workers: int
) -> None:
    with ExitStack() as stack:
        pair = stack.enter_context(_servers(tmp_path, 1, WORKERS=str(workers)))
        (process,) = pair.processes
        customer = pair.person("customer", 0, stack)
        asked = opened(customer)
        phones = [seated(customer, asked, stack) for _ in range(200 * workers)]
        with calling(customer, asked, greeted=False) as late:
            assert late.goodbye() == 1013
            assert late.frames[0]["code"] == "unavailable"
        assert customer.get("/auth/me").status_code == 200
        post(customer, asked, "messages", body="to all")
        for phone in phones:
            phone.until("message", body="to all")
        asked_at = monotonic()
        process.send_signal(signal.SIGTERM)
        assert {phone.goodbye() for phone in phones} == {1001}
        process.wait(timeout=5)
        assert monotonic() - asked_at < 5
        assert process.returncode == 0
