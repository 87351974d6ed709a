"""The page of the bank to play with: a form for its test numbers, and the second step. In production there is none.

What the customer does here reaches the shop as a real bank's would: by a signed event.
"""

from importlib.resources import files

from flask import Flask, Response

from webapp.http.parts import DemoBank, Parts
from webapp.links import HEADERS, form, page, readable, templates

PATH = "/demo-bank"


def install(app: Flask, parts: Parts) -> None:
    """Answer ``/demo-bank/…`` in an app that has such a bank."""
    if (bank := parts.demo_bank) is None:
        return
    pages = templates(parts.store.shop)
    style = files("webapp").joinpath("templates/links/style.css").read_bytes()

    def stylesheet() -> Response:
        return Response(style, content_type="text/css; charset=utf-8")

    def show(reference: str) -> Response:
        number, amount, state, failure = bank.due(reference)
        return page(
            pages, "demo_bank.html", number=number, amount=amount, state=state, failure=failure, numbers=bank.numbers
        )

    def act(reference: str) -> Response:
        _act(bank, reference)
        headers, body = bank.tell(reference, parts.store.clock())
        parts.store.orders.hear(provider="demo", headers=headers, body=body)
        return Response(status=303, headers={**HEADERS, "Location": f"{PATH}/{reference}"})

    app.add_url_rule(f"{PATH}/style.css", "demo_bank.stylesheet", stylesheet)
    app.add_url_rule(f"{PATH}/<reference>", "demo_bank.show", readable(pages, show))
    app.add_url_rule(f"{PATH}/<reference>", "demo_bank.act", readable(pages, act), methods=["POST"])


def _act(bank: DemoBank, reference: str) -> None:
    """Do what the page's form asks for."""
    sent = form()
    bank.due(reference)
    if "number" in sent:
        bank.charge(reference, sent["number"])
    else:
        bank.approve(reference, approved=sent.get("answer") == "approve")
