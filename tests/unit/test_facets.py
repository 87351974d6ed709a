from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from storecore.catalog.facets import MOST_BANDS, bands, cut
from storecore.money import LIMIT

prices = st.lists(st.one_of(st.integers(0, 300), st.integers(0, 50_000), st.integers(0, LIMIT - 1)), max_size=60)


@given(prices)
@example([LIMIT - 1])
@example([0])
def test_bands_part_the_products_and_each_counts_what_its_ends_would_filter(amounts: list[int]) -> None:
    found = bands(Counter(map(cut, amounts)), "USD")
    assert len(found) <= MOST_BANDS + 1
    assert [band.count for band in found] == [
        sum(band.least.minor <= amount <= band.most.minor for amount in amounts) for band in found
    ]
    assert sum(band.count for band in found) == len(amounts)
    ends = [end for band in found for end in (band.least.minor, band.most.minor)]
    assert ends == sorted(ends)
    assert all(band.count and band.least <= band.most for band in found)


@given(st.integers(1, 1000), st.integers(100, 1000))
def test_no_band_holds_most_of_what_is_spread_evenly(least: int, number: int) -> None:
    found = bands(Counter(cut(100 * (least + n)) for n in range(9 * least + number)), "USD")
    assert max(band.count for band in found) <= (9 * least + number) / 2


def test_bands_begin_and_end_at_round_prices() -> None:
    amounts = [999, 1299, 1499, 1999, 2499, 2999, 3999, 4999, 7999, 12999]
    found = bands(Counter(map(cut, amounts)), "USD")
    assert [(str(band.least), str(band.most), band.count) for band in found] == [
        ("8.00", "9.99", 1),
        ("10.00", "14.99", 2),
        ("15.00", "24.99", 2),
        ("25.00", "39.99", 2),
        ("40.00", "149.99", 3),
    ]


def test_products_of_one_price_are_one_band() -> None:
    (band,) = bands({cut(1999): 7}, "USD")
    assert (str(band.least), str(band.most), band.count) == ("15.00", "19.99", 7)


def test_a_price_is_cut_to_its_first_two_digits() -> None:
    assert [cut(price) for price in (0, 7, 42, 199, 1999, 123_456)] == [0, 7, 42, 190, 1900, 120_000]
