"""Support over HTTP: conversations between customers, or guests, and agents."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.catalog.model import Product
from storecore.errors import ConversationClosed, NotClaimed
from storecore.lists import Page
from storecore.orders.model import Order, PaymentStatus, Status
from storecore.support.handling import Case, Context
from storecore.support.model import MAX_BODY, MAX_CLIENT_ID, MAX_SEQ, Conversation, ConversationStatus, Message, Side
from storecore.support.saying import Said
from storecore.support.telling import side_of
from webapp import limits
from webapp.carts import CartView, show_cart
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, Choice, Text
from webapp.http.validation import Body, Query
from webapp.sessions import Who

routes = Routes("support", "Conversations between customers and agents.")

Words = Annotated[str, Text(MAX_BODY, lines=True)]


class PersonView(TypedDict):
    """A customer, or an agent."""

    id: str
    name: str


class GuestView(TypedDict):
    """Somebody without an account; agents see the ``email``, too."""

    name: str
    email: NotRequired[str | None]


class RecentOrderView(TypedDict):
    """An order that a customer may be asking about."""

    id: str
    number: str
    status: Status
    payment_status: PaymentStatus
    total: Amount
    currency: str
    created_at: datetime


class WishedView(TypedDict):
    """A product that a customer wishes for."""

    product_id: str
    sku: str
    name: str
    in_stock: bool
    is_active: bool


class ContextView(TypedDict):
    """What an agent should know of a customer: the last orders and wishes, newest first, and the cart.

    Guests have none.
    """

    orders: list[RecentOrderView]
    cart: CartView | None
    wishlist: list[WishedView]


class ConversationView(TypedDict):
    """A conversation: of a ``customer`` or of a ``guest``, with an ``agent`` once one has claimed it.

    ``unread`` counts what the side that asks has not read. ``notes`` and ``context`` are for agents, ``token`` is for
    the guest who has just opened it.
    """

    id: str
    status: ConversationStatus
    subject: str | None
    customer: PersonView | None
    guest: GuestView | None
    agent: PersonView | None
    last_seq: int
    unread: int
    created_at: datetime
    waiting_since: datetime
    closed_at: datetime | None
    closed_by: Side | None
    version: int
    notes: NotRequired[str | None]
    context: NotRequired[ContextView]
    token: NotRequired[str]


def show_for(conversation: Conversation, side: Side) -> ConversationView:
    """A conversation as one side sees it."""
    customer_id, agent_id = conversation.customer_id, conversation.agent_id
    guest: GuestView | None = {"name": conversation.customer_name} if customer_id is None else None
    view: ConversationView = {
        "id": conversation.id,
        "status": conversation.status,
        "subject": conversation.subject,
        "customer": {"id": customer_id, "name": conversation.customer_name} if customer_id is not None else None,
        "guest": guest,
        "agent": {"id": agent_id, "name": conversation.agent_name or ""} if agent_id is not None else None,
        "last_seq": conversation.last_seq,
        "unread": conversation.unread(side),
        "created_at": conversation.created_at,
        "waiting_since": conversation.waiting_since,
        "closed_at": conversation.closed_at,
        "closed_by": conversation.closed_by,
        "version": conversation.version,
    }
    if side is Side.AGENT:
        view["notes"] = conversation.notes
        if guest is not None:
            guest["email"] = conversation.guest_email
    return view


def show_conversation(conversation: Conversation, ask: Ask[Any, Any]) -> ConversationView:
    """A conversation as the side that asks sees it."""
    return show_for(conversation, side_of(conversation, ask.by))


def show_opened(conversation: Conversation, ask: Ask[Any, Any]) -> ConversationView:
    """A conversation to whoever has just opened it; guests get what they will show to come back."""
    view = show_for(conversation, Side.CUSTOMER)
    if conversation.customer_id is None:
        view["token"] = ask.store.support.token(conversation)
    return view


def show_case(case: Case) -> ConversationView:
    """A conversation, and to agents what the shop knows of whoever asks."""
    view = show_for(case.conversation, case.side)
    if case.context is not None:
        view["context"] = _show_context(case.context)
    return view


def _show_wished(product: Product) -> WishedView:
    return {
        "product_id": product.id,
        "sku": product.sku,
        "name": product.name,
        "in_stock": product.stock > 0,
        "is_active": product.is_active,
    }


def _show_context(context: Context) -> ContextView:
    return {
        "orders": [_show_order(order) for order in context.orders],
        "cart": show_cart(context.cart) if context.cart else None,
        "wishlist": [_show_wished(product) for product in context.wishes],
    }


def _show_order(order: Order) -> RecentOrderView:
    return {
        "id": order.id,
        "number": order.number,
        "status": order.status,
        "payment_status": order.payment_status,
        "total": str(order.total),
        "currency": order.currency,
        "created_at": order.created_at,
    }


class AuthorView(TypedDict):
    """Who said something; ``id`` is null for a guest."""

    side: Side
    id: str | None
    name: str


class AttachmentView(TypedDict):
    """A file that came with a message: what it is by its content, its name without tricks, and its bytes."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str


