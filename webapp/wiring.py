"""Chooses the adapters: the one module that knows which technology is behind which port."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from adapters import secrets as secret_files
from adapters.secrets import Secrets
from storecore.errors import StoreError
from storecore.ports import Mailer, PaymentProvider
from storecore.store import Store
from webapp import logs
from webapp.refusals import BadDatabase, BadSecrets, BadSettings, CantStart
from webapp.settings import Settings

if TYPE_CHECKING:
    from adapters.jwt_tokens import JwtAccessTokens
    from adapters.payments.demo import DemoPayments
    from adapters.sql import SqlStorage
    from adapters.sql.rotating import Rotated
    from adapters.sql.verify import Finding
    from adapters.tokens import SignedValues


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
    from adapters.pdf_when_needed import PdfWhenNeeded
    from adapters.sql import SqlStorage, open_hub, open_rate_limits
    from adapters.stemming import language
    from adapters.system import random_bytes, utc_now, uuid7
    from adapters.tokens import ItsDangerousSigner
    from webapp.metrics import Watched

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
        passwords=Watched(Argon2Passwords(), hashing),
        signer=ItsDangerousSigner(keys.signing_keys),
        mailer=_mailer(settings),
        documents=PdfWhenNeeded(timezone=settings.shop_timezone),
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
        settings.sentry_dsn.get_secret_value(), environment=settings.environment, release=f"storecore@{release()}"
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


def fields_to_renew(settings: Settings) -> int:
    """How many fields ``rotate-keys`` would encrypt anew."""
    from adapters.sql.rotating import left

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


def _providers(settings: Settings, public_url: str) -> Mapping[str, PaymentProvider]:
    """The payment providers beside ``offline``. Raises ``BadSettings`` for one whose package is not installed."""
    found: dict[str, PaymentProvider] = {}
    if demo := demo_bank(settings, public_url):
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


def demo_bank(settings: Settings, public_url: str) -> "DemoPayments | None":
    """The bank of a shop in development, whose page is below ``public_url``."""
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


def release() -> str:
    """The version of the package."""
    try:
        return version("storecore")
    except PackageNotFoundError:
        return "not installed"  # run from a source tree


def access_tokens(keys: Secrets) -> "JwtAccessTokens":
    """Access tokens: signed with the first key, read with any."""
    from adapters.jwt_tokens import JwtAccessTokens

    return JwtAccessTokens(keys.signing_keys)


def signed_values(keys: Secrets) -> "SignedValues":
    """Cursors and cookies, signed and read alike."""
    from adapters.tokens import SignedValues

    return SignedValues(keys.signing_keys)
