"""Mail by SMTP."""

import re
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage

from adapters.mail.rendering import Renderer
from storecore.errors import Invalid, MailerDown
from storecore.notices import Attachment, Notice

IMPLICIT_TLS_PORT = 465
_ENHANCED_CODE = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


class SmtpMailer:
    """The ``Mailer`` port over one connection a notice, each step of which takes ``timeout`` seconds at most.

    TLS with a verified certificate: from the start on port 465, by STARTTLS elsewhere if ``starttls`` says so (then
    nothing is sent to a server that does not offer it). Without ``username`` nobody logs in.
    """

    def __init__(
        self,
        host: str,
        port: int = 587,
        *,
        username: str = "",
        password: str = "",
        starttls: bool = True,
        sender: str,
        shop: str,
        locale: str = "en_US",
        timezone: str = "UTC",
        timeout: float = 20,
    ) -> None:
        self._host, self._port, self._timeout = host, port, timeout
        self._username, self._password, self._starttls = username, password, starttls
        self._renderer = Renderer(sender=sender, shop=shop, locale=locale, timezone=timezone)

    def send(self, notice: Notice, attachments: Sequence[Attachment] = ()) -> None:
        """Hand it over. Raises ``MailerDown`` when trying later may help, ``Invalid`` when it never will.

        What a server says about the shop itself (its login, its sender) is for the shop to mend: ``MailerDown``.
        """
        message = self._renderer.message(notice, attachments)
        try:
            with self._connection() as client:
                self._hand_over(client, message)
        except smtplib.SMTPResponseException as error:  # the login, the sender, or a greeting
            raise MailerDown(f"The mail server refused the shop {_code(error.smtp_code, error.smtp_error)}.") from error
        except OSError as error:  # also every other error of smtplib and ssl
            raise MailerDown(f"The mail server can't be used: {type(error).__name__}.") from error

    def forget(self, notice_ids: Iterable[str]) -> None:
        """Nothing of what was handed over is kept."""

    def sweep(self, before: datetime) -> None:
        """Nothing of what was handed over is kept."""

    def _hand_over(self, client: smtplib.SMTP, message: EmailMessage) -> None:
        recipient = message["To"].addresses[0].addr_spec
        if not recipient.isascii() and not client.has_extn("smtputf8"):
            raise Invalid("The mail server does not deliver to international addresses.")
        try:
            client.send_message(message, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as error:
            ((code, answer),) = error.recipients.values()
            raise _refusal("the recipient", code, answer) from error
        except smtplib.SMTPDataError as error:
            raise _refusal("the message", error.smtp_code, error.smtp_error) from error

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        tls = ssl.create_default_context()
        if self._port == IMPLICIT_TLS_PORT:
            client: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=tls)
        else:
            client = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            if self._starttls and self._port != IMPLICIT_TLS_PORT:
                client.starttls(context=tls)
            client.ehlo_or_helo_if_needed()
            if self._username:
                client.login(self._username, self._password)
            yield client
            with suppress(OSError):  # it was accepted; how the goodbye goes does not matter
                client.quit()
        finally:
            client.close()


def _refusal(what: str, code: int, answer: bytes | str) -> Invalid | MailerDown:
    """4xx is for now, 5xx for good (RFC 5321, section 4.2.1)."""
    if code >= 500:
        return Invalid(f"The mail server refused {what} {_code(code, answer)}.")
    return MailerDown(f"The mail server does not take {what} now {_code(code, answer)}.")


def _code(code: int, answer: bytes | str) -> str:
    """The codes of an answer without its text, which often repeats the address."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    enhanced = _ENHANCED_CODE.search(text)
    return f"({code} {enhanced[0]})" if enhanced else f"({code})"