class MessageView(TypedDict):
    """Something said. ``seq`` counts 1, 2, 3, … in its conversation; ``client_id`` is the sender's own name for it.

    ``attachment`` is there when a file came with it; then ``body`` may be empty.
    """

    id: str
    seq: int
    client_id: str | None
    author: AuthorView
    body: str
    attachment: NotRequired[AttachmentView]
    created_at: datetime


def show_message(message: Message) -> MessageView:
    """A message as both sides see it."""
    view: MessageView = {
        "id": message.id,
        "seq": message.seq,
        "client_id": message.client_id,
        "author": {"side": message.side, "id": message.author_id, "name": message.author_name},
        "body": message.body,
        "created_at": message.created_at,
    }
    if (attached := message.attached) is not None:
        view["attachment"] = {
            "id": attached.id,
            "name": attached.name,
            "media_type": attached.media_type,
            "size": attached.size,
            "sha256": attached.sha256,
        }
    return view


def show_said(said: Said) -> MessageView:
    """What was sent."""
    return show_message(said.message)


class OpenConversation(Body):
    """What somebody asks; guests say who they are."""

    message: Words
    subject: Annotated[str, Text(200, least=0)] | None = None
    guest_name: Annotated[str, Text(200)] | None = None
    guest_email: Annotated[str, Text(254)] | None = None


@routes.endpoint(
    "POST",
    "/support/conversations",
    show=show_opened,
    location="/support/conversations/{id}",
    once=True,
    etag=True,
    limit=limits.CONVERSATIONS,
)
def open_conversation(ask: Ask[OpenConversation]) -> Conversation:
    """Ask the shop something.

    Guests give a `guest_name` and a `guest_email`, and get a `token` that lets them come back to the conversation: send
    it as `X-Conversation-Token`, or as `?token=`.
    """
    body = ask.body
    return ask.store.support.open(
        by=ask.by,
        message=body.message,
        subject=body.subject,
        guest_name=body.guest_name,
        guest_email=body.guest_email,
        once=ask.once,
    )


class ConversationList(Query):
    """Which conversations."""

    status: Choice[ConversationStatus] | None = None


@routes.endpoint("GET", "/support/conversations", show=show_conversation, who=Who.SIGNED_IN)
def list_conversations(ask: Ask[None, ConversationList]) -> Page[Conversation]:
    """My conversations, newest first; for `support:agent`, those that I have claimed."""
    return ask.store.support.mine(by=ask.by, status=ask.query.status, page=ask.page)


@routes.endpoint("GET", "/support/queue", show=show_conversation, may=Permission.SUPPORT_AGENT)
def queue(ask: Ask) -> Page[Conversation]:
    """Who waits for an agent, the longest waiting first."""
    return ask.store.support.queue(by=ask.by, page=ask.page)


@routes.endpoint("GET", "/support/conversations/{conversation_id}", show=show_case, who=Who.PARTY, etag=True)
def get_conversation(ask: Ask, conversation_id: str) -> Case:
    """One conversation: my own, or anybody's for `support:agent`.

    Agents see what the customer has ordered lately and has in the cart, too.
    """
    return ask.store.support.case(by=ask.by, conversation_id=conversation_id)


class MessageList(Query):
    """Which messages: those after the number ``after``."""

    after: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = None


@routes.endpoint("GET", "/support/conversations/{conversation_id}/messages", show=show_message, who=Who.PARTY)
def list_messages(ask: Ask[None, MessageList], conversation_id: str) -> Page[Message]:
    """What was said, in order.

    `?after=` with the `seq` of the last message that is there already answers what came since.
    """
    page = ask.page
    if page.after is None and ask.query.after is not None:
        page = replace(page, after=(ask.query.after,))
    return ask.store.support.messages(by=ask.by, conversation_id=conversation_id, page=page)


class SendMessage(Body):
    """What to say, under a name of the client's own, so that it can be sent again without harm."""

    body: Words
    client_id: Annotated[str, Text(MAX_CLIENT_ID, least=0)] | None = None


@routes.endpoint(
    "POST",
    "/support/conversations/{conversation_id}/messages",
    show=show_said,
    location="/support/conversations/{conversation_id}/messages",
    who=Who.PARTY,
    once=True,
    limit=limits.MESSAGES,
    refuses=(ConversationClosed, NotClaimed),
)
def send_message(ask: Ask[SendMessage], conversation_id: str) -> Said:
    """Say something.

    Agents speak in conversations that they have claimed. The same `client_id` again answers the same message.
    """
    return ask.store.support.send(
        by=ask.by,
        conversation_id=conversation_id,
        body=ask.body.body,
        client_id=ask.body.client_id,
        once=ask.once,
    )
