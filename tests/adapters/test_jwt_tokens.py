import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from adapters.jwt_tokens import AccessClaims, JwtAccessTokens
from storecore.errors import NotAuthenticated

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
OLD, NEW = "o" * 32, "n" * 32


def issue(tokens: JwtAccessTokens) -> str:
    return tokens.issue(user_id="user", session_id="session", at=NOW, lifetime=HALF_AN_HOUR)


def refused(token: str, at: datetime = NOW, **settings: str) -> bool:
    try:
        JwtAccessTokens([NEW], **settings).read(token, at=at)
    except NotAuthenticated:
        return True
    return False


def forge(*, key: Any = NEW, algorithm: str = "HS256", header: Any = None, without: str = "", **claims: Any) -> str:
    """A token that is right but for what is given."""
    genuine = issue(JwtAccessTokens([NEW]))
    claims = jwt.decode(genuine, options={"verify_signature": False}) | claims
    claims.pop(without, None)
    return jwt.encode(claims, key, algorithm, jwt.get_unverified_header(genuine) | {"alg": algorithm} | (header or {}))


def test_a_token_says_who_and_in_which_session_and_for_how_long() -> None:
    tokens = JwtAccessTokens([NEW])
    assert tokens.read(issue(tokens), at=NOW) == AccessClaims(
        user_id="user", session_id="session", issued_at=NOW, expires_at=NOW + HALF_AN_HOUR
    )


def test_the_forger_makes_a_good_token_when_it_changes_nothing() -> None:
    assert not refused(forge())


def test_a_token_ends_by_the_callers_clock() -> None:
    token = issue(JwtAccessTokens([NEW]))
    assert not refused(token, at=NOW + HALF_AN_HOUR - timedelta(microseconds=1))
    assert not refused(token, at=NOW - timedelta(minutes=5))
    assert refused(token, at=NOW + HALF_AN_HOUR)


def test_the_first_key_signs_all_verify_and_the_header_says_which() -> None:
    before, rotated = issue(JwtAccessTokens([OLD])), JwtAccessTokens([NEW, OLD])
    after = issue(rotated)
    assert rotated.read(before, at=NOW) == rotated.read(after, at=NOW) == JwtAccessTokens([NEW]).read(after, at=NOW)
    assert refused(before)
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
    assert NEW not in jwt.get_unverified_header(after)["kid"]


def test_a_token_signed_with_another_key_under_our_key_id_is_refused() -> None:
    assert refused(forge(key=OLD))


def test_a_token_without_signature_is_refused() -> None:
    assert refused(forge(key="", algorithm="none"))
    head, body, _ = issue(JwtAccessTokens([NEW])).split(".")
    assert refused(f"{head}.{body}.")
    assert refused(f"{head}.{body}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_our_key(algorithm: str) -> None:
    assert refused(forge(key=NEW * 2, algorithm=algorithm))


def test_rs256_is_refused() -> None:
    assert refused(forge(key=generate_private_key(65537, 2048), algorithm="RS256"))


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "oct", "k": "bm4"}},
        {"crit": ["exp"]},
        {"kid": "another"},
        {"kid": "../../dev/null"},
        {"typ": "JWT"},
        {"typ": "refresh"},
        {"extra": 1},
    ],
)
def test_any_header_but_ours_is_refused_even_when_signed_with_our_key(header: dict[str, Any]) -> None:
    assert refused(forge(header=header))


@pytest.mark.parametrize("claims", [{"aud": "others"}, {"aud": ["others"]}, {"iss": "others"}, {"iss": ""}])
def test_a_token_for_or_from_somebody_else_is_refused(claims: dict[str, Any]) -> None:
    assert refused(forge(**claims))
    assert refused(issue(JwtAccessTokens([NEW])), issuer="another shop")
    assert refused(issue(JwtAccessTokens([NEW])), audience="another api")


@pytest.mark.parametrize("claim", ["sub", "sid", "iat", "exp", "aud", "iss"])
def test_a_token_that_leaves_something_out_is_refused(claim: str) -> None:
    assert refused(forge(without=claim))


def test_no_single_character_of_a_token_can_be_changed() -> None:
    token = issue(JwtAccessTokens([NEW]))
    for position, character in enumerate(token):
        for other in {"A", "B", "-", ".", "=", "!", "é"} - {character}:
            assert refused(token[:position] + other + token[position + 1 :])
    for last in set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") - {token[-1]}:
        assert refused(token[:-1] + last)
    assert refused(token + "\n")
    assert refused(token + "=")


@given(st.text())
def test_no_text_is_a_token_or_a_crash(text: str) -> None:
    assert refused(text)


def test_deeply_nested_and_huge_headers_are_refused_without_being_parsed() -> None:
    nested = urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
    assert refused(f"{nested}.{nested}.{'A' * 43}")
    assert refused(urlsafe_b64encode(json.dumps({"alg": "HS256"}).encode()).decode() + ".\ud800." + "A" * 43)


@pytest.mark.parametrize("keys", [[], ["x" * 31], [NEW, "short"]])
def test_short_and_missing_keys_are_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="key"):
        JwtAccessTokens(keys)
