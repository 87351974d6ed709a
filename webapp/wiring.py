"""Chooses the adapters: the one module that knows which technology is behind which port."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from adapters import secrets as secret_files
from adapters.secrets import Secrets
from storecore.accounts.model import SYSTEM
from storecore.errors import StoreError
from storecore.notices import Attachment
from storecore.orders.model import Invoice, Order
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import Documents, Mailer, Passwords, PaymentProvider
from storecore.store import Store
from webapp import logs
from webapp.refusals import BadDatabase, BadSecrets, BadSettings, CantStart
from webapp.settings import Settings
from webapp.worker import Worker

if TYPE_CHECKING:
    from flask import Flask

    from adapters.payments.demo import DemoPayments
    from adapters.sql import SqlStorage
    from adapters.sql.rotating import Rotated
    from adapters.sql.verify import Finding
    from webapp.chat import Chat

LAST_WORK_SECONDS = 2
"""How long a server that ends waits for its worker; what was begun is tried again by another after a lease ends."""


def migrate(settings: Settings) -> None:
    """Bring the database to this version. Raises ``BadDatabase`` for one that is newer, or can't be opened."""
    from sqlalchemy.exc import SQLAlchemyError

    from adapters.sql import DatabaseTooNew
    from adapters.sql import migrate as migrate_database

    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    try:
        migrate_database(settings.database)
    except (DatabaseTooNew, ImportError) as error:  # the latter when PostgreSQL's driver is not installed
        raise BadDatabase(str(error)) from None
    except (SQLAlchemyError, StoreError, OSError) as error:
        cause = error.__cause__ or error
        reason = str(getattr(cause, "orig", None) or cause).strip()
        raise BadDatabase(f"{settings.database_place} can't be opened: {reason}") from None


def secrets_of(settings: Settings) -> Secrets:
    """The keys from the settings; those not set from a file that is made once. Raises ``BadSecrets`` for a bad file."""
    signing = tuple(key.get_secret_value() for key in settings.secret_key)
    encryption = tuple(key.get_secret_value() for key in settings.encryption_keys)
    if signing and encryption:
        return Secrets(signing_keys=signing, encryption_keys=encryption)
    try:
        kept = secret_files.load_or_create(settings.instance_dir / "secrets.json")
    except (OSError, ValueError) as error:
        raise BadSecrets(str(error)) from None
    return Secrets(
        signing_keys=signing or kept.signing_keys,
        encryption_keys=encryption or kept.encryption_keys,
    )


