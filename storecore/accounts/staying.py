"""Whether whoever was recognised a moment ago still has an account: it may have been erased meanwhile."""

from storecore.accounts.model import Actor, User, require_user
from storecore.ports import Unit


def check_still_here(unit: Unit, by: Actor) -> None:
    """Raises ``Forbidden`` for an account that was closed or erased since ``by`` was recognised.

    To be called once the unit has locked, or written, a row that refers to the account and that the erasure of it would
    wait for: whoever is here then is here until the unit ends, and what they have written is erased with the rest.
    """
    if isinstance(by, User):
        require_user(unit.users.get(by.id))
