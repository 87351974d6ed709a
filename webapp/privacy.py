"""Routes of one's own data: taking it away, and having it erased."""

from storecore.errors import LastAdmin, StillOwed, WrongPassword
from webapp import limits
from webapp.credentials import Password
from webapp.http.answers import JSON, Answer, saved
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.validation import Body
from webapp.sessions import Who

routes = Routes("privacy", "What is held about me, and its end.")


@routes.endpoint("GET", "/users/me/export", who=Who.SIGNED_IN, produces=JSON)
def export(ask: Ask) -> Answer:
    """Everything held about me, as one JSON file.

    An object of lists: `profile`, `addresses`, `sessions`, `cart`, `wishlist`, `orders` (with invoices, credit notes
    and payments), `refunds`, `reviews`, `conversations` (with messages; files that came with them can be downloaded
    by their ids), `account_changes` (what staff did to the account), `work` (what I did as staff) and `mail`.
    """
    return saved(ask.store.accounts.export(by=ask.by), name="my-data.json", media_type=JSON)


class Farewell(Body):
    """The password, to show that it is really the owner who asks, and not somebody at an open session."""

    password: Password


@routes.endpoint(
    "DELETE", "/users/me", who=Who.SIGNED_IN, limit=limits.PASSWORD, refuses=(WrongPassword, LastAdmin, StillOwed)
)
def erase(ask: Ask[Farewell]) -> None:
    """Erase my account and what is known about me, for good.

    Every session ends, and a last mail says that it was done. Orders stay in the books without my name, address and
    notes, published reviews without their text; an invoice names its buyer until the law lets it go. Refused while an
    order, a refund or a payment of mine is not finished.
    """
    ask.store.accounts.erase(by=ask.by, password=ask.body.password, address=ask.place)
    ask.sessions.close()
