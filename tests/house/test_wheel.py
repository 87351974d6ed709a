"""The wheel alone, without any other distribution: it imports only Python's own modules, and it sells."""

import shutil
import subprocess
import sys
import textwrap
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2]

IMPORT = """
import sys, time
before = set(sys.modules)
start = time.perf_counter()
import storecore.store
took = time.perf_counter() - start
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print("foreign:", sorted(tops - {"storecore"} - sys.stdlib_module_names))
print(f"import storecore.store: {1000 * took:.0f} ms, {len(set(sys.modules) - before)} modules")
"""

SELL = """
from adapters.memory import open_store
from storecore.accounts.model import SYSTEM, Address
from storecore.money import Money

with open_store() as store:
    shelf = store.catalog.create_category(by=SYSTEM, name="Shirts")
    shirt = store.catalog.create_product(
        by=SYSTEM, sku="S-1", name="Shirt", description="", price=Money(1999, "USD"), stock=5, category_ids=[shelf.id]
    )
    ada = store.accounts.register(email="ada@shop.test", password="correct horse", full_name="Ada Lovelace")
    home = Address(recipient="Ada Lovelace", line1="1 Main Street", city="London", postal_code="W1", country="GB")
    order = store.orders.place(by=ada, items=[(shirt.product.id, 2)], deliver_to=home)
    while store.work():
        pass
    print(order.total, store.catalog.product(product=shirt.product.id).product.stock)
"""

PROVE = """
import sys
from importlib import import_module
from pkgutil import walk_packages

import pytest
import storecore.testing
from adapters.memory import MemoryStorage
from storecore.ports import Storage
from storecore.testing.contracts import ALL_CAPABILITIES, StockContract

for module in walk_packages(storecore.testing.__path__, "storecore.testing."):
    if not module.name.endswith("__main__"):
        import_module(module.name)


class TestMine(StockContract):
    missing = ALL_CAPABILITIES

    @pytest.fixture
    def storage(self) -> Storage:
        return MemoryStorage()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this working tree."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PROJECT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose environment holds the wheel and nothing else."""
    return _python(tmp_path_factory.mktemp("bare"), wheel)


@pytest.fixture(scope="module")
def proving_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the wheel and what its extra `testing` asks for, copied from here."""
    python = _python(tmp_path_factory.mktemp("proving"), wheel)
    (packages,) = python.parents[1].rglob("site-packages")
    (about,) = packages.glob("storecore-*.dist-info")
    for needed in _needed(Distribution.at(about), extra="testing"):
        for file in needed.files or ():
            if ".." not in file.parts:  # scripts
                (packages / file.parent).mkdir(parents=True, exist_ok=True)
                shutil.copy(str(needed.locate_file(file)), packages / file)
    return python


def _needed(asking: Distribution, extra: str = "") -> Iterator[Distribution]:
    """What a distribution asks for, and what that asks for."""
    for asked in map(Requirement, asking.requires or ()):
        if asked.marker is None or asked.marker.evaluate({"extra": extra}):
            found = distribution(asked.name)
            yield found
            yield from _needed(found)


def _python(folder: Path, wheel: Path) -> Path:
    """A new environment with the wheel alone."""
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    _run(sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel))
    return python


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_core_loads_nothing_but_itself_and_the_standard_library(
    bare_python: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign, report = _run(str(bare_python), "-I", "-c", IMPORT, cwd=tmp_path).splitlines()
    assert foreign == "foreign: []"
    with capsys.disabled():
        sys.stdout.write(f"\n{report}\n")


def test_the_store_in_memory_sells(bare_python: Path, tmp_path: Path) -> None:
    loaded = 'import sys; print(sorted({n.partition(".")[0] for n in sys.modules} - sys.stdlib_module_names))'
    said = _run(str(bare_python), "-I", "-W", "error", "-c", textwrap.dedent(SELL) + loaded, cwd=tmp_path)
    # 2 x 19.99, 10.00 shipping, 8 % of 39.98
    assert said.splitlines() == ["53.18 3", "['__main__', 'adapters', 'storecore']"]


def test_the_extra_for_testing_is_all_that_a_contract_needs(proving_python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(PROVE, encoding="utf-8")
    run = ("-I", "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py")
    assert " passed" in _run(str(proving_python), *run, cwd=tmp_path)


def test_the_wheel_holds_what_the_server_reads_at_run_time(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "storecore/py.typed" in names
    for package in ("storecore", "adapters", "webapp"):
        here = {
            path.relative_to(PROJECT).as_posix()
            for path in (PROJECT / package).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert here <= names
    assert not {name for name in names if name.startswith(("tests/", "noxfile"))}
