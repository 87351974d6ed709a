"""The OpenAPI document and the shop say the same, whoever asks whatever: `nox -s schema` asks much more."""

import logging
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import structlog
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from adapters.pdf import PdfDocuments
from tests.http.matrix import TABLE, Line, Street, read_table
from tests.schema import attack

LINES = read_table(TABLE.read_text(encoding="utf-8"))
THOROUGH = int(os.environ.get("SCHEMA_EXAMPLES", "0"))
"""Random requests for each operation and caller; without it, one, and schemathesis's own list for three callers."""

SHORTLY = {"admin": True, "owner": False, "nobody": False}
"""Who asks when there is little time, and whether schemathesis goes through its list of edges."""

CALLERS = [name for name in LINES[0].cells if THOROUGH or name in SHORTLY]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with (street := Street(tmp_path_factory.mktemp("street"), documents=PdfDocuments())).store:
        yield street
    structlog.configure(**before)


@pytest.fixture(scope="module")
def address(street: Street) -> Iterator[str]:
    with attack.served(street) as address:
        yield address


@pytest.mark.parametrize("name", CALLERS)
def test_nothing_is_answered_that_is_not_documented(street: Street, address: str, name: str) -> None:
    asked, found = attack.findings(
        address, street.callers[name], examples=THOROUGH or 1, coverage=bool(THOROUGH) or SHORTLY[name]
    )
    assert found == [], "\n\n".join(found)
    assert asked > 100


def test_every_request_that_is_declared_is_answered_as_documented(street: Street) -> None:
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", street.app)
    operations = [found.ok() for found in document.get_all_operations() if isinstance(found, Ok)]
    documented = {(each.method.upper(), re.sub(r"\{.*?\}", "<>", each.path)): each for each in operations}
    lines = [line for line in LINES if line.route in documented]
    assert {line.route for line in lines} == documented.keys()
    wrong = [
        f"{line} by {name}: {why}"
        for line in lines
        for name in line.cells
        if (why := _undocumented(street, line, name, documented[line.route]))
    ]
    assert wrong == [], "\n\n".join(wrong)


def _undocumented(street: Street, line: Line, name: str, operation: APIOperation[Any, Any, Any, Any]) -> str:
    """What is not in the document of the answer that somebody gets; empty if all of it is."""
    street.storage.swap_in(street.before)
    answer = street.send(line, street.callers[name])
    try:
        if str(answer.status_code) not in operation.definition.raw["responses"]:
            return f"{answer.status_code} {answer.text}"
        operation.validate_response(answer)
    except (Failure, FailureGroup) as failure:
        return str(failure)
    finally:
        answer.close()
    return ""
