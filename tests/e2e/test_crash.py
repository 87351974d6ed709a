"""A small version of ``nox -s crash``: the shop is ill-treated, and nothing is oversold, lost or done twice."""

import pytest

from tests.crash import buyers, keys, kills, mail, power, weather
from tests.crash.shop import OpenShop, on_postgresql, on_sqlite

on_both = pytest.mark.parametrize("on", [on_sqlite, on_postgresql])


@on_both
def test_many_buyers_of_few_units_never_buy_more_than_there_are(on: OpenShop) -> None:
    assert buyers.race(on, processes=2, seeds=range(1), buyers=100)


@on_both
def test_a_key_that_is_sent_again_and_again_makes_one_order(on: OpenShop) -> None:
    assert keys.resend(on, keys=30)


@on_both
def test_a_server_that_is_killed_loses_no_order_and_makes_none_twice(on: OpenShop) -> None:
    assert kills.kill_servers(on, kills=4)


def test_a_worker_that_is_killed_loses_no_mail() -> None:
    assert mail.kill_workers(on_sqlite, kills=2)


def test_a_power_cut_leaves_whole_transactions() -> None:
    assert power.cut_power(on_sqlite, cuts=10)


@pytest.mark.parametrize("trouble", [weather.locked, weather.full_by_limit])
def test_a_file_that_cant_be_written_is_waited_for(trouble: weather.Trouble) -> None:
    assert weather.wait_out(on_sqlite, trouble, times=1, refusals=1)


def test_a_database_server_that_restarts_is_waited_for() -> None:
    with weather.OwnServer() as server:
        assert weather.wait_out(server.shop, server.down, times=2, refusals=1, readable=False)
