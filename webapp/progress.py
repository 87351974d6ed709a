"""Progress bars for work that takes long, on a terminal's standard error; elsewhere nothing is shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[str, int, int | None], None]
"""Takes what is worked on, how much of it is done, and how much there is (None: that is not known)."""


@contextmanager
def bars() -> Iterator[Advance]:
    """A bar for each thing that is worked on, gone when all is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _in_silence
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        shown: dict[str, TaskID] = {}

        def advance(what: str, done: int, total: int | None) -> None:
            if what not in shown:
                shown[what] = progress.add_task(what.replace("_", " "), total=total)
            progress.update(shown[what], completed=done, total=total)

        yield advance


def _in_silence(_what: str, _done: int, _total: int | None) -> None:
    """Nothing is shown."""
