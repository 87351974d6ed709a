"""A notice as an email: subject, plain text and HTML from templates, and headers that nothing can be slipped into."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError, select_autoescape

from adapters.amounts import with_currency
from storecore.errors import Invalid
from storecore.notices import Attachment, Notice, Template

SUBJECTS: Mapping[Template, str] = {
    Template.VERIFY_EMAIL: "Confirm your email address",
    Template.RESET_PASSWORD: "Choose a new password",
    Template.EMAIL_CHANGED: "Your email address was changed",
    Template.PASSWORD_CHANGED: "Your password was changed",
    Template.ORDER_PLACED: "Your order {{ number }}",
    Template.ORDER_STATUS: "Your order {{ number }} {{ status | phrase }}",
    Template.WISHLIST_DISCOUNT: "Now {{ percent }} % off: {{ product }}",
    Template.WISHLIST_RESTOCK: "Back in stock: {{ product }}",
    Template.REFUND_STATUS: "Your refund for order {{ number }} {{ status | outcome }}",
    Template.LOW_STOCK: "Low stock: {{ products | map(attribute='name') | join(', ') }}",
    Template.ACCOUNT_ERASED: "Your account was erased",
    Template.REVIEW_DECIDED: "Your review of {{ product }} {{ 'is published' if published else 'was not published' }}",
}

PHRASES: Mapping[str, str] = {
    "pending": "was received",
    "confirmed": "is confirmed",
    "processing": "is being packed",
    "shipped": "is on its way",
    "delivered": "has arrived",
    "cancelled": "was cancelled",
}
"""What an order's status means to its customer."""

OUTCOMES: Mapping[str, str] = {
    "approved": "is approved",
    "rejected": "was declined",
    "refunded": "was paid",
}
"""What a refund's status means to its customer."""

LONGEST_SUBJECT = 150


class Renderer:
    """Writes mail in the shop's name. ``sender`` is an address, alone or as ``Name <address>``.

    Amounts and times are written as ``locale`` writes them, times in ``timezone`` (an IANA name). Raises
    ``ValueError`` for a sender that is no address.
    """

    def __init__(self, *, sender: str, shop: str, locale: str = "en_US", timezone: str = "UTC") -> None:
        name, address = parseaddr(sender)
        self._sender = _address(address, name=one_line(name or shop))
        self._shop, self._locale, self._timezone = shop, locale, ZoneInfo(timezone)
        self._templates = Environment(
            loader=PackageLoader("adapters.mail"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._templates.filters |= {
            "money": self._money,
            "moment": self._moment,
            "phrase": _phrase,
            "outcome": _outcome,
        }

    def message(self, notice: Notice, attachments: Sequence[Attachment] = ()) -> EmailMessage:
        """The mail, ready to be handed over. Raises ``Invalid`` for data its template can't do with, a bad address."""
        try:
            recipient = _address(notice.recipient)
            subject, text, page = self._write(notice)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise Invalid(f"This {notice.template} notice can't be written: {error}") from error
        message = EmailMessage(policy=SMTP if recipient.addr_spec.isascii() else SMTPUTF8)
        message["Message-ID"] = notice.message_id
        message["Date"] = notice.created_at
        message["From"] = self._sender
        message["To"] = recipient
        message["Subject"] = subject
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        message.add_alternative(page, subtype="html")
        for attachment in attachments:
            main, _, sub = attachment.media_type.partition("/")
            message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=one_line(attachment.name))
        return message

    def _write(self, notice: Notice) -> tuple[str, str, str]:
        values = {**notice.data, "shop": self._shop}
        subject = one_line(self._templates.from_string(SUBJECTS[notice.template]).render(values))
        if len(subject) > LONGEST_SUBJECT:
            subject = subject[: LONGEST_SUBJECT - 1] + "…"
        text = self._templates.get_template(f"{notice.template}.txt").render(values)
        page = self._templates.get_template(f"{notice.template}.html").render(values, subject=subject)
        return subject, text, page

    def _money(self, amount: str, currency: str) -> str:
        return with_currency(amount, currency, self._locale)

    def _moment(self, moment: str) -> str:
        """An RFC 3339 time for people; any other text as it is."""
        try:
            when = datetime.fromisoformat(moment)
        except ValueError:
            return moment
        if when.tzinfo is None:
            return moment
        when = when.astimezone(self._timezone)
        date = format_date(when.date(), "long", locale=self._locale)
        return f"{date}, {format_time(when.timetz(), 'short', locale=self._locale)} {when.tzname()}"


def one_line(text: str) -> str:
    """Text that stays within one header: line breaks, control characters and runs of space become single spaces."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _phrase(status: str) -> str:
    return PHRASES.get(status, f"is {status}")


def _outcome(status: str) -> str:
    return OUTCOMES.get(status, f"is {status}")


def _address(address: str, *, name: str = "") -> Address:
    """For a header. International domains are written in ASCII, so that every server can deliver to them."""
    user, at, domain = address.rpartition("@")
    if not (user and at and domain) or one_line(address) != address:
        raise ValueError("this is no email address")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        raise ValueError("this email address has no valid domain") from None
    return Address(display_name=name, username=user, domain=domain)
