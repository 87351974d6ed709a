"""The pages behind the links in mail: plain HTML without script, and nothing loaded from elsewhere.

The token in the address is the secret, so no cookie counts here, and no page tells its address to another. Opening a
page changes nothing, since mail programs open links to look at them: its button does.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.resources import files
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from flask import Flask, Response, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.exceptions import RequestEntityTooLarge

from storecore.accounts.model import PASSWORD_LENGTH
from storecore.errors import Invalid, LinkInvalid, StoreError, TooLarge
from storecore.orders.model import PaymentStatus, Status
from storecore.shop import Shop
from storecore.store import Store
from webapp.http import bodies
from webapp.http.parts import Parts
from webapp.http.problems import RETRY_AFTER, STATUS, BadRequest

FORM = "application/x-www-form-urlencoded"
LARGEST_FORM = 16 * 1024

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "private, no-store"}

View = Callable[[], Response]


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
        app.add_url_rule(f"/links/{path}", f"links.{view.__name__}", pages.readable(view), methods=[method])


class _Pages:
    """Each method answers one page."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._templates = Environment(
            loader=PackageLoader("webapp", "templates/links"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["shop"] = store.shop.name
        self._templates.filters["when"] = partial(_when, store.shop)

    def readable(self, view: View) -> View:
        """The view, whose refusals are pages too."""

        def answer() -> Response:
            try:
                return view()
            except StoreError as error:
                expired = isinstance(error, LinkInvalid)
                page = self._page("refused.html", STATUS[error.kind], error=error, expired=expired)
                if error.kind in RETRY_AFTER:
                    page.headers["Retry-After"] = str(RETRY_AFTER[error.kind])
                return page

        return answer

    def ask_to_verify(self) -> Response:
        return self._page("verify_email.html", token=_token())

    def verify_email(self) -> Response:
        user = self._store.accounts.verify_email(token=_form().get("token", ""))
        return self._page("verified.html", email=user.email)

    def ask_for_password(self) -> Response:
        return self._password_page(_token())

    def reset_password(self) -> Response:
        form = _form()
        token, password = form.get("token", ""), form.get("password", "")
        if password != form.get("again", ""):
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
        invoiced = order.status is not Status.CANCELLED or order.payment_status is not PaymentStatus.UNPAID
        return self._page("order.html", order=order, token=token, invoiced=invoiced)

    def _password_page(self, token: str, problem: str = "") -> Response:
        least, most = PASSWORD_LENGTH
        status = 422 if problem else 200
        return self._page("reset_password.html", status, token=token, problem=problem, least=least, most=most)

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        html = self._templates.get_template(template).render(values)
        return Response(html, status, _HEADERS, content_type="text/html; charset=utf-8")


def _token() -> str:
    """The token in the address. Raises ``LinkInvalid`` for a link that was cut before it."""
    token = request.args.get("token", "")
    if not token:
        raise LinkInvalid()
    return token


def _form() -> Mapping[str, str]:
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
