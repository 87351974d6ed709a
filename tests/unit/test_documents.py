from typing import Any

import pytest

from storecore.catalog.documents import document, noun
from storecore.catalog.english import ENGLISH
from storecore.catalog.model import Product
from storecore.catalog.words import Language
from storecore.testing.builders import ids, make_product

FRENCH = Language(name="french", stem=lambda word: word, noun_first=True)


def product(**changes: Any) -> Product:
    return make_product(ids(), category_ids=["shelf"], **changes)


@pytest.mark.parametrize(
    ("name", "attributes", "called"),
    [
        ("Tektra Aurora Laptop Navy", {"brand": "Tektra", "colour": "Navy"}, "laptop"),
        ("Tektra Laptop Sleeve Sky Blue", {"colour": "Sky Blue"}, "sleeve"),
        ("Leather Belt 85", {}, "belt"),
        ("Kettle XK-240 2L", {}, "xk"),
        ("Navy 42", {"colour": "Navy"}, ""),
    ],
)
def test_a_product_is_called_by_the_last_word_of_its_name_that_is_no_attribute_and_no_number(
    name: str, attributes: dict[str, str], called: str
) -> None:
    assert noun(product(name=name, attributes=attributes), ENGLISH) == called


def test_where_nouns_come_first_a_product_is_called_by_the_first_word() -> None:
    assert noun(product(name="Robe en lin rouge", attributes={"couleur": "rouge"}), FRENCH) == "robe"


def test_a_document_tells_the_name_from_what_describes_it_and_from_the_rest() -> None:
    lamps = product(
        name="Oak Lamps", attributes={"material": "Oak"}, description="Warm lights.", sku="LAMP-7", is_active=True
    )
    found = document(lamps, ENGLISH)
    assert found.name == "oak lamps lamp"
    assert found.labels == "oak lamps lamp #shelf"
    assert found.details == "warm lights light lamp 7 lamp7"
    assert found.language == "english"


def test_an_archived_product_is_found_by_nothing() -> None:
    archived = document(product(is_active=False), ENGLISH)
    assert (archived.name, archived.labels, archived.details) == ("", "", "")
