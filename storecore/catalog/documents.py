"""What products are found by, and what a question comes to: the one rule of what matches, on every storage."""

from collections.abc import Collection
from dataclasses import dataclass

from storecore.catalog.model import Product
from storecore.catalog.words import Language, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The terms of a product, by how much they tell of it, with a space between any two; ``language`` made them.

    ``labels`` are the terms of its attributes' values and of its :func:`noun`, and the :func:`shelf_mark` of each
    category it is filed under; ``details`` are those of its description and of its SKU. One without any term is an
    archived product's.
    """

    name: str
    labels: str
    details: str
    language: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one word of a question may stand for: any of these terms, or a term that begins with any of these."""

    terms: tuple[str, ...]
    prefixes: tuple[str, ...] = ()

    def meets(self, terms: Collection[str]) -> bool:
        """Whether one of the terms will do."""
        return any(term in terms for term in self.terms) or any(
            term.startswith(prefix) for prefix in self.prefixes for term in terms
        )


Match = tuple[Wanted, ...]
"""A product matches when each of these meets a term of its document; nothing matches a question without words."""


def shelf_mark(category_id: str) -> str:
    """The term that stands for being filed under a category; no word of a text is like it."""
    return f"#{category_id}"


def noun(product: Product, language: Language) -> str:
    """What a product is, as far as its name tells: a ``Laptop Sleeve Blue`` is a sleeve, if blue is its colour.

    That is the last word of the name, or the first where nouns come first, that is neither the value of an attribute
    nor has a digit; empty if there is none.
    """
    values = {word for value in product.attributes.values() for word in words(value)}
    telling = [word for word in words(product.name) if word not in values and word.isalpha()]
    return telling[0 if language.noun_first else -1] if telling else ""


def document(product: Product, language: Language) -> Document:
    """The document that a product should have."""
    if not product.is_active:
        return Document(name="", labels="", details="", language=language.name)
    labels = [term for value in product.attributes.values() for term in language.terms(value)]
    labels += language.terms(noun(product, language))
    labels += [shelf_mark(category_id) for category_id in product.category_ids]
    return Document(
        name=" ".join(language.terms(product.name)),
        labels=" ".join(labels),
        details=" ".join(language.terms(product.description) + language.terms(product.sku)),
        language=language.name,
    )
