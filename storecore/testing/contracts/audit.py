"""The audit log: what was written stays as it was, and is found by who, what, which and when."""

from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from storecore.audit import AuditEntry
from storecore.lists import PageRequest
from storecore.ports import AuditQuery, NewId, Storage
from storecore.testing.builders import NOW, ids
from storecore.testing.contracts.proving import COUNT_STATEMENTS, Contract, check_pages, needs, seen, written

MINUTE = timedelta(minutes=1)


def make_audit_entry(new_id: NewId, **changes: Any) -> AuditEntry:
    """A product manager gave a product another name."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "at": NOW,
        "actor_id": "somebody",
        "actor_role": "product_manager",
        "action": "product.update",
        "object_type": "product",
        "object_id": "something",
        "before": {"name": "Hat"},
        "after": {"name": "Straw hat"},
    }
    return AuditEntry(**(fields | changes))


class AuditContract(Contract):
    """Entries are added and read, and nothing else."""

    def test_every_field_of_an_entry_comes_back(self, storage: Storage) -> None:
        entry = make_audit_entry(
            ids(),
            at=NOW.astimezone(timezone(timedelta(hours=2))),
            before={"name": "Şapka", "group": None, "attributes": {"size": "M"}},
            after={"name": "Hat", "group": "hats", "category_ids": ["a", "b"], "is_active": True, "stock": 3},
            request_id="4711",
        )
        bare = make_audit_entry(ids(2), at=NOW - MINUTE, actor_id=None, before={}, after={}, request_id=None)
        with written(storage) as unit:
            unit.audit.add([entry, bare])
            unit.audit.add([])
        with seen(storage) as unit:
            assert unit.audit.page(AuditQuery(), PageRequest()).items == (entry, bare)
            assert unit.audit.page(AuditQuery(), PageRequest()).items[0].at.tzinfo is UTC

    def test_entries_are_listed_newest_first_and_found_by_each_of_their_marks(self, storage: Storage) -> None:
        new_id = ids()
        marks = [
            {"actor_id": "ada", "action": "product.update", "object_id": "hat", "request_id": "1"},
            {"actor_id": "ada", "action": "order.cancel", "object_type": "order", "object_id": "s-1"},
            {"actor_id": "bob", "action": "product.update", "object_id": "cap", "request_id": "1"},
            {"actor_id": "bob", "action": "product.update", "object_id": "hat", "request_id": "2"},
        ]
        entries = [
            make_audit_entry(new_id, at=NOW + MINUTE * min(position, 2), **each) for position, each in enumerate(marks)
        ]
        with written(storage) as unit:
            unit.audit.add(entries)
        newest_first = entries[::-1]
        with seen(storage) as unit:
            check_pages(lambda page: unit.audit.page(AuditQuery(), page), newest_first)
            for name in ("actor_id", "action", "object_type", "object_id", "request_id"):
                for value in {getattr(each, name) for each in entries} - {None}:
                    expected = [each for each in newest_first if getattr(each, name) == value]
                    query = AuditQuery(**{name: value})
                    check_pages(lambda page, query=query: unit.audit.page(query, page), expected)  # type: ignore[misc] # mypy can't infer it
            both = AuditQuery(actor_id="bob", object_type="product", object_id="hat")
            check_pages(lambda page: unit.audit.page(both, page), [entries[3]])
            period = AuditQuery(written_from=NOW + MINUTE, written_to=NOW + 2 * MINUTE)
            check_pages(lambda page: unit.audit.page(period, page), [entries[1]])
            for nothing in (AuditQuery(actor_id="nobody"), AuditQuery(action="product"), AuditQuery(object_id="HAT")):
                assert unit.audit.page(nothing, PageRequest()).items == ()

    def test_entries_are_listed_by_when_they_were_written_whatever_their_ids(self, storage: Storage) -> None:
        new_id = ids()
        entries = [make_audit_entry(new_id, at=NOW - n * MINUTE) for n in range(3)]
        with written(storage) as unit:
            unit.audit.add(entries[::-1])
        with seen(storage) as unit:
            check_pages(lambda page: unit.audit.page(AuditQuery(), page), entries)

    def test_an_entry_does_not_replace_another(self, storage: Storage) -> None:
        entry = make_audit_entry(ids())
        with written(storage) as unit:
            unit.audit.add([entry])
        with pytest.raises(Exception, match="audit"), written(storage) as unit:  # a bug, which each says in its own way
            unit.audit.add([make_audit_entry(ids(), id=entry.id, action="nothing.at_all")])
        with seen(storage) as unit:
            assert unit.audit.page(AuditQuery(), PageRequest()).items == (entry,)

    @needs(COUNT_STATEMENTS)
    def test_500_entries_are_written_in_one_statement(self, storage: Storage) -> None:
        new_id = ids()
        entries = [make_audit_entry(new_id) for _ in range(500)]
        with written(storage) as unit, self.count_statements(storage) as statements:
            unit.audit.add(entries)
        assert statements.count == 1
