"""An import that is killed half-way has imported everything or nothing, or whole batches if bad rows are skipped."""

import io
import os
import signal
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage
from adapters.sql.verify import verify
from storecore.accounts.model import SYSTEM
from storecore.catalog.importing import BATCH
from storecore.shop import Shop
from tests.databases import DATABASES, database
from tests.usecases.floor import Clock, Floor

ROWS = 5 * BATCH
FILE = "sku,name,categories,price,stock\n" + "".join(f"S{n},Hat {n},Hats|Shelf {n % 7},{n},3\n" for n in range(ROWS))
KEY = "k" * 32


def _opened(where: Path | URL) -> Floor:
    return Floor(SqlStorage(where, cipher=FernetCipher([KEY])), Clock(), Shop())


def _import_and_die(where: Path | URL, at: int, skip_bad: bool) -> None:
    """In a process of its own."""

    def progress(done: int, _total: int) -> None:
        if done >= at:
            os.kill(os.getpid(), signal.SIGKILL)

    with _opened(where) as store:
        store.catalog.import_products(by=SYSTEM, file=io.BytesIO(FILE.encode()), skip_bad=skip_bad, progress=progress)


@pytest.mark.parametrize("kind", DATABASES)
@pytest.mark.parametrize(
    ("skip_bad", "killed_at", "imported"),
    [
        (False, ROWS, 0),  # all is checked
        (False, 2 * ROWS - BATCH, 0),  # one batch is missing
        (False, 2 * ROWS, 0),  # all is written, but not yet for good
        (True, 3 * BATCH, 3 * BATCH),
    ],
)
def test_a_killed_import_leaves_whole_transactions(
    kind: str, skip_bad: bool, killed_at: int, imported: int, tmp_path: Path
) -> None:
    with database(kind, tmp_path) as where:
        process = get_context("spawn").Process(target=_import_and_die, args=(where, killed_at, skip_bad))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        with _opened(where) as store:
            assert isinstance(store.storage, SqlStorage)
            assert [str(finding) for finding in verify(store.storage, store.clock())] == []
            report = store.catalog.import_products(by=SYSTEM, file=io.BytesIO(FILE.encode()))
            assert (report.unchanged, report.created) == (imported, ROWS - imported)
            assert [str(finding) for finding in verify(store.storage, store.clock())] == []
