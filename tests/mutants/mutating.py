"""Wrong adapters, made from right ones: a line of a module is changed, and whoever imports it gets the mutant."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """What an author of an adapter got wrong: ``old`` in a ``module`` reads ``new``, and the ``contract`` must tell.

    ``name`` is a sentence. ``old`` is there exactly once.
    """

    name: str
    module: str
    old: str
    new: str
    contract: str

    @property
    def path(self) -> Path:
        """The file that is changed."""
        return PROJECT / f"{self.module.replace('.', '/')}.py"

    def source(self) -> str:
        """The file's text with the mistake. Raises ``ValueError`` when what is to be changed is not there once."""
        right = self.path.read_text(encoding="utf-8")
        if right.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} is {right.count(self.old)} times in {self.path}")
        return right.replace(self.old, self.new)


def mutants(module: str, contract: str, *changes: tuple[str, str, str]) -> tuple[Mutant, ...]:
    """Mutants of one module that one contract is to tell: each a name, what is changed, and to what."""
    return tuple(Mutant(name=name, module=module, old=old, new=new, contract=contract) for name, old, new in changes)


class _Loader(SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self._source = mutant.source()

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.get_filename(fullname), "exec")


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        return spec_from_file_location(fullname, self._mutant.path, loader=_Loader(self._mutant))


@contextmanager
def mutated(mutant: Mutant) -> Iterator[None]:
    """While this is open, importing the module gives the mutant, to the rest of its package too."""
    package = mutant.module.rpartition(".")[0]
    fresh = {mutant.module} if package == "adapters" else {package}
    before = {name: module for name, module in sys.modules.items() if _is_within(name, fresh)}
    finder = _Finder(mutant)
    for name in before:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_within(name, fresh)]:
            del sys.modules[name]
        sys.modules.update(before)
        for name, module in before.items():
            parent, _, child = name.rpartition(".")
            setattr(sys.modules[parent], child, module)


def _is_within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
