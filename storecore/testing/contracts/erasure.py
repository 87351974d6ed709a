"""What is removed for a person who asked for it, in whatever place it was kept, and nothing of anybody else's."""

from datetime import timedelta

import pytest

from storecore.accounts.model import SYSTEM, User
from storecore.errors import Contention, NotFound
from storecore.lists import FIRST_PAGE, PageRequest
from storecore.orders.model import FORGOTTEN, NOWHERE, Order
from storecore.ports import NewId, Storage
from storecore.support.model import Side
from storecore.testing.builders import (
    NOW,
    ids,
    make_address,
    make_attached,
    make_conversation,
    make_credit_note,
    make_invoice,
    make_message,
    make_notice,
    make_order,
    make_session,
    make_token,
    make_user,
)
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import Contract, check_pages, seen, written

HOUR = timedelta(hours=1)
MORE = PageRequest(limit=100)


def people(storage: Storage, new_id: NewId) -> tuple[User, User]:
    """Two users, written."""
    ada, bob = make_user(new_id), make_user(new_id)
    with written(storage) as unit:
        unit.users.add(ada)
        unit.users.add(bob)
    return ada, bob


def ordered(storage: Storage, new_id: NewId, number: int) -> list[Order]:
    """Guests' orders an hour apart, each with an invoice, written."""
    (product,) = shelve(storage, new_id, {})
    orders = [make_order(new_id, [product], at=NOW + n * HOUR) for n in range(number)]
    with written(storage) as unit:
        for n, order in enumerate(orders):
            unit.orders.add(order)
            sequence = unit.invoices.next_sequence()
            unit.invoices.add(make_invoice(new_id, order, sequence, issued_at=NOW + n * HOUR))
    return orders


