"""Whatever a file is called, it is offered back under a name that is safe to save anywhere."""

import unicodedata
from urllib.parse import unquote

from hypothesis import example, given
from hypothesis import strategies as st

from storecore.media import EXTENSIONS, LONGEST_NAME, TYPES, clean_name
from webapp.http.answers import disposition

PIECES = st.sampled_from(
    [
        "../",
        "..\\",
        "\0",
        "\r\n",
        '"',
        "%00",
        ";",
        "con",
        "NUL.",
        ".",
        " ",
        "\u202e",
        "\u200d",
        "x" * 90,
        ".png",
        "🧢",
        "e\u0301",
    ]
)
NAMES = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=8).map("".join) | st.text(
    st.characters(exclude_categories=[]), max_size=400
)


@given(NAMES, st.sampled_from(TYPES))
@example("con .png", "image/png")
@example("_" * 115 + ".\u200d.x", "image/png")
@example("con\u200d", "image/png")
@example("\u200dcon", "image/png")
def test_a_cleaned_name_is_safe_and_stays_as_it_is(given_name: str, media_type: str) -> None:
    name = clean_name(given_name, media_type)
    assert clean_name(name, media_type) == name
    assert len(name) <= LONGEST_NAME
    assert not set(name) & set('/\\<>:"|?*;%')
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(character) for character in name}
    assert not any(unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI") for c in name)
    assert name == name.strip(" .")
    assert name.rpartition(".")[2].lower() in EXTENSIONS[media_type]
    assert name.partition(".")[0].lower() not in ("con", "prn", "aux", "nul", "com1", "lpt9")
    assert unicodedata.is_normalized("NFC", name)
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    if "filename*=" in header:
        assert unquote(header.partition("filename*=UTF-8''")[2]) == name
    else:
        assert header == f'attachment; filename="{name}"'
