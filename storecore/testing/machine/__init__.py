"""A whole shop under anything that people may do in it: a Hypothesis state machine for your own store.

Say how your store is opened, and hand the test to pytest::

    class MyShop(ShopMachine):
        def open_store(self, clock: Clock) -> Store:
            return open_store("…", clock=clock, passwords=…, providers=self.providers)

    TestMyShop = MyShop.TestCase
    TestMyShop.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)

Cheap password hashes keep it quick. Customers, guests, staff and a bank then do this and that in random order, a simple
model is told what should come of it, and after each step the books are checked against the model and against
themselves. What else must hold of your storage is checked by overriding
:meth:`~storecore.testing.machine.scene.Scene.prove`.

The rules of an area are a mixin over :class:`~storecore.testing.machine.scene.Scene`; add your own to the bases::

    class MyShop(GiftWrapping, ShopMachine): ...
"""

from storecore.testing.machine.books import Books
from storecore.testing.machine.reckoning import Reckoning
from storecore.testing.machine.reviewing import Reviewing
from storecore.testing.machine.running import Running
from storecore.testing.machine.scene import MovingClock, Scene

__all__ = ["MovingClock", "Scene", "ShopMachine"]


class ShopMachine(Reckoning, Reviewing, Running, Books):
    """Everybody in the shop. Subclass it and give ``open_store``."""
