"""English: its stems by the algorithm known as Porter2, and the words that say nothing about a product.

The steps and their numbers are those of https://snowballstem.org/algorithms/english/stemmer.html.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from storecore.catalog.words import Language

_STOP_WORDS = "a an and are as at be by for from i in is it me my of on or some that the this to with"

_EXCEPTIONS = {
    "skis": "ski",
    "skies": "sky",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
} | {word: word for word in ("andes", "atlas", "bias", "cosmos", "howe", "news", "sky")}
_PLURALS = {
    "calv": "calf",
    "children": "child",
    "feet": "foot",
    "gees": "goos",
    "halv": "half",
    "hoov": "hoof",
    "knive": "knife",
    "leav": "leaf",
    "loav": "loaf",
    "men": "man",
    "mice": "mous",
    "scarv": "scarf",
    "shelv": "shelf",
    "teeth": "tooth",
    "thiev": "thief",
    "wive": "wife",
    "wolv": "wolf",
    "women": "woman",
}
"""The stem of a plural, and that of its singular; longer words may end so: bookshelves."""
_PLURAL = re.compile(rf"(?:\Amen|{'|'.join(_PLURALS.keys() - {'men'})})\Z")
_WHOLE_BEFORE_ING = frozenset({"even", "cann", "inn", "earr", "herr", "out"})
_WHOLE_BEFORE_EED = frozenset({"succ", "proc", "exc"})

_VOWEL = re.compile(r"[aeiouy]")
_SOUNDED_Y = re.compile(r"([aeiouy])y")
_REGION = re.compile(r"[aeiouy][^aeiouy]")
_WHOLE_REGION = re.compile(r"arsen|commun|emerg|gener|inter|later|organ|past|univers")
_SHORT = re.compile(r"(?:[^aeiouy][aeiouy][^aeiouywxY]|\A[aeiouy][^aeiouy]|past)\Z")
_DOUBLE = re.compile(r"(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)\Z")
_DOUBLE_ALONE = re.compile(r"[aeo](.)\1")
_VALID_BEFORE_LI = frozenset("cdeghkmnrt")

_STEP_2 = {
    "ational": "ate",
    "ization": "ize",
    "fulness": "ful",
    "ousness": "ous",
    "iveness": "ive",
    "tional": "tion",
    "biliti": "ble",
    "lessli": "less",
    "entli": "ent",
    "ation": "ate",
    "alism": "al",
    "aliti": "al",
    "fulli": "ful",
    "ousli": "ous",
    "iviti": "ive",
    "ogist": "og",
    "enci": "ence",
    "anci": "ance",
    "abli": "able",
    "izer": "ize",
    "ator": "ate",
    "alli": "al",
    "bli": "ble",
    "ogi": "og",
    "li": "",
}
_STEP_3 = {
    "ational": "ate",
    "tional": "tion",
    "alize": "al",
    "icate": "ic",
    "iciti": "ic",
    "ative": "",
    "ical": "ic",
    "ness": "",
    "ful": "",
}
_STEP_4 = (
    *("ement", "ment", "ance", "ence", "able", "ible", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion"),
    *("al", "er", "ic"),
)


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """What the forms of a folded word share: ``shirts`` and ``shirt``, ``running`` and ``run``, ``knives``, ``knife``.

    Porter2, and the nouns whose plural is no matter of an ending.
    """
    return _PLURAL.sub(lambda plural: _PLURALS[plural.group()], porter2(word))


def porter2(word: str) -> str:
    """The stem of a folded word by the published steps alone."""
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    if len(word) <= 2:
        return word
    word = _mark_y(word)
    first = _region(word)
    second = _ends(_REGION, word, first)
    word = _step_1a(word)
    word = _step_1b(word, first)
    word = _step_1c(word)
    word = _step_2(word, first)
    word = _step_3(word, first, second)
    word = _step_4(word, second)
    return _step_5(word, first, second).replace("Y", "y")


def _mark_y(word: str) -> str:
    """A ``y`` that sounds as a consonant is written ``Y`` meanwhile."""
    if word.startswith("y"):
        word = "Y" + word[1:]
    return _SOUNDED_Y.sub(r"\1Y", word)


def _region(word: str) -> int:
    whole = _WHOLE_REGION.match(word)
    return whole.end() if whole else _ends(_REGION, word, 0)


def _ends(pattern: re.Pattern[str], word: str, start: int) -> int:
    found = pattern.search(word, start)
    return found.end() if found else len(word)


def _step_1a(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and _VOWEL.search(word[:-2]):
        return word[:-1]
    return word


def _step_1b(word: str, first: int) -> str:
    ending = _ending(word, ("eedly", "ingly", "edly", "eed", "ing", "ed"))
    bare = word.removesuffix(ending)
    if ending in {"eed", "eedly"}:
        return bare + "ee" if len(bare) >= first and bare not in _WHOLE_BEFORE_EED else word
    if ending == "ing":
        if bare in _WHOLE_BEFORE_ING:
            return word
        if len(bare) == 2 and bare[1] == "y" and not _VOWEL.match(bare):
            return bare[0] + "ie"
    return _mended(bare, first) if ending and _VOWEL.search(bare) else word


def _mended(bare: str, first: int) -> str:
    """``hop`` from ``hopp``, ``hope`` from ``hop``."""
    if bare.endswith(("at", "bl", "iz")):
        return bare + "e"
    if _DOUBLE.search(bare):
        return bare if _DOUBLE_ALONE.fullmatch(bare) else bare[:-1]
    return bare + "e" if len(bare) == first and _SHORT.search(bare) else bare


def _step_1c(word: str) -> str:
    if len(word) > 2 and word[-1] in "yY" and not _VOWEL.match(word[-2]):
        return word[:-1] + "i"
    return word


def _step_2(word: str, first: int) -> str:
    ending = _ending(word, _STEP_2)
    bare = word.removesuffix(ending)
    if not ending or len(bare) < first:
        return word
    if ending == "ogi" and not bare.endswith("l"):
        return word
    if ending == "li" and bare[-1:] not in _VALID_BEFORE_LI:
        return word
    return bare + _STEP_2[ending]


def _step_3(word: str, first: int, second: int) -> str:
    ending = _ending(word, _STEP_3)
    bare = word.removesuffix(ending)
    if not ending or len(bare) < (second if ending == "ative" else first):
        return word
    return bare + _STEP_3[ending]


def _step_4(word: str, second: int) -> str:
    ending = _ending(word, _STEP_4)
    bare = word.removesuffix(ending)
    if len(bare) < second or (ending == "ion" and not bare.endswith(("s", "t"))):
        return word
    return bare


def _step_5(word: str, first: int, second: int) -> str:
    bare = word[:-1]
    if word.endswith("e"):
        goes = len(bare) >= second or (len(bare) >= first and not _SHORT.search(bare))
        return bare if goes else word
    return bare if word.endswith("ll") and len(bare) >= second else word


def _ending(word: str, longest_first: Iterable[str]) -> str:
    return next((ending for ending in longest_first if word.endswith(ending)), "")


ENGLISH = Language(name="english", stem=stem, stop_words=frozenset(_STOP_WORDS.split()))
