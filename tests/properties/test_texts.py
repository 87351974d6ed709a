"""Cleaning text is done once: what came out goes in again unchanged."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storecore import checks
from storecore.catalog.model import fold, slugify
from storecore.errors import Invalid

LOCAL_PARTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


def _lines(value: str) -> str:
    return checks.text(value, "note", most=100, least=0, lines=True)


def _name(value: str) -> str:
    return checks.text(value, "name", most=100, least=0)


@pytest.mark.parametrize("clean", [_lines, _name])
@given(st.text(max_size=40))
def test_cleaned_text_stays_as_it_is(clean: Callable[[str], str], value: str) -> None:
    try:
        once = clean(value)
    except Invalid:
        return
    assert clean(once) == once
    assert once == once.strip() == unicodedata.normalize("NFC", once)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(c) for c in once if c not in "\n\t"}
    once.encode()


@given(LOCAL_PARTS, LOCAL_PARTS)
@example("J\u030c", "x")
@example("İ", "İİ")
@example("ΑΣ", "ςΣ")
def test_a_stored_email_stays_as_it_is(local: str, host: str) -> None:
    try:
        once = checks.email(f"{local}@{host}.example")
    except Invalid:
        return
    assert checks.email(once) == once
    assert len(once) <= 254
    assert once.count("@") == 1
    assert not any(character.isspace() for character in once)


@given(st.text(max_size=40))
@example("ℝ™ℌ")
@example("ǿŉİßΐᾳſﬃ")
def test_folded_text_stays_folded_and_has_no_case(value: str) -> None:
    once = fold(value)
    assert fold(once) == once
    assert fold(value.upper().lower()) == fold(value.upper())
    assert once.casefold() == once


@given(st.text(max_size=300))
def test_a_slug_is_safe_in_an_address(value: str) -> None:
    slug = slugify(value)
    assert len(slug) <= 100
    assert slug == slugify(slug)
    assert all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in slug)
    assert not slug.startswith("-")
    assert not slug.endswith("-")
    assert "--" not in slug
