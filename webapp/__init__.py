"""A thin Flask app over the store: parse, call one use case, show."""

from collections.abc import Sequence

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import (
    administration,
    attachments,
    audit,
    auth,
    carts,
    catalog,
    categories,
    chat,
    coupons,
    credentials,
    dashboard,
    demo_bank,
    fulfilment,
    handling,
    invoices,
    links,
    metrics,
    orders,
    outbox,
    payments,
    privacy,
    product_sheets,
    products,
    quotes,
    rankings,
    recommendations,
    refunds,
    reports,
    reviews,
    search,
    support,
    system,
    users,
    wishlist,
)
from webapp.http import bodies, docs, headers, hosts, limiting, origins, problems
from webapp.http.endpoint import Routes
from webapp.http.parts import Parts
from webapp.sessions import Sessions

AREAS: tuple[Routes, ...] = (
    auth.routes,
    credentials.routes,
    users.routes,
    privacy.routes,
    products.routes,
    search.routes,
    categories.routes,
    catalog.routes,
    product_sheets.routes,
    coupons.routes,
    recommendations.routes,
    wishlist.routes,
    carts.routes,
    quotes.routes,
    orders.routes,
    payments.routes,
    fulfilment.routes,
    invoices.routes,
    reviews.routes,
    refunds.routes,
    support.routes,
    handling.routes,
    attachments.routes,
    administration.routes,
    audit.routes,
    outbox.routes,
    dashboard.routes,
    reports.routes,
    rankings.routes,
    system.routes,
)
"""Every route of the API, in the order of its documentation."""


def create_app(parts: Parts, *, areas: Sequence[Routes] = AREAS) -> Flask:
    """The app over a store. It opens nothing: threads, databases and settings are its caller's."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = bodies.LIMIT
    app.url_map.merge_slashes = False
    app.extensions["storecore"] = parts
    headers.install(app, parts.metrics, https=parts.cookies.secure, subdomains=parts.hsts_subdomains)
    limiting.install(app)
    hosts.install(app, parts.allowed_hosts)
    origins.install(app, parts.cors_origins)
    problems.install(app)
    sessions = Sessions(parts)
    for area in areas:
        area.install(app, parts, sessions)
    docs.install(app, areas, title=f"{parts.store.shop.name} API", version=parts.version)
    metrics.install(app, parts)
    links.install(app, parts)
    demo_bank.install(app, parts)
    chat.install(app, parts, sessions)
    if parts.trusted_proxies:
        proxies = parts.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign] # Flask's documented way
    return app
