"""A whole store in memory, with nothing but the standard library: for tests, demos, and programs that embed a shop.

It is also the reference: every other storage adapter has to agree with it.
"""

from collections.abc import Mapping

from adapters.local_hub import LocalHub
from adapters.local_rate_limits import LocalRateLimits
from adapters.memory.files import MemoryFiles
from adapters.memory.letters import MemoryMailer, TextDocuments
from adapters.memory.passwords import ScryptPasswords
from adapters.memory.signer import MemorySigner
from adapters.memory.storage import MemoryStorage
from adapters.system import random_bytes, utc_now, uuid7
from storecore.catalog.english import ENGLISH
from storecore.catalog.words import Language
from storecore.ports import (
    Clock,
    Documents,
    Files,
    Hub,
    Mailer,
    NewId,
    Passwords,
    PaymentProvider,
    Random,
    RateLimits,
    Signer,
    Storage,
)
from storecore.shop import Shop
from storecore.store import Store

__all__ = [
    "MemoryFiles",
    "MemoryMailer",
    "MemorySigner",
    "MemoryStorage",
    "ScryptPasswords",
    "TextDocuments",
    "open_store",
]


def open_store(
    *,
    storage: Storage | None = None,
    shop: Shop | None = None,
    clock: Clock = utc_now,
    new_id: NewId = uuid7,
    random: Random = random_bytes,
    passwords: Passwords | None = None,
    signer: Signer | None = None,
    mailer: Mailer | None = None,
    documents: Documents | None = None,
    files: Files | None = None,
    hub: Hub | None = None,
    rate_limits: RateLimits | None = None,
    providers: Mapping[str, PaymentProvider] | None = None,
    language: Language = ENGLISH,
) -> Store:
    """An empty store that is forgotten with the process, but for the ports that are given: any can be another.

    What products are found by is in ``language``, unless the ``storage`` is another, which knows its own.
    """
    return Store(
        storage=storage or MemoryStorage(language=language),
        clock=clock,
        new_id=new_id,
        random=random,
        passwords=passwords or ScryptPasswords(),
        signer=signer or MemorySigner(random(32)),
        mailer=mailer or MemoryMailer(),
        documents=documents or TextDocuments(),
        files=files or MemoryFiles(clock),
        hub=hub or LocalHub(),
        rate_limits=rate_limits or LocalRateLimits(),
        shop=shop or Shop(),
        providers=providers or {},
    )
