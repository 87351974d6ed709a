"""What users keep about themselves: profile, preferences, address book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

from storecore import checks
from storecore.accounts.model import Actor, Address, SavedAddress, User, require_user
from storecore.ports import Unit
from storecore.transactions import Activity, Once, reading, writing

MAX_ADDRESSES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A user, and what everybody may know of what they did."""

    user: User
    published_reviews: int


class ProfileChanges(TypedDict, total=False):
    """What a user may change about themselves; what is left out stays as it is."""

    full_name: str
    phone: str | None
    tax_id: str | None
    home_address: str | None
    preferences: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Profiling(Activity):
    """One's own profile and addresses; nobody else's."""

    @reading
    def me(self, unit: Unit, *, by: Actor) -> User:
        """The user who asks, as stored now."""
        return unit.users.get(require_user(by).id)

    @reading
    def profile(self, unit: Unit, *, by: Actor, user_id: str) -> Profile:
        """Anybody's account, for any user to be shown as much of as they may see. Raises ``NotFound``."""
        require_user(by)
        user = unit.users.get(user_id)
        return Profile(user=user, published_reviews=unit.reviews.published_by(user.id))

    @writing
    def update_profile(
        self, unit: Unit, *, by: Actor, if_version: int | None = None, **changes: Unpack[ProfileChanges]
    ) -> User:
        """Change one's own profile. Raises ``Invalid``, ``PreconditionFailed``."""
        user = require_user(unit.users.locked(require_user(by).id))
        user.expect(if_version)
        changed = user.changed(**changes)
        unit.users.save(changed)
        return changed

    @reading
    def addresses(self, unit: Unit, *, by: Actor) -> Sequence[SavedAddress]:
        """One's address book, oldest first."""
        return unit.users.addresses(require_user(by).id)

    @writing
    def add_address(
        self, unit: Unit, *, by: Actor, address: Address, label: str | None = None, once: Once | None = None
    ) -> SavedAddress:
        """Save an address, up to 50. Raises ``Invalid``."""
        user = require_user(unit.users.locked(require_user(by).id))
        checks.amount_of(unit.users.addresses(user.id), "addresses", most=MAX_ADDRESSES - 1)
        saved = SavedAddress(id=unit.new_id(), user_id=user.id, address=address, label=label, created_at=unit.now)
        unit.users.add_address(saved)
        return saved

    @writing
    def update_address(
        self, unit: Unit, *, by: Actor, address_id: str, changes: Mapping[str, Any], label: str | None = None
    ) -> SavedAddress:
        """Change some fields of a saved address; ``label`` None stays, empty removes it. Raises ``NotFound``."""
        saved = unit.users.address(require_user(by).id, address_id)
        saved = replace(
            saved,
            address=replace(saved.address, **changes),
            label=saved.label if label is None else label,
        )
        unit.users.save_address(saved)
        return saved

    @writing
    def remove_address(self, unit: Unit, *, by: Actor, address_id: str) -> None:
        """Forget a saved address. Raises ``NotFound``."""
        user = require_user(by)
        unit.users.address(user.id, address_id)
        unit.users.remove_address(user.id, address_id)
