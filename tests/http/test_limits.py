"""Requests are counted at the right moment, by the right key, and clients are told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from adapters.jwt_tokens import JwtAccessTokens
from adapters.local_rate_limits import LocalRateLimits
from adapters.memory import open_store
from adapters.passwords import Argon2Passwords
from adapters.tokens import SignedValues
from storecore.accounts.permissions import Role
from storecore.errors import Unavailable
from storecore.ports import Allowance, RateLimit
from tests.http.toys import KEY, ToyStore
from webapp import AREAS, create_app
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Text
from webapp.http.limiting import HOUR, MINUTE, Limit
from webapp.http.parts import Parts
from webapp.http.validation import Body
from webapp.sessions import Who

routes = Routes("limited", "Things that are limited.")


class Letter(Body):
    email: Annotated[str, Text(100)] = "-"


@routes.endpoint("POST", "/plain", limit=Limit(name="plain", window=MINUTE, address=2))
def plain(ask: Ask[Letter]) -> None:
    """Limited by address."""


@routes.endpoint("POST", "/own", who=Who.SIGNED_IN, limit=Limit(name="own", window=HOUR, address=4, account=2))
def own(ask: Ask[Letter]) -> None:
    """Limited by account, too."""


@routes.endpoint("POST", "/talk", who=Who.PARTY, limit=Limit(name="talk", window=HOUR, account=1))
def talk(ask: Ask[Letter]) -> None:
    """Limited by whoever holds a conversation's token."""


@routes.endpoint("POST", "/guests", limit=Limit(name="guests", window=MINUTE, address=3, email=2, guests=True))
def guests(ask: Ask[Letter]) -> None:
    """Limited for guests."""


class Shop:
    """An app with these routes."""

    def __init__(self, **options: Any) -> None:
        self.store = ToyStore()
        self.tokens = JwtAccessTokens([KEY])
        parts = Parts(store=self.store, access_tokens=self.tokens, values=SignedValues([KEY]), **options)  # type: ignore[arg-type] # as much of a store as HTTP needs
        self.client: FlaskClient = create_app(parts, areas=(routes,)).test_client()

    def bearer(self, name: str) -> dict[str, str]:
        session = self.store.sign_in(Role.CUSTOMER, name).session
        token = self.tokens.issue(
            user_id=name, session_id=session.id, at=self.store.at, lifetime=timedelta(minutes=300)
        )
        return {"Authorization": f"Bearer {token}"}

    def post(self, path: str, body: object = None, *, at: str = "192.0.2.1", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"/api/v1{path}", json=body or {}, headers=named, environ_overrides={"REMOTE_ADDR": at})

    def statuses(self, path: str, times: int, body: object = None, **options: str) -> list[int]:
        return [self.post(path, body, **options).status_code for _ in range(times)]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_too_many_requests_are_a_problem_that_says_when_to_come_back(shop: Shop) -> None:
    assert shop.statuses("/plain", 2) == [204, 204]
    shop.store.at += timedelta(seconds=17.5)
    refused = shop.post("/plain")
    assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
    assert refused.headers["Retry-After"] == "43"
    assert refused.json["code"] == "too-many-requests"
    assert refused.json["detail"] == "Too many requests; try again in 43 seconds."
    shop.store.at += timedelta(seconds=43)
    assert shop.statuses("/plain", 3) == [204, 204, 429]


def test_answers_tell_the_policy_and_how_much_is_left(shop: Shop) -> None:
    first = shop.post("/own", **shop.bearer("ada"))
    assert first.headers["RateLimit-Policy"] == '"own-address";q=4;w=3600, "own-account";q=2;w=3600'
    assert first.headers["RateLimit"] == '"own-address";r=3;t=3600, "own-account";r=1;t=3600'
    shop.store.at += timedelta(seconds=0.5)
    left = [shop.post("/own", **shop.bearer("ada")).headers["RateLimit"] for _ in range(2)]
    assert left[0] == '"own-address";r=2;t=3600, "own-account";r=0;t=3600'
    assert left[1] == '"own-address";r=1;t=3600, "own-account";r=0;t=3600'


def test_routes_without_a_limit_tell_none(shop: Shop) -> None:
    assert not {"RateLimit", "RateLimit-Policy"} & set(shop.client.get("/api/v1/openapi.json").headers.keys())


