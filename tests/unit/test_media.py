import pytest

from storecore.errors import UnsupportedType
from storecore.media import LONGEST_NAME, TYPES, Recogniser, clean_name

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0"
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"

FILES = [
    ("image/png", PNG),
    ("image/jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1"),
    ("image/jpeg", b"\xff\xd8\xff\xe1\0\x10Exif\0\0"),
    ("image/gif", b"GIF89a\1\0\1\0\x80\0\0"),
    ("image/gif", b"GIF87a\1\0\1\0\x80\0\0"),
    ("image/gif", b"GIF89a/*<script>alert(1)</script>*/=1;"),
    ("image/webp", b"RIFF\x24\0\0\0WEBPVP8 "),
    ("application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    ("application/pdf", b"%PDF-1.4"),
    ("video/mp4", MP4),
    ("video/mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"),
    ("text/plain", b"Hello"),
    ("text/plain", b"B"),
    ("text/plain", "BMW, Şapka, 帽子, 🧢".encode()),
    ("text/plain", b"\xef\xbb\xbfwith a byte order mark"),
    ("text/plain", b" \r\n\t"),
    ("text/plain", b"1 < 2"),
    ("text/plain", b"MZ is how it begins, and it is a text"),
    ("text/plain", b"PK and RIFF and ftyp"),
    ("text/plain", b"\x1b[31mcolours of a log\x1b[0m"),
]
REFUSED = {
    "a program for Windows": b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff",
    "a program for Linux": b"\x7fELF\2\1\1\0",
    "an SVG image": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "an SVG image with a prologue": b'\xef\xbb\xbf\n\t <?xml version="1.0"?><svg/>',
    "a page": b"<!DOCTYPE html><script>alert(1)</script>",
    "a page after a comment": b"\r\n<!-- x --><html>",
    "a page after what is not seen": "\u200b\u00ad\ufeff\u2028<html>".encode(),
    "a page after a bell": b"\a\x1b<html>",
    "a document": b"PK\3\4\x14\0\6\0\x08\0\0\0",
    "a shell script": b"#!/bin/sh\nrm -rf ~\n",
    "a shell script after a byte order mark": b"\xef\xbb\xbf#!/bin/sh\n",
    "a bitmap": b"BM\x36\0\0\0\0\0\0\0\x36\0",
    "a QuickTime film": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "an HEIF image": b"\0\0\0\x18ftypheic\0\0\0\0",
    "a sound": b"RIFF\x24\0\0\0WAVEfmt ",
    "a text in UTF-16": "Hello".encode("utf-16"),
    "a text in Latin-1": "Zoë was here".encode("latin-1"),
    "a text that is cut in a letter": "Zoë".encode()[:-1],
    "a text with a NUL": b"Hello, much later than the head \0",
    "a text with half of a surrogate pair": b"Hello \xed\xa0\x80",
    "the first half of PNG's signature": b"\x89PNG",
    "a signature in the middle": b"\0" + PNG,
}


def recognised(content: bytes, step: int) -> str:
    recogniser = Recogniser()
    for start in range(0, len(content), step):
        recogniser.feed(content[start : start + step])
    return recogniser.media_type()


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize(("media_type", "content"), FILES)
def test_a_file_is_what_its_content_says(media_type: str, content: bytes, step: int) -> None:
    assert recognised(content, step) == media_type


def test_every_type_is_recognised() -> None:
    assert {media_type for media_type, _ in FILES} == set(TYPES)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_is_refused(what: str, step: int) -> None:
    with pytest.raises(UnsupportedType):
        recognised(REFUSED[what], step)


def test_what_can_be_nothing_is_refused_by_its_head() -> None:
    recogniser = Recogniser()
    with pytest.raises(UnsupportedType):
        recogniser.feed(REFUSED["a document"])


@pytest.mark.parametrize(
    ("given", "media_type", "expected"),
    [
        ("photo.png", "image/png", "photo.png"),
        ("Photo of my parcel.JPG", "image/jpeg", "Photo of my parcel.JPG"),
        ("Şapka 帽子 🧢.pdf", "application/pdf", "Şapka 帽子 🧢.pdf"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\Zoë\\photo.png", "image/png", "photo.png"),
        ("..", "image/png", "file.png"),
        ("", "image/gif", "file.gif"),
        (".htaccess", "text/plain", "htaccess.txt"),
        (".png", "image/png", "png.png"),
        ("photo.png\0.exe", "image/png", "photo.png.exe.png"),
        ("a\r\nSet-Cookie: x=1.png", "image/png", "a Set-Cookie_ x=1.png"),
        ('a";filename="b.exe', "image/png", "a__filename=_b.exe.png"),
        ("<script>.txt", "text/plain", "_script_.txt"),
        ("invoice.exe", "application/pdf", "invoice.exe.pdf"),
        ("page.html", "text/plain", "page.html.txt"),
        ("notes.md", "text/plain", "notes.md"),
        ("sale\u202egpj.exe", "image/png", "salegpj.exe.png"),
        ("\u2066\u200fphoto\u2069.png", "image/png", "photo.png"),
        ("con", "image/png", "_con.png"),
        ("NUL.txt", "text/plain", "_NUL.txt"),
        ("lpt1.tar.txt", "text/plain", "_lpt1.tar.txt"),
        ("console.txt", "text/plain", "console.txt"),
        ("trailing. . .", "image/png", "trailing.png"),
        ("many   spaces\t\u00a0\u3000here.png", "image/png", "many spaces here.png"),
        ("e\u0301.png", "image/png", "é.png"),
        ("\ud800x.png", "image/png", "x.png"),
        ("\u200d.png", "image/png", "file.png"),
        ("می\u200cخواهم.pdf", "application/pdf", "می\u200cخواهم.pdf"),
        ("👩\u200d🚀.png", "image/png", "👩\u200d🚀.png"),
        ("x" * 300 + ".png", "image/png", "x" * (LONGEST_NAME - 4) + ".png"),
    ],
)
def test_a_name_is_made_safe_to_save(given: str, media_type: str, expected: str) -> None:
    assert clean_name(given, media_type) == expected
