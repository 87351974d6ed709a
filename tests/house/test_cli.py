"""The ``storecore`` command, as a person or a script meets it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from tests.house.test_settings import KEY, OTHER_KEY, PRODUCTION
from webapp.cli import main
from webapp.settings import Settings

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, typed: str | None = None, **env: str) -> Result:
    return CliRunner().invoke(main, arguments, env=env, input=typed)


def accounts(database: Path) -> list[tuple[str, str]]:
    import sqlite3

    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT email, role FROM users ORDER BY email").fetchall()
    connection.close()
    return found


def test_config_shows_every_setting_and_masks_secrets(folder: Path) -> None:
    (folder / ".env").write_text(f"SECRET_KEY={KEY}\nENCRYPTION_KEYS={OTHER_KEY}\nSMTP_PASWORD=x\n")
    result = run("config", SMTP_PASSWORD="hunter22")
    assert result.exit_code == 0
    for name in Settings.model_fields:
        assert f"{name.upper()}=" in result.output
    assert "SECRET_KEY=********" in result.output
    for secret in (KEY, OTHER_KEY, "hunter22"):
        assert secret not in result.output
    assert "PUBLIC_URL: is not set" in result.output
    assert "SMTP_PASWORD" in result.output


def test_config_prints_the_example_file(folder: Path) -> None:
    assert run("config", "--example").output == (PROJECT / ".env.example").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["config", "serve", "migrate", "deliver", "seed", "create-admin"])
def test_every_command_refuses_unsafe_production_and_says_everything_at_once(folder: Path, command: str) -> None:
    named = ["--email", "a@shop.test", "--name", "A"] if command == "create-admin" else []
    result = run(command, *named, ENVIRONMENT="production", SECRET_KEY="short", COOKIE_SECURE="false")
    assert result.exit_code == 2
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "COOKIE_SECURE", "PUBLIC_URL"):
        assert f"  {name}: " in result.output
    assert "Traceback" not in result.output
    assert not list(folder.iterdir())


def test_production_is_never_seeded(folder: Path) -> None:
    result = run("seed", **PRODUCTION)
    assert result.exit_code == 1
    assert "never goes into a production database" in result.output


def test_migrate_makes_the_database_and_may_run_again(folder: Path) -> None:
    for _ in range(2):
        result = run("migrate")
        assert result.exit_code == 0, result.output
    assert accounts(folder / "instance" / "store.db") == []


def test_reindex_mends_what_products_are_found_by(folder: Path) -> None:
    import sqlite3

    assert run("seed").exit_code == 0
    assert "was up to date" in run("reindex").output
    with sqlite3.connect("instance/store.db") as database:
        database.execute("UPDATE search_documents SET name = '' WHERE id = 1")
        database.execute("DELETE FROM search_documents WHERE id IN (2, 3)")
    database.close()
    assert run("migrate").exit_code == 0  # which makes what is missing
    assert "mended: 1." in run("reindex").output
    assert run("verify").exit_code == 0


def test_create_admin_takes_the_password_from_standard_input(folder: Path) -> None:
    result = run("create-admin", "--email", "Boss@Shop.test", "--name", "The Boss", typed="correct horse\n")
    assert result.exit_code == 0, result.output
    assert "correct horse" not in result.output
    assert accounts(folder / "instance" / "store.db") == [("boss@shop.test", "admin")]


def test_create_admin_takes_the_password_from_the_environment(folder: Path) -> None:
    result = run("create-admin", "--email", "boss@shop.test", "--name", "Boss", ADMIN_PASSWORD="correct horse")
    assert result.exit_code == 0, result.output


def test_create_admin_takes_no_password_from_the_command_line(folder: Path) -> None:
    result = run("create-admin", "--email", "boss@shop.test", "--name", "Boss", "--password", "correct horse")
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("email", "password", "why"),
    [
        ("boss@shop.test", "short", "password"),
        ("no address", "correct horse", "email"),
        ("boss@shop.test", "", "passw"),
    ],
)
def test_create_admin_says_what_it_does_not_accept(folder: Path, email: str, password: str, why: str) -> None:
    result = run("create-admin", "--email", email, "--name", "Boss", typed=f"{password}\n")
    assert result.exit_code == 1
    assert why in result.output
    assert len(result.output.splitlines()) == 1
    assert accounts(folder / "instance" / "store.db") == []


def test_an_email_gets_one_account(folder: Path) -> None:
    arguments = ("create-admin", "--email", "boss@shop.test", "--name", "Boss")
    assert run(*arguments, typed="correct horse\n").exit_code == 0
    again = run(*arguments, typed="correct horse\n")
    assert (again.exit_code, again.output) == (1, "Error: There is an account with this email\n")


def test_deliver_once_sends_what_is_due_and_ends(folder: Path) -> None:
    assert run("create-admin", "--email", "boss@shop.test", "--name", "Boss", typed="correct horse\n").exit_code == 0
    result = run("deliver", "--once")
    assert result.exit_code == 0, result.output
    assert len(list((folder / "instance" / "mail").glob("*.eml"))) == 1


def test_a_port_in_use_is_one_line_and_leaves_the_database_alone(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", PORT=str(taken.getsockname()[1]))
    assert result.exit_code == 3
    assert len(result.output.splitlines()) == 1
    assert "in use" in result.output
    assert not list(folder.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_secrets_that_others_can_read_are_refused_in_one_line(folder: Path) -> None:
    assert run("migrate").exit_code == 0
    secrets = folder / "instance" / "secrets.json"
    secrets.write_text("{}")
    for mode, why in ((0o644, "chmod 600"), (0o600, "restore it from a backup")):
        secrets.chmod(mode)
        result = run("deliver", "--once")
        assert result.exit_code == 5
        assert why in result.output
        assert len(result.output.splitlines()) == 1


def test_a_database_that_cannot_be_opened_is_one_line(folder: Path) -> None:
    (folder / "text.db").write_text("This is no database. " * 100)
    for path in ("text.db/store.db", "text.db"):
        result = run("migrate", DATABASE_URL=f"sqlite:///{path}")
        assert result.exit_code == 4, result.output
        assert len(result.output.splitlines()) == 1, result.output


class Server:
    """``python -m webapp serve`` in a process of its own."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        outside = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "webapp", "serve"],
            cwd=folder,
            env={**outside, "PYTHONPATH": str(PROJECT), "PORT": "0", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("Press Ctrl+C"):
                break

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    @property
    def address(self) -> str:
        return next(line.split()[1] for line in self.said if line.strip().startswith("address"))

    def stop(self) -> tuple[int, str]:
        """Ask it to end; its exit code and what else it said."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return self.process.returncode, out


@pytest.fixture
def served(folder: Path) -> Iterator[Server]:
    server = Server(folder, {})
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def test_serve_without_settings_does_everything(served: Server, folder: Path) -> None:
    assert "manager@example.com" in served.text, served.text
    assert "12345678" in served.text
    assert str(folder / "instance" / "store.db") in served.text
    assert httpx.get(f"{served.address}/ready").status_code == 200
    products = httpx.get(f"{served.address}/api/v1/products").json()
    assert len(products["items"]) == 20
    credentials = {"email": "customer@example.com", "password": "12345678"}
    assert httpx.post(f"{served.address}/api/v1/auth/token", json=credentials).status_code == 200
    if os.name == "posix":
        assert (folder / "instance" / "secrets.json").stat().st_mode & 0o777 == 0o600
    code, rest = served.stop()
    assert code == 0
    assert "Traceback" not in rest


def test_what_other_machines_can_reach_is_not_seeded(folder: Path) -> None:
    server = Server(folder, {"HOST": "0.0.0.0"})
    try:
        assert "12345678" not in server.text
        assert httpx.get(f"{server.address}/api/v1/products").json()["items"] == []
        code, _ = server.stop()
    finally:
        server.process.kill()
        server.process.communicate()
    assert code == 0
    assert accounts(folder / "instance" / "store.db") == []


NEWER_KEY = "Jd7f0Pq2-newer-key-of-the-tests-8fhWq"


def test_keys_rotate_and_every_step_says_what_is_next(folder: Path) -> None:
    run("seed", ENCRYPTION_KEYS=OTHER_KEY)
    both = f"{NEWER_KEY},{OTHER_KEY}"
    assert "storecore rotate-keys" not in run("config", ENCRYPTION_KEYS=OTHER_KEY).output
    assert "may still need the older keys" in run("config", ENCRYPTION_KEYS=both).output
    assert "Fields encrypted with an older key" in run("verify", ENCRYPTION_KEYS=both).output
    result = run("rotate-keys", ENCRYPTION_KEYS=both)
    assert result.exit_code == 0, result.output
    assert "can be removed" in result.output
    assert "nothing in the database needs the older keys" in run("config", ENCRYPTION_KEYS=both).output
    assert "older key" not in run("verify", ENCRYPTION_KEYS=both).output
    assert "Encrypted anew: 0 fields." in run("rotate-keys", ENCRYPTION_KEYS=both).output
    result = run("verify", ENCRYPTION_KEYS=NEWER_KEY)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", ["deliver", "reindex", "migrate", "rotate-keys", "create-admin"])
def test_a_wrong_encryption_key_is_one_clear_error(folder: Path, command: str) -> None:
    assert run("seed", ENCRYPTION_KEYS=OTHER_KEY).exit_code == 0
    named = ["--email", "a@shop.test", "--name", "A"] if command == "create-admin" else []
    result = run(command, *named, ENCRYPTION_KEYS=NEWER_KEY, PORT="0", ADMIN_PASSWORD="correct horse")
    assert result.exit_code == 5
    assert result.output.strip().splitlines()[-1].startswith("Error: The encryption keys are not those of")
    assert "Put the missing key back into ENCRYPTION_KEYS, behind the others." in result.output
    assert "Traceback" not in result.output
    assert NEWER_KEY not in result.output


def test_secrets_that_were_lost_are_noticed_by_a_server_that_starts(folder: Path) -> None:
    assert run("seed").exit_code == 0
    (folder / "instance" / "secrets.json").unlink()
    command = [sys.executable, "-m", "webapp", "serve"]
    env = {**os.environ, "PORT": "0", "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 5
    assert ended.stderr.startswith("Error: The encryption keys are not those of")
    assert "secrets.json" in ended.stderr
    assert ended.stderr.count("\n") == 1
