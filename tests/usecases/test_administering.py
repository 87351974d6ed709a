"""Who is staff and what they may do; whatever happens, somebody is left who can decide it."""

import json
from functools import partial

import pytest

from storecore.accounts.model import GUEST, SYSTEM
from storecore.accounts.permissions import Permission, Role
from storecore.errors import Conflict, Forbidden, LastAdmin, NotAuthenticated, NotFound, PreconditionFailed
from storecore.notices import NoticeState
from storecore.ports import UserQuery
from storecore.support.telling import QUEUE, topic
from storecore.testing.builders import make_notice
from storecore.testing.contracts.proving import Together
from tests.usecases.floor import Floor, person


def test_users_are_listed_for_those_who_may_read_them(store: Floor) -> None:
    admin = person(store, Role.ADMIN, name="Grace Hopper")
    ada, banned = person(store, name="Ada Lovelace"), person(store, name="Zed Adair")
    store.accounts.ban(by=admin, user_id=banned.id)

    def found(**query: object) -> list[str]:
        return [user.id for user in store.accounts.users(by=admin, query=UserQuery(**query)).items]  # type: ignore[arg-type] # as the tests below say

    assert sorted(found()) == sorted([admin.id, ada.id, banned.id])
    assert found(text="ada") == [ada.id, banned.id]
    assert found(text="ada", active=True) == [ada.id]
    assert found(role=Role.ADMIN) == [admin.id]
    for by in (ada, *(person(store, role) for role in Role if role is not Role.ADMIN)):
        with pytest.raises(Forbidden):
            store.accounts.users(by=by)
    with pytest.raises(NotAuthenticated):
        store.accounts.users(by=GUEST)


def test_an_account_is_changed_as_it_was_read_or_not_at_all(store: Floor) -> None:
    admin, user = person(store, Role.ADMIN), person(store)
    stale = user.version
    changed = store.accounts.set_role(by=admin, user_id=user.id, role=Role.VENDOR, if_version=stale)
    accounts = store.accounts
    for change in (
        partial(accounts.set_role, role=Role.ADMIN),
        partial(accounts.set_permission, permission=Permission.REPORTS_READ, allowed=True),
        accounts.ban,
        accounts.unban,
    ):
        with pytest.raises(PreconditionFailed):
            change(by=admin, user_id=user.id, if_version=stale)
    assert store.accounts.me(by=user) == changed
    assert store.accounts.ban(by=admin, user_id=user.id, if_version=changed.version).version == changed.version + 1


def test_nobody_changes_what_they_may_do_themselves(store: Floor) -> None:
    admin, _ = person(store, Role.ADMIN), person(store, Role.ADMIN)
    accounts = store.accounts
    for change in (
        partial(accounts.set_role, role=Role.ADMIN),
        partial(accounts.set_permission, permission=Permission.REPORTS_READ, allowed=None),
        accounts.ban,
    ):
        with pytest.raises(Forbidden):
            change(by=admin, user_id=admin.id)


def test_an_unknown_user_is_not_found(store: Floor) -> None:
    admin, accounts = person(store, Role.ADMIN), store.accounts
    for change in (
        partial(accounts.set_role, role=Role.ADMIN),
        partial(accounts.set_permission, permission=Permission.REPORTS_READ, allowed=None),
        accounts.ban,
        accounts.unban,
    ):
        with pytest.raises(NotFound):
            change(by=admin, user_id="nobody")


def test_who_was_demoted_since_they_asked_decides_nothing_more(store: Floor) -> None:
    first, second = (person(store, Role.ADMIN) for _ in range(2))
    store.accounts.set_role(by=first, user_id=second.id, role=Role.CUSTOMER)
    for change in (store.accounts.ban, partial(store.accounts.set_role, role=Role.CUSTOMER)):
        with pytest.raises(Forbidden):
            change(by=second, user_id=first.id)


