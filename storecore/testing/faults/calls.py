"""Every use case of a store, and what to call it with: both are found out, nobody lists them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import Parameter, getmembers, isfunction, signature
from io import BytesIO
from itertools import product
from types import NoneType, UnionType
from typing import Any, BinaryIO, Union, Unpack, get_args, get_origin, get_type_hints

from storecore.ports import Unit
from storecore.store import Store
from storecore.transactions import Activity, Once

WORK = "work"
"""The worker's round, which is no use case of an area, but calls many."""
Arguments = Mapping[str, Any]


class Missing(AssertionError):  # noqa: N818 - said by a test that fails
    """The scene has nothing that a use case could be called with."""


def use_cases() -> Sequence[str]:
    """The name of each: ``orders.place``. Whatever is public in an area is one."""
    ports: dict[str, Any] = dict.fromkeys(signature(Store).parameters)
    hollow = Store(**ports)  # it is only looked at
    areas = {name.lstrip("_"): area for name, area in vars(hollow).items() if isinstance(area, Activity)}
    found = [
        f"{name}.{use_case}"
        for name, area in areas.items()
        for use_case, _ in getmembers(type(area), isfunction)
        if not use_case.startswith("_")
    ]
    return [*found, WORK]


def bound(store: Store, use_case: str) -> Callable[..., Any]:
    """The use case of a store."""
    area, _, name = use_case.rpartition(".")
    if not area:
        return getattr(store, name)  # type: ignore[no-any-return] # its name is all that is known of it
    activity = vars(store).get(area) or vars(store)[f"_{area}"]
    return getattr(activity, name)  # type: ignore[no-any-return] # its name is all that is known of it


def takes_once(use_case: Callable[..., Any]) -> bool:
    """Whether it takes the key of a request, and carries that out once."""
    return "once" in signature(use_case).parameters


def calls(name: str, use_case: Callable[..., Any], offered: Mapping[str, Sequence[Any]]) -> Iterator[Arguments]:
    """All that it might be called with, likely ones first. Raises ``Missing``."""
    hints = get_type_hints(use_case)
    choices: dict[str, Sequence[Any]] = {}
    for each in signature(use_case).parameters.values():
        if hints[each.name] is Unit:
            continue
        special = offered.get(f"{name}.{each.name}")
        if each.kind is Parameter.VAR_KEYWORD:
            choices |= _changes(hints[each.name], offered)
        elif special or each.default is Parameter.empty:
            choices[each.name] = special or _fitting(hints[each.name], offered.get(each.name, ()))
            if not choices[each.name]:
                raise Missing(f"{name} takes a {each.name}: offer one in storecore.testing.faults.scene")
    if takes_once(use_case):
        choices["once"] = [Once(scope="faults", key=name, fingerprint=b"faults", render=lambda _: b"done")]
    for values in product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def fresh(arguments: Arguments) -> dict[str, Any]:
    """The same arguments for another call: a file is read from its beginning again."""
    return {
        name: BytesIO(value.getvalue()) if isinstance(value, BytesIO) else value for name, value in arguments.items()
    }


def _changes(hint: Any, offered: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """What can be given of the keys that a ``**changes: Unpack[…]`` has; none of facts that can have any name."""
    if get_origin(hint) is not Unpack:
        return {}
    keys = get_type_hints(get_args(hint)[0])
    found = {key: _fitting(keys[key], offered.get(key, ())) for key in keys}
    return {key: values for key, values in found.items() if values}


def _fitting(hint: Any, values: Sequence[Any]) -> Sequence[Any]:
    return [value for value in values if _fits(hint, value)]


def _fits(hint: Any, value: Any) -> bool:
    if hint is Any:
        return True
    if get_origin(hint) in {Union, UnionType}:
        return any(_fits(each, value) for each in get_args(hint))
    if hint is BinaryIO:
        return isinstance(value, BytesIO)
    return isinstance(value, NoneType if hint is None else get_origin(hint) or hint)