def test_an_address_is_counted_before_anything_is_read(shop: Shop) -> None:
    shop.statuses("/plain", 2)
    refused = [
        shop.client.post("/api/v1/plain", data=b"{" * 100, environ_overrides={"REMOTE_ADDR": "192.0.2.1"}),
        shop.post("/plain", Cookie="access_token=x", Origin="https://evil.example"),
        shop.post("/plain", {"unknown": 1}),
    ]
    assert [answer.status_code for answer in refused] == [429] * 3


def test_refused_requests_count_too(shop: Shop) -> None:
    assert shop.statuses("/plain", 3, {"unknown": 1}) == [422, 422, 429]


def test_an_account_is_counted_once_it_is_known_and_before_the_fields_are_judged(shop: Shop) -> None:
    assert shop.statuses("/own", 1) == [401]
    ada = shop.bearer("ada")
    assert shop.statuses("/own", 2, {"unknown": 1}, **ada) == [422, 422]
    assert shop.statuses("/own", 1, {"unknown": 1}, **ada) == [429]
    assert shop.statuses("/own", 1, at="192.0.2.2", **ada) == [429], "wherever it comes from"
    assert shop.statuses("/own", 2, at="192.0.2.2", **shop.bearer("grace")) == [204, 204], "nobody else is held up"


def test_whoever_holds_a_token_of_a_conversation_is_an_account(shop: Shop) -> None:
    one, other = {"X_Conversation_Token": "conversation-1"}, {"X_Conversation_Token": "conversation-2"}
    assert [*shop.statuses("/talk", 2, **one), *shop.statuses("/talk", 1, **other)] == [204, 429, 204]


def test_what_is_limited_for_guests_is_not_for_users(shop: Shop) -> None:
    assert shop.statuses("/guests", 5, {"email": "a@example.com"}, **shop.bearer("ada")) == [204] * 5
    assert shop.statuses("/guests", 4) == [204, 204, 429, 429], "by the email that all of them gave"
    assert shop.statuses("/guests", 1, {"email": "b@example.com"}) == [429], "by the address"


def test_an_email_is_counted_however_it_is_written_and_wherever_it_comes_from(shop: Shop) -> None:
    written = ("ada@example.com", "ADA@Example.com ", " Ada@example.com")
    found = [shop.post("/guests", {"email": each}, at=f"192.0.2.{n}").status_code for n, each in enumerate(written)]
    assert found == [204, 204, 429]


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
        ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("", "", "192.0.2.2"),
    ],
)
def test_who_has_an_address_has_its_network(shop: Shop, one: str, same: str, other: str) -> None:
    assert [shop.post("/plain", at=each).status_code for each in (one, same, same, other)] == [204, 204, 429, 204]


def test_a_client_can_not_choose_its_address(shop: Shop) -> None:
    found = [shop.post("/plain", X_Forwarded_For=f"198.51.100.{n}").status_code for n in range(3)]
    assert found == [204, 204, 429]


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw() -> None:
    shop = Shop(trusted_proxies=1)
    forged = [shop.post("/plain", X_Forwarded_For=f"10.0.0.{n}, 198.51.100.7").status_code for n in range(3)]
    assert forged == [204, 204, 429]
    assert shop.post("/plain", X_Forwarded_For="198.51.100.8").status_code == 204


class Broken(LocalRateLimits):
    """Their technology is down."""

    def take(self, limit: RateLimit, key: str, at: Any) -> Allowance:
        raise Unavailable("nobody counts")


