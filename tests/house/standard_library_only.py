"""An import-linter contract: these modules import themselves and the standard library, and nothing else."""

import sys
from typing import cast

from grimp import DetailedImport, ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class StandardLibraryOnly(Contract):
    """``modules`` with everything below them, but for ``except_modules``, need no other distribution."""

    modules = fields.ListField(subfield=fields.StringField())
    except_modules = fields.ListField(subfield=fields.StringField(), required=False, default=())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every import of something that is neither ours nor Python's."""
        ours, excepted = cast("list[str]", self.modules), cast("list[str]", self.except_modules)
        bad: list[DetailedImport] = []
        for module in sorted(graph.modules):
            if not _below(module, ours) or _below(module, excepted):
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                if imported.partition(".")[0] not in sys.stdlib_module_names and not _below(imported, ours):
                    bad += graph.get_import_details(importer=module, imported=imported)
        return ContractCheck(kept=not bad, metadata={"bad": bad})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Say where."""
        for found in check.metadata["bad"]:
            output.print_error(f"{found['importer']}:{found['line_number']}: {found['line_contents']}", bold=False)


def _below(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
