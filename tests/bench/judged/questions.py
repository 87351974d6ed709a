"""Questions to the department store, drawn from its facts; the rule in ``tests.bench.judged`` grades them."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from random import Random

from storecore.catalog.model import fold
from storecore.catalog.words import words
from tests.bench.judged import Question
from tests.bench.judged.articles import BRANDS, COLOURS, DEPARTMENTS, KINDS, SERIES, Article, articles

Asked = Mapping[str, str]
"""What must be true, by fact: noun, brand, series, model, material, colour, size, category."""

EACH = 14
"""Questions of each class."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PLURALS = {
    "Knife": "knives",
    "Scarf": "scarves",
    "Bookshelf": "bookshelves",
    "Wrap Dress": "wrap dresses",
    "Women's Running Shoes": "womens running shoe",
    "Men's Running Shoes": "men's running shoe",
    "Hiking Boots": "hiking boot",
    "Headphones": "headphone",
    "Sandals": "sandal",
    "Coffee Grinder": "coffee grinders",
    "Teddy Bear": "teddy bears",
    "T-Shirt": "tshirts",
    "Blanket": "blankets",
    "Chopping Board": "chopping boards",
    "Vase": "vases",
    "Candle": "candles",
    "Parka": "parkas",
    "Wok": "woks",
}
NONSENSE = (
    *("xqzvbk", "asdfghjk", "qwrtzp 123", "submarine", "laptop submarine", "jklö", "zzzz", "999999999", "§§§ %%%"),
    *("helicopter insurance", "red wedding", "()", "mortgage", "tsunami", "pizza delivery", "!!!", "bvnmrt teapot"),
    *("lawnmower", "guitar strings", "toothpaste"),
)


def questions(seed: str = "") -> list[Question]:
    """All of them, the same ones for each seed. Those of another seed show whether the ranking only learned these."""
    return [question for kind, draw in _CLASSES.items() for question in draw(kind, Random(seed + kind))]


def grade(article: Article, asked: Asked) -> int:
    """From 0 to 3, by the rule."""
    facts = {name: getattr(article, name) for name in ("brand", "series", "model", "material", "colour", "size")}
    kind = article.kind
    department = next(name for name, categories in DEPARTMENTS.items() if kind.category in categories)
    for name, value in asked.items():
        if name == "category" and value not in {kind.category, department}:
            return 0
        if name in facts and facts[name] != value:
            return 0
    noun = asked.get("noun")
    if noun is None or noun in {kind.noun, kind.head}:
        return 3
    return 2 if noun == kind.for_ else 1 if noun == kind.mentions else 0


def _asking(kind: str, text: str, *meant: Asked) -> Question:
    """A question that may mean one thing or another: a product has the best grade that it has for any of them."""
    grades = {article.sku: max(grade(article, asked) for asked in meant) for article in articles()}
    return Question(kind=kind, text=text, grades={sku: value for sku, value in grades.items() if value})


def _exact(kind: str, random: Random) -> Iterator[Question]:
    for article in random.sample(articles(), EACH):
        asked = {"series": article.series, "noun": article.kind.noun, "colour": article.colour, "model": article.model}
        branded = {"brand": article.brand} if article.name.startswith(article.brand) else {}
        yield _asking(kind, article.name, asked | branded)


def _partial(kind: str, random: Random) -> Iterator[Question]:
    for number, article in enumerate(random.sample(articles(), EACH)):
        noun = article.kind.noun
        text, asked = (
            (f"{article.series} {noun}", {"series": article.series, "noun": noun}),
            (f"{article.brand} {noun}", {"brand": article.brand, "noun": noun}),
            (f"{article.brand} {article.series}", {"brand": article.brand, "series": article.series}),
        )[number % 3]
        yield _asking(kind, text.lower(), asked)


def _several(kind: str, random: Random) -> Iterator[Question]:
    for number, article in enumerate(random.sample(articles(), EACH)):
        noun, colour, material, brand = article.kind.noun, article.colour, article.material, article.brand
        text, asked = (
            (f"{colour} {material} {noun}", {"colour": colour, "material": material, "noun": noun}),
            (f"{noun} in {colour} by {brand}", {"colour": colour, "brand": brand, "noun": noun}),
            (f"{brand} {article.series} {colour}", {"colour": colour, "brand": brand, "series": article.series}),
            (f"the {material} {noun} of {brand}", {"material": material, "brand": brand, "noun": noun}),
        )[number % 4]
        yield _asking(kind, text.lower(), asked)


def _attribute(kind: str, random: Random) -> Iterator[Question]:
    for colour in random.sample(COLOURS, 3):
        yield _asking(kind, colour.lower(), {"colour": colour})
    for brand in random.sample(BRANDS, 3):
        yield _asking(kind, brand, {"brand": brand})
    for number, article in enumerate(random.sample([each for each in articles() if each.model], 5)):
        text = (article.model, article.model.lower(), article.model.replace("-", ""))[number % 3]
        yield _asking(kind, text, {"model": article.model})
    for article in random.sample([each for each in articles() if each.size], 3):
        yield _asking(kind, f"{article.kind.noun} {article.size}", {"noun": article.kind.noun, "size": article.size})
    for article in random.sample(articles(), 3):
        yield _asking(kind, f"{article.material} {article.colour}".lower(),
                      {"material": article.material, "colour": article.colour})  # fmt: skip


def _category(kind: str, random: Random) -> Iterator[Question]:
    names = [*DEPARTMENTS, *(name for categories in DEPARTMENTS.values() for name in categories)]
    for name in random.sample(names, EACH + 2):
        yield _asking(kind, name.lower(), {"category": name})


