"""How the shop speaks HTTP: everything that every route has in common, said once.

A route is one function in one of the area modules, which each have a :class:`~webapp.http.endpoint.Routes`::

    routes = Routes("orders", "Quotes, placing orders and following them.")

    class PlaceOrder(Body):
        items: Annotated[list[Item], Field(min_length=1, max_length=100)]
        note: Annotated[str, Text(2000, lines=True)] | None = None

    class OrderList(Query):
        status: Choice[Status] | None = None

    class OrderView(TypedDict):  # from typing_extensions
        id: str
        total: Amount
        ...

    def show_order(order: Order) -> OrderView: ...   # or (order, ask)

    @routes.endpoint("POST", "/orders", show=show_order, location="/orders/{id}", may=Permission.ORDERS_PLACE,
                     once=True, refuses=(OutOfStock, PriceChanged))
    def place(ask: Ask[PlaceOrder]) -> Order:
        '''Place an order.

        Everything below the first line is its description.
        '''
        return ask.store.orders.place(by=ask.by, items=..., note=ask.body.note, once=ask.once)

    @routes.endpoint("GET", "/orders", show=show_order, who=Who.SIGNED_IN)
    def list_orders(ask: Ask[None, OrderList]) -> Page[Order]:
        '''My orders, newest first.'''
        return ask.store.orders.mine(by=ask.by, status=ask.query.status, page=ask.page)

    @routes.endpoint("PATCH", "/products/{product_id}", show=show_product, may=Permission.CATALOG_WRITE, etag=True)
    def update(ask: Ask[ProductChanges], product_id: str) -> Product:
        '''Change a product.'''
        return ask.store.catalog.update(by=ask.by, product_id=product_id, version=ask.if_version, **ask.body.given())

The function's own signature is the description: ``Ask[Body, Query]`` names what is parsed (either may be ``None``; a
body of ``bytes`` comes as it is, with ``accepts=("text/csv",)``; ``Upload[Fields]`` is a form with a file that is read
while it arrives, or with ``accepts`` the bare file), parameters beside ``ask`` are the path's, and what
it returns says the rest: an entity is shown by ``show``, whose ``TypedDict`` is the answer's schema; a ``Page`` is a
list with ``limit``, ``cursor`` and ``include_total``; an ``Attachment`` or an ``Answer`` is a download (name its type
with ``produces=``); and ``None`` is an answer without a body. Without ``show`` the function returns what is answered.

``endpoint(method, path, *, show=None, beside=None, status=None, location=None, may=None, who=Who.ANYONE, once=False,
etag=False, public=False, remember=None, accepts=(), most=..., produces=..., sheet=None, limit=None, refuses=())``

``beside``    what a list answers beside its ``items``, shown from the whole page.
``status``    201 with ``location`` (filled in from the answer's own fields and the path's), 204 for None, else 200; or
              202.
``may``       the permission that is needed, or several of which one is (401 for guests without it, 403 for users).
``who``       ``ANYONE``, ``SIGNED_IN``, ``HOLDER`` (a user, or the bearer of an order's token), ``PARTY`` (a user, or
              the bearer of a conversation's token), ``NEWCOMER`` (a door by which one signs in: no access token is
              looked at).
``once``      takes ``Idempotency-Key``: hand ``ask.once`` to the use case, and return its result as it is.
``etag``      the answer has a ``version``: ``ETag``, ``If-None-Match``, and ``ask.if_version`` from ``If-Match``.
``public``    the answer is the same for everybody (else it is ``Cache-Control: private``, and browsers may keep it only
              where there is an ``etag`` and nobody has to sign in).
``remember``  the answer is the same for every guest: it is kept until something is committed, or until the moment that
              this function reads off the result (None: the clock does not change it).
``most``      bytes of a body: 1 MiB, or of a file: what the shop takes as an attachment, unless told.
``sheet``     makes the answer, and the ``Ask``, a CSV file instead when that is what was asked for, and else None.
``limit``     how often it may be asked: one of ``webapp.limits``.
``refuses``   the errors that clients should expect beside the usual ones, for the documentation.

``Ask``: ``store``, ``by`` (the Actor), ``user`` (raises unless signed in), ``session_id``, ``body``, ``query``,
``page``, ``once``, ``if_version``, ``request_id``, ``address``, ``place`` (the network around it), ``device``,
``refresh_token`` (the cookie's), ``sessions`` (opens and closes cookies) and ``parts``.

An error whose ``extra`` holds an entity needs ``@problems.show_extra.register`` for its type.
"""
