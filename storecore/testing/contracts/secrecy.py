"""Passwords, signed links, encryption at rest. Give a fixture named after the port."""

from datetime import timedelta, timezone

import pytest

from storecore.errors import LinkInvalid
from storecore.ports import Cipher, Passwords, Signer
from storecore.testing.builders import NOW

SOON = NOW + timedelta(hours=1)


class PasswordsContract:
    """Slow one-way hashing. Give ``passwords`` fast parameters."""

    @pytest.mark.parametrize("password", ["12345678", "p" * 128, "şifre-пароль-🔑", "nul\x00 inside", " spaces "])
    def test_a_password_matches_its_own_hash(self, passwords: Passwords, password: str) -> None:
        assert passwords.verify(password, passwords.hash(password))

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ("12345678", "12345679"),
            ("12345678", ""),
            ("12345678", "12345678 "),
            ("password", "Password"),
            ("p" * 128, "p" * 127),
            ("p" * 127 + "a", "p" * 127 + "b"),
            ("nul\x00 inside", "nul"),
            ("12345678", "\ud800"),
        ],
    )
    def test_another_password_does_not(self, passwords: Passwords, right: str, wrong: str) -> None:
        assert not passwords.verify(wrong, passwords.hash(right))

    def test_no_account_is_never_a_match(self, passwords: Passwords) -> None:
        for password in ("12345678", "", "None"):
            assert not passwords.verify(password, None)

    def test_what_is_no_hash_is_never_a_match(self, passwords: Passwords) -> None:
        for hashed in ("", "12345678", "$argon2id$v=19$broken", "scrypt$1$2$3$4$5", "a$b$c$d$e$f"):
            assert not passwords.verify("12345678", hashed)
            assert passwords.outdated(hashed)

    def test_a_hash_is_salted_and_does_not_show_the_password(self, passwords: Passwords) -> None:
        one, two = passwords.hash("12345678"), passwords.hash("12345678")
        assert one != two
        assert "12345678" not in one

    def test_a_fresh_hash_is_not_outdated(self, passwords: Passwords) -> None:
        assert not passwords.outdated(passwords.hash("12345678"))


class SignerContract:
    """Links that nobody can make or change. Give a ``signer``."""

    def test_what_was_signed_is_read_until_it_expires(self, signer: Signer) -> None:
        data = {"user": "ada", "email": "jürgen@exämple.de", "empty": ""}
        token = signer.sign("verify", data, SOON)
        assert dict(signer.read("verify", token, NOW)) == data
        assert dict(signer.read("verify", token, SOON - timedelta(microseconds=1))) == data
        for late in (SOON, SOON + timedelta(days=1)):
            with pytest.raises(LinkInvalid):
                signer.read("verify", token, late)

    def test_expiry_is_a_moment_whatever_its_offset(self, signer: Signer) -> None:
        there = timezone(timedelta(hours=2))
        token = signer.sign("verify", {}, SOON.astimezone(there))
        assert dict(signer.read("verify", token, NOW.astimezone(there))) == {}
        with pytest.raises(LinkInvalid):
            signer.read("verify", token, SOON)

    def test_a_token_is_for_one_purpose(self, signer: Signer) -> None:
        token = signer.sign("verify", {"user": "ada"}, SOON)
        with pytest.raises(LinkInvalid):
            signer.read("reset", token, NOW)

    def test_a_token_has_url_safe_characters_only(self, signer: Signer) -> None:
        token = signer.sign("verify", {"text": "?&=#/+ ü🧢\n"}, SOON)
        assert token.isascii()
        assert not set(token) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")

    def test_a_token_with_any_character_changed_or_cut_is_refused(self, signer: Signer) -> None:
        token = signer.sign("verify", {"user": "ada"}, SOON)
        forged = {token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))}
        cut = {token[:at] for at in range(len(token))} | {token[1:], token + "A", token + "=", " " + token}
        for bad in forged | cut:
            with pytest.raises(LinkInvalid):
                signer.read("verify", bad, NOW)

    def test_what_is_no_token_is_refused(self, signer: Signer) -> None:
        for bad in ("", ".", "..", "ü", "\ud800", "e30.e30", "A" * 10_000, "\x00", "e30.\ud800"):
            with pytest.raises(LinkInvalid):
                signer.read("verify", bad, NOW)


class CipherContract:
    """Encryption at rest. Give a ``cipher``."""

    def test_what_was_encrypted_is_decrypted(self, cipher: Cipher) -> None:
        for plain in (b"", b"a", "Bağdat Caddesi 12".encode(), bytes(range(256)) * 100):
            assert cipher.decrypt("users.private", "1", cipher.encrypt("users.private", "1", plain)) == plain

    def test_it_never_looks_the_same_and_shows_nothing(self, cipher: Cipher) -> None:
        one, two = (cipher.encrypt("users.private", "1", b"a secret of many letters") for _ in range(2))
        assert one != two
        assert b"secret" not in one

    def test_a_purpose_keeps_keys_apart(self, cipher: Cipher) -> None:
        secret = cipher.encrypt("users.private", "1", b"plain")
        with pytest.raises(ValueError, match=r".+"):
            cipher.decrypt("orders.private", "1", secret)

    def test_what_was_encrypted_for_a_row_opens_in_no_other(self, cipher: Cipher) -> None:
        secret = cipher.encrypt("users.private", "1", b"plain")
        for other in ("2", "", "11", "1\0", "1\x001"):
            with pytest.raises(ValueError, match=r".+"):
                cipher.decrypt("users.private", other, secret)
            with pytest.raises(ValueError, match=r".+"):
                cipher.renewed("users.private", other, secret)

    def test_any_text_names_a_row(self, cipher: Cipher) -> None:
        for row in ("", "ü" * 1000, "\ud800", "a\0b"):
            assert cipher.decrypt("users.private", row, cipher.encrypt("users.private", row, b"plain")) == b"plain"

    def test_what_was_changed_or_is_no_secret_is_refused(self, cipher: Cipher) -> None:
        secret = cipher.encrypt("users.private", "1", b"plain")
        middle = len(secret) // 2
        changed = secret[:middle] + (b"A" if secret[middle : middle + 1] != b"A" else b"B") + secret[middle + 1 :]
        for bad in (changed, secret[:-1], secret[1:], b"", b"plain", b"\xff" * 100):
            with pytest.raises(ValueError, match=r".+"):
                cipher.decrypt("users.private", "1", bad)

    def test_a_blind_index_is_equal_for_equal_texts_of_one_purpose(self, cipher: Cipher) -> None:
        index = cipher.blind_index("users.phone", "+90 555 000")
        assert index == cipher.blind_index("users.phone", "+90 555 000")
        assert index != cipher.blind_index("users.phone", "+90 555 001")
        assert index != cipher.blind_index("orders.phone", "+90 555 000")
        for known in (b"+90", b"555"):
            assert known not in index

    def test_the_first_index_is_that_of_the_newest_key(self, cipher: Cipher) -> None:
        indexes = cipher.blind_indexes("users.phone", "+90 555 000")
        assert indexes[0] == cipher.blind_index("users.phone", "+90 555 000")
        assert len(set(indexes)) == len(indexes) == len(cipher.names)
        assert len(set(cipher.names)) == len(cipher.names), "each key has a name of its own"

    def test_what_the_newest_key_encrypted_need_not_be_renewed(self, cipher: Cipher) -> None:
        assert cipher.renewed("users.private", "1", cipher.encrypt("users.private", "1", b"plain")) is None
        with pytest.raises(ValueError, match=r".+"):
            cipher.renewed("users.private", "1", b"plain")