@pytest.mark.parametrize("admins", [2, 3])
@pytest.mark.parametrize("how", ["demote", "ban"])
def test_of_two_admins_who_turn_on_each_other_one_stays(store: Floor, admins: int, how: str) -> None:
    one, other, *_ = [person(store, Role.ADMIN) for _ in range(admins)]
    turn = store.accounts.ban if how == "ban" else partial(store.accounts.set_role, role=Role.CUSTOMER)
    outcomes = Together(partial(turn, by=one, user_id=other.id), partial(turn, by=other, user_id=one.id)).outcomes
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(refused) == 1
    assert isinstance(refused[0], Forbidden | LastAdmin)
    left = store.accounts.users(by=SYSTEM, query=UserQuery(role=Role.ADMIN, active=True)).items
    assert len(left) == admins - 1


def test_an_admin_without_the_right_to_change_users_counts_as_one_all_the_same(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    store.accounts.set_permission(by=SYSTEM, user_id=admin.id, permission=Permission.USERS_WRITE, allowed=False)
    with pytest.raises(Forbidden):
        store.accounts.ban(by=store.accounts.me(by=admin), user_id=person(store).id)
    with pytest.raises(LastAdmin):
        store.accounts.ban(by=SYSTEM, user_id=admin.id)


@pytest.mark.parametrize("leave", ["ban", "demote", "deny"])
def test_whoever_watches_is_told_that_an_agent_left(store: Floor, leave: str) -> None:
    admin, agent = person(store, Role.ADMIN), person(store, Role.SUPPORT_AGENT)
    opened = store.support.open(by=person(store), message="Hello?")
    store.support.claim(by=agent, conversation_id=opened.id)
    with store.support.hub.listen(QUEUE, topic(opened.id)) as listener:
        if leave == "ban":
            store.accounts.ban(by=admin, user_id=agent.id)
        elif leave == "demote":
            store.accounts.set_role(by=admin, user_id=agent.id, role=Role.CUSTOMER)
        else:
            store.accounts.set_permission(
                by=admin, user_id=agent.id, permission=Permission.SUPPORT_AGENT, allowed=False
            )
        heard = [listener.next(5) for _ in range(2)]
    told = {(event.topic, json.loads(event.message)["what"]) for event in heard if event is not None}
    assert told == {(QUEUE, "released"), (topic(opened.id), "released")}


def test_nobody_is_told_of_what_did_not_happen(store: Floor) -> None:
    admin, agent = person(store, Role.ADMIN), person(store, Role.SUPPORT_AGENT)
    opened = store.support.open(by=person(store), message="Hello?")
    store.support.claim(by=agent, conversation_id=opened.id)
    with store.support.hub.listen(QUEUE) as listener:
        with pytest.raises(PreconditionFailed):
            store.accounts.ban(by=admin, user_id=agent.id, if_version=99)
        assert listener.next(0) is None


def test_mail_that_was_given_up_is_listed_and_sent_after_all(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    store.mail()
    store.mailer.sent.clear()
    with store.storage.writing(store.clock(), store.ports["new_id"]) as unit:
        dead = make_notice(unit.new_id, state=NoticeState.DEAD, attempts=40, error="nobody answers")
        unit.outbox.add([dead])
        unit.commit()
    assert store.mail() == []
    assert [each.id for each in store.notices.page(by=admin, state=NoticeState.DEAD).items] == [dead.id]
    revived = store.notices.retry(by=admin, notice_id=dead.id)
    assert (revived.state, revived.attempts, revived.error) == (NoticeState.PENDING, 0, "")
    assert [notice.id for notice in store.mail()] == [dead.id]
    for tried in ("retried", dead.id):
        with pytest.raises(NotFound if tried != dead.id else Conflict):
            store.notices.retry(by=admin, notice_id=tried)


def test_mail_is_retried_once_by_two_admins_at_once(store: Floor) -> None:
    admin = person(store, Role.ADMIN)
    with store.storage.writing(store.clock(), store.ports["new_id"]) as unit:
        dead = make_notice(unit.new_id, state=NoticeState.DEAD)
        unit.outbox.add([dead])
        unit.commit()
    outcomes = Together(*[partial(store.notices.retry, by=admin, notice_id=dead.id)] * 2).outcomes
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Notice"]


def test_mail_is_nobodys_business_but_an_admins(store: Floor) -> None:
    for by in (person(store), *(person(store, role) for role in Role if role is not Role.ADMIN)):
        with pytest.raises(Forbidden):
            store.notices.page(by=by)
        with pytest.raises(Forbidden):
            store.notices.retry(by=by, notice_id="whatever")
