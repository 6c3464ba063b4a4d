"""`app.collector`: what stays is not looked at, the rest less often; the bench measures with the same settings."""

import gc
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.collector import YOUNG_OBJECTS, settle

BENCH = Path(__file__).resolve().parents[2] / "bench" / "serve.py"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Circle:
    def __init__(self) -> None:
        self.me = self


def test_what_is_there_is_set_aside() -> None:
    kept = Circle()
    settle()
    assert gc.get_freeze_count() > 0
    assert not any(each is kept for each in gc.get_objects())


def test_circles_that_were_left_before_are_collected() -> None:
    Circle()
    settle()
    gc.unfreeze()
    assert not [each for each in gc.get_objects() if type(each) is Circle]


def test_the_young_are_looked_at_less_often_and_the_rest_as_before() -> None:
    _, *older = gc.get_threshold()
    settle()
    assert gc.get_threshold() == (YOUNG_OBJECTS, *older)


def test_circles_made_afterwards_are_still_found() -> None:
    settle()
    found = gc.get_stats()[0]["collected"]
    for _ in range(2 * YOUNG_OBJECTS):
        Circle()
    assert gc.get_stats()[0]["collected"] > found


def test_the_bench_serves_with_the_same_settings() -> None:
    number = re.search(r"^YOUNG_OBJECTS = ([\d_]+)$", BENCH.read_text(), re.MULTILINE)
    assert number is not None
    assert int(number[1]) == YOUNG_OBJECTS
