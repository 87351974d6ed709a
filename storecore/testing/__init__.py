"""The proof kit: what shows that an adapter, or a whole store, can be trusted. ``pip install "storecore[testing]"``.

It is what storecore itself is tested with, needs pytest and Hypothesis, and knows no adapter.

:mod:`~storecore.testing.contracts`
    Every rule of every port, as test classes. Somebody with an adapter gives one fixture and imports one class.
:mod:`~storecore.testing.machine`
    A state machine that plays a whole shop, yours: people do this and that, and after each step the books are proven.
    It says how to open your store, how to add rules, and how two stores are made to answer alike.
:mod:`~storecore.testing.simulate`
    A month of a whole shop on simulated time, decided by a seed, with outages, clocks that jump and processes that die
    between any two calls of a port: ``python -m storecore.testing.simulate --seed 7 --store mine.simulated:MyBackend``.
:mod:`~storecore.testing.faults`
    Each call of each port fails in each use case, before and after it is done; what is left is all or nothing, and the
    request sent again has one effect: ``python -m storecore.testing.faults mine.stages:stage``.
:mod:`~storecore.testing.wires`
    What both of them put between a store and its ports, for processes of yours that should die somewhere.
:mod:`~storecore.testing.strategies`
    Hypothesis strategies of what a shop deals in, for properties of your own; they shrink to plain examples.
:mod:`~storecore.testing.builders`
    Valid entities for tests, any field of which can be given: ``make_order(ids(), [product], note="Ring twice")``.

A first test is in the README under "Write your own adapter". ``tests/example`` in the sources is an adapter with all of
its proofs, in less than 300 lines.
"""
