"""How text becomes words, and what a shopper's words ask for: the one definition of what a search matches.

Every storage keeps the terms that :meth:`Language.terms` gives and looks for what :meth:`Language.question` asks, so
that all of them find the same products, whatever the database thinks a word is.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from storecore.catalog.model import fold

LONGEST_WORD = 64
"""Characters; what goes on after them is not looked at."""
MOST_WORDS = 10
"""Words of one question; the rest is not looked at."""

_ALONE = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
)
"""Scripts that are written without spaces: each character is a word."""
_LETTERS = rf"[^\W_{_ALONE}]+"
_WORD = re.compile(rf"(?=\w)[{_ALONE}]|{_LETTERS}")
_COMPOUND = re.compile(rf"{_LETTERS}(?:['’\-‐]{_LETTERS})+|(?=\w)[{_ALONE}]|{_LETTERS}")
_POSSESSIVE = re.compile(r"(?<=[^\W_])['’](?=s(?![^\W_]))")


def words(text: str) -> list[str]:
    """The folded runs of letters and digits, in order: ``Crème-Brûlée`` is ``creme`` and ``brulee``.

    A possessive stays one word (``women's`` is ``womens``); a character of a script without spaces is a word.
    """
    return _cut(_WORD.findall(_plain(text)))


def _plain(text: str) -> str:
    folded = fold(text)
    if not folded.isascii():  # marks that are no accents, such as the vowels of Hindi, part no words either
        folded = "".join(character for character in folded if not unicodedata.category(character).startswith("M"))
    return _POSSESSIVE.sub("", folded)


def _cut(found: Iterable[str]) -> list[str]:
    return [word[:LONGEST_WORD] for word in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a question. ``is_prefix``: it may still be going on."""

    text: str
    stem: str
    is_prefix: bool = False

    def meets(self, term: str) -> bool:
        """Whether a document with this term has what the word asks for."""
        return term in {self.text, self.stem} or (self.is_prefix and term.startswith(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What the shop's texts are written in.

    ``stem`` takes a folded word to what its inflections share and may be called by several threads. An index that was
    made with another ``name`` has to be made again. ``stop_words`` are folded. ``noun_first``: what a thing is called
    comes before what it is like, as in ``robe en lin``; otherwise after it, as in ``linen dress``.
    """

    name: str
    stem: Callable[[str], str]
    stop_words: frozenset[str] = frozenset()
    noun_first: bool = False

    def terms(self, text: str) -> list[str]:
        """What a text is found by, in its order: each word and, where it differs, its stem.

        What a hyphen or an apostrophe joins is found in one piece too: ``T-Shirts`` by ``t``, ``shirts``, ``shirt``,
        ``tshirts`` and ``tshirt``.
        """
        return [term for word in _pieces(text) for term in dict.fromkeys((word, self.stem(word)))]

    def question(self, text: str) -> tuple[Word, ...]:
        """What a shopper's text asks for: its distinct words without stop words, unless there are no others.

        The last word is a prefix unless the text ends with a space. A document matches when each word meets one of
        its terms. Without any letter or digit the question is empty.
        """
        asked = words(text)
        last = len(asked) - 1 if asked and not text[-1].isspace() else None
        telling = [place for place, word in enumerate(asked) if word not in self.stop_words] or range(len(asked))
        distinct: dict[str, bool] = {}
        for place in telling:
            distinct.setdefault(asked[place], place == last)
        return tuple(
            Word(text=word, stem=self.stem(word), is_prefix=is_prefix)
            for word, is_prefix in list(distinct.items())[:MOST_WORDS]
        )


def _pieces(text: str) -> Iterator[str]:
    for found in _COMPOUND.findall(_plain(text)):
        parts = _cut(_WORD.findall(found))
        yield from parts
        if len(parts) > 1:
            yield "".join(parts)[:LONGEST_WORD]
