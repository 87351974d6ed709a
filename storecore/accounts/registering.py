"""Becoming a user, and proving that an email address is one's own."""

from dataclasses import dataclass

from storecore import checks
from storecore.accounts import letters
from storecore.accounts.choosing import chosen
from storecore.accounts.guarding import Guarding
from storecore.accounts.model import GUEST, Actor, System, User, composed_password, require_user
from storecore.accounts.permissions import Role
from storecore.audit import entry
from storecore.errors import EmailTaken, Forbidden, LinkInvalid, NotFound, WrongPassword
from storecore.ports import Signer, Unit
from storecore.shop import Shop
from storecore.transactions import Once, writing


@dataclass(frozen=True, kw_only=True)
class Registering(Guarding):
    """New accounts and verified addresses."""

    signer: Signer
    shop: Shop

    def register(
        self,
        *,
        email: str,
        password: str,
        full_name: str,
        home_address: str | None = None,
        phone: str | None = None,
        tax_id: str | None = None,
        once: Once | None = None,
    ) -> User:
        """Open a customer account; a mail asks to confirm the address. Raises ``Invalid``, ``EmailTaken``."""
        password = chosen(password, self.shop)
        details = {"full_name": full_name, "home_address": home_address, "phone": phone, "tax_id": tax_id}
        return self._add(
            by=GUEST,
            email=email,
            password_hash=self.passwords.hash(password),
            details=details,
            role=Role.CUSTOMER,
            once=once,
        )

    def create_admin(self, *, by: System, email: str, password: str, full_name: str) -> User:
        """Open the account that can appoint the rest of the staff: from the command line only."""
        if not isinstance(by, System):
            raise Forbidden()
        password_hash = self.passwords.hash(chosen(password, self.shop))
        details: dict[str, str | None] = {"full_name": full_name}
        return self._add(by=by, email=email, password_hash=password_hash, details=details, role=Role.ADMIN)

    @writing
    def _add(
        self,
        unit: Unit,
        *,
        by: Actor,
        email: str,
        password_hash: str,
        details: dict[str, str | None],
        role: Role,
        once: Once | None = None,
    ) -> User:
        user = User(
            id=unit.new_id(),
            email=email,
            password_hash=password_hash,
            role=role,
            created_at=unit.now,
            **details,  # type: ignore[arg-type]  # the entity checks each of these itself
        )
        unit.users.add(user)
        if isinstance(by, System):  # nobody's name is on what the shop does by itself, but this makes somebody powerful
            made = entry(id=unit.new_id(), at=unit.now, by=by, action="user.create_admin", after=user)
            unit.audit.add([made])
        unit.outbox.add([letters.verify_email(unit, self.shop, self.signer, user, user.email)])
        return user

    @writing
    def resend_verification(self, unit: Unit, *, by: Actor) -> None:
        """Send the confirmation mail again; nothing is sent for a confirmed address."""
        user = unit.users.get(require_user(by).id)
        if not user.email_verified:
            unit.outbox.add([letters.verify_email(unit, self.shop, self.signer, user, user.email)])

    def change_email(self, *, by: Actor, password: str, email: str, address: str = "") -> None:
        """Ask the new address to confirm itself; until it does, nothing changes.

        Raises ``WrongPassword``, and ``TooManyRequests`` after too many from one ``address``, as ``login`` does.
        Whether somebody else has the address is not told: then nothing is sent.
        """
        user = require_user(by)
        email = checks.email(email)
        if not self.is_password(composed_password(password), user, email=user.email, address=address):
            raise WrongPassword(errors=[("password", "is wrong")])
        self._ask(user_id=user.id, email=email)

    @writing
    def _ask(self, unit: Unit, *, user_id: str, email: str) -> None:
        user = unit.users.get(user_id)
        if email != user.email and unit.users.by_email(email) is None:
            unit.outbox.add([letters.verify_email(unit, self.shop, self.signer, user, email)])

    def verify_email(self, *, token: str) -> User:
        """Follow the link of a confirmation mail, once. Raises ``LinkInvalid``."""
        data = self.signer.read(letters.VERIFY_EMAIL, token, self.clock())
        return self._verify(user_id=data["user"], email=data["email"], was=data["was"])

    @writing
    def _verify(self, unit: Unit, *, user_id: str, email: str, was: str) -> User:
        try:
            user = unit.users.locked(user_id)
        except NotFound:
            raise LinkInvalid() from None
        if user.email != was or (user.email == email and user.email_verified):
            raise LinkInvalid()
        verified = user.changed(email=email, email_verified=True)
        try:
            unit.users.save(verified)
        except EmailTaken:
            raise LinkInvalid() from None
        if email != was:
            unit.outbox.add([letters.email_changed(unit, self.shop, verified, was=was)])
        return verified
