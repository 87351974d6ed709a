"""Names, texts, addresses, and everybody who can ask the shop for something."""

from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from storecore import checks
from storecore.accounts.model import SYSTEM, Actor, Address, Guest, SavedAddress, User
from storecore.accounts.permissions import Permission, Role
from storecore.errors import Invalid
from storecore.testing.builders import make_saved_address, make_user
from storecore.testing.strategies.amounts import moments, new_ids
from storecore.testing.strategies.pricing import PLACES

STAFF = tuple(role for role in Role if role is not Role.CUSTOMER)

_AWKWARD = "ab ,;|\\\"'=+-@#%_*:{}<>&\ufeff\u200d\u00a0éİß🎈"
"""What sheets, addresses, queries and pages trip over."""


@cache
def texts(*, most: int, least: int = 1, lines: bool = False) -> SearchStrategy[str]:
    """What the shop may keep of anything that people write, of ``least`` to ``most`` characters."""
    drawn = st.text(_AWKWARD + ("\n\t" if lines else ""), min_size=least, max_size=most) | st.text(
        st.characters(exclude_categories=["C", "Z"]), min_size=least, max_size=most
    )
    return drawn.map(lambda text: _kept(text, most, lines)).filter(lambda text: len(text) >= least)


def _kept(text: str, most: int, lines: bool) -> str:
    try:
        return checks.text(text, "text", most=most, least=0, lines=lines)
    except Invalid:
        return ""


@cache
def names(*, most: int = 60) -> SearchStrategy[str]:
    """What people are called, in any script, neither empty nor with space around it."""
    letters = st.text(st.characters(categories=["L", "Nd", "Zs", "Pd"]), min_size=1, max_size=most)
    real = st.sampled_from(("Ayşe Yılmaz", "İpek Işık", "Юлия Щукина", "Zoë O'Brien-Smith", "山田 太郎"))
    return real | letters.map(str.strip).filter(lambda name: name.isprintable() and bool(name))


@st.composite
def addresses(draw: DrawFn) -> Address:
    """Where goods can go."""
    country, region = draw(st.sampled_from([place for place in PLACES if place[0]]))
    return Address(
        recipient=draw(names()),
        line1=draw(names()),
        line2=draw(st.none() | names()),
        city=draw(names()),
        region=region or draw(st.none() | names(most=20)),
        postal_code=draw(st.from_regex(r"[0-9]{5}", fullmatch=True)),
        country=country,
    )


@st.composite
def saved_addresses(draw: DrawFn, user: User) -> SavedAddress:
    """An entry in somebody's address book."""
    label = draw(st.none() | texts(most=60))
    return make_saved_address(draw(new_ids()), user, address=draw(addresses()), label=label, created_at=draw(moments()))


@cache
def grants() -> SearchStrategy[dict[Permission, bool]]:
    """Single permissions that somebody was given or denied beside their role, mostly none."""
    return st.just({}) | st.dictionaries(st.sampled_from(Permission), st.booleans(), max_size=3)


@st.composite
def users(draw: DrawFn, /, **fields: Any) -> User:
    """Anybody with an account; ``fields`` are not drawn. Whoever is not active is banned."""
    drawn: dict[str, SearchStrategy[Any]] = {
        "full_name": names(),
        "role": st.sampled_from(Role),
        "grants": grants(),
        "phone": st.none() | texts(most=40),
        "tax_id": st.none() | texts(most=40),
        "home_address": st.none() | texts(most=100, lines=True),
        "preferences": st.dictionaries(
            texts(most=10), st.none() | st.booleans() | st.integers() | texts(most=20), max_size=2
        ),
        "is_active": st.just(True) | st.booleans(),
        "email_verified": st.booleans(),
        "created_at": moments(),
    }
    new_id = draw(new_ids())
    return make_user(new_id, **{name: draw(each) for name, each in drawn.items() if name not in fields} | fields)


def customers(**fields: Any) -> SearchStrategy[User]:
    """A customer who may order."""
    return users(**{"role": Role.CUSTOMER, "grants": {}, "is_active": True} | fields)


def staff(role: Role | None = None, **fields: Any) -> SearchStrategy[User]:
    """A member of staff of a role, or of any, with grants and denials of their own."""
    roles = st.sampled_from(STAFF) if role is None else st.just(role)
    return roles.flatmap(lambda each: users(**{"role": each, "is_active": True} | fields))


@st.composite
def guests(draw: DrawFn) -> Guest:
    """Somebody without an account, perhaps with a token for a cart, an order or a conversation."""
    new_id = draw(new_ids())
    held = {name: new_id() for name in ("cart_id", "order_id", "conversation_id") if draw(st.booleans())}
    return Guest(**held)


def actors() -> SearchStrategy[Actor]:
    """Anybody who can ask the shop for something: guests, customers, staff of each role, and the shop itself."""
    return guests() | customers() | staff() | users() | st.just(SYSTEM)
