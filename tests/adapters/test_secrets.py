import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.secrets import Secrets, key_ring, load_or_create, new_key


def test_the_secrets_are_made_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "instance" / "secrets.json"
    made = load_or_create(path)
    assert load_or_create(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secrets.json"]


def test_two_shops_have_different_secrets(tmp_path: Path) -> None:
    one, other = load_or_create(tmp_path / "one.json"), load_or_create(tmp_path / "other.json")
    keys = {*one.signing_keys, *one.encryption_keys, *other.signing_keys, *other.encryption_keys}
    assert len(keys) == 4


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    script = (
        "import sys; from pathlib import Path; from adapters.secrets import load_or_create; sys.stdin.read(1);"
        "print(load_or_create(Path(sys.argv[1])).signing_keys[0])"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("!")
        racer.stdin.flush()
    answers = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert answers == {load_or_create(path).signing_keys[0]}


def test_the_loser_of_the_race_for_the_file_takes_what_the_winner_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secrets.json"
    winner = load_or_create(path)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert load_or_create(path) == winner


@pytest.mark.skipif("os.name != 'posix'", reason="other systems have no such modes")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secrets.json"
    load_or_create(path)
    path.chmod(mode)
    with pytest.raises(PermissionError, match="chmod 600"):
        load_or_create(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"signing_keys": [], "encryption_keys": []}',
        json.dumps({"signing_keys": ["short"], "encryption_keys": ["k" * 43]}),
        json.dumps({"signing_keys": ["k" * 43], "encryption_keys": [7]}),
        json.dumps({"signing_keys": ["k" * 43], "encryption_keys": ["k" * 43], "other": []}),
    ],
)
def test_a_file_that_holds_no_secrets_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ValueError, match="restore it from a backup"):
        load_or_create(path)
    assert path.read_text() == content


def test_secrets_do_not_show_themselves() -> None:
    secrets = Secrets.generate()
    for key in (*secrets.signing_keys, *secrets.encryption_keys):
        assert key not in repr(secrets)


def test_a_key_ring_has_keys_of_at_least_32_bytes() -> None:
    assert key_ring(["x" * 32]) == (b"x" * 32,)
    with pytest.raises(ValueError, match="key 2 of the ring has 31 bytes"):
        key_ring([new_key(), "x" * 31])
    with pytest.raises(ValueError, match="at least one key"):
        key_ring([])
    with pytest.raises(TypeError, match="not one string"):
        key_ring(new_key())
