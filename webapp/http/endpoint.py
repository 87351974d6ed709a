"""Routes: a function, what it takes and answers, and the order in which a request is checked.

The order is the same everywhere: the limit of the address (429), body (413, 415, 400), who asks (403 ``cross-site``,
401, 403), their own limit (429), fields (422), and then the use case: object (404), ``If-Match`` (412), rule (409).
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Concatenate, TypeVar, get_args, get_origin, get_type_hints, overload

from flask import Flask, Request, Response, request

from storecore.accounts.model import Guest
from storecore.accounts.permissions import Permission
from storecore.errors import NotFound, PreconditionFailed, StoreError
from storecore.lists import Page
from storecore.notices import Attachment
from storecore.transactions import Replayed
from webapp.http import bodies, etags, idempotency, limiting
from webapp.http.answers import Answer, download, json_answer
from webapp.http.ask import Ask
from webapp.http.limiting import Limit
from webapp.http.lists import QueryReader, show_page
from webapp.http.parts import Parts
from webapp.http.remembering import Memory
from webapp.http.uploads import AROUND_A_FILE, Upload
from webapp.http.validation import Body, Nothing, Query, check
from webapp.sessions import SAFE, TOKENS, Caller, Sessions, Who, admit

API = "/api/v1"

LONGEST_ID = 200
"""Characters of a path parameter; a longer one is the id of nothing."""

Keep = Callable[[datetime | None, Answer], None]

T = TypeVar("T")
H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of one address. ``webapp.http`` says what each option means; the rest is read off ``handler``."""

    area: str
    method: str
    path: str
    handler: Callable[..., Any]
    show: Callable[..., Any] | None = None
    beside: Callable[..., Any] | None = None
    status: int | None = None
    location: str | None = None
    may: tuple[Permission, ...] = ()
    who: Who = Who.ANYONE
    once: bool = False
    etag: bool = False
    public: bool = False
    remember: Callable[[Any], datetime | None] | None = None
    accepts: Sequence[str] = (bodies.JSON,)
    most: int | None = None
    produces: str = bodies.JSON
    sheet: Callable[..., Attachment | None] | None = None
    limit: Limit | None = None
    refuses: tuple[type[StoreError], ...] = ()
    body: Any = field(init=False)
    query: type[Query] | None = field(init=False)
    returns: Any = field(init=False)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.handler)
        if not inspect.getdoc(self.handler):
            raise TypeError(f"{self.name}: its docstring is its documentation; write one")
        parameters = [name for name in inspect.signature(self.handler).parameters if name != "ask"]
        if "ask" not in hints or sorted(parameters) != sorted(_path_names(self.path)):
            raise TypeError(f"{self.name} takes ask and the parameters of {self.path}")
        asked = get_args(hints["ask"]) or (None, None)
        body, query = (None if part is type(None) else part for part in asked)
        set_ = object.__setattr__
        set_(self, "body", body)
        set_(self, "query", query)
        set_(self, "returns", hints["return"])

    @property
    def name(self) -> str:
        """Its name among all endpoints."""
        return f"{self.area}.{self.handler.__name__}"

    @property
    def form(self) -> type[Body] | None:
        """The fields of the form that it takes instead of JSON, if it takes a file."""
        return get_args(self.body)[0] if get_origin(self.body) is Upload else None

    @property
    def whole(self) -> Sequence[str]:
        """The types of bodies that are the file itself, where it takes one in a form."""
        return [each for each in self.accepts if each != bodies.JSON] if self.form is not None else ()

    @property
    def binary(self) -> bool:
        """Whether it answers a file."""
        return self.returns in (Attachment, Answer)

    @property
    def paged(self) -> bool:
        """Whether it answers a list in pages."""
        kind = get_origin(self.returns)
        return isinstance(kind, type) and issubclass(kind, Page)

    @property
    def empty(self) -> bool:
        """Whether it answers without a body."""
        return self.returns is type(None)

    @property
    def safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method in SAFE

    @property
    def conditional(self) -> bool:
        """Whether it changes something that is there, if it still is as it was read."""
        return self.etag and not self.safe and self.location is None

    @property
    def success(self) -> int:
        """The status of its answer."""
        return self.status or (201 if self.location else 204 if self.empty else 200)

    def view(self, parts: Parts, sessions: Sessions) -> Callable[..., Response]:
        """The function for Flask. What can be decided before the first request is decided here."""
        return _View(self, parts, sessions)


