"""Mail that is owed can be read, and is owed to whom its row says: the unique key is made of the recipient's index."""

import json
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from adapters.sql import tables
from adapters.sql.outbox import RECIPIENT
from adapters.sql.verify.ciphertexts import opened, unreadable
from adapters.sql.verify.snapshot import Finding, Snapshot

_outbox = tables.outbox.c
_notices = select(_outbox.id, _outbox.recipient_index, _outbox.private)


def outbox(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every notice."""
    for id_, recipient_index, private in snapshot.rows(_notices):
        plain = opened(snapshot, _outbox.private, id_, private)
        if plain is None:
            yield [unreadable(_outbox.private, id_)]
        elif recipient_index not in snapshot.cipher.blind_indexes(RECIPIENT, json.loads(plain)["recipient"]):
            yield [Finding("recipient", "outbox", id_, "recipient_index is not that of its recipient")]
        else:
            yield []
