"""How far mutants reach: into use cases and properties too, and to statements that are left out.

mutmut leaves decorated functions alone, since it can't know what a decorator does with the copies that it makes, and
it never leaves out a statement. Ours are known: the copies go without them, and what chooses among the copies is
decorated in their place.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import libcst as cst
from mutmut.mutation import file_mutation
from mutmut.mutation.mutators import mutation_operators

TRANSPARENT = {"property", "reading", "writing"}
"""Decorators that do with one function what they do with another of the same signature."""


def extend() -> None:
    """Teach mutmut so, in this process and in those that it forks.

    ``zip(…, strict=True)`` stays as it is: it guards against what never happens, so that nothing can tell it apart.
    """
    file_mutation.NEVER_MUTATE_FUNCTION_CALLS.add("zip")
    visitor = file_mutation.MutationVisitor
    skips, arrange = visitor._skip_node_and_children, file_mutation.function_trampoline_arrangement

    def skips_less(self: Any, node: cst.CSTNode) -> Any:
        return skips(self, _bare(node) if isinstance(node, cst.FunctionDef) else node)

    def arrange_beneath(function: cst.FunctionDef, mutants: Iterable[Any], class_name: str | None) -> Any:
        bare = _bare(function)
        declared, (chooser, *copies), assigned, names = arrange(bare, mutants, class_name)
        if bare is not function:
            chooser = chooser.with_changes(decorators=[*function.decorators, *chooser.decorators])
        return declared, [chooser, *copies], assigned, names

    visitor._skip_node_and_children = skips_less
    file_mutation.function_trampoline_arrangement = arrange_beneath
    mutation_operators.extend([(cst.Expr, _left_out), (cst.Raise, _left_out), (cst.Return, _nothing), (cst.If, _other)])


def _bare(function: cst.FunctionDef) -> cst.FunctionDef:
    names = [each.decorator.value for each in function.decorators if isinstance(each.decorator, cst.Name)]
    transparent = len(names) == len(function.decorators) and TRANSPARENT.issuperset(names)
    return function.with_changes(decorators=()) if names and transparent else function


def _left_out(statement: cst.Expr | cst.Raise) -> Iterator[cst.Pass]:
    if not (isinstance(statement, cst.Expr) and isinstance(statement.value, cst.SimpleString)):  # a docstring
        yield cst.Pass()


def _nothing(statement: cst.Return) -> Iterator[cst.Return]:
    if statement.value and not (isinstance(statement.value, cst.Name) and statement.value.value == "None"):
        yield statement.with_changes(value=cst.Name("None"), whitespace_after_return=cst.SimpleWhitespace(" "))


def _other(branch: cst.If) -> Iterator[cst.If]:
    test = branch.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    yield branch.with_changes(test=cst.UnaryOperation(operator=cst.Not(), expression=test))
