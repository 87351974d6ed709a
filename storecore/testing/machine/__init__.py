"""A whole shop under anything that people may do in it: a Hypothesis state machine for your own store.

Say how your store is opened, in a test for pytest::

    class TestMyShop(ShopMachine):
        settings = settings(max_examples=50, stateful_step_count=40, deadline=None)

        def open_store(self, clock: Clock, providers: Mapping[str, PaymentProvider]) -> Store:
            return open_store("…", clock=clock, providers=providers, passwords=…)

Cheap password hashes keep it quick. Customers, guests, staff and a bank then do this and that in random order, a simple
model is told what should come of it, and after each step the books are checked against the model and against
themselves. What else must hold of your storage is said in :meth:`ShopMachine.prove`.

To demand the same answers from your store and from another one, such as the one in memory, open both as one; where
they differ, :class:`Difference` says which call it was, with what, and both answers::

        def open_store(self, clock: Clock, providers: Mapping[str, PaymentProvider]) -> Store:
            return SideBySide(open_store("…", clock=clock, providers=providers), adapters.memory.open_store())

The rules of an area are a mixin over :class:`~storecore.testing.machine.scene.Scene`; add your own to the bases::

    class WithGifts(GiftWrapping, WholeShop): ...

    class TestMyShop(ShopMachine):
        machine = WithGifts
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import ClassVar

from hypothesis import settings as Settings  # noqa: N812 - the test class has an attribute of its name
from hypothesis.stateful import run_state_machine_as_test

from storecore.ports import Clock, PaymentProvider
from storecore.store import Store
from storecore.testing.machine.auditing import Auditing
from storecore.testing.machine.books import Books
from storecore.testing.machine.reckoning import Reckoning
from storecore.testing.machine.reviewing import Reviewing
from storecore.testing.machine.running import Running
from storecore.testing.machine.scene import MovingClock, Scene
from storecore.testing.machine.side_by_side import Difference, SideBySide
from storecore.testing.machine.wishing import Wishing

__all__ = ["Difference", "MovingClock", "Scene", "ShopMachine", "SideBySide", "WholeShop"]


class WholeShop(Auditing, Wishing, Reckoning, Reviewing, Running, Books):
    """Everybody in the shop."""


class ShopMachine:
    """A test that lets everybody loose in a store. Subclass it and give ``open_store``.

    ``settings`` say how hard it is tried; None: as Hypothesis's profile does. ``machine`` are the rules that are
    played by.
    """

    settings: ClassVar[Settings | None] = None
    machine: ClassVar[type[Scene]] = WholeShop

    def open_store(self, clock: Clock, providers: Mapping[str, PaymentProvider]) -> AbstractContextManager[Store]:
        """A new, empty store by this clock, with these payment providers; it is left when the run ends.

        Yours to say.
        """
        raise NotImplementedError("say in open_store which store is put to the test")

    def prove(self, store: Store) -> None:
        """Raise if anything else is wrong; called after each step. Yours to say, if there is more to look at."""

    def test_whatever_people_do_the_books_balance(self) -> None:
        run_state_machine_as_test(
            lambda: self.machine(self),  # type: ignore[arg-type] # a function does as well as a class
            settings=self.settings,
        )