def open_store(
    settings: Settings,
    keys: Secrets,
    public_url: str | None = None,
    *,
    hashing: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Store:
    """The store over the real world. Open it after forking, and close it. Passwords are hashed inside ``hashing()``.

    Raises ``BadSecrets`` when the keys are not those of what is encrypted in the database.
    """
    from adapters.encryption import FernetCipher
    from adapters.files import DiskFiles
    from adapters.local_rate_limits import Unlimited
    from adapters.passwords import Argon2Passwords
    from adapters.sql import SqlStorage, open_hub, open_rate_limits
    from adapters.stemming import language
    from adapters.system import random_bytes, utc_now, uuid7
    from adapters.tokens import ItsDangerousSigner

    shop, cipher = settings.shop(public_url), FernetCipher(keys.encryption_keys)
    storage = SqlStorage(
        settings.database,
        cipher=cipher,
        pool_size=settings.database_pool_size,
        language=language(settings.search_language),
    )
    _check_keys(settings, storage)
    limited = settings.rate_limits == "on"
    return Store(
        storage=storage,
        clock=utc_now,
        new_id=uuid7,
        random=random_bytes,
        passwords=_Watched(Argon2Passwords(), hashing),
        signer=ItsDangerousSigner(keys.signing_keys),
        mailer=_mailer(settings),
        documents=_PdfWhenNeeded(settings),
        files=DiskFiles(settings.attachment_folder),
        hub=open_hub(settings.database),
        rate_limits=open_rate_limits(settings.database, cipher=cipher) if limited else Unlimited(),
        shop=shop,
        providers=_providers(settings, shop.public_url),
    )


def _check_keys(settings: Settings, storage: "SqlStorage") -> None:
    from adapters.sql.keys import KeyMissing, check_keys
    from adapters.system import utc_now

    try:
        check_keys(storage, utc_now())
    except KeyMissing as error:
        storage.close()
        raise BadSecrets(
            f"The encryption keys are not those of {settings.database_place}: {error}. "
            f"Put the missing key back into {_keys_place(settings)}, behind the others."
        ) from None


def _keys_place(settings: Settings) -> str:
    return "ENCRYPTION_KEYS" if settings.encryption_keys else str(settings.instance_dir.resolve() / "secrets.json")


@contextmanager
def _storage(settings: Settings) -> "Iterator[SqlStorage]":
    """The database by itself; it and the secrets have to be there. Raises ``CantStart``."""
    from adapters.encryption import FernetCipher
    from adapters.sql import SqlStorage
    from adapters.stemming import language

    kept = settings.instance_dir / "secrets.json"
    if isinstance(settings.database, Path) and not settings.database.exists():
        raise BadDatabase(f"There is no database {settings.database}.")
    if not settings.encryption_keys and not kept.exists():
        raise BadSecrets(f"{kept} is missing, and nothing encrypted can be read without it; restore it from a backup.")
    storage = SqlStorage(
        settings.database,
        cipher=FernetCipher(secrets_of(settings).encryption_keys),
        pool_size=1,
        language=language(settings.search_language),
    )
    try:
        yield storage
    finally:
        storage.close()


@contextmanager
def opened(settings: Settings, public_url: str | None = None) -> Iterator[Store]:
    """The store for a command that runs and ends."""
    with reporting(settings), open_store(settings, secrets_of(settings), public_url) as store:
        yield store


@contextmanager
def reporting(settings: Settings) -> Iterator[None]:
    """Failures that are logged go to Sentry as well, if there is one."""
    if settings.sentry_dsn is None:
        yield
        return
    from adapters.sentry import SentryReports

    reports = SentryReports(
        settings.sentry_dsn.get_secret_value(), environment=settings.environment, release=f"storecore@{_version()}"
    )
    try:
        with logs.reporting(reports.report):
            yield
    finally:
        reports.close()


def invent(
    settings: Settings,
    *,
    products: int,
    orders: int,
    seed: int,
    password: str,
    progress: Callable[[str, int, int], None],
) -> None:
    """Add two years of an invented shop's trade to the database; everybody in it has the same password."""
    from adapters.encryption import FernetCipher
    from adapters.passwords import Argon2Passwords
    from adapters.sql.generating import generate
    from adapters.sql.inventing import Invention
    from adapters.stemming import language
    from adapters.system import utc_now

    invention = Invention(
        seed=seed,
        shop=settings.shop(),
        products=products,
        orders=orders,
        until=utc_now(),
        password_hash=Argon2Passwords().hash(password),
    )
    cipher = FernetCipher(secrets_of(settings).encryption_keys)
    in_language = language(settings.search_language)
    generate(settings.database, invention, cipher=cipher, progress=progress, language=in_language)


def verify(settings: Settings, progress: Callable[[str, int, int | None], None]) -> "Sequence[Finding]":
    """Everything that is wrong in the database; it and the secrets have to be there. Raises ``CantStart``."""
    from adapters.files import DiskFiles
    from adapters.sql.verify import verify as wrong_in
    from adapters.system import utc_now

    with _storage(settings) as storage:
        return wrong_in(storage, utc_now(), progress, DiskFiles(settings.attachment_folder))


def rotate_keys(settings: Settings, progress: Callable[[str, int, int | None], None]) -> "Rotated":
    """Encrypt with the newest key whatever is not. Raises ``CantStart``."""
    from adapters.sql.rotating import rotate
    from adapters.system import utc_now

    with _storage(settings) as storage:
        _check_keys(settings, storage)
        return rotate(storage, utc_now, progress)


def fields_with_older_keys(settings: Settings) -> int:
    """How many fields ``rotate-keys`` would encrypt anew; found without reading anything if there is only one key."""
    from adapters.sql.rotating import left

    if len(secrets_of(settings).encryption_keys) == 1:
        return 0
    with _storage(settings) as storage:
        return left(storage)


def older_keys(settings: Settings) -> str | None:
    """What is to be said of encryption keys behind the first; None if there are none, or no database yet."""
    from sqlalchemy.exc import SQLAlchemyError

    from adapters.encryption import FernetCipher
    from adapters.sql.keys import keys_in_use

    try:
        names = FernetCipher(secrets_of(settings).encryption_keys).names if settings.encryption_keys else ()
        if len(names) < 2:
            return None
        with _storage(settings) as storage:
            needed = set(keys_in_use(storage)) & set(names[1:])
    except (CantStart, StoreError, SQLAlchemyError, ImportError):
        return None
    if needed:
        return "ENCRYPTION_KEYS: something may still need the older keys; `storecore rotate-keys` changes that"
    return "ENCRYPTION_KEYS: nothing in the database needs the older keys any more"


def backup(settings: Settings, to: Path, *, replace: bool, progress: Callable[[int, int], None]) -> None:
    """Copy the database into a file. Raises ``CantStart``, ``OSError``."""
    from adapters.sql.backup import backup as copy

    try:
        copy(settings.database, to, replace=replace, progress=progress)
    except ValueError as error:
        raise CantStart(str(error)) from None


class _Watched:
    """``Passwords`` whose queue somebody watches."""

    def __init__(self, passwords: Passwords, hashing: Callable[[], AbstractContextManager[None]]) -> None:
        self._passwords, self._hashing = passwords, hashing
        self.outdated = passwords.outdated

    def hash(self, password: str) -> str:
        """As the port says."""
        with self._hashing():
            return self._passwords.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        """As the port says."""
        with self._hashing():
            return self._passwords.verify(password, hashed)


class _PdfWhenNeeded:
    """``PdfDocuments``, whose libraries load slowly, loaded for the first paper."""

    def __init__(self, settings: Settings) -> None:
        self._timezone = settings.shop_timezone

    @cached_property
    def _documents(self) -> Documents:
        from adapters.pdf import PdfDocuments

        return PdfDocuments(timezone=self._timezone)

    def invoice(self, invoice: Invoice, order: Order) -> Attachment:
        """The invoice as a PDF."""
        return self._documents.invoice(invoice, order)

    def credit_note(self, note: CreditNote, invoice: Invoice, order: Order, refund: Refund | None) -> Attachment:
        """The credit note as a PDF."""
        return self._documents.credit_note(note, invoice, order, refund)


def _providers(settings: Settings, public_url: str) -> Mapping[str, PaymentProvider]:
    """The payment providers beside ``offline``. Raises ``BadSettings`` for one whose package is not installed."""
    found: dict[str, PaymentProvider] = {}
    if demo := _demo_bank(settings, public_url):
        found["demo"] = demo
    if settings.stripe_secret_key:
        from adapters.payments.stripe import StripePayments

        if find_spec("stripe") is None:
            raise BadSettings(['STRIPE_SECRET_KEY: needs a package that is missing: pip install "storecore[stripe]"'])
        webhook_secret = settings.stripe_webhook_secret
        found["stripe"] = StripePayments(
            settings.stripe_secret_key.get_secret_value(),
            webhook_secret=webhook_secret.get_secret_value() if webhook_secret else None,
            api_base=settings.stripe_api_base,
            return_url=public_url,
        )
    return found


def _demo_bank(settings: Settings, public_url: str) -> "DemoPayments | None":
    if settings.demo_bank is None:
        return None
    from adapters.payments.demo import DemoPayments

    return DemoPayments(settings.demo_bank, page=f"{public_url}/demo-bank")


def _mailer(settings: Settings) -> Mailer:
    if not settings.smtp_host:
        from adapters.mail.eml import EmlMailer

        return EmlMailer(
            settings.mail_folder,
            sender=settings.email_from,
            shop=settings.shop_name,
            timezone=settings.shop_timezone,
        )
    from adapters.mail.smtp import SmtpMailer

    return SmtpMailer(
        settings.smtp_host,
        settings.smtp_port,
        username=settings.smtp_username or "",
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
        starttls=settings.smtp_starttls,
        sender=settings.email_from,
        shop=settings.shop_name,
        timezone=settings.shop_timezone,
    )


def _version() -> str:
    try:
        return version("storecore")
    except PackageNotFoundError:
        return "not installed"  # run from a source tree


class Site:
    """What one server process runs: the app, its store, and a worker beside them if ``deliver``."""

    def __init__(self, settings: Settings, public_url: str, *, deliver: bool = True) -> None:
        from webapp.metrics import Metrics

        keys = secrets_of(settings)
        self._reporting = ExitStack()
        self._reporting.enter_context(reporting(settings))
        self.metrics = Metrics(self._owed)
        self.store = open_store(settings, keys, public_url, hashing=self.metrics.hashing)
        self.worker = Worker(self.store, told=lambda failed: self.metrics.worked(failed=failed))
        self.app = self._app(settings, keys, deliver=deliver)
        if deliver:
            self.worker.start()
        self._warming = Thread(target=self._warm, name="warming", daemon=True)
        self._warming.start()

    def _app(self, settings: Settings, keys: Secrets, *, deliver: bool) -> "Flask":
        from adapters.jwt_tokens import JwtAccessTokens
        from adapters.tokens import SignedValues
        from webapp import create_app
        from webapp.http.parts import SOCKETS_EACH, ChatLimits, Cookies, Parts
        from webapp.system import disk

        ready = {"database": self._database_answers, "disk": disk(settings.instance_dir)}
        if deliver:
            ready["worker"] = lambda: self.worker.alive
        return create_app(
            Parts(
                store=self.store,
                access_tokens=JwtAccessTokens(keys.signing_keys),
                values=SignedValues(keys.signing_keys),
                access_lifetime=settings.access_token_life,
                cookies=Cookies(
                    secure=settings.secure_cookies,
                    domain=settings.cookie_domain,
                    path=settings.cookie_path,
                    samesite=settings.cookie_samesite,
                ),
                cors_origins=settings.cors_origins,
                trusted_proxies=settings.trusted_proxies,
                allowed_hosts=settings.allowed_hosts,
                ready=ready,
                demo_bank=_demo_bank(settings, self.store.shop.public_url),
                version=_version(),
                metrics=self.metrics,
                metrics_from=settings.metrics_from,
                chat=ChatLimits(
                    history=settings.support_history_limit,
                    queue=settings.support_queue_limit,
                    each=SOCKETS_EACH if settings.rate_limits == "on" else None,
                ),
            )
        )

    def _owed(self) -> tuple[int, float]:
        depth, oldest = self.store.notices.owed(by=SYSTEM)
        return depth, 0.0 if oldest is None else (self.store.clock() - oldest).total_seconds()

    @property
    def chat(self) -> "Chat":
        """Everybody at a socket."""
        chat: Chat = self.app.extensions["storecore.chat"]
        return chat

    def _database_answers(self) -> bool:
        with self.store.storage.reading(self.store.clock(), str) as unit:
            return unit.users.by_email("") is None

    def _warm(self) -> None:
        """Learn the shop's words before somebody has to wait for it."""
        with suppress(StoreError):  # of a database that is down, each request tells
            self.store.catalog.warm()

    def finish(self) -> None:
        """The server is about to end: begin nothing new."""
        self.worker.stop()
        self.chat.finish()

    def close(self) -> None:
        """Say good-bye at sockets, let the worker finish what it has in hand, and give back connections."""
        self.chat.close(wait=LAST_WORK_SECONDS)
        self.worker.stop(wait=LAST_WORK_SECONDS)
        self._warming.join(LAST_WORK_SECONDS)
        self.store.close()
        self._reporting.close()
