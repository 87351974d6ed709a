"""What stands between a stage and two of its ports, so that what they do can be compared."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from storecore.notices import Attachment, Notice
from storecore.ports import Mailer, Passwords


class Post:
    """The ``Mailer`` of a stage; ``sent`` is what it has accepted: id, template and recipient."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self.sent: list[tuple[str, str, str]] = []

    def send(self, notice: Notice, attachments: Sequence[Attachment]) -> None:
        self._mailer.send(notice, attachments)
        self.sent.append((notice.id, notice.template, notice.recipient))

    def forget(self, notice_ids: Iterable[str]) -> None:
        self._mailer.forget(notice_ids)

    def sweep(self, before: datetime) -> None:
        self._mailer.sweep(before)


class SameHash:
    """The ``Passwords`` of a stage, hashing each password once: two runs can be compared then, and are quick."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._hashes: dict[str, str] = {}

    def hash(self, password: str) -> str:
        if password not in self._hashes:
            self._hashes[password] = self._passwords.hash(password)
        return self._hashes[password]

    def verify(self, password: str, hashed: str | None) -> bool:
        return self._passwords.verify(password, hashed)

    def outdated(self, hashed: str) -> bool:
        return self._passwords.outdated(hashed)
