"""What the README promises works when it is typed in."""

import doctest
import os
import re
import shutil
import signal
import subprocess
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from storecore.testing import contracts

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _shell(heading: str) -> str:
    """The first shell example below a heading."""
    found = re.search(rf"^#+ {heading}\n.*?```sh\n(.*?)```", README, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def _chapter(heading: str) -> str:
    """What is below a heading, up to the next of its kind."""
    found = re.search(rf"^## {heading}\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def _examples(heading: str, language: str) -> list[str]:
    """The examples of a chapter."""
    return re.findall(rf"```{language}\n(.*?)```", _chapter(heading), re.DOTALL)


def test_the_library_example_runs_and_has_about_twenty_lines() -> None:
    examples = doctest.DocTestParser().get_doctest(README, {}, "README.md", "README.md", 0)
    assert 10 <= sum(example.source.count("\n") for example in examples.examples) <= 25
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert runner.run(examples).failed == 0


def test_the_first_commands_are_one_line_and_what_ci_runs() -> None:
    serve, tests = _shell("Run the server").strip(), _shell("Run the proofs").strip()
    assert serve.replace("serve", "tests") == tests
    assert tests in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("program", ["bash", "curl"])
def test_the_tour_has_what_it_needs(program: str) -> None:
    assert shutil.which(program), f"install {program} (with apt-get, say) to test the README's tour"


def test_the_curl_tour_ends_with_a_delivered_order_and_its_invoice(tmp_path: Path) -> None:
    env = {**os.environ, "INSTANCE_DIR": str(tmp_path / "instance"), "PORT": "0", "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [sys.executable, "-m", "webapp", "serve"],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = next(match[0] for line in server.stdout if (match := re.search(r"http://[\d.:]+", line)))
        tour = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "".join(map(_shell, ("A tour with curl", "Payments", "Administer")))],
            env={**os.environ, "BASE": address},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)
    assert tour.returncode == 0, tour.stderr
    assert (tmp_path / "invoice.pdf").read_bytes().startswith(b"%PDF-")
    assert '"status":"delivered"' in tour.stdout
    assert '"status":"succeeded","failure":null' in tour.stdout, "the test number pays"
    assert '"action":"user.unban"' in tour.stdout
    assert '"code":' not in tour.stdout, "no request of the tour is refused"


def test_the_table_of_contracts_names_every_one_that_is_not_part_of_another() -> None:
    whole = {name: getattr(contracts, name) for name in contracts.__all__ if name.endswith("Contract")}
    parts = {base for contract in whole.values() for base in contract.__mro__[1:]}
    named = set(re.findall(r"`(\w+Contract)`", _chapter("Write your own adapter")))
    assert named == {name for name, each in whole.items() if each not in parts}


def test_what_is_said_to_prove_a_promise_is_there() -> None:
    for name in re.findall(r"`([\w./]+)`", _chapter("Trust it")):
        if "/" in name:
            assert (ROOT / name).exists(), name
        elif name.endswith("Contract"):
            assert hasattr(contracts, name), name
        elif name.startswith("storecore."):
            import_module(name)


def test_every_session_is_in_the_table() -> None:
    sessions = set(re.findall(r"@nox\.session\ndef (\w+)", (ROOT / "noxfile.py").read_text(encoding="utf-8")))
    assert set(re.findall(r"^\| `nox -s (\w+)`", _chapter("Run the proofs"), re.MULTILINE)) == sessions - {
        "serve",
        "tests",
    }


def test_the_proofs_run_as_they_are_written() -> None:
    _, programs = _examples("Run the proofs", "sh")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", programs], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^seed 7: ", ran.stdout, re.MULTILINE)
    assert ", 0 of which did not end well" in ran.stdout


MY_SHOP = """
from adapters.memory import MemoryMailer as MyMailer
from tests.example.storage import SqliteStorage as MyStorage
"""


def test_an_adapter_is_held_against_its_contract_as_it_says(tmp_path: Path) -> None:
    proofs, wiring = _examples("Write your own adapter", "python")
    (tmp_path / "my_shop.py").write_text(MY_SHOP, encoding="utf-8")
    fewer = proofs.replace("max_examples=10, stateful_step_count=30", "max_examples=2, stateful_step_count=10")
    assert fewer != proofs
    (tmp_path / "test_my_shop.py").write_text(fewer, encoding="utf-8")
    (tmp_path / "shop.py").write_text(f"from my_shop import MyMailer, MyStorage\n{wiring}", encoding="utf-8")
    python = [sys.executable, "-W", "error"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = partial(subprocess.run, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    some = ["-k", "MyShop or stock or buyers or capability", "-p", "no:cacheprovider"]  # tests/example runs all of them
    proven = run([*python, "-m", "pytest", *some, "test_my_shop.py"])
    assert proven.returncode == 0, proven.stdout + proven.stderr
    opened = run([*python, "shop.py"])
    assert opened.returncode == 0, opened.stderr
