"""Mail as files, for development and for a shop without a mail server."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from adapters.mail.rendering import Renderer
from storecore.errors import MailerDown
from storecore.notices import Attachment, Notice, Template
from storecore.orders.model import NOWHERE

log = logging.getLogger(__name__)

_TIME = "%Y%m%dT%H%M%SZ"


class EmlMailer:
    """The ``Mailer`` port: one ``.eml`` file a notice (mode 0600), which any mail program opens.

    Sending a notice again writes the same file again. The last mail to somebody who was erased is written as if it
    were to nobody: here it would never leave.
    """

    def __init__(self, folder: Path, *, sender: str, shop: str, locale: str = "en_US", timezone: str = "UTC") -> None:
        self._folder = folder
        self._renderer = Renderer(sender=sender, shop=shop, locale=locale, timezone=timezone)

    def send(self, notice: Notice, attachments: Sequence[Attachment] = ()) -> None:
        """Write it to the folder. Raises ``MailerDown`` when that fails, ``Invalid`` for what can't be written."""
        if notice.template is Template.ACCOUNT_ERASED:
            notice = replace(notice, recipient=NOWHERE)
        message = self._renderer.message(notice, attachments)
        path = self._folder / f"{notice.created_at.astimezone(UTC):{_TIME}}-{notice.id}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, prefix=".", suffix=".part", delete=False) as file:
                file.write(message.as_bytes())
            Path(file.name).replace(path)
        except OSError as error:
            raise MailerDown(f"Mail can't be written to {self._folder}: {error.strerror}.") from error
        log.info("Mail %s written to %s", notice.template, path)

    def forget(self, notice_ids: Iterable[str]) -> None:
        """Remove their files. Raises ``MailerDown`` when that fails."""
        gone = set(notice_ids)
        self._remove(lambda path: _notice_id(path) in gone)

    def sweep(self, before: datetime) -> None:
        """Remove the files of notices made before a time. Raises ``MailerDown`` when that fails."""
        mark = f"{before.astimezone(UTC):{_TIME}}"
        self._remove(lambda path: path.name < mark)

    def _remove(self, wanted: Callable[[Path], bool]) -> None:
        try:
            for path in self._folder.glob("????????T??????Z-*.eml"):
                if wanted(path):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise MailerDown(f"Mail can't be removed from {self._folder}: {error.strerror}.") from error


def _notice_id(path: Path) -> str:
    return path.stem.partition("-")[2]
