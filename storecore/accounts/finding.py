"""What an account is found by: the beginning of its email, of its name, or of its last name."""

import unicodedata

from storecore.catalog.model import fold


def names(full_name: str) -> tuple[str, str]:
    """A name folded, and the same with its last word first: ``ada king lovelace``, ``lovelace ada king``."""
    words = fold(full_name).split()
    return " ".join(words), " ".join(words[-1:] + words[:-1])


def beginnings(text: str) -> tuple[str, str, str]:
    """What an email, a folded name, and such a name with its last word first have to begin with."""
    words = " ".join(fold(text).split())
    return unicodedata.normalize("NFKC", text).strip().lower(), words, words


def found_by(email: str, full_name: str, text: str) -> str | None:
    """The first of them that begins with a text, which is also the account's place in the list; None if none does."""
    kept = (email, *names(full_name))
    return next((key for key, begins in zip(kept, beginnings(text), strict=True) if key.startswith(begins)), None)
