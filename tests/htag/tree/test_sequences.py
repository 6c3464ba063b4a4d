"""`htag.tree.sequences`: compared with the plain definition, on random orders."""

import itertools
import random

import pytest

from htag.tree.sequences import common_end, common_start, longest_increasing


def longest_by_trying(numbers: list[int]) -> int:
    return max(
        length
        for length in range(len(numbers) + 1)
        for chosen in itertools.combinations(numbers, length)
        if list(chosen) == sorted(chosen)
    )


@pytest.mark.parametrize("seed", range(60))
def test_no_increasing_subsequence_is_longer(seed: int) -> None:
    numbers = list(range(seed % 10))
    random.Random(seed).shuffle(numbers)
    found = longest_increasing(numbers)
    in_order = [number for number in numbers if number in found]
    assert in_order == sorted(in_order)
    assert len(found) == longest_by_trying(numbers)


def test_what_two_orders_have_in_common_at_both_ends() -> None:
    a, b, c, d = object(), object(), object(), object()
    assert common_start([a, b, c], [a, b, d]) == 2
    assert common_end([a, b, c], [d, c], 0) == 1
    assert (common_start([a, b], [a, b]), common_end([a, b], [a, b], 2)) == (2, 0)
    assert (common_start([], [a]), common_end([], [a], 0)) == (0, 0)
    assert common_end([a, a], [a], 1) == 0