class _View:
    """An endpoint at work in one app."""

    def __init__(self, endpoint: Endpoint, parts: Parts, sessions: Sessions) -> None:
        self.endpoint = endpoint
        self.parts = parts
        self.sessions = sessions
        self.__name__ = endpoint.name
        self.who = Who.NEWCOMER if endpoint.public else endpoint.who
        self.form = endpoint.form
        unparsed = endpoint.body is bytes or self.form is not None
        self.model = None if unparsed else endpoint.body or (None if endpoint.safe else Nothing)
        self.raw = endpoint.body is bytes
        self.optional = self.model is not None and not any(f.is_required() for f in self.model.model_fields.values())
        self.conditional = endpoint.conditional
        also = ("token",) if endpoint.who in TOKENS else ()
        self.reader = QueryReader(endpoint.query, route=endpoint.path, paged=endpoint.paged, also=also)
        self.headers = _headers(endpoint)
        show = endpoint.show
        self.shows_ask = show is not None and len(inspect.signature(show).parameters) > 1
        self.memory = Memory(parts.store.storage.version, parts.store.clock) if endpoint.remember else None

    def __call__(self, **path: str) -> Response:
        asked = request._get_current_object()  # type: ignore[attr-defined] # the proxy's own way to its object
        endpoint, sessions = self.endpoint, self.sessions
        if endpoint.limit is not None:
            limiting.arrived(self.parts.store, asked, endpoint.limit)
        sent = b""
        if self.raw or self.model is not None:
            sent = bodies.read(asked, accepts=endpoint.accepts, most=endpoint.most or bodies.LIMIT)
        body: Any = sent
        if self.form is not None:
            most = endpoint.most or self.parts.store.shop.attachment_most
            body = Upload(asked, self.form, most=most + AROUND_A_FILE, whole=endpoint.whole)
        elif self.model is not None:
            body = self._parse(sent, typed=bool(asked.environ.get("CONTENT_TYPE")))
        key = idempotency.key(asked) if endpoint.once else None
        sessions.refuse_cross_site(asked)
        caller = sessions.caller(asked, self.who)
        by = caller.by
        asked.environ["storecore.user_id"] = by.id
        admit(by, endpoint.who, endpoint.may)
        if endpoint.limit is not None:
            limiting.recognised(self.parts.store, asked, endpoint.limit, by)
        if self.memory is None or not isinstance(by, Guest):
            answer = self._work_out(asked, path, caller=caller, body=body, key=key, sent=sent)
        else:
            address, version = f"{asked.environ['PATH_INFO']}?{asked.environ['QUERY_STRING']}", self.memory.version()
            known = self.memory.find(address, version)
            keep = partial(self.memory.keep, address, version)
            answer = known or self._work_out(asked, path, caller=caller, body=body, key=key, sent=sent, keep=keep)
        if (
            endpoint.etag
            and endpoint.safe
            and etags.unchanged(asked.environ.get("HTTP_IF_NONE_MATCH"), answer.headers["ETag"])
        ):
            if answer.file is not None:
                answer.file.close()
            answer = Answer(304, headers={"ETag": answer.headers["ETag"]})
        return answer.response(self.headers)

    def _work_out(
        self,
        asked: Request,
        path: dict[str, str],
        *,
        caller: Caller,
        body: Any,
        key: str | None,
        sent: bytes,
        keep: Keep | None = None,
    ) -> Answer:
        query, page, binding = self.reader.read(asked, self.parts.values)
        if self.model is not None:
            body = check(self.model, body)
            if self.endpoint.limit is not None:
                limiting.read(self.parts.store, asked, self.endpoint.limit, caller.by, body)
        elif isinstance(body, Upload):
            body.begin()
        for part in path.values():
            if len(part) > LONGEST_ID or not part.isprintable():
                raise NotFound()
        ask: Ask[Any, Any] = Ask(
            parts=self.parts,
            sessions=self.sessions,
            request=asked,
            request_id=asked.environ["storecore.request_id"],
            by=caller.by,
            session_id=caller.session_id,
            body=body,
            query=query,
            page=page,
        )
        return self._carry_out(ask, path, key=key, sent=sent, binding=binding, keep=keep)

    def _parse(self, sent: bytes, *, typed: bool) -> Any:
        """JSON to be checked. No body at all is an empty object, unless one was announced and something is required."""
        if not sent and (self.optional or not typed):
            return {}
        return bodies.parse(sent)

    def _carry_out(
        self,
        ask: Ask[Any, Any],
        path: dict[str, str],
        *,
        key: str | None,
        sent: bytes,
        binding: str,
        keep: Keep | None,
    ) -> Answer:
        endpoint = self.endpoint
        render = partial(self._render, ask=ask, binding=binding)
        kept = idempotency.Rendering(render)
        if key is not None:
            ask.once = idempotency.once(ask.request, key=key, route=endpoint.path, by=ask.by, body=sent, rendering=kept)
        accepted = etags.versions(ask.request.environ.get("HTTP_IF_MATCH")) if self.conditional else [None]
        try:
            for ask.if_version in accepted[:-1]:
                try:
                    return kept.answer or render(endpoint.handler(ask, **path))
                except PreconditionFailed:
                    continue
            ask.if_version = accepted[-1]
            result = endpoint.handler(ask, **path)
            answer = kept.answer or render(result)
            if keep is not None and endpoint.remember is not None:
                keep(endpoint.remember(result), answer)
            return answer
        except Replayed as replayed:
            answer = Answer.load(replayed.answer)
            answer.headers[idempotency.REPLAYED] = "true"
            return answer

    def _render(self, result: Any, *, ask: Ask[Any, Any], binding: str) -> Answer:
        endpoint = self.endpoint
        if endpoint.empty:
            return Answer(endpoint.success)
        if isinstance(result, Answer):
            return result
        if isinstance(result, Attachment):
            return download(result)
        if endpoint.sheet is not None and (sheet := endpoint.sheet(result, ask)) is not None:
            return download(sheet)
        if isinstance(result, Page):
            show = partial(self._show, ask=ask)
            shown = show_page(result, show, binding, self.parts.values)
            if endpoint.beside is not None:
                shown |= endpoint.beside(result)
            return json_answer(endpoint.success, shown, {})
        shown = self._show(result, ask=ask)
        answer = json_answer(endpoint.success, shown, {})
        if endpoint.etag:
            answer.headers["ETag"] = etags.etag(shown["version"], answer.body)
        if endpoint.location is not None:
            answer.headers["Location"] = endpoint.location.format_map({**(ask.request.view_args or {}), **shown})
        return answer

    def _show(self, result: Any, *, ask: Ask[Any, Any]) -> Any:
        show = self.endpoint.show
        if show is None:
            return result
        return show(result, ask) if self.shows_ask else show(result)


