import pytest

from adapters.encryption import FernetCipher
from adapters.secrets import new_key

OLD, NEW = "o" * 32, "n" * 32
FOR_NO_ROW = b"gAAAAABrARYImiMcpOPnXYrNq0mdAIfUqLG-YrFabqFQNQXEvSviAsZzFDai1Zh7czovhaaa99cbEnAaM0T-ELgjGr2FRcrHEw=="
"""``b"here"`` for the purpose ``address`` by ``OLD``, as it was encrypted before rows had keys."""


def test_what_is_encrypted_comes_back_and_looks_different_each_time() -> None:
    cipher = FernetCipher([NEW])
    secret = cipher.encrypt("address", "1", "Bağdat Caddesi".encode())
    assert cipher.decrypt("address", "1", secret) == "Bağdat Caddesi".encode()
    assert secret != cipher.encrypt("address", "1", "Bağdat Caddesi".encode())
    assert b"Caddesi" not in secret


@pytest.mark.parametrize("plain", [b"", b"\0" * 1000, bytes(range(256))])
def test_any_bytes_can_be_encrypted(plain: bytes) -> None:
    cipher = FernetCipher([NEW])
    assert cipher.decrypt("answer", "1", cipher.encrypt("answer", "1", plain)) == plain


def test_a_new_key_in_front_leaves_old_secrets_readable() -> None:
    before = FernetCipher([OLD]).encrypt("address", "1", b"here")
    rotated = FernetCipher([NEW, OLD])
    assert rotated.decrypt("address", "1", before) == b"here"
    assert FernetCipher([NEW]).decrypt("address", "1", rotated.encrypt("address", "1", b"there")) == b"there"


def test_a_secret_whose_key_is_gone_says_so() -> None:
    secret = FernetCipher([OLD]).encrypt("address", "1", b"here")
    with pytest.raises(ValueError, match="no encryption key opens this 'address' value"):
        FernetCipher([NEW]).decrypt("address", "1", secret)


def test_a_secret_of_one_purpose_can_not_be_put_in_the_place_of_another() -> None:
    cipher = FernetCipher([NEW])
    with pytest.raises(ValueError, match="no encryption key"):
        cipher.decrypt("guest_email", "1", cipher.encrypt("address", "1", b"here"))


def test_a_secret_that_is_moved_to_another_row_is_refused_by_every_key() -> None:
    secret = FernetCipher([OLD]).encrypt("address", "1", b"here")
    for ring in ([OLD], [NEW, OLD]):
        assert FernetCipher(ring).decrypt("address", "1", secret) == b"here"
        with pytest.raises(ValueError, match=r"in its row.*or moved"):
            FernetCipher(ring).decrypt("address", "2", secret)
        with pytest.raises(ValueError, match=r"in its row.*or moved"):
            FernetCipher(ring).renewed("address", "2", secret)


@pytest.mark.parametrize("ring", [[OLD], [NEW, OLD]])
def test_what_was_encrypted_for_no_row_is_read_until_it_is_renewed_for_its_row(ring: list[str]) -> None:
    cipher = FernetCipher(ring)
    assert [cipher.decrypt("address", row, FOR_NO_ROW) for row in "12"] == [b"here", b"here"]
    with pytest.raises(ValueError, match="no encryption key"):
        cipher.decrypt("guest_email", "1", FOR_NO_ROW)
    renewed = cipher.renewed("address", "1", FOR_NO_ROW)
    assert renewed is not None
    assert FernetCipher(ring[:1]).decrypt("address", "1", renewed) == b"here"
    assert cipher.renewed("address", "1", renewed) is None
    with pytest.raises(ValueError, match="in its row"):
        cipher.decrypt("address", "2", renewed)


def test_what_was_encrypted_for_no_row_is_gone_with_its_key() -> None:
    with pytest.raises(ValueError, match="no encryption key"):
        FernetCipher([NEW]).decrypt("address", "1", FOR_NO_ROW)


def test_a_changed_secret_is_refused() -> None:
    cipher = FernetCipher([NEW])
    secret = cipher.encrypt("address", "1", b"here")
    for place in range(0, len(secret) - 2, 7):
        changed = secret[:place] + (b"B" if secret[place : place + 1] == b"A" else b"A") + secret[place + 1 :]
        with pytest.raises(ValueError, match="it was changed"):
            cipher.decrypt("address", "1", changed)


@pytest.mark.parametrize("secret", [b"", b"plain text", b"\xff\xfe", b"gAAAAA"])
def test_what_was_never_encrypted_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="no encryption key"):
        FernetCipher([NEW]).decrypt("address", "1", secret)


def test_equal_texts_have_equal_indexes_and_others_do_not() -> None:
    cipher = FernetCipher([NEW])
    index = cipher.blind_index("guest_email", "ayşe@example.com")
    assert index == FernetCipher([NEW]).blind_index("guest_email", "ayşe@example.com")
    assert index != cipher.blind_index("guest_email", "ayse@example.com")
    assert index != cipher.blind_index("email", "ayşe@example.com")
    assert index != FernetCipher([OLD]).blind_index("guest_email", "ayşe@example.com")
    assert len(index) == 32


def test_what_an_older_key_indexed_is_found_with_the_ring() -> None:
    before = FernetCipher([OLD]).blind_index("guest_email", "a@example.com")
    now = FernetCipher([NEW]).blind_index("guest_email", "a@example.com")
    ring = FernetCipher([NEW, OLD])
    assert ring.blind_index("guest_email", "a@example.com") == now
    assert ring.blind_indexes("guest_email", "a@example.com") == [now, before]


def test_a_key_has_the_same_name_in_every_ring_and_another_than_the_next() -> None:
    assert FernetCipher([NEW, OLD]).names == FernetCipher([NEW]).names + FernetCipher([OLD]).names
    assert len({*FernetCipher([NEW, OLD]).names}) == 2
    assert FernetCipher([NEW]).names[0] not in NEW


@pytest.mark.parametrize("keys", [[], ["x" * 31], [NEW, "short"]])
def test_short_and_missing_keys_are_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="key"):
        FernetCipher(keys)


def test_a_generated_key_is_long_enough_and_new() -> None:
    assert FernetCipher([new_key()]).encrypt("address", "1", b"here")
    assert new_key() != new_key()
