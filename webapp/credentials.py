"""Routes of passwords and email addresses: changing them, and proving by mail whose they are."""

from typing import Annotated

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from storecore.accounts.model import PASSWORD_LENGTH, User
from storecore.errors import LinkInvalid, WrongPassword
from webapp import limits
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Text
from webapp.http.validation import Body
from webapp.sessions import Who
from webapp.users import show_user

routes = Routes("credentials", "Passwords and email addresses.")

_LEAST, _MOST = PASSWORD_LENGTH

Email = Annotated[str, Text(254), WithJsonSchema({"type": "string", "format": "email", "maxLength": 254})]
NewPassword = Annotated[
    str, WithJsonSchema({"type": "string", "format": "password", "minLength": _LEAST, "maxLength": _MOST})
]
"""Any characters at all; the core counts them."""
Password = Annotated[str, WithJsonSchema({"type": "string", "format": "password"})]
LinkToken = Annotated[str, Text(2000)]


class PasswordChange(Body):
    """The password to replace, and the one to replace it with."""

    current_password: Password
    new_password: NewPassword


@routes.endpoint(
    "POST", "/auth/password", show=show_user, who=Who.SIGNED_IN, limit=limits.PASSWORD, refuses=(WrongPassword,)
)
def change_password(ask: Ask[PasswordChange]) -> User:
    """Change my password.

    Every session ends, this one too: sign in again.
    """
    user = ask.store.accounts.change_password(
        by=ask.by, current=ask.body.current_password, new=ask.body.new_password, address=ask.place
    )
    ask.sessions.close()
    return user


class EmailChange(Body):
    """The new address, and the password to show that it is really the owner who asks."""

    email: Email
    password: Password


@routes.endpoint("POST", "/auth/email", status=202, who=Who.SIGNED_IN, limit=limits.PASSWORD, refuses=(WrongPassword,))
def change_email(ask: Ask[EmailChange]) -> None:
    """Change my email address.

    A mail asks the new address to confirm; until it does, nothing changes. The old address is then told.
    """
    ask.store.accounts.change_email(by=ask.by, password=ask.body.password, email=ask.body.email, address=ask.place)


@routes.endpoint("POST", "/auth/email/resend", status=202, who=Who.SIGNED_IN, limit=limits.RESET)
def resend_verification(ask: Ask) -> None:
    """Send the mail that asks to confirm my address again."""
    ask.store.accounts.resend_verification(by=ask.by)


class Forgotten(Body):
    """Whose password was forgotten."""

    email: Email


@routes.endpoint("POST", "/auth/password/forgot", status=202, who=Who.NEWCOMER, limit=limits.RESET)
def forgot_password(ask: Ask[Forgotten]) -> None:
    """Send a link that sets a new password.

    The answer is the same whether there is such an account or not.
    """
    ask.store.accounts.forgot_password(email=ask.body.email)


class OwnedView(TypedDict):
    """An address that whoever followed the link has proved to be theirs. A link shows nothing else of an account."""

    email: str
    email_verified: bool


def show_owned(user: User) -> OwnedView:
    """As much of a user as the holder of a mail's link knows anyway."""
    return {"email": user.email, "email_verified": user.email_verified}


class Reset(Body):
    """The token of the mail's link, and the new password."""

    token: LinkToken
    password: NewPassword


@routes.endpoint(
    "POST", "/auth/password/reset", show=show_owned, who=Who.NEWCOMER, limit=limits.RESET, refuses=(LinkInvalid,)
)
def reset_password(ask: Ask[Reset]) -> User:
    """Set a new password with the token of a mail's link, once.

    Every session ends: sign in with the new password.
    """
    return ask.store.accounts.reset_password(token=ask.body.token, password=ask.body.password)


class Verification(Body):
    """The token of the mail's link."""

    token: LinkToken


@routes.endpoint(
    "POST", "/auth/email/verify", show=show_owned, who=Who.NEWCOMER, limit=limits.RESET, refuses=(LinkInvalid,)
)
def verify_email(ask: Ask[Verification]) -> User:
    """Confirm an email address with the token of a mail's link, once."""
    return ask.store.accounts.verify_email(token=ask.body.token)
