"""From a shopper's words to what finds products."""

from dataclasses import replace

from storecore.catalog.documents import Match
from storecore.lists import Page, PageRequest
from storecore.ports import RELEVANCE, Hit, ProductQuery, Unit


def matched(unit: Unit, text: str) -> Match:
    """What a text asks for. If no product has all of its words, those nearest to them count as well."""
    exact = _as_typed(unit, text)
    return exact if unit.search.any(exact) else _as_meant(unit, text, exact)


def found(unit: Unit, text: str, query: ProductQuery, page: PageRequest) -> Page[Hit]:
    """A page of what a text asks for, the best first, among what passes the query's filters.

    The same as looking for what :func:`matched` gives, but where something is found nobody has to ask whether
    anything would be.
    """
    exact = _as_typed(unit, text)
    hits = unit.search.page(replace(query, match=exact, sort=RELEVANCE), page)
    if hits.items or unit.search.any(exact):
        return hits
    meant = _as_meant(unit, text, exact)
    return hits if meant == exact else unit.search.page(replace(query, match=meant, sort=RELEVANCE), page)


def _as_typed(unit: Unit, text: str) -> Match:
    with unit.search.lexicon() as lexicon:
        return lexicon.match(lexicon.language.question(text))


def _as_meant(unit: Unit, text: str, exact: Match) -> Match:
    if not exact:
        return exact
    with unit.search.lexicon() as lexicon:
        return lexicon.tolerant_match(lexicon.language.question(text))
