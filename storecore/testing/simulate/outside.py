"""What a shop needs beside its storage, simulated: mail, a bank on a bad line, files, links, papers, passwords."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from random import Random
from typing import Any, BinaryIO, cast

from storecore.errors import LinkInvalid, MailerDown, NotFound, PayoutRefused, ProviderDown, Unavailable
from storecore.notices import Attachment, Notice
from storecore.orders.model import Invoice, Order
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import Allowance, Clock, Event, Listener, PaymentProvider, RateLimit
from storecore.testing.machine.bank import Bank
from storecore.testing.simulate.clockwork import SimulatedClock


class MailServer:
    """The ``Mailer`` port. It is down until ``down_until``, and now and then takes a mail without saying so.

    ``taken`` counts the copies of each mail by its ``Message-ID``, ``unanswered`` those it did not own up to.
    """

    def __init__(self, clock: SimulatedClock, random: Random, look: Callable[[Notice], None]) -> None:
        self.down_until: datetime | None = None
        self.letters: dict[str, Notice] = {}
        self.taken: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        self.last: str | None = None
        self.calm = False
        self._clock, self._random, self._look = clock, random, look

    def send(self, notice: Notice, attachments: Sequence[Attachment]) -> None:
        """Take it, unless the server is down."""
        self._look(notice)
        assert bool(notice.credit_note_id) <= bool(attachments), "a credit note was promised"
        if self.down_until is not None and self._clock.true < self.down_until:
            raise MailerDown("The mail server does not answer.")
        self.letters[notice.message_id] = notice
        self.taken[notice.message_id] += 1
        if not self.calm and self._random.random() < 0.02:
            self.unanswered[notice.message_id] += 1
            raise MailerDown("The mail server hung up before it had answered.")
        self.last = notice.message_id

    def forget(self, notice_ids: Iterable[str]) -> None:
        """It keeps no copies that anybody could ask for."""

    def sweep(self, before: datetime) -> None:
        """Nor does it grow old."""


class Line:
    """A telephone line to a bank: dead until ``down_until``, and now and then it breaks before or after the answer."""

    def __init__(self, bank: Bank, clock: SimulatedClock, random: Random) -> None:
        self.down_until: datetime | None = None
        self.calm = False
        self._bank, self._clock, self._random = bank, clock, random

    @property
    def provider(self) -> PaymentProvider:
        """The bank at the other end."""
        return cast(PaymentProvider, self)

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._bank, name)
        if name == "read_event":  # what it has sent is read without asking it
            return ask

        def call(*args: Any, **kwargs: Any) -> Any:
            luck = 1.0 if self.calm else self._random.random()
            if (self.down_until is not None and self._clock.true < self.down_until) or luck < 0.02:
                raise ProviderDown("The bank does not answer.")
            if name == "give_back" and luck < 0.04:
                raise PayoutRefused("The account has no funds.")
            answer = ask(*args, **kwargs)
            if luck > 0.97 and not self.calm:
                raise ProviderDown("The bank's answer was lost.")
            return answer

        return call


class SimulatedFiles:
    """The ``Files`` port, in a dict."""

    def __init__(self, clock: Clock) -> None:
        self.kept: dict[str, tuple[datetime, bytes]] = {}
        self._clock = clock

    def keep(self, name: str, content: Iterable[bytes]) -> None:
        """Raises ``FileExistsError``."""
        whole = b"".join(content)
        if name in self.kept:
            raise FileExistsError(name)
        self.kept[name] = self._clock(), whole

    def open(self, name: str) -> BinaryIO:
        """Raises ``NotFound``."""
        if name not in self.kept:
            raise NotFound("The file is not there.")
        return BytesIO(self.kept[name][1])

    def size(self, name: str) -> int | None:
        """None if there is none."""
        return len(self.kept[name][1]) if name in self.kept else None

    def kept_before(self, at: datetime) -> Sequence[str]:
        """In the order in which they were kept."""
        return [name for name, (kept_at, _) in self.kept.items() if kept_at < at]

    def remove(self, name: str) -> None:
        """Nothing happens if there is none."""
        self.kept.pop(name, None)


class FreePasswords:
    """The ``Passwords`` port for people who don't exist: a hash costs nothing and hides nothing."""

    def hash(self, password: str) -> str:
        """The same for the same password."""
        return f"free${sha256(password.encode()).hexdigest()}"

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether they match."""
        return hashed == self.hash(password)

    def outdated(self, hashed: str) -> bool:
        """Never."""
        return not hashed


class SimulatedSigner:
    """The ``Signer`` port with a key that outlives processes, as a real shop's does."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, purpose: str, data: Mapping[str, str], expires_at: datetime) -> str:
        """The data and the time in base64, with an HMAC."""
        text = json.dumps([purpose, dict(data), expires_at.isoformat()], sort_keys=True).encode()
        return f"{urlsafe_b64encode(text).decode()}.{hmac.digest(self._key, text, 'sha256').hex()}"

    def read(self, purpose: str, token: str, at: datetime) -> Mapping[str, str]:
        """Raises ``LinkInvalid``."""
        body, _, signature = token.partition(".")
        text = urlsafe_b64decode(body)
        if not hmac.compare_digest(signature, hmac.digest(self._key, text, "sha256").hex()):
            raise LinkInvalid()
        signed_for, data, expires = json.loads(text)
        if signed_for != purpose or at >= datetime.fromisoformat(expires):
            raise LinkInvalid()
        return cast(Mapping[str, str], data)


class PlainDocuments:
    """The ``Documents`` port: papers that say who owes what, and no more."""

    def invoice(self, invoice: Invoice, order: Order) -> Attachment:
        """Its number, its order's, and the total."""
        return _paper(invoice.number, order.number, str(invoice.total))

    def credit_note(self, note: CreditNote, invoice: Invoice, order: Order, refund: Refund | None) -> Attachment:
        """Its number, its invoice's, its order's, and the total."""
        return _paper(note.number, invoice.number, order.number, str(note.total), refund.id if refund else "")


def _paper(*rows: str) -> Attachment:
    return Attachment(name=f"{rows[0]}.txt", media_type="text/plain", content="\n".join(rows).encode())


class QuietHub:
    """The ``Hub`` port where nobody listens."""

    def publish(self, topic: str, message: str) -> None:
        """Into the air, if it is an event at all."""
        Event(topic, message)

    def listen(self, *topics: str) -> AbstractContextManager[Listener]:
        """Raises ``Unavailable``."""
        raise Unavailable(f"Nobody is heard here on {', '.join(topics)}.")

    def close(self) -> None:
        """Nothing is held."""


class NoRateLimits:
    """The ``RateLimits`` port for people who are patient by nature: every hit is the first."""

    def take(self, limit: RateLimit, key: str, at: datetime) -> Allowance:  # noqa: ARG002 - the port's
        """One hit."""
        return Allowance(limit=limit, used=1, resets_in=limit.window)

    def look(self, limit: RateLimit, key: str, at: datetime) -> Allowance:  # noqa: ARG002 - the port's
        """No hit."""
        return Allowance(limit=limit, used=0, resets_in=limit.window)

    def clear(self, limit: RateLimit, key: str) -> None:
        """Nothing is kept."""

    def sweep(self, at: datetime) -> int:  # noqa: ARG002 - the port's
        """Nothing is kept."""
        return 0

    def close(self) -> None:
        """Nothing is held."""
