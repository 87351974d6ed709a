"""The pages behind the links in mail: plain HTML without script, and nothing loaded from elsewhere.

The token in the address is the secret, so no cookie counts here, and no page tells its address to another. Opening a
page changes nothing, since mail programs open links to look at them: its button does.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.resources import files
from typing import ParamSpec, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from flask import Flask, Response, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.exceptions import RequestEntityTooLarge

from storecore.accounts.model import PASSWORD_LENGTH
from storecore.errors import Invalid, LinkInvalid, StoreError, TooLarge
from storecore.orders.model import OFFLINE, Status
from storecore.shop import Shop
from storecore.store import Store
from webapp import limits
from webapp.http import bodies, limiting
from webapp.http.parts import Parts
from webapp.http.problems import RETRY_AFTER, STATUS, BadRequest

FORM = "application/x-www-form-urlencoded"
LARGEST_FORM = 16 * 1024

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "private, no-store"}

P = ParamSpec("P")
Answer = TypeVar("Answer")


def install(app: Flask, parts: Parts) -> None:
    """Answer ``/links/…`` in an app."""
    pages = _Pages(parts.store)
    style = files("webapp").joinpath("templates/links/style.css").read_bytes()

    def stylesheet() -> Response:
        return Response(
            style, headers={"Cache-Control": "public, max-age=3600"}, content_type="text/css; charset=utf-8"
        )

    app.add_url_rule("/links/style.css", "links.stylesheet", stylesheet)
    for path, method, view in (
        ("verify-email", "GET", pages.ask_to_verify),
        ("verify-email", "POST", pages.verify_email),
        ("reset-password", "GET", pages.ask_for_password),
        ("reset-password", "POST", pages.reset_password),
        ("order", "GET", pages.order),
    ):
        app.add_url_rule(f"/links/{path}", f"links.{view.__name__}", readable(pages.templates, view), methods=[method])


def templates(shop: Shop) -> Environment:
    """The pages that are plain HTML."""
    found = Environment(
        loader=PackageLoader("webapp", "templates/links"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["shop"] = shop.name
    found.filters["when"] = partial(_when, shop)
    return found


def page(templates: Environment, template: str, status: int = 200, **values: object) -> Response:
    """A page as it is answered."""
    html = templates.get_template(template).render(values)
    return Response(html, status, HEADERS, content_type="text/html; charset=utf-8")


def readable(templates: Environment, view: Callable[P, Answer]) -> Callable[P, Answer | Response]:
    """The view, whose refusals are pages too."""

    def answer(*args: P.args, **kwargs: P.kwargs) -> Answer | Response:
        try:
            return view(*args, **kwargs)
        except StoreError as error:
            expired = isinstance(error, LinkInvalid)
            refused = page(templates, "refused.html", STATUS[error.kind], error=error, expired=expired)
            if error.kind in RETRY_AFTER:
                refused.headers["Retry-After"] = str(error.extra.get("retry_after", RETRY_AFTER[error.kind]))
            return refused

    return answer


class _Pages:
    """Each method answers one page."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.templates = templates(store.shop)

    def ask_to_verify(self) -> Response:
        return self._page("verify_email.html", token=_token())

    def verify_email(self) -> Response:
        limiting.arrived(self._store, request, limits.RESET)
        user = self._store.accounts.verify_email(token=form().get("token", ""))
        return self._page("verified.html", email=user.email)

    def ask_for_password(self) -> Response:
        return self._password_page(_token())

    def reset_password(self) -> Response:
        limiting.arrived(self._store, request, limits.RESET)
        sent = form()
        token, password = sent.get("token", ""), sent.get("password", "")
        if password != sent.get("again", ""):
            return self._password_page(token, "The two passwords differ.")
        try:
            self._store.accounts.reset_password(token=token, password=password)
        except LinkInvalid:
            raise
        except Invalid as error:
            return self._password_page(token, f"The password {error.errors[0][1]}.")
        return self._page("password_set.html")

    def order(self) -> Response:
        token = _token()
        holder = self._store.orders.holder(token)
        order = self._store.orders.get(by=holder, order_id=holder.order_id or "")
        invoiced = order.is_paid or (order.payment_provider == OFFLINE and order.status is not Status.CANCELLED)
        return self._page("order.html", order=order, token=token, invoiced=invoiced)

    def _password_page(self, token: str, problem: str = "") -> Response:
        least, most = PASSWORD_LENGTH
        status = 422 if problem else 200
        return self._page("reset_password.html", status, token=token, problem=problem, least=least, most=most)

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        return page(self.templates, template, status, **values)


def _token() -> str:
    """The token in the address. Raises ``LinkInvalid`` for a link that was cut before it."""
    token = request.args.get("token", "")
    if not token:
        raise LinkInvalid()
    return token


def form() -> Mapping[str, str]:
    """What a page's form sent. Raises ``UnsupportedType``, ``TooLarge``, ``BadRequest``."""
    try:
        text = bodies.read(request, accepts=(FORM,), most=LARGEST_FORM).decode()
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=10))
    except RequestEntityTooLarge:
        raise TooLarge() from None
    except ValueError:
        raise BadRequest("The form can't be read.") from None


def _when(shop: Shop, at: datetime) -> str:
    """A time as people write it, in the shop's time zone."""
    local = at.astimezone(ZoneInfo(shop.timezone))
    return f"{local.day} {local:%B %Y, %H:%M} {local.tzname()}"
