"""Languages that a shop's texts can be in: English from the core, the others with the stems of Snowball."""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import version
from threading import Lock

import snowballstemmer

from storecore.catalog.english import ENGLISH
from storecore.catalog.model import fold
from storecore.catalog.words import Language

_STOP_WORDS = {
    "dutch": "aan als bij dat de den der die dit door een en het hij in is je met naar niet of om op te tot uit "
    "van voor",
    "french": "a au aux avec ce ces d dans de des du elle en est et il je l la le les ma mes mon ou par pour que "
    "qui sa sans se ses son sur un une vos votre",
    "german": "als am an auf aus bei das dem den der des die ein eine einem einen einer eines er es fur im in ist "
    "mit oder sie und vom von zu zum zur",
    "italian": "a al alla che con da dal dalla dei del della delle di e ed gli i il in l la le lo ma nel nella o per "
    "su un una uno",
    "portuguese": "a ao as com da das de do dos e em na no nos o os ou para pela pelo por que se sem um uma",
    "spanish": "a al con de del e el en es la las lo los o para por que se sin su sus tu un una y",
    "turkish": "bir bu da de icin ile ise ki mi mu su ve veya ya",
}
"""Folded, as the words they are compared with. The other languages have none."""

_NOUN_FIRST = frozenset({"arabic", "catalan", "french", "indonesian", "italian", "portuguese", "romanian", "spanish"})

KNOWN = tuple(sorted(name for name in snowballstemmer.algorithms() if "porter" not in name))


@cache
def language(name: str) -> Language:
    """The language of this name, such as ``german``. Raises ``ValueError`` for one that is not :data:`KNOWN`."""
    if name == ENGLISH.name:
        return ENGLISH
    if name not in KNOWN:
        raise ValueError(f"must be one of {', '.join(KNOWN)}")
    return Language(
        name=f"{name} (Snowball {version('snowballstemmer')})",
        stem=_stem(name),
        stop_words=frozenset(_STOP_WORDS.get(name, "").split()),
        noun_first=name in _NOUN_FIRST,
    )


def _stem(name: str) -> Callable[[str], str]:
    stemmer = snowballstemmer.stemmer(name)
    turn = Lock()  # a stemmer holds the word that it works on

    @lru_cache(maxsize=1 << 16)
    def stem(word: str) -> str:
        with turn:
            return fold(stemmer.stemWord(word)) or word

    return stem
