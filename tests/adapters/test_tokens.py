from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.secrets import new_key
from adapters.tokens import ItsDangerousSigner, SignedValues
from storecore.errors import Invalid, LinkInvalid

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
OLD, NEW = "o" * 32, "n" * 32


def test_a_link_gives_back_what_was_signed() -> None:
    signer = ItsDangerousSigner([NEW])
    token = signer.sign("verify-email", {"user": "1", "email": "ayşe@example.com"}, LATER)
    assert signer.read("verify-email", token, NOW) == {"user": "1", "email": "ayşe@example.com"}
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


def test_a_link_ends_at_the_given_time_by_the_callers_clock() -> None:
    signer = ItsDangerousSigner([NEW])
    token = signer.sign("verify-email", {}, LATER)
    signer.read("verify-email", token, LATER - timedelta(microseconds=1))
    signer.read("verify-email", token, datetime(1980, 1, 1, tzinfo=UTC))
    signer.read("verify-email", token, NOW.astimezone(timezone(timedelta(hours=-5))))
    for late in (LATER, LATER.astimezone(timezone(timedelta(hours=2))), datetime(2100, 1, 1, tzinfo=UTC)):
        with pytest.raises(LinkInvalid):
            signer.read("verify-email", token, late)


def test_a_link_for_one_purpose_is_worth_nothing_for_another() -> None:
    signer = ItsDangerousSigner([NEW])
    token = signer.sign("verify-email", {"user": "1"}, LATER)
    with pytest.raises(LinkInvalid):
        signer.read("reset-password", token, NOW)


def test_links_and_values_of_one_name_can_not_be_swapped() -> None:
    value = SignedValues([NEW]).dumps("cart", [(LATER - NOW) // timedelta(microseconds=1), {}])
    with pytest.raises(LinkInvalid):
        ItsDangerousSigner([NEW]).read("cart", value, NOW)


def test_the_first_key_signs_and_all_of_them_verify() -> None:
    before = ItsDangerousSigner([OLD]).sign("verify-email", {"user": "1"}, LATER)
    rotated = ItsDangerousSigner([NEW, OLD])
    after = rotated.sign("verify-email", {"user": "2"}, LATER)
    assert rotated.read("verify-email", before, NOW) == {"user": "1"}
    assert ItsDangerousSigner([NEW]).read("verify-email", after, NOW) == {"user": "2"}
    for key, token in ((NEW, before), (OLD, after), (new_key(), after)):
        with pytest.raises(LinkInvalid):
            ItsDangerousSigner([key]).read("verify-email", token, NOW)


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "x" * 31]])
def test_short_and_missing_keys_are_refused(keys: list[str]) -> None:
    for make in (ItsDangerousSigner, SignedValues):
        with pytest.raises(ValueError, match="key"):
            make(keys)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def test_no_single_character_of_a_link_can_be_changed_added_or_dropped() -> None:
    signer = ItsDangerousSigner([NEW])
    token = signer.sign("verify-email", {"user": "1"}, LATER)
    changed = {token[:i] + other + token[i + 1 :] for i in range(len(token)) for other in ALPHABET + "=!é\n"}
    added = {token[:i] + other + token[i:] for i in range(len(token) + 1) for other in "A=! \n"}
    dropped = {token[:i] + token[i + 1 :] for i in range(len(token))}
    for forged in (changed | added | dropped) - {token}:
        with pytest.raises(LinkInvalid):
            signer.read("verify-email", forged, NOW)


@given(st.text())
def test_no_text_is_a_link_or_a_crash(text: str) -> None:
    with pytest.raises(LinkInvalid):
        ItsDangerousSigner([NEW]).read("verify-email", text, NOW)


@pytest.mark.parametrize("text", ["", ".", "..", "\ud800", "\0", "é.é", "." + "A" * 43, "A." + "A" * 43, "[" * 100_000])
def test_odd_texts_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        SignedValues([NEW]).loads("cursor", text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(json_values)
def test_any_json_value_comes_back_as_it_was(value: object) -> None:
    values = SignedValues([NEW])
    assert values.loads("cursor", values.dumps("cursor", value)) == value


def test_long_values_come_back_too() -> None:
    values = SignedValues([NEW])
    assert values.loads("cursor", values.dumps("cursor", ["word"] * 1000)) == ["word"] * 1000
