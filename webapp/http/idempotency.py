"""``Idempotency-Key``: a request that is sent twice has one effect, and both get the same answer."""

from collections.abc import Callable
from hashlib import sha256

from flask import Request

from storecore.accounts.model import Actor, Guest
from storecore.transactions import Once
from webapp.http.answers import Answer
from webapp.http.problems import InvalidIdempotencyKey

REPLAYED = "Idempotent-Replayed"


def key(request: Request) -> str | None:
    """The key that the client chose, if any. Raises ``InvalidIdempotencyKey``."""
    found: str | None = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if found is not None and not (1 <= len(found) <= 255 and found.isascii() and found.isprintable()):
        raise InvalidIdempotencyKey()
    return found


class Rendering:
    """Turns a use case's result into the answer to keep, and remembers the answer it made last."""

    def __init__(self, render: Callable[[object], Answer]) -> None:
        self._render = render
        self.answer: Answer | None = None

    def __call__(self, result: object) -> bytes:
        """What is kept for a result."""
        self.answer = self._render(result)
        return self.answer.dump()


def once(request: Request, *, key: str, route: str, by: Actor, body: bytes, rendering: Rendering) -> Once:
    """What to hand to the use case.

    Keys of different routes and actors are apart. A guest is known by their cart or by the conversation they hold a
    token of, else by nothing but the request itself, so that strangers who choose the same key never meet.
    """
    address = f"{request.method} {request.full_path}\n".encode(errors="replace")
    fingerprint = sha256(address + body).digest()
    if by.id is not None:
        actor = f"user {by.id}"
    elif isinstance(by, Guest) and by.cart_id is not None:
        actor = f"cart {by.cart_id}"
    elif isinstance(by, Guest) and by.conversation_id is not None:
        actor = f"conversation {by.conversation_id}"
    else:
        actor = f"request {fingerprint.hex()}"
    return Once(scope=f"{request.method} {route} {actor}", key=key, fingerprint=fingerprint, render=rendering)
