"""Storage in an SQL database; ``open_store("shop.db")`` is a whole shop in a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.sql.databases import open_hub, open_rate_limits
from adapters.sql.keys import KeyMissing, check_keys
from adapters.sql.migrations import DatabaseTooNew, migrate
from adapters.sql.storage import SqlStorage
from storecore.shop import Shop

if TYPE_CHECKING:
    from storecore.catalog.words import Language
    from storecore.ports import Clock, Documents, Files, Mailer, NewId, Passwords, PaymentProvider, RateLimits
    from storecore.store import Store

__all__ = [
    "DatabaseTooNew",
    "KeyMissing",
    "SqlStorage",
    "check_keys",
    "migrate",
    "open_hub",
    "open_rate_limits",
    "open_store",
]


def open_store(
    where: str | Path,
    *,
    keys: str | Path | None = None,
    shop: Shop | None = None,
    clock: "Clock | None" = None,
    new_id: "NewId | None" = None,
    passwords: "Passwords | None" = None,
    mailer: "Mailer | None" = None,
    documents: "Documents | None" = None,
    files: "Files | None" = None,
    rate_limits: "RateLimits | None" = None,
    providers: "Mapping[str, PaymentProvider] | None" = None,
    pool_size: int = 8,
    language: "Language | None" = None,
) -> "Store":
    """A shop in a SQLite file, or in a PostgreSQL database such as ``postgresql://shop@db.example/shop``.

    It is made and upgraded as needed; close it when done, or use it in a ``with``. Secrets are made once and kept in
    the file ``keys``, by default ``<path>.keys`` beside a SQLite file: without them what is encrypted is lost. Unless
    ``mailer`` or ``files`` say otherwise, mail and attachments are written to folders beside that file, named like it
    but for ``.mail`` and ``.files``. What products are found by is in ``language``, English unless told (see
    :func:`adapters.stemming.language`); what an older version or another language left is brought up to date first.

    Raises :class:`DatabaseTooNew`; :class:`KeyMissing` when ``keys`` are not those of what is encrypted; and
    ``ValueError`` for a database on a server without ``keys``.
    """
    from adapters.encryption import FernetCipher
    from adapters.files import DiskFiles
    from adapters.secrets import load_or_create
    from adapters.system import random_bytes, utc_now, uuid7
    from adapters.tokens import ItsDangerousSigner
    from storecore.accounts.model import SYSTEM
    from storecore.catalog.english import ENGLISH
    from storecore.store import Store

    if keys is None:
        if "://" in str(where):
            raise ValueError("say in which file the keys of a shop on a server are kept: open_store(url, keys=…)")
        keys = f"{where}.keys"
    shop = shop or Shop()
    migrate(where)
    secrets = load_or_create(Path(keys))
    cipher = FernetCipher(secrets.encryption_keys)
    storage = SqlStorage(where, cipher=cipher, pool_size=pool_size, language=language or ENGLISH)
    try:
        check_keys(storage, (clock or utc_now)())
    except KeyMissing:
        storage.close()
        raise
    store = Store(
        storage=storage,
        clock=clock or utc_now,
        new_id=new_id or uuid7,
        random=random_bytes,
        passwords=passwords or _argon2(),
        signer=ItsDangerousSigner(secrets.signing_keys),
        mailer=mailer or _mail_files(Path(keys).with_suffix(".mail"), shop),
        documents=documents or _pdf(shop),
        files=files or DiskFiles(Path(keys).with_suffix(".files"), clock=clock or utc_now),
        hub=open_hub(where),
        rate_limits=rate_limits or open_rate_limits(where, cipher=cipher),
        shop=shop,
        providers=providers or {},
    )
    store.catalog.reindex(by=SYSTEM, outdated=True)
    return store


def _argon2() -> "Passwords":
    from adapters.passwords import Argon2Passwords

    return Argon2Passwords()


def _mail_files(folder: Path, shop: Shop) -> "Mailer":
    from adapters.mail.eml import EmlMailer

    return EmlMailer(folder, sender="store@localhost", shop=shop.name, timezone=shop.timezone)


def _pdf(shop: Shop) -> "Documents":
    from adapters.pdf import PdfDocuments

    return PdfDocuments(timezone=shop.timezone)
