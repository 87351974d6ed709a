"""A payment: one attempt to take an order's money through a provider, and what providers say of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from storecore.money import Money

FIRST_CHECK = timedelta(seconds=30)
"""When the worker asks about a payment first: by then the request that began it has ended, or never will."""

SOONEST_CHECK = timedelta(seconds=10)
LATEST_CHECK = timedelta(minutes=5)

_NOTHING: Mapping[str, str] = MappingProxyType({})


class PaymentState(StrEnum):
    """Where an attempt is. ``submitted``: the provider may or may not have taken the money, ask it."""

    SUBMITTED = "submitted"
    ACTION_NEEDED = "action_needed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing changes it any more."""
        return self in {PaymentState.SUCCEEDED, PaymentState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a provider says of a payment. ``failed`` is for good: it will never be taken any more.

    ``action`` is what the customer has to do while ``action_needed``: ``type`` and, for example, the ``url`` to visit.
    ``failure`` is for people: why it failed, or (while ``action_needed``) why the last card was declined. ``amount`` is
    what was taken, once something was.
    """

    state: PaymentState
    amount: Money | None = None
    failure: str | None = None
    action: Mapping[str, str] = field(default_factory=lambda: _NOTHING, hash=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """What a provider told by itself, proven to come from it: how its payment ``reference`` stands now."""

    reference: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One attempt to take ``amount``, the order's total. Its ``id`` is the key on every retry with the provider.

    ``reference`` is the provider's own id, None until it has one. ``attempt_key`` tells the request that began it, so
    that the same one sent again goes on with it. At ``check_at`` the worker asks the provider; None: no need to.
    """

    id: str
    order_id: str
    provider: str
    reference: str | None = None
    amount: Money
    state: PaymentState = PaymentState.SUBMITTED
    attempt_key: bytes | None = field(default=None, repr=False)
    failure: str | None = None
    check_at: datetime | None = None
    created_at: datetime
    version: int = 1

    def prepared(self, reference: str) -> Self:
        """The provider knows it."""
        return replace(self, reference=reference, version=self.version + 1)

    def settled(self, outcome: Outcome, *, check_at: datetime | None) -> Self:
        """It stands as the provider says. What was taken stays taken; what failed stays so unless money arrives."""
        final = self.state is PaymentState.SUCCEEDED
        if final or (self.state is PaymentState.FAILED and outcome.state is not PaymentState.SUCCEEDED):
            return self
        return replace(
            self,
            state=outcome.state,
            failure=outcome.failure,
            check_at=None if outcome.state.final else check_at,
            version=self.version + 1,
        )

    def next_check(self, at: datetime) -> datetime:
        """When to ask the provider again: after as long as it has taken so far, at least 10 s and at most 5 min."""
        return at + min(max(at - self.created_at, SOONEST_CHECK), LATEST_CHECK)
