"""Mail as files, for development and for a shop without a mail server."""

import logging
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from tempfile import NamedTemporaryFile

from adapters.mail.rendering import Renderer
from storecore.errors import MailerDown
from storecore.notices import Attachment, Notice

log = logging.getLogger(__name__)


class EmlMailer:
    """The ``Mailer`` port: one ``.eml`` file a notice (mode 0600), which any mail program opens.

    Sending a notice again writes the same file again.
    """

    def __init__(self, folder: Path, *, sender: str, shop: str, locale: str = "en_US", timezone: str = "UTC") -> None:
        self._folder = folder
        self._renderer = Renderer(sender=sender, shop=shop, locale=locale, timezone=timezone)

    def send(self, notice: Notice, attachments: Sequence[Attachment] = ()) -> None:
        """Write it to the folder. Raises ``MailerDown`` when that fails, ``Invalid`` for what can't be written."""
        message = self._renderer.message(notice, attachments)
        path = self._folder / f"{notice.created_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{notice.id}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, prefix=".", suffix=".part", delete=False) as file:
                file.write(message.as_bytes())
            Path(file.name).replace(path)
        except OSError as error:
            raise MailerDown(f"Mail can't be written to {self._folder}: {error.strerror}.") from error
        log.info("Mail %s written to %s", notice.template, path)
