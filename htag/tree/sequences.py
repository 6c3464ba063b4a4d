"""How one order becomes another in as few moves as can be."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any


def common_start(first: Sequence[Any], second: Sequence[Any]) -> int:
    """How many items at the start of both are the same objects."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one is not other:
            break
        count += 1
    return count


def common_end(first: Sequence[Any], second: Sequence[Any], start: int) -> int:
    """How many items at the end of both are the same objects, without the `start` items at the start of both."""
    count, most = 0, min(len(first), len(second)) - start
    for one, other in zip(reversed(first), reversed(second), strict=False):
        if count == most or one is not other:
            break
        count += 1
    return count


def longest_increasing(numbers: Sequence[int]) -> set[int]:
    """The numbers, all different, of a longest subsequence that increases: what may stay where it is while all others
    move around it. O(n log n): patience sorting."""
    lowest: list[int] = []  # the lowest number that a subsequence of each length can end with
    before: dict[int, int | None] = {}
    for number in numbers:
        place = bisect_left(lowest, number)
        before[number] = lowest[place - 1] if place else None
        lowest[place : place + 1] = [number]
    found: set[int] = set()
    number_or_none = lowest[-1] if lowest else None
    while number_or_none is not None:
        found.add(number_or_none)
        number_or_none = before[number_or_none]
    return found
