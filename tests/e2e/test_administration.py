"""An admin at work over HTTP: users, what they may do, who is kept out, what was done, and mail that was given up."""

from typing import Any

import httpx
import pytest

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.lists import PageRequest
from storecore.notices import NoticeState
from tests.e2e.conftest import PASSWORD, LiveShop, problem
from tests.e2e.processes import Shop, all_at_once
from tests.e2e.sockets import calling
from tests.e2e.test_support import opened, path


@pytest.fixture
def admin(live: LiveShop) -> httpx.Client:
    return live.staff(Role.ADMIN)


def id_of(client: httpx.Client) -> str:
    """The id of whoever a client is signed in as."""
    return str(client.get("/auth/me").json()["id"])


def listed(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """The items of a list."""
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_users_are_listed_and_found(live: LiveShop, admin: httpx.Client) -> None:
    ada = live.register("ada@example.com", full_name="Ada Lovelace", phone="+90 555")
    live.clock.forward(minutes=1)
    zed = live.register("zed@example.com", full_name="Zed Şahin")
    assert [user["email"] for user in listed(admin, "/users")] == [
        f"{who}@example.com" for who in ("zed", "ada", "admin")
    ]
    (found,) = listed(admin, "/users", q="LOVE")
    assert found == {**ada, "grants": {}}
    assert (found["phone"], found["role"], found["is_active"]) == ("+90 555", "customer", True)
    assert [user["id"] for user in listed(admin, "/users", q="sahin")] == [zed["id"]]
    assert [user["email"] for user in listed(admin, "/users", role="admin")] == ["admin@example.com"]
    admin.post(f"/users/{zed['id']}/ban")
    assert [user["id"] for user in listed(admin, "/users", active="false")] == [zed["id"]]
    first = admin.get("/users", params={"active": "true", "limit": 1, "include_total": "true"}).json()
    assert first["total"] == 2
    rest = admin.get("/users", params={"active": "true", "limit": 1, "cursor": first["next_cursor"]}).json()
    assert {first["items"][0]["email"], rest["items"][0]["email"]} == {"ada@example.com", "admin@example.com"}
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("query", ["role=king", "active=1", "q=", "q=a&q=b", "name=ada", "limit=0", "cursor=forged"])
def test_a_list_of_users_that_makes_no_sense_is_refused(admin: httpx.Client, query: str) -> None:
    problem(admin.get(f"/users?{query}"), 422, "invalid")


@pytest.mark.parametrize("begins", ["%", "_", "'", "\\", "a' OR '1'='1", "İ", "\u0301", "😀"])
def test_odd_letters_are_letters(admin: httpx.Client, begins: str) -> None:
    assert admin.get("/users", params={"q": begins}).status_code == 200


def test_a_role_counts_from_the_next_request_on(live: LiveShop, admin: httpx.Client) -> None:
    ada = live.customer()
    assert ada.post("/categories", json={"name": "Hats"}).status_code == 403
    answer = admin.patch(f"/users/{id_of(ada)}/role", json={"role": "product_manager"})
    assert (answer.status_code, answer.json()["role"]) == (200, "product_manager")
    assert "catalog:write" in answer.json()["permissions"]
    assert ada.post("/categories", json={"name": "Hats"}).status_code == 201
    admin.patch(f"/users/{id_of(ada)}/role", json={"role": "customer"})
    assert ada.post("/categories", json={"name": "Caps"}).status_code == 403


def test_a_permission_is_granted_denied_and_given_back_to_the_role(live: LiveShop, admin: httpx.Client) -> None:
    ada = live.customer()
    permissions = f"/users/{id_of(ada)}/permissions"
    granted = admin.put(f"{permissions}/categories:write", json={"allowed": True})
    assert granted.json()["grants"] == {"categories:write": True}
    assert ada.post("/categories", json={"name": "Hats"}).status_code == 201
    denied = admin.put(f"{permissions}/categories:write", json={"allowed": False})
    assert "categories:write" not in denied.json()["permissions"]
    assert ada.post("/categories", json={"name": "Caps"}).status_code == 403
    assert admin.delete(f"{permissions}/categories:write").status_code == 204
    assert listed(admin, "/users", q="ada@example.com")[0]["grants"] == {}


def test_what_makes_no_sense_is_refused(live: LiveShop, admin: httpx.Client) -> None:
    user = f"/users/{live.register('ada@example.com')['id']}"
    for role in ("king", None, ["admin"], 1):
        problem(admin.patch(f"{user}/role", json={"role": role}), 422, "invalid")
    for allowed in (None, 1, "true"):
        problem(admin.put(f"{user}/permissions/catalog:write", json={"allowed": allowed}), 422, "invalid")
    for body in ({}, {"role": "admin", "allowed": True}):
        problem(admin.patch(f"{user}/role", json=body), 422, "invalid")
        problem(admin.put(f"{user}/permissions/catalog:write", json=body), 422, "invalid")
    problem(admin.put(f"{user}/permissions/no:such", json={"allowed": True}), 404, "not-found")
    problem(admin.delete(f"{user}/permissions/no:such"), 404, "not-found")
    for nobody in ("/users/nobody", "/users/me"):
        problem(admin.post(f"{nobody}/ban"), 404, "not-found")
        problem(admin.delete(f"{nobody}/ban"), 404, "not-found")
    problem(admin.patch("/users/nobody/role", json={"role": "admin"}), 404, "not-found")


def test_nobody_changes_their_own_rights_and_somebody_stays(live: LiveShop, admin: httpx.Client) -> None:
    me = f"/users/{id_of(admin)}"
    problem(admin.patch(f"{me}/role", json={"role": "customer"}), 403, "forbidden")
    problem(admin.put(f"{me}/permissions/audit:read", json={"allowed": False}), 403, "forbidden")
    problem(admin.delete(f"{me}/permissions/audit:read"), 403, "forbidden")
    problem(admin.post(f"{me}/ban"), 403, "forbidden")
    helper = live.customer()
    admin.put(f"/users/{id_of(helper)}/permissions/users:write", json={"allowed": True})
    problem(helper.patch(f"{me}/role", json={"role": "customer"}), 409, "last-admin")
    problem(helper.post(f"{me}/ban"), 409, "last-admin")


def test_an_account_is_changed_as_it_was_read_or_not_at_all(live: LiveShop, admin: httpx.Client) -> None:
    user = f"/users/{live.register('ada@example.com')['id']}"
    first = admin.patch(f"{user}/role", json={"role": "vendor"}, headers={"If-Match": '"1"'})
    assert first.status_code == 200
    assert first.headers["ETag"].startswith('"2.')
    stale = {"If-Match": '"1"'}
    problem(admin.patch(f"{user}/role", json={"role": "admin"}, headers=stale), 412, "precondition-failed")
    problem(admin.post(f"{user}/ban", headers=stale), 412, "precondition-failed")
    problem(admin.delete(f"{user}/ban", headers=stale), 412, "precondition-failed")
    permission = f"{user}/permissions/audit:read"
    problem(admin.put(permission, json={"allowed": True}, headers=stale), 412, "precondition-failed")
    problem(admin.delete(permission, headers=stale), 412, "precondition-failed")
    assert admin.post(f"{user}/ban", headers={"If-Match": first.headers["ETag"]}).json()["version"] == 3


def test_the_banned_are_out_at_once_until_they_may_come_back(live: LiveShop, admin: httpx.Client) -> None:
    browser, program = live.customer(), live.bearer("ada@example.com")
    user = f"/users/{id_of(browser)}"
    assert admin.post(f"{user}/ban").json()["is_active"] is False
    problem(browser.get("/auth/me"), 401, "session-ended")
    problem(program.get("/auth/me"), 401, "session-ended")
    sign_in = {"email": "ada@example.com", "password": PASSWORD}
    problem(live.visitor().post("/auth/login", json=sign_in), 403, "forbidden")
    assert admin.delete(f"{user}/ban").status_code == 204
    problem(program.get("/auth/me"), 401, "session-ended")
    assert live.signed_in("ada@example.com").get("/auth/me").json()["is_active"] is True


def test_a_banned_agents_socket_closes_and_their_customers_are_back_in_the_queue(
    live: LiveShop, admin: httpx.Client
) -> None:
    agent, other, customer = (
        live.staff(Role.SUPPORT_AGENT),
        live.staff(Role.SUPPORT_AGENT, "b@example.com"),
        live.customer(),
    )
    asked = opened(customer)
    agent.post(path(asked, "claim"))
    with calling(agent, asked["id"]) as socket, calling(other) as queue, calling(customer, asked["id"]) as here:
        admin.post(f"/users/{id_of(agent)}/ban")
        assert socket.goodbye() == 4401
        waiting = queue.until("queue")
        assert [each["id"] for each in waiting["conversations"]] == [asked["id"]]
        other.post(path(asked, "claim"))
        here.until("conversation_claimed")


def test_a_demoted_agents_sockets_close(live: LiveShop, admin: httpx.Client) -> None:
    agent, asked = live.staff(Role.SUPPORT_AGENT), opened(live.customer())
    with calling(agent, asked["id"]) as socket, calling(agent) as queue:
        admin.patch(f"/users/{id_of(agent)}/role", json={"role": "vendor"})
        assert [socket.goodbye(), queue.goodbye()] == [4403, 4403]


def test_what_staff_did_is_found_by_who_what_which_and_when(live: LiveShop, admin: httpx.Client) -> None:
    manager, hat = live.staff(Role.PRODUCT_MANAGER), live.hat()
    who = id_of(manager)
    manager.patch(f"/products/{hat}", json={"name": "Cap"}, headers={"X-Request-ID": "request-4711"})
    live.clock.forward(days=1)
    manager, admin = live.signed_in("product_manager@example.com"), live.signed_in("admin@example.com")
    manager.post(f"/products/{hat}/stock", json={"change": 2, "reason": "found"})
    admin.post(f"/users/{who}/ban")
    ban, stock, update = listed(admin, "/admin/audit")
    assert update == {
        "id": update["id"],
        "at": "2026-01-15T12:00:00.123456Z",
        "actor_id": who,
        "actor_role": "product_manager",
        "action": "product.update",
        "object_type": "product",
        "object_id": hat,
        "before": {"name": "Straw hat"},
        "after": {"name": "Cap"},
        "request_id": "request-4711",
    }
    assert (stock["before"], stock["after"]) == ({"stock": 10}, {"stock": 12, "change": 2, "reason": "found"})
    assert (ban["before"], ban["after"]) == ({"is_active": True}, {"is_active": False})
    assert stock["request_id"] not in (None, update["request_id"], ban["request_id"])
    for query, expected in (
        ({"actor": who}, [stock, update]),
        ({"action": "user.ban"}, [ban]),
        ({"object_type": "product"}, [stock, update]),
        ({"object_id": hat, "action": "product.update"}, [update]),
        ({"request_id": "request-4711"}, [update]),
        ({"from": "2026-01-16"}, [ban, stock]),
        ({"to": "2026-01-15"}, [update]),
        ({"from": "2026-01-15", "to": "2026-01-16"}, [ban, stock, update]),
        ({"actor": "nobody"}, []),
    ):
        assert listed(admin, "/admin/audit", **query) == expected
    first = admin.get("/admin/audit", params={"limit": 2, "include_total": "true"}).json()
    assert (first["items"], first["total"]) == ([ban, stock], 3)
    assert listed(admin, "/admin/audit", limit=2, cursor=first["next_cursor"]) == [update]


@pytest.mark.parametrize("query", ["from=yesterday", "since=1", "actor=", "limit=101", "cursor=x"])
def test_a_look_into_the_log_that_makes_no_sense_is_refused(admin: httpx.Client, query: str) -> None:
    problem(admin.get(f"/admin/audit?{query}"), 422, "invalid")


def test_a_request_does_not_leave_its_id_to_the_next(live: LiveShop, admin: httpx.Client) -> None:
    admin.post("/categories", json={"name": "Hats"}, headers={"X-Request-ID": "first"})
    admin.post("/categories", json={"name": "Caps"})
    live.store.catalog.create_category(by=SYSTEM, name="Scarves")
    caps, hats = listed(admin, "/admin/audit")
    assert hats["request_id"] == "first"
    assert caps["request_id"] not in (None, "first")


def test_mail_that_was_given_up_is_listed_and_sent_after_all(live: LiveShop, admin: httpx.Client) -> None:
    live.mail("nobody")
    live.register("ada@example.com")
    with live.store.storage.writing(live.clock(), str) as unit:
        (owed,) = unit.outbox.page(PageRequest(), state=NoticeState.PENDING).items
        unit.outbox.save(owed.failed(live.clock(), "no such mailbox", for_good=True))
        unit.commit()
    assert live.mail("ada@example.com") == []
    (given_up,) = listed(admin, "/admin/outbox", state="dead")
    assert (given_up["id"], given_up["error"], given_up["recipient"]) == (owed.id, "no such mailbox", "ada@example.com")
    assert str(owed.data["link"]) not in str(given_up)
    retried = admin.post(f"/admin/outbox/{owed.id}/retry")
    assert (retried.status_code, retried.json()["state"], retried.json()["attempts"]) == (200, "pending", 0)
    assert len(live.mail("ada@example.com")) == 1
    assert listed(admin, "/admin/outbox", state="dead") == []
    assert owed.id in [each["id"] for each in listed(admin, "/admin/outbox", state="sent")]
    problem(admin.post(f"/admin/outbox/{owed.id}/retry"), 409, "conflict")
    problem(admin.post("/admin/outbox/nothing/retry"), 404, "not-found")
    problem(admin.get("/admin/outbox?state=lost"), 422, "invalid")
    (entry,) = listed(admin, "/admin/audit", action="notice.retry")
    assert (entry["object_id"], entry["before"]["state"], entry["after"]["state"]) == (owed.id, "dead", "pending")


def test_of_two_admins_who_demote_each_other_at_two_servers_one_stays(shop: Shop) -> None:
    with shop.visitor(0, shop.token("admin")) as root:
        root_id, rivals = str(root.get("/auth/me").json()["id"]), []
        for number in range(2):
            body = {"email": f"rival{number}@example.com", "password": "12345678", "full_name": "A Rival"}
            rivals.append(root.post("/auth/register", json=body).json()["id"])
            assert root.patch(f"/users/{rivals[-1]}/role", json={"role": "admin"}).status_code == 200
    with (
        shop.visitor(0, shop.token("rival0")) as one,
        shop.visitor(1, shop.token("rival1")) as other,
    ):
        assert one.patch(f"/users/{root_id}/role", json={"role": "customer"}).status_code == 200
        clients, targets = (one, other), (rivals[1], rivals[0])
        answers = all_at_once(2, lambda i: clients[i].patch(f"/users/{targets[i]}/role", json={"role": "customer"}))
        winner = clients[[answer.status_code for answer in answers].index(200)]
        assert winner.patch(f"/users/{root_id}/role", json={"role": "admin"}).status_code == 200
        left = [user["email"] for user in listed(winner, "/users", role="admin")]
    assert sorted(answer.status_code for answer in answers) in ([200, 403], [200, 409])
    assert len(left) == 2
