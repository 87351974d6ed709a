"""Every column is in a class, and what the classes say is so."""

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text

from adapters.sql import tables
from adapters.sql.personal import COLUMNS, HELD, Kept, Unclassified, columns, kept
from storecore.privacy import PERSONAL, Kind

METADATA = tables.users.metadata
PERSONAL_CLASSES = {Kept.CLEAR, Kept.SEALED, Kept.HASH}


def test_every_column_of_every_table_has_a_class() -> None:
    for table in METADATA.sorted_tables:
        for column in table.columns:
            kept(column)


def test_a_new_column_is_named_with_what_to_do() -> None:
    table = Table("users", MetaData(), Column("nickname", Text))
    with pytest.raises(Unclassified, match=r"users\.nickname has no class: add it to 'users' in COLUMNS") as error:
        kept(table.c.nickname)
    for place in ("personal.py", "privacy.py", "exporting.py", "erasing.py"):
        assert place in str(error.value)


def test_every_class_names_columns_that_are_there_and_none_twice() -> None:
    for name, classes in COLUMNS.items():
        named = [column for each in classes.values() for column in each.split()]
        assert sorted(named) == sorted(column.name for column in METADATA.tables[name].columns), name


def test_what_is_sealed_hashed_or_an_index_is_bytes_and_what_is_clear_is_not() -> None:
    for how in (Kept.SEALED, Kept.INDEX):
        assert all(isinstance(column.type, LargeBinary) for column in columns(how))
    assert not any(isinstance(column.type, LargeBinary) for how in (Kept.CLEAR, Kept.PLAIN) for column in columns(how))


def test_every_personal_field_is_held_by_a_table_that_has_room_for_it() -> None:
    held = {(entity, name) for each in HELD.values() for entity, names in each.items() for name in names.split()}
    assert held == {(entity, name) for entity, kinds in PERSONAL.items() for name in kinds}
    for table, entities in HELD.items():
        classes = {kept(column) for column in METADATA.tables[table].columns}
        for entity, names in entities.items():
            for name in names.split():
                column = METADATA.tables[table].columns.get(name)
                wanted = {Kept.HASH} if PERSONAL[entity][name] is Kind.SECRET else PERSONAL_CLASSES - {Kept.HASH}
                assert kept(column) in wanted if column is not None else Kept.SEALED in classes, f"{table}.{name}"


def test_every_table_that_keeps_something_personal_says_what() -> None:
    personal = {column.table.name for how in PERSONAL_CLASSES for column in columns(how)}
    # Answers are anything, a payment's key is no person's, and the hashes of a rate limit are gone within a day.
    assert personal - {"payments", "answers", "rate_limits"} == HELD.keys()
