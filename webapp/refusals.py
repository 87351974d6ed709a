"""Why the program does not start: each reason has a text for people and an exit code for scripts."""

from collections.abc import Sequence
from typing import ClassVar


class CantStart(Exception):  # noqa: N818 - these say what can't be done
    """The program can't do what it was asked to; the text says what to do about it."""

    exit_code: ClassVar[int] = 1


class BadSettings(CantStart):
    """The settings are wrong or unsafe; ``problems`` has one line for each."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


class CantListen(CantStart):
    """The address or the port is not to be had."""

    exit_code = 3


class BadDatabase(CantStart):
    """The database can't be opened, or a newer version of the program has changed it."""

    exit_code = 4


class BadSecrets(CantStart):
    """The file of secrets can't be read, or others can read it too."""

    exit_code = 5
