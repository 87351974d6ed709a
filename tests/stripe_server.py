"""A local server that speaks Stripe's protocol as far as a shop needs it, and can be made to fail in every way."""

import hmac
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRET_KEY = "sk_test_local"
WEBHOOK_SECRET = "whsec_local"

VISA = "pm_card_visa"
DECLINED = "pm_card_chargeDeclined"
THREE_D_SECURE = "pm_card_threeDSecure2Required"

Params = dict[str, str]
Answer = tuple[int, dict[str, Any]]

BEFORE, AFTER, FAULT, BUSY, SLOW = "dropped before", "dropped after", "500", "429", "slow"


def _error(status: int, kind: str, message: str, code: str = "", **more: Any) -> Answer:
    return status, {"error": {"type": kind, "message": message, "code": code, **more}}


@dataclass
class StripeServer:
    """The account of one shop. ``faults`` are what happens to the next requests whose path ends so, in turn."""

    address: str = ""
    good: str = VISA
    declined: str = DECLINED
    second_step: str = THREE_D_SECURE
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    charges: list[tuple[str, int]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    release: Event = field(default_factory=Event)
    _answers: dict[str, tuple[tuple[str, Params], Answer | None]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # What tests look at: the ``Bank`` of the contract.

    def approve(self, reference: str, *, approved: bool) -> None:
        with self._lock:
            intent = self.intents[reference]
            if intent["status"] != "requires_action":
                return
            if approved:
                self._charge(intent)
            else:
                self._decline(intent, "The customer did not authenticate.")

    def taken(self, reference: str) -> int:
        return sum(amount for charged, amount in self.charges if charged == reference)

    def given_back(self, reference: str) -> int:
        return sum(refund["amount"] for refund in self.refunds.values() if refund["payment_intent"] == reference)

    def event(self, reference: str, at: datetime, **changes: Any) -> tuple[Mapping[str, str], bytes]:
        intent = {**self.intents[reference], **changes}
        kinds = {"succeeded": "succeeded", "canceled": "canceled", "requires_payment_method": "payment_failed"}
        told = {"id": "evt_1", "object": "event", "type": f"payment_intent.{kinds.get(intent['status'], 'created')}"}
        return signed(json.dumps({**told, "data": {"object": intent}}).encode(), at)

    def fail_next(self, path: str, *kinds: str) -> None:
        """Let the next requests to a path end like this."""
        self.faults += [(path, kind) for kind in kinds]

    # The protocol.

    def fault(self, path: str) -> str | None:
        with self._lock:
            found = next((fault for fault in self.faults if path.endswith(fault[0])), None)
            if found:
                self.faults.remove(found)
            return found[1] if found else None

    def answer(self, method: str, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        if headers.get("Authorization") != f"Bearer {SECRET_KEY}":
            return _error(401, "invalid_request_error", "Invalid API Key provided")
        self.requests.append(f"{method} {path}")
        key = headers.get("Idempotency-Key") if method == "POST" else None
        with self._lock:
            if key is not None and key in self._answers:
                asked, answered = self._answers[key]
                if asked != (path, params):
                    return _error(400, "idempotency_error", "Keys can only be used with the same parameters")
                if answered is None:
                    return _error(409, "invalid_request_error", "in use", "idempotency_key_in_use")
                return answered
            answer = self._carry_out(method, path.strip("/").split("/")[1:], params)
            if key:
                self._answers[key] = ((path, params), answer)
            return answer

    def remember_fault(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """Stripe keeps its own faults as the answer of a key."""
        answer = _error(500, "api_error", "Something went wrong on Stripe's end")
        with self._lock:
            self._answers[headers.get("Idempotency-Key", "")] = ((path, params), answer)
        return answer

    def _carry_out(  # noqa: PLR0911 - a route each
        self, method: str, path: list[str], params: Params
    ) -> Answer:
        match method, path:
            case "POST", ["payment_intents"]:
                return self._create(params)
            case "GET", ["payment_intents", reference] if reference in self.intents:
                return 200, self.intents[reference]
            case "POST", ["payment_intents", reference, "confirm"] if reference in self.intents:
                return self._confirm(self.intents[reference], params)
            case "POST", ["payment_intents", reference, "cancel"] if reference in self.intents:
                return self._cancel(self.intents[reference])
            case "POST", ["refunds"]:
                return self._refund(params)
            case "GET", ["refunds"]:
                data = [each for each in self.refunds.values() if each["payment_intent"] == params["payment_intent"]]
                return 200, {"object": "list", "url": "/v1/refunds", "has_more": False, "data": data}
        return _error(404, "invalid_request_error", f"Unrecognized request URL ({method} {path})", "resource_missing")

    def _create(self, params: Params) -> Answer:
        if int(params["amount"]) < 50:
            return _error(400, "invalid_request_error", "Amount must be at least $0.50 usd", "amount_too_small")
        reference = f"pi_{next(self._numbers)}"
        self.intents[reference] = {
            "id": reference,
            "object": "payment_intent",
            "amount": int(params["amount"]),
            "amount_received": 0,
            "currency": params["currency"],
            "status": "requires_payment_method",
            "client_secret": f"{reference}_secret_x",
            "last_payment_error": None,
            "next_action": None,
            "metadata": {name[9:-1]: value for name, value in params.items() if name.startswith("metadata[")},
        }
        return 200, dict(self.intents[reference])

    def _confirm(self, intent: dict[str, Any], params: Params) -> Answer:
        token = params["payment_method"]
        if intent["status"] != "requires_payment_method":
            return self._unexpected(intent, "confirm")
        if token == VISA:
            self._charge(intent)
        elif token == DECLINED:
            self._decline(intent, "Your card was declined.")
            return _error(402, "card_error", "Your card was declined.", "card_declined", payment_intent=dict(intent))
        elif token == THREE_D_SECURE:
            intent["status"] = "requires_action"
            url = f"{self.address}/3ds/{intent['id']}"
            intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"url": url}}
        else:
            return _error(400, "invalid_request_error", f"No such PaymentMethod: {token!r}", "resource_missing")
        return 200, dict(intent)

    def _charge(self, intent: dict[str, Any]) -> None:
        intent.update(status="succeeded", amount_received=intent["amount"], next_action=None)
        self.charges.append((intent["id"], intent["amount"]))

    def _decline(self, intent: dict[str, Any], message: str) -> None:
        intent.update(status="requires_payment_method", next_action=None, last_payment_error={"message": message})

    def _cancel(self, intent: dict[str, Any]) -> Answer:
        if intent["status"] in {"succeeded", "canceled", "processing"}:
            return self._unexpected(intent, "cancel")
        intent.update(status="canceled", next_action=None)
        return 200, dict(intent)

    def _unexpected(self, intent: dict[str, Any], what: str) -> Answer:
        message = f"You cannot {what} this PaymentIntent because it has a status of {intent['status']}."
        return _error(400, "invalid_request_error", message, "payment_intent_unexpected_state")

    def _refund(self, params: Params) -> Answer:
        reference, amount = params["payment_intent"], int(params["amount"])
        if amount > self.taken(reference) - self.given_back(reference):
            return _error(400, "invalid_request_error", "Refund amount is greater than unrefunded amount on charge")
        refund = {
            "id": f"re_{next(self._numbers)}",
            "object": "refund",
            "payment_intent": reference,
            "amount": amount,
            "status": "succeeded",
            "metadata": {name[9:-1]: value for name, value in params.items() if name.startswith("metadata[")},
        }
        self.refunds[str(refund["id"])] = refund
        return 200, dict(refund)


def signed(body: bytes, at: datetime) -> tuple[Mapping[str, str], bytes]:
    """A webhook as Stripe signs it."""
    time = int(at.timestamp())
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{time}.".encode() + body, sha256).hexdigest()
    return {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": f"t={time},v1={signature}"}, body


@contextmanager
def running() -> Iterator[StripeServer]:
    """A server on a free port of this machine."""
    account = StripeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._handle("GET")

        def do_POST(self) -> None:
            self._handle("POST")

        def log_message(self, *_: object) -> None:
            """Tests look at ``requests``."""

        def _handle(self, method: str) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            params, headers = dict(parse_qsl(sent or parts.query)), dict(self.headers)
            fault = account.fault(parts.path)
            if fault == BEFORE:
                return self._hang_up()
            if fault == BUSY:
                return self._say(*_error(429, "invalid_request_error", "Too many requests", "rate_limit"))
            if fault == FAULT:
                return self._say(*account.remember_fault(parts.path, params, headers))
            status, body = account.answer(method, parts.path, params, headers)
            if fault == SLOW:
                account.release.wait(30)
            return self._hang_up() if fault in {AFTER, SLOW} else self._say(status, body)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _say(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Request-Id", "req_1")
            self.end_headers()
            self.wfile.write(text)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hung up."""

    server = Server(("127.0.0.1", 0), Handler)
    account.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield account
    finally:
        account.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