class ErasureContract(Contract):
    """Each repository lets go of a person, and of no other."""

    def test_the_sessions_of_a_user_are_forgotten_with_their_tokens(self, storage: Storage) -> None:
        new_id = ids()
        ada, bob = people(storage, new_id)
        sessions = [make_session(new_id, ada), make_session(new_id, ada, ended_at=NOW), make_session(new_id, bob)]
        tokens = [make_token(session) for session in sessions]
        with written(storage) as unit:
            for session, token in zip(sessions, tokens, strict=True):
                unit.sessions.add(session, token)
        with written(storage) as unit:
            unit.sessions.forget(ada.id)
            unit.sessions.forget("nobody")
        with written(storage) as unit:
            assert list(unit.sessions.of_user(ada.id)) == []
            assert list(unit.sessions.of_user(bob.id)) == [sessions[2]]
            assert [unit.sessions.token(token.hash) is None for token in tokens] == [True, True, False]

    def test_an_erased_order_names_nobody_and_keeps_its_amounts(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {})
        order = make_order(new_id, [product], note="Ring twice", delivery_address=make_address(region="Kent"))
        with written(storage) as unit:
            unit.orders.add(order)
        confirmed = order.confirm(by=SYSTEM, at=NOW, note="Ada rang")
        with written(storage) as unit:
            unit.orders.save(confirmed)
        shipped = confirmed.process(by=SYSTEM, at=NOW)
        with written(storage) as unit:
            unit.orders.save(shipped)
        shipped = shipped.ship(by=SYSTEM, at=NOW, carrier="Owl", tracking_number="OWL-1", note="By owl")
        with written(storage) as unit:
            unit.orders.save(shipped)
            unit.orders.erase(erased := shipped.erased())
        with seen(storage) as unit:
            found = unit.orders.get(order.id)
        assert found == erased
        assert (found.customer_name, found.email, found.note, found.tracking_number) == ("Erased", NOWHERE, None, None)
        assert {entry.note for entry in found.history} == {None}
        assert [entry.status for entry in found.history] == [entry.status for entry in shipped.history]
        assert (found.total, found.lines, found.number) == (order.total, order.lines, order.number)
        assert found.delivery_address.country == order.delivery_address.country
        with written(storage) as unit, pytest.raises(Contention):
            unit.orders.erase(erased)

    def test_buyers_are_taken_off_old_invoices_only_and_once(self, storage: Storage) -> None:
        new_id = ids()
        orders = ordered(storage, new_id, 4)
        with written(storage) as unit:
            assert list(unit.invoices.forget_buyers(NOW, 10)) == []
            assert list(unit.invoices.forget_buyers(NOW + 3 * HOUR, 2)) == [orders[0].id, orders[1].id]
        with written(storage) as unit:
            assert list(unit.invoices.forget_buyers(NOW + 3 * HOUR, 2)) == [orders[2].id]
            assert list(unit.invoices.forget_buyers(NOW + 3 * HOUR, 2)) == []
        with seen(storage) as unit:
            invoices = [unit.invoices.of_order(order.id) for order in orders]
        assert [invoice is not None and invoice.buyer == FORGOTTEN for invoice in invoices] == [True, True, True, False]
        assert [invoice.total for invoice in invoices if invoice] == [order.total for order in orders]

    def test_buyers_are_taken_off_old_credit_notes_too(self, storage: Storage) -> None:
        new_id = ids()
        orders = ordered(storage, new_id, 3)
        with written(storage) as unit:
            for n, order in enumerate(orders):
                invoice = unit.invoices.of_order(order.id)
                assert invoice is not None
                sequence = unit.credit_notes.next_sequence()
                note = make_credit_note(new_id, invoice, order, None, sequence, issued_at=NOW + n * HOUR)
                unit.credit_notes.add(note)
        with written(storage) as unit:
            assert unit.credit_notes.forget_buyers(NOW + 2 * HOUR, 1) == 1
            assert unit.credit_notes.forget_buyers(NOW + 2 * HOUR, 5) == 1
            assert unit.credit_notes.forget_buyers(NOW + 2 * HOUR, 5) == 0
        with seen(storage) as unit:
            notes = [note for order in orders for note in unit.credit_notes.of_order(order.id)]
        assert [note.buyer == FORGOTTEN for note in notes] == [True, True, False]

    def test_a_conversation_is_removed_with_what_was_said_and_names_its_files(self, storage: Storage) -> None:
        new_id = ids()
        gone, kept = make_conversation(new_id), make_conversation(new_id)
        files = [make_attached(new_id) for _ in range(3)]
        with written(storage) as unit:
            for conversation in (gone, kept):
                unit.conversations.add(conversation)
            unit.conversations.add_message(make_message(new_id, gone, 1, attached=files[0]))
            unit.conversations.add_message(make_message(new_id, gone, 2))
            unit.conversations.add_message(make_message(new_id, gone, 3, attached=files[1]))
            unit.conversations.add_message(make_message(new_id, kept, 1, attached=files[2]))
        with written(storage) as unit:
            assert sorted(unit.conversations.remove(gone.id)) == sorted(file.stored_as for file in files[:2])
            assert list(unit.conversations.remove(gone.id)) == []
        with seen(storage) as unit:
            assert list(unit.conversations.latest(gone.id, 5)) == []
            assert unit.conversations.attached(file.stored_as for file in files) == {files[2].stored_as}
            with pytest.raises(NotFound):
                unit.conversations.get(gone.id)
            with pytest.raises(NotFound):
                unit.conversations.message_with(files[0].id)
            assert len(unit.conversations.latest(kept.id, 5)) == 1

    def test_an_agent_goes_by_another_name_wherever_they_spoke(self, storage: Storage) -> None:
        new_id = ids()
        ada, bob = people(storage, new_id)
        conversations = [make_conversation(new_id, customer=bob) for _ in range(2)]
        with written(storage) as unit:
            for conversation in conversations:
                unit.conversations.add(conversation)
                said = [
                    make_message(new_id, conversation, 1, side=Side.CUSTOMER, author_id=bob.id, author_name="Bob"),
                    make_message(new_id, conversation, 2, side=Side.AGENT, author_id=ada.id, author_name="Ada L."),
                    make_message(new_id, conversation, 3, side=Side.AGENT, author_id=bob.id, author_name="Bob"),
                    make_message(new_id, conversation, 4, side=Side.CUSTOMER, author_id=ada.id, author_name="Ada L."),
                ]
                for message in said:
                    unit.conversations.add_message(message)
        with written(storage) as unit:
            unit.conversations.rename_agent(ada.id, "Erased")
        with seen(storage) as unit:
            for conversation in conversations:
                names = [message.author_name for message in unit.conversations.latest(conversation.id, 5)]
                assert names == ["Bob", "Erased", "Bob", "Ada L."]
                assert all(message.body for message in unit.conversations.latest(conversation.id, 5))

    def test_an_agent_who_said_a_lot_is_renamed_throughout(self, storage: Storage) -> None:
        new_id = ids()
        ada, _ = people(storage, new_id)
        conversation = make_conversation(new_id)
        with written(storage) as unit:
            unit.conversations.add(conversation)
            for seq in range(1, 251):
                unit.conversations.add_message(
                    make_message(new_id, conversation, seq, side=Side.AGENT, author_id=ada.id, author_name="Ada L.")
                )
        with written(storage) as unit:
            unit.conversations.rename_agent(ada.id, "Erased")
        with seen(storage) as unit:
            assert {each.author_name for each in unit.conversations.latest(conversation.id, 250)} == {"Erased"}

    def test_mail_to_an_account_is_listed_and_forgotten_whatever_its_address_was(self, storage: Storage) -> None:
        new_id = ids()
        ada, bob = people(storage, new_id)
        mine = [
            make_notice(new_id, user_id=ada.id, recipient=f"ada{n}@example.com", created_at=NOW + n * HOUR)
            for n in range(3)
        ]
        others = [make_notice(new_id, user_id=bob.id, recipient="ada0@example.com"), make_notice(new_id)]
        with written(storage) as unit:
            unit.outbox.add([*mine, *others])
            unit.outbox.save(mine[1].sent(NOW))
        with seen(storage) as unit:
            check_pages(lambda page: unit.outbox.of_user(ada.id, page), [mine[2], mine[1].sent(NOW), mine[0]])
        with written(storage) as unit:
            assert set(unit.outbox.forget(ada.id)) == {notice.id for notice in mine}
            assert list(unit.outbox.forget(ada.id)) == []
            unit.outbox.add([mine[0]])  # its cause is not remembered either
            unit.outbox.remove(mine[0].id)
            unit.outbox.remove("no such notice")
        with written(storage) as unit:
            assert set(unit.outbox.page(FIRST_PAGE).items) == set(others)
            assert {notice.id for notice in unit.outbox.lease(NOW + 9 * HOUR, NOW + 10 * HOUR, 9)} == {
                notice.id for notice in others
            }

    def test_answers_are_found_by_the_ids_they_name_and_forgotten(self, storage: Storage) -> None:
        new_id = ids()
        ada, bob, order = new_id(), new_id(), new_id()
        kept = {
            (f"POST /orders user {ada}", "1"): b"{}",
            ("POST /register request", "2"): f'201\n{{"id": "{ada}"}}'.encode(),
            (f"POST /refunds user {bob}", "3"): f'{{"order_id":"{order}"}}'.encode(),
            (f"POST /orders user {bob}", "4"): b"\xff{}",
            (f"POST /refunds user {bob}", "5"): b"{}",
        } | {("POST /carts", f"{n:03}"): b"{}" for n in range(210)}
        with written(storage) as unit:
            for (scope, key), answer in kept.items():
                assert unit.answers.claim(scope, key, b"fingerprint", NOW)
                unit.answers.keep(scope, key, answer)
        with seen(storage) as unit:
            found = unit.answers.naming({ada, order})
            assert {key for _, key in found} == {"1", "2", "3"}
            assert list(unit.answers.naming({new_id()})) == []
        with written(storage) as unit:
            unit.answers.forget(found)
            unit.answers.forget([])
        with seen(storage) as unit:
            left = [key for key in kept if unit.answers.find(*key) is not None]
            assert left == [key for key in kept if key not in found]
            assert len(left) == len(kept) - 3

    def test_what_was_removed_is_scrubbed_while_others_read(self, storage: Storage) -> None:
        new_id = ids()
        people(storage, new_id)
        with seen(storage):
            storage.scrub()
        storage.scrub()
        people(storage, new_id)
