"""From a shopper's words to what finds products."""

from storecore.catalog.documents import Match
from storecore.ports import Unit


def matched(unit: Unit, text: str) -> Match:
    """What a text asks for. If no product has all of its words, those nearest to them count as well."""
    with unit.search.lexicon() as lexicon:
        question = lexicon.language.question(text)
        exact = lexicon.match(question)
    if not exact or unit.search.any(exact):
        return exact
    with unit.search.lexicon() as lexicon:
        return lexicon.tolerant_match(question)
