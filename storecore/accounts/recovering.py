"""Changing a password, or setting a new one after it was forgotten."""

from dataclasses import dataclass

from storecore import checks
from storecore.accounts import letters
from storecore.accounts.choosing import chosen
from storecore.accounts.guarding import Guarding
from storecore.accounts.model import Actor, User, composed_password, require_user
from storecore.errors import LinkInvalid, NotFound, WrongPassword
from storecore.ports import Signer, Unit
from storecore.shop import Shop
from storecore.transactions import writing


@dataclass(frozen=True, kw_only=True)
class Recovering(Guarding):
    """New passwords. Each ends every session of the account and tells its owner."""

    signer: Signer
    shop: Shop

    def change_password(self, *, by: Actor, current: str, new: str, address: str = "") -> User:
        """Replace one's password; every session ends, this one too.

        Raises ``WrongPassword``, and ``TooManyRequests`` after too many from one ``address``, as ``login`` does.
        """
        user = require_user(by)
        new = chosen(new, self.shop, "new_password")
        if not self.is_password(composed_password(current), user, email=user.email, address=address):
            raise WrongPassword(errors=[("current_password", "is wrong")])
        return self._set(user_id=user.id, stamp=letters.stamp(user), password_hash=self.passwords.hash(new))

    @writing
    def forgot_password(self, unit: Unit, *, email: str) -> None:
        """Send a link that sets a new password; says nothing about whether there is such an account."""
        user = unit.users.by_email(checks.email(email))
        if user is not None and user.is_active:
            unit.outbox.add([letters.reset_password(unit, self.shop, self.signer, user)])

    def reset_password(self, *, token: str, password: str) -> User:
        """Follow the link of a reset mail, once. Raises ``LinkInvalid``, also after any other password change.

        Whoever was locked out by wrong passwords is so no more.
        """
        password = chosen(password, self.shop)
        data = self.signer.read(letters.RESET_PASSWORD, token, self.clock())
        password_hash = self.passwords.hash(password)
        return self._set(user_id=data["user"], stamp=data["stamp"], password_hash=password_hash, by_mail=True)

    @writing
    def _set(self, unit: Unit, *, user_id: str, stamp: str, password_hash: str, by_mail: bool = False) -> User:
        try:
            user = unit.users.locked(user_id)
        except NotFound:
            raise LinkInvalid() from None
        letters.check_stamp(user, stamp)
        changed = user.changed(password_hash=password_hash, email_verified=user.email_verified or by_mail)
        unit.users.save(changed)
        unit.sessions.end_all(user.id, unit.now)
        unit.outbox.add([letters.password_changed(unit, self.shop, changed)])
        return changed