def _noun(kind: str, random: Random) -> Iterator[Question]:
    for noun in ("Laptop", "Lamp", "Knife", *random.sample([each.noun for each in KINDS], EACH)):
        yield _asking(kind, noun.lower(), {"noun": noun})


def _other_form(kind: str, _: Random) -> Iterator[Question]:
    for noun, text in _PLURALS.items():
        yield _asking(kind, text, {"noun": noun})


def _prefix(kind: str, random: Random) -> Iterator[Question]:
    for number, article in enumerate(random.sample(articles(), EACH + 2)):
        whole = (article.kind.noun, article.series, article.brand, article.material)[number % 4]
        start = words(whole)[0]
        cut = start[: max(3, len(start) * 2 // 3)]
        yield _asking(kind, cut, *(_meant(cut)))


@cache
def _meant(start: str) -> tuple[Asked, ...]:
    """Every fact that a word which begins so may be the beginning of."""
    names = ("brand", "series", "model", "material", "colour", "size")
    facts = {(name, getattr(article, name)) for article in articles() for name in names}
    facts |= {("noun", noun) for each in KINDS for noun in (each.noun, each.head) if noun == each.head or not each.for_}
    facts |= {("category", name) for each in KINDS for name in (each.category,)}
    facts |= {("category", name) for name in DEPARTMENTS}
    return tuple({name: value} for name, value in sorted(facts) if any(w.startswith(start) for w in words(value)))


def _accents(kind: str, random: Random) -> Iterator[Question]:
    plain: tuple[Callable[[str], str], ...] = (fold, str.upper, lambda text: fold(text).upper(), str.lower)
    accented = [name for name in (*BRANDS, *SERIES) if not name.isascii()]
    for number, name in enumerate(random.sample(accented, EACH)):
        yield _asking(kind, plain[number % 4](name), {"brand" if name in BRANDS else "series": name})
    yield _asking(kind, "téapöt", {"noun": "Teapot"})


_Slip = Callable[[str, Random], str]


def _missing(word: str, random: Random) -> str:
    at = random.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _extra(word: str, random: Random) -> str:
    at = random.randrange(1, len(word))
    return word[:at] + random.choice(_LETTERS) + word[at:]


def _wrong(word: str, random: Random) -> str:
    at = random.randrange(1, len(word))
    return word[:at] + random.choice(_LETTERS) + word[at + 1 :]


def _swapped(word: str, random: Random) -> str:
    at = random.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _first(word: str, random: Random) -> str:
    return random.choice((random.choice(_LETTERS) + word[1:], word[1:], word[1] + word[0] + word[2:]))


def _twice(word: str, random: Random) -> str:
    middle = len(word) // 2
    return _wrong(word[:middle], random) + _missing(word[middle:], random)


@cache
def _vocabulary() -> frozenset[str]:
    texts = (f"{each.name} {each.description} {' '.join(each.attributes.values())}" for each in articles())
    return frozenset(word for text in (*texts, *DEPARTMENTS, *sum(DEPARTMENTS.values(), ())) for word in words(text))


def _slipped(word: str, slip: _Slip, random: Random) -> str:
    """A slip that can be told: one that begins a word of the shop cannot."""
    while True:
        slipped = slip(word, random)
        if slipped != word and not any(other.startswith(slipped) for other in _vocabulary()):
            return slipped


def _mistyped(slip: _Slip, shortest: int = 4) -> Callable[[str, Random], Iterator[Question]]:
    def draw(kind: str, random: Random) -> Iterator[Question]:
        for number, article in enumerate(random.sample(articles(), len(articles()))):
            name, value = (("noun", article.kind.noun), ("brand", article.brand), ("series", article.series))[
                number % 3
            ]
            asked, said = {name: value}, words(value)
            if number % 2 and name != "noun":
                asked["noun"], said = article.kind.noun, said + words(article.kind.noun)
            long = [place for place, word in enumerate(said) if len(word) >= shortest]
            if not long:
                continue
            place = random.choice(long)
            said[place] = _slipped(said[place], slip, random)
            yield _asking(kind, " ".join(said), asked)

    return lambda kind, random: (question for question, _ in zip(draw(kind, random), range(EACH), strict=False))


def _while_typing(kind: str, random: Random) -> Iterator[Question]:
    """A slip in the last word, which is not finished."""
    names = [value for value in (*(each.head for each in KINDS), *SERIES) if len(fold(value)) >= 7]
    for value in random.sample(sorted(set(names)), EACH):
        word = words(value)[0]
        cut = _slipped(word[:-2], _swapped if random.random() < 0.5 else _wrong, random)
        yield _asking(kind, cut, {"series" if value in SERIES else "noun": value})


def _nonsense(kind: str, _: Random) -> Iterator[Question]:
    return (Question(kind=kind, text=text, grades={}) for text in NONSENSE)


_CLASSES: Mapping[str, Callable[[str, Random], Iterator[Question]]] = {
    "exact name": _exact,
    "partial name": _partial,
    "multi-word": _several,
    "noun": _noun,
    "attribute": _attribute,
    "category": _category,
    "prefix": _prefix,
    "accents": _accents,
    "other form": _other_form,
    "typo: missing": _mistyped(_missing, shortest=5),
    "typo: extra": _mistyped(_extra),
    "typo: wrong": _mistyped(_wrong),
    "typo: swapped": _mistyped(_swapped),
    "typo: first letter": _mistyped(_first, shortest=5),
    "typo: two slips": _mistyped(_twice, shortest=9),
    "typo: while typing": _while_typing,
    "nonsense": _nonsense,
}
