"""Forgetting a user: whatever tells who they were goes, what the books need stays."""

import logging
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass

from storecore.accounts import letters
from storecore.accounts.guarding import Guarding
from storecore.accounts.model import ERASED, Actor, User, composed_password, require_user
from storecore.accounts.permissions import Role
from storecore.errors import LastAdmin, NotInvoiced, SessionEnded, StillOwed, Unavailable, WrongPassword
from storecore.lists import MAX_LIMIT, PageRequest, every
from storecore.orders.invoices import issued
from storecore.orders.model import Order
from storecore.ports import ConversationQuery, Files, Mailer, OrderQuery, Unit
from storecore.reviews.model import ReviewStatus
from storecore.shop import Shop
from storecore.support.leaving import forget_agent
from storecore.transactions import reading, writing

log = logging.getLogger(__name__)

_ALL = PageRequest(limit=MAX_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What the rows that are gone leave behind elsewhere: copies of mail, files, and answers that name these ids."""

    notices: Sequence[str]
    files: Sequence[str]
    ids: Set[str]


@dataclass(frozen=True, kw_only=True)
class Erasing(Guarding):
    """A person's right to be forgotten (GDPR, article 17)."""

    shop: Shop
    mailer: Mailer
    files: Files

    def erase(self, *, by: Actor, password: str, address: str = "") -> None:
        """Close one's account for good and erase who one was; a last mail says so. The password shows whose wish it is.

        Sessions, addresses, the cart, wishes, conversations with their files, mail and unpublished reviews are removed,
        published ones keep their stars. Orders and refunds stay without name, address and notes; invoices and credit
        notes name their buyer for as long as the shop has to keep them.

        Raises ``WrongPassword``, ``TooManyRequests`` after too many from one ``address``, ``LastAdmin``, and
        ``StillOwed`` while an order is not delivered or cancelled, a refund is not decided or paid, or a payment is
        under way.
        """
        user = require_user(by)
        if not self.is_password(composed_password(password), user, email=user.email, address=address):
            raise WrongPassword(errors=[("password", "is wrong")])
        erased = self._erase(user_id=user.id, password_hash=user.password_hash)
        self._tidy(erased)

    @writing
    def _erase(self, unit: Unit, *, user_id: str, password_hash: str) -> Erased:
        user = _locked(unit, user_id)
        if user.password_hash != password_hash or not user.is_active:
            raise SessionEnded()  # changed or erased since the password was checked
        # First of all: an order that is being placed at this moment refers to the row, and so is seen below.
        unit.users.save(user.erased(unit.new_id()))
        orders = _orders_of(unit, user_id)
        _refuse_open(unit, orders)
        unit.sessions.forget(user_id)
        for address in unit.users.addresses(user_id):
            unit.users.remove_address(user_id, address.id)
        if (cart := unit.carts.of_user(user_id)) is not None:
            unit.carts.remove(cart.id)
        unit.wishes.clear(user_id)
        forget_agent(unit, user, ERASED)
        for order in orders:
            self._erase_order(unit, user, order)
        reviews = _erase_reviews(unit, user_id)
        conversations, files = _remove_conversations(unit, user_id)
        notices = unit.outbox.forget(user_id)
        unit.outbox.add([letters.account_erased(unit, self.shop, recipient=user.email)])
        ids = {user_id, *reviews, *conversations, *(order.id for order in orders)}
        return Erased(notices=notices, files=files, ids=ids)

    def _erase_order(self, unit: Unit, user: User, order: Order) -> None:
        """An invoice that is due is issued first, to whom it is due."""
        with suppress(NotInvoiced):
            issued(unit, self.shop, order, user)
        unit.orders.erase(order.erased())
        for refund in unit.refunds.of_order(order.id):
            unit.refunds.save(refund.erased())

    def _tidy(self, erased: Erased) -> None:
        """What is outside the transaction. If it fails, the broom finds files, and answers and mail grow old."""
        try:
            for name in erased.files:
                self.files.remove(name)
            self.mailer.forget(erased.notices)
            self._forget_answers(keys=self._answers(ids=erased.ids))
            self.storage.scrub()
        except Unavailable as down:
            log.warning("some of what an erased user left is still to be removed: %s", down.message)

    @reading
    def _answers(self, unit: Unit, *, ids: Set[str]) -> Sequence[tuple[str, str]]:
        return unit.answers.naming(ids)

    @writing
    def _forget_answers(self, unit: Unit, *, keys: Sequence[tuple[str, str]]) -> None:
        unit.answers.forget(keys)


def _locked(unit: Unit, user_id: str) -> User:
    """The user, unless they are the last active admin; two of them who leave at once wait for one another."""
    admins = {admin.id for admin in unit.users.active_with_role(Role.ADMIN)}
    if user_id not in admins:
        return unit.users.locked(user_id)
    locked = [unit.users.locked(each) for each in sorted(admins)]
    if not any(each.id != user_id and each.is_active and each.role is Role.ADMIN for each in locked):
        raise LastAdmin("The last admin can't leave: appoint another first.")
    return next(each for each in locked if each.id == user_id)


def _orders_of(unit: Unit, user_id: str) -> Sequence[Order]:
    """Every order of a user, locked, by id."""
    found = every(lambda page: unit.orders.page(OrderQuery(customer_id=user_id), page))
    return [unit.orders.locked(order_id) for order_id in sorted(order.id for order in found)]


def _refuse_open(unit: Unit, orders: Sequence[Order]) -> None:
    """Raises ``StillOwed`` naming the orders about which something is still to happen."""
    still_open = [order.number for order in orders if order.is_open or _owes_money(unit, order)]
    if still_open:
        raise StillOwed(
            "An account can be erased when every order is delivered or cancelled and every refund and payment is done; "
            f"wait for {', '.join(still_open[:10])}.",
            orders=still_open,
        )


def _owes_money(unit: Unit, order: Order) -> bool:
    refunding = any(refund.is_open for refund in unit.refunds.of_order(order.id))
    return refunding or bool(order.owed) or any(not each.state.final for each in unit.payments.of_order(order.id))


def _erase_reviews(unit: Unit, user_id: str) -> Sequence[str]:
    """What everybody could read keeps its stars, which its product's rating counts; nobody misses the rest. All ids."""
    written = sorted(review.id for review in every(lambda page: unit.reviews.of_author(user_id, page)))
    for review_id in written:
        review = unit.reviews.locked(review_id)
        if review.status is not ReviewStatus.PUBLISHED:
            unit.reviews.remove(review)
        elif review.comment is not None:
            unit.reviews.save(review.edited(unit.now, comment=None))
    return written


def _remove_conversations(unit: Unit, user_id: str) -> tuple[Sequence[str], Sequence[str]]:
    """The ids of those removed, and the names of their files."""
    removed: list[str] = []
    files: list[str] = []
    while found := unit.conversations.page(ConversationQuery(customer_id=user_id), _ALL).items:
        for conversation_id in sorted(each.id for each in found):
            files += unit.conversations.remove(conversation_id)
            removed.append(conversation_id)
    return removed, files
