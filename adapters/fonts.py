"""Fonts for documents: Roboto, then any system font that has the letter; and text put in the order it is drawn in."""

import unicodedata
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import font_roboto  # type: ignore[import-untyped] # it ships no types
from fontTools.ttLib import TTFont
from fpdf.bidi import BidiParagraph

REGULAR = Path(font_roboto.font_files["Roboto"])
BOLD = Path(font_roboto.font_files["RobotoBold"])
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
    "C:/Windows/Fonts",
)
_FAVOURITES = ("notosans", "dejavusans", "arial", "wqy")
_STYLES = ("bold", "italic", "oblique", "light", "thin", "black", "medium", "condensed", "narrow", "mono", "serif")
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def clean(text: str) -> str:
    """One line in Unicode NFC without control, format and private characters; what can't exist is replaced."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        match unicodedata.category(character):
            case "Cc" | "Zl" | "Zp":
                kept.append(" ")
            case "Cs" | "Co" | "Cn":
                kept.append(REPLACEMENT)
            case "Cf":
                pass
            case _:
                kept.append(character)
    return "".join(kept)


@lru_cache(maxsize=64)
def characters(path: Path) -> frozenset[int]:
    """The code points a font can draw; none for a file that is no font with outlines."""
    try:
        with path.open("rb") as file, TTFont(file, fontNumber=0, lazy=True) as font:
            outlined = "glyf" in font or "CFF " in font
            return frozenset(font.getBestCmap() or ()) if outlined else frozenset()
    except Exception:  # noqa: BLE001 - a damaged font fails in a hundred ways, and none of them matters
        return frozenset()


@lru_cache(maxsize=4096)
def system_font(character: str) -> Path | None:
    """A font installed on this machine that has the character."""
    return next((path for path in system_fonts() if ord(character) in characters(path)), None)


@lru_cache(maxsize=1)
def system_fonts() -> tuple[Path, ...]:
    """Upright fonts of normal weight, those with the widest reach first, in the same order every time."""
    found = {
        path
        for folder in FOLDERS
        for path in Path(folder).expanduser().rglob("*")
        if path.suffix.lower() in (".ttf", ".otf", ".ttc") and not any(style in path.stem.lower() for style in _STYLES)
    }

    def rank(path: Path) -> tuple[int, int, str]:
        name = path.stem.lower()
        places = (place for place, favourite in enumerate(_FAVOURITES) if name.startswith(favourite))
        return next(places, len(_FAVOURITES)), len(name), str(path)

    return tuple(sorted(found, key=rank))


def shape(text: str) -> str:
    """Arabic letters in the forms that join them to their neighbours; any other text as it is."""
    if not any("\u0600" <= character <= "\u06ff" for character in text):
        return text
    forms, ligatures = _arabic()
    shaped = []
    bases = [character for character in text if not unicodedata.combining(character)]
    place = 0
    for character in text:
        if unicodedata.combining(character):
            shaped.append(character)
            continue
        mine = forms.get(character, {})
        before = forms.get(bases[place - 1], {}) if place else {}
        after = forms.get(bases[place + 1], {}) if place + 1 < len(bases) else {}
        joins_before = "<initial>" in before and "<final>" in mine
        joins_after = "<initial>" in mine and "<final>" in after
        form = ("<isolated>", "<initial>", "<final>", "<medial>")[2 * joins_before + joins_after]
        shaped.append(mine.get(form, character))
        place += 1
    result = "".join(shaped)
    for pair, ligature in ligatures.items():
        result = result.replace(pair, ligature)
    return result


def reorder(line: str) -> str:
    """One line in the order it is drawn in, from left to right (Unicode's bidirectional algorithm)."""
    if any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in line):
        return "".join(
            character.character.translate(_MIRRORED) if character.embedding_level % 2 else character.character
            for character in BidiParagraph(line).get_reordered_characters()
        )
    return line


@lru_cache(maxsize=1)
def _arabic() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """From Unicode's presentation forms: the forms of each letter, and the ligatures of lam with alef."""
    forms: dict[str, dict[str, str]] = defaultdict(dict)
    for code in (*range(0xFB50, 0xFC00), *range(0xFE80, 0xFEF5)):
        tag, *letters = unicodedata.decomposition(chr(code)).split() or ("",)
        if len(letters) == 1:
            forms[chr(int(letters[0], 16))][tag] = chr(code)
    forms["\N{ARABIC TATWEEL}"] = dict.fromkeys(
        ("<isolated>", "<initial>", "<medial>", "<final>"), "\N{ARABIC TATWEEL}"
    )
    ligatures = {}
    for code in range(0xFEF5, 0xFEFD):
        tag, lam, alef = unicodedata.decomposition(chr(code)).split()
        lam_form = "<initial>" if tag == "<isolated>" else "<medial>"
        pair = forms[chr(int(lam, 16))][lam_form] + forms[chr(int(alef, 16))]["<final>"]
        ligatures[pair] = chr(code)
    return dict(forms), ligatures
