"""What accounts write to people: links to click, and news about their account."""

import hashlib
from datetime import timedelta
from urllib.parse import urlencode

from storecore.accounts.model import User
from storecore.errors import LinkInvalid
from storecore.notices import Notice, Template, compose
from storecore.ports import Signer, Unit
from storecore.shop import Shop

VERIFY_EMAIL = "verify-email"
RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of a link's purpose
VERIFY_WITHIN = timedelta(days=7)
RESET_WITHIN = timedelta(hours=1)


def link(shop: Shop, purpose: str, token: str) -> str:
    """The address of a link in a mail, on the shop's own public address."""
    return f"{shop.public_url}/links/{purpose}?{urlencode({'token': token})}"


def verify_email(unit: Unit, shop: Shop, signer: Signer, user: User, email: str) -> Notice:
    """Asks whoever reads ``email`` to confirm it; for a change of address it is not yet the user's."""
    data = {"user": user.id, "email": email, "was": user.email}
    token = signer.sign(VERIFY_EMAIL, data, unit.now + VERIFY_WITHIN)
    return _letter(
        unit, shop, "verify", Template.VERIFY_EMAIL, recipient=email, user=user, link=link(shop, VERIFY_EMAIL, token)
    )


def reset_password(unit: Unit, shop: Shop, signer: Signer, user: User) -> Notice:
    """A link that sets a new password, once: it is bound to the password it replaces."""
    token = signer.sign(RESET_PASSWORD, {"user": user.id, "stamp": stamp(user)}, unit.now + RESET_WITHIN)
    address, minutes = link(shop, RESET_PASSWORD, token), RESET_WITHIN // timedelta(minutes=1)
    return _letter(
        unit, shop, "reset", Template.RESET_PASSWORD, recipient=user.email, user=user, link=address, minutes=minutes
    )


def password_changed(unit: Unit, shop: Shop, user: User) -> Notice:
    """Tells the owner, in case it was not them."""
    return _letter(unit, shop, "password", Template.PASSWORD_CHANGED, recipient=user.email, user=user)


def email_changed(unit: Unit, shop: Shop, user: User, *, was: str) -> Notice:
    """Tells the old address, in case it was not them."""
    return _letter(unit, shop, "email", Template.EMAIL_CHANGED, recipient=was, user=user, new_email=user.email)


def account_erased(unit: Unit, shop: Shop, *, recipient: str) -> Notice:
    """The last mail to somebody, which says nothing about them; the row goes as soon as it has left."""
    return _letter(unit, shop, "erased", Template.ACCOUNT_ERASED, recipient=recipient)


def _letter(
    unit: Unit,
    shop: Shop,
    about: str,
    template: Template,
    *,
    recipient: str,
    user: User | None = None,
    **data: object,
) -> Notice:
    """A notice of its own each time, which greets the user by name if there is one."""
    return compose(
        id=(notice_id := unit.new_id()),
        at=unit.now,
        shop=shop,
        event=f"{about}:{notice_id}",
        template=template,
        recipient=recipient,
        user_id=user.id if user else None,
        data={"name": user.full_name, **data} if user else data,
    )


def stamp(user: User) -> str:
    """Changes with the user's password and address, and tells neither."""
    return hashlib.sha256(f"{user.email}\n{user.password_hash}".encode()).hexdigest()[:32]


def check_stamp(user: User, given: str | None) -> None:
    """Raises ``LinkInvalid`` when the password or the address was changed since the link was written."""
    if given != stamp(user):
        raise LinkInvalid()