def test_while_nobody_counts_the_shop_goes_on_and_says_so_in_its_log(shop: Shop) -> None:
    shop.store.rate_limits = Broken()
    with capture_logs() as logs:
        answers = [shop.post("/plain") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {204}
    assert "RateLimit" not in answers[0].headers
    told = [entry for entry in logs if entry["event"] == "requests are not counted"]
    assert len(told) == 5
    assert (told[0]["log_level"], told[0]["limit"]) == ("warning", "plain-address")


@pytest.mark.parametrize("name", ["RateLimit", "RateLimit-Policy", "Retry-After"])
def test_pages_of_other_origins_may_read_the_headers(name: str) -> None:
    shop = Shop(cors_origins=("https://shop.example",))
    answer = shop.post("/plain", Origin="https://shop.example")
    assert name in answer.headers["Access-Control-Expose-Headers"]


def test_the_document_tells_limits_and_their_headers(shop: Shop) -> None:
    document = shop.client.get("/api/v1/openapi.json").json
    assert document is not None
    operation = document["paths"]["/api/v1/guests"]["post"]
    assert "Limited to 3 from one address, 2 for one email in a minute (guests only)." in operation["description"]
    for status in ("204", "429"):
        assert {"RateLimit", "RateLimit-Policy"} <= set(operation["responses"][status]["headers"])
    assert "Retry-After" in operation["responses"]["429"]["headers"]
    assert "`too-many-requests`" in operation["responses"]["429"]["description"]


LIMITED = {
    "POST /auth/login": "sign-in",
    "POST /auth/token": "sign-in",
    "POST /auth/register": "register",
    "POST /auth/refresh": "refresh",
    "POST /auth/password": "password",
    "POST /auth/email": "password",
    "DELETE /users/me": "password",
    "POST /auth/email/resend": "reset",
    "POST /auth/email/verify": "reset",
    "POST /auth/password/forgot": "reset",
    "POST /auth/password/reset": "reset",
    "POST /orders": "guest-orders",
    "POST /cart/checkout": "guest-orders",
    "POST /orders/quote": "quotes",
    "POST /cart/items": "cart",
    "PATCH /cart/items/{product_id}": "cart",
    "DELETE /cart/items/{product_id}": "cart",
    "DELETE /cart": "cart",
    "PUT /cart/coupon": "cart",
    "DELETE /cart/coupon": "cart",
    "POST /support/conversations": "conversations",
    "POST /support/conversations/{conversation_id}/messages": "messages",
    "POST /support/conversations/{conversation_id}/attachments": "attachments",
}


def test_everything_that_costs_or_can_be_guessed_at_is_limited() -> None:
    endpoints = [endpoint for area in AREAS for endpoint in area.endpoints if endpoint.limit is not None]
    assert {
        f"{endpoint.method} {endpoint.path.removeprefix('/api/v1')}": endpoint.limit and endpoint.limit.name
        for endpoint in endpoints
    } == LIMITED
    assert all(endpoint.limit and endpoint.limit.address for endpoint in endpoints)


@pytest.mark.parametrize("take", [lambda limit: limit.by_address, lambda limit: limit.by_account])
def test_every_limit_is_counted_apart(take: Callable[[Limit], RateLimit | None]) -> None:
    limits = {endpoint.limit for area in AREAS for endpoint in area.endpoints if endpoint.limit}
    names = [rate.name for limit in limits if (rate := take(limit)) is not None]
    assert len(names) == len(set(names))


def test_every_way_to_guess_a_password_is_counted_by_the_address_it_comes_from() -> None:
    store = open_store(passwords=Argon2Passwords(time_cost=1, memory_cost=8))
    ada = store.accounts.register(email="ada@example.com", password="12345678", full_name="Ada L")
    parts = Parts(store=store, access_tokens=JwtAccessTokens([KEY]), values=SignedValues([KEY]))
    client = create_app(parts).test_client(use_cookies=False)

    def status(path: str, body: dict[str, str], at: str) -> int:
        method, _, path = path.rpartition(" ")
        sent: dict[str, Any] = {
            "headers": {"Authorization": f"Bearer {token}"},
            "environ_overrides": {"REMOTE_ADDR": at},
        }
        return client.open(f"/api/v1{path}", method=method or "POST", json=body, **sent).status_code

    token = ""
    right = {"email": ada.email, "password": "12345678"}
    token = client.post("/api/v1/auth/token", json=right).json["access_token"]  # type: ignore[index] # it is an object
    guesses: dict[str, dict[str, str]] = {
        "/auth/login": {"email": ada.email, "password": "wrong"},
        "/auth/token": {"email": ada.email, "password": "wrong"},
        "/auth/password": {"current_password": "wrong", "new_password": "another password"},
        "/auth/email": {"email": "new@example.com", "password": "wrong"},
        "DELETE /users/me": {"password": "wrong"},
    }
    for number, (path, body) in enumerate(guesses.items()):
        found = [status(path, body, f"192.0.2.{number}") for _ in range(6)]
        assert found == [found[0]] * 5 + [429], path
    assert status("/auth/token", right, "192.0.2.0") == 429
    assert status("/auth/token", right, "192.0.2.99") == 200
