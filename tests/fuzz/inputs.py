"""Bytes that are hardly HTTP, the same for the same seed."""

import json
import os
import struct
from collections.abc import Callable, Sequence
from random import Random

HOST = b"Host: 127.0.0.1\r\n"

REQUESTS = (
    b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/v1/products?limit=5&sort=price HTTP/1.1\r\n" + HOST + b"Accept: application/json\r\n\r\n",
    b"GET /api/v1/search?q=shirt&attr.colour=red HTTP/1.1\r\n" + HOST + b"If-None-Match: \"1.abc\"\r\n\r\n",
    b"GET /api/v1/orders HTTP/1.1\r\n" + HOST + b"Authorization: Bearer a.b.c\r\n\r\n",
    b"GET /api/v1/cart HTTP/1.1\r\n" + HOST + b"Cookie: cart_token=abc; access_token=a.b.c\r\n\r\n",
    b"OPTIONS /api/v1/products HTTP/1.1\r\n" + HOST + b"Origin: https://evil.example\r\n\r\n",
    b"GET /api/v1/products HTTP/1.0\r\n\r\n",
)  # fmt: skip
"""Whole requests that change nothing."""

BODIES = (
    ("/api/v1/orders/quote", b"application/json", b'{"items": [{"product_id": "x", "quantity": 1}]}'),
    ("/api/v1/auth/token", b"application/json", b'{"email": "nobody@example.com", "password": "12345678"}'),
    ("/api/v1/auth/refresh", b"application/json", b'{"refresh_token": "abc"}'),
    ("/api/v1/auth/password/reset", b"application/json", b'{"token": "a.b", "password": "12345678"}'),
    ("/api/v1/payments/demo/events", b"application/json", b'{"id": "evt"}'),
    ("/links/verify-email", b"application/x-www-form-urlencoded", b"token=a.b.c"),
)
"""Where bodies go that are judged and then refused."""

TOKENS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"%00", b"%", b"\xff", "é".encode(), "😀".encode(), b"\xc0\xaf",
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Expect: 100-continue\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Upgrade: h2c\r\n", b"../" * 20, b"A" * 9000, b"[" * 5000,
    b"HTTP/9.9", b"GET / HTTP/1.1\r\n\r\n", b'{"a":' * 500, b"1e999", b"NaN", b"-0", b"\\ud800",
)  # fmt: skip
"""What makes parsers stumble."""


def mutated(random: Random, data: bytes) -> bytes:
    """The same with a few bytes changed, cut, doubled or put in."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        match random.randrange(6):
            case 0:
                changed[at:at] = random.choice(TOKENS)
            case 1:
                del changed[at : at + random.randint(1, 20)]
            case 2 if changed:
                changed[at % len(changed)] = random.randrange(256)
            case 3:
                changed[at:at] = changed[at : at + random.randint(1, 50)]
            case 4:
                changed[at:at] = random.randbytes(random.randint(1, 16))
            case _:
                del changed[at:]
    return bytes(changed)


def _request(random: Random) -> bytes:
    return mutated(random, random.choice(REQUESTS))


def _noise(random: Random) -> bytes:
    return random.randbytes(random.randint(1, 2000))


def _head(path: str, kind: bytes, *more: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1".encode(), b"Host: 127.0.0.1", b"Content-Type: " + kind, *more]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _body(random: Random) -> bytes:
    path, kind, body = random.choice(BODIES)
    body = mutated(random, body)
    return _head(path, kind, f"Content-Length: {len(body)}".encode()) + body


def _lie(random: Random) -> bytes:
    path, kind, body = random.choice(BODIES)
    lie = random.choice(
        [0, 1, len(body) - 1, len(body) + 1, len(body) + 1000, 2**31, 2**64, -1, "x", "1, 2", "", "+5", "0x10"]
    )
    return _head(path, kind, f"Content-Length: {lie}".encode()) + body


def _chunks(random: Random) -> bytes:
    path, kind, body = random.choice(BODIES)
    size = random.choice(
        [b"%x" % len(body), b"0", b"-1", b"zz", b"ffffffffffffffffff", b"%x;ext=1" % len(body), b"", b"1"]
    )
    ending = random.choice([b"\r\n0\r\n\r\n", b"\r\n0\r\nTrailer: a\r\n\r\n", b"", b"\n0\n\n", b"\r\n0"])
    lengths = [b"Content-Length: 3"] if random.random() < 0.3 else []
    sent = _head(path, kind, b"Transfer-Encoding: chunked", *lengths) + size + b"\r\n" + body + ending
    return mutated(random, sent) if random.random() < 0.3 else sent


KINDS: Sequence[Callable[[Random], bytes]] = (_request, _noise, _body, _lie, _chunks)


def http(seed: int) -> bytes:
    """What is sent to a new connection."""
    random = Random(seed)
    return random.choice(KINDS)(random)


def frames(seed: int) -> bytes:
    """What is sent over an open WebSocket: frames that say nothing, are broken, or lie about their length."""
    random = Random(seed)
    return b"".join(_frame(random) for _ in range(random.randint(1, 4)))


def _frame(random: Random) -> bytes:
    actions: list[object] = ["typing", "read", "resume", "no_such", None, 1, [], {}]
    said: dict[str, object] = {
        "action": random.choice(actions),
        "seq": random.choice([0, -1, 2**70, "1", None, 1.5, True]),
    }
    said["after"] = said["seq"]
    payload = json.dumps(said).encode()
    if random.random() < 0.7:
        payload = random.choice([random.randbytes(random.randint(0, 200)), mutated(random, payload)])
        if b"send_message" in payload:
            payload = b""
    opcode = random.choice([0, 1, 1, 1, 2, 3, 8, 9, 10, 15])
    first = opcode | random.choice([0x80, 0x80, 0x80, 0, 0xC0, 0x90])
    masked = random.random() < 0.9
    told = len(payload) if random.random() < 0.8 else random.choice([0, 125, 2**16, 2**31, 2**63 - 1, 2**64 - 1])
    bit = 0x80 if masked else 0
    if told < 126:
        head = bytes([first, bit | told])
    elif told < 2**16:
        head = bytes([first, bit | 126]) + struct.pack("!H", told)
    else:
        head = bytes([first, bit | 127]) + struct.pack("!Q", told)
    key = random.randbytes(4) if masked else b""
    return head + key + (bytes(b ^ key[i % 4] for i, b in enumerate(payload)) if masked else payload)


UPGRADE = (
    b"GET /api/v1/support/ws?conversation_id=%s&token=%s HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def count(default: int) -> int:
    """How many inputs there are to be: ``FUZZ_INPUTS``, or so many."""
    return int(os.environ.get("FUZZ_INPUTS", default))
