"""What may be chosen as a new password: what the model takes, and not what half the world has chosen before."""

from functools import cache
from importlib.resources import files

from storecore import checks
from storecore.accounts.model import check_password
from storecore.shop import Shop


def chosen(password: str, shop: Shop, field: str = "password") -> str:
    """The password as it is hashed. Raises ``Invalid`` for one that the model refuses, and for one of the most common
    where the ``shop`` refuses those.

    Capitals make no common password a rare one (OWASP ASVS 5.0, V6.2.4).
    """
    password = check_password(password, field)
    if shop.refuses_common_passwords and password.lower() in common():
        raise checks.refuse(field, "is one of the most common passwords; choose another")
    return password


@cache
def common() -> frozenset[str]:
    """The 3,000 most common passwords, in small letters; read from their file when the first is chosen."""
    text = files("storecore.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))