def _headers(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.public:
        return {"Cache-Control": "public, no-cache"}
    vary = "Cookie, Authorization" + (f", {TOKENS[endpoint.who]}" if endpoint.who in TOKENS else "")
    impersonal = endpoint.safe and endpoint.etag and endpoint.who is Who.ANYONE and not endpoint.may
    return {"Cache-Control": "private, no-cache" if impersonal else "private, no-store", "Vary": vary}


def _path_names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


class Routes:
    """The endpoints of one area, in the order they were written; ``prefix`` is before every path."""

    def __init__(self, name: str, description: str, *, prefix: str = API) -> None:
        self.name = name
        self.description = description
        self.prefix = prefix
        self.endpoints: list[Endpoint] = []

    @overload
    def endpoint(
        self,
        method: str,
        path: str,
        *,
        show: Callable[Concatenate[T, ...], object],
        beside: Callable[[Any], object] | None = None,
        status: int | None = None,
        location: str | None = None,
        may: Permission | tuple[Permission, ...] = (),
        who: Who = Who.ANYONE,
        once: bool = False,
        etag: bool = False,
        public: bool = False,
        remember: Callable[[Any], datetime | None] | None = None,
        accepts: Sequence[str] = (bodies.JSON,),
        most: int | None = None,
        sheet: Callable[..., Attachment | None] | None = None,
        limit: Limit | None = None,
        refuses: tuple[type[StoreError], ...] = (),
    ) -> Callable[[Callable[..., T | Page[T]]], Callable[..., T | Page[T]]]: ...

    @overload
    def endpoint(
        self,
        method: str,
        path: str,
        *,
        status: int | None = None,
        location: str | None = None,
        may: Permission | tuple[Permission, ...] = (),
        who: Who = Who.ANYONE,
        once: bool = False,
        etag: bool = False,
        public: bool = False,
        remember: Callable[[Any], datetime | None] | None = None,
        accepts: Sequence[str] = (bodies.JSON,),
        most: int | None = None,
        produces: str = bodies.JSON,
        limit: Limit | None = None,
        refuses: tuple[type[StoreError], ...] = (),
    ) -> Callable[[H], H]: ...

    def endpoint(self, method: str, path: str, **options: Any) -> Callable[[Any], Any]:
        """Make the function below the answer to a method of an address; see ``webapp.http``."""

        def add(handler: Callable[..., Any]) -> Callable[..., Any]:
            if isinstance(may := options.get("may"), Permission):
                options["may"] = (may,)
            if "location" in options:
                options["location"] = self.prefix + options["location"]
            made = Endpoint(area=self.name, method=method, path=self.prefix + path, handler=handler, **options)
            self.endpoints.append(made)
            return handler

        return add

    def install(self, app: Flask, parts: Parts, sessions: Sessions) -> None:
        """Answer these addresses in an app."""
        for endpoint in self.endpoints:
            rule = endpoint.path.replace("{", "<").replace("}", ">")
            app.add_url_rule(rule, endpoint.name, endpoint.view(parts, sessions), methods=[endpoint.method])
