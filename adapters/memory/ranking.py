"""Lists by relevance: BM25, as SQLite reckons it, over every document."""

import math
from collections import Counter
from types import MappingProxyType

from adapters.memory.listing import matching, with_facts
from adapters.memory.tables import Indexed, Shelf, Tables
from storecore.catalog.documents import Document
from storecore.lists import Page, PageRequest
from storecore.ports import MOST_RELEVANT, Hit, ProductQuery

NAME, LABELS, DETAILS = 6.0, 4.0, 1.0
"""What a term counts in each field of a document."""
_K1, _B = 1.2, 0.75
_LEAST_RARITY = 1e-6


def keep_document(draft: Tables, product_id: str, document: Document) -> None:
    """Write a document, unless it is there already."""
    kept = draft.documents.get(product_id)
    if kept is None or kept.document != document:
        changed = (draft.last_numbers.get("documents") or 0) + 1
        draft.last_numbers.put("documents", changed)
        draft.documents.put(product_id, _indexed(document, changed))


def _indexed(document: Document, changed: int) -> Indexed:
    weights: Counter[str] = Counter()
    length = 0
    for field, weight in ((document.name, NAME), (document.labels, LABELS), (document.details, DETAILS)):
        terms = field.split()
        length += len(terms)
        for term in terms:
            weights[term] += weight  # type: ignore[assignment]  # a Counter counts in halves as well
    return Indexed(document=document, weights=MappingProxyType(dict(weights)), length=length, changed=changed)


def ranked(tables: Tables, query: ProductQuery, page: PageRequest) -> Page[Hit]:
    """A page of the products that match and pass the filters."""
    found = [with_facts(tables, each) for each in matching(tables, query)]
    scores = _scores(tables, query)
    found.sort(key=lambda each: (-scores[each.id], -(tables.shelves.get(each.id) or Shelf()).sold, each.id))
    begin = int(page.after[0] or 0) if page.after else 0
    end = min(begin + page.limit, MOST_RELEVANT)
    return Page(
        items=tuple(Hit(product=each, score=scores[each.id]) for each in found[begin:end]),
        next=(end,) if len(found) > end and end < MOST_RELEVANT else None,
        total=len(found) if page.total else None,
    )


def _scores(tables: Tables, query: ProductQuery) -> dict[str, float]:
    documents = dict(tables.documents.items())
    usual = sum(each.length for each in documents.values()) / max(len(documents), 1) or 1.0
    scores: dict[str, float] = dict.fromkeys(documents, 0.0)
    for wanted in query.match or ():
        ways = [(term, False) for term in wanted.terms] + [(prefix, True) for prefix in wanted.prefixes]
        for term, is_prefix in ways:
            weights = {
                product_id: weight
                for product_id, each in documents.items()
                if (weight := _weight(each, term, is_prefix=is_prefix))
            }
            rarity = max(math.log((len(documents) - len(weights) + 0.5) / (len(weights) + 0.5)), _LEAST_RARITY)
            for product_id, weight in weights.items():
                length = _K1 * (1 - _B + _B * documents[product_id].length / usual)
                scores[product_id] += rarity * weight * (_K1 + 1) / (weight + length)
    return scores


def _weight(indexed: Indexed, term: str, *, is_prefix: bool) -> float:
    if not is_prefix:
        return indexed.weights.get(term, 0.0)
    return sum(weight for each, weight in indexed.weights.items() if each.startswith(term))
