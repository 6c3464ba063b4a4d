"""nginx while a container goes: the list of slots changes under the requests that look for another one."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import IncompleteRead

import pytest

from tests.stack.fleet import Fleet

BACKEND = "python:3.13-slim-trixie"
PATHS = ["/", "/ws", "/demo/stream", "/health", "/own"]  # what may be asked for twice
SECONDS = 5.0  # nginx asks the DNS once a second, and gives a connection up after one


@pytest.fixture(scope="module")
def fleet(engine: None) -> Iterator[Fleet]:
    with Fleet(BACKEND) as fleet:
        for _ in range(2):
            fleet.add_echo()
        fleet.open(NGINX_VISITOR_RATE="9999r/s")  # not what is looked at here
        yield fleet


def statuses(fleet: Fleet, path: str) -> Counter[int]:
    """What a person is answered who asks for `path` without a pause."""
    counted: Counter[int] = Counter()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(IncompleteRead):  # killed in the middle of an answer, which had begun
            counted[fleet.get(path).status] += 1
        time.sleep(0.02)
    return counted


def test_a_container_that_goes_costs_no_answer(fleet: Fleet) -> None:
    for _ in range(2):
        leaving = fleet.add_echo()
        fleet.wait_for_echo(leaving)
        with ThreadPoolExecutor(30) as people:
            asked = [people.submit(statuses, fleet, path) for path in PATHS * 6]
            time.sleep(1)
            fleet.remove(leaving)
            counted = {path: Counter[int]() for path in PATHS}
            for path, answers in zip(PATHS * 6, asked, strict=True):
                counted[path] += answers.result()
        assert all(set(found) == {200} for found in counted.values()), counted
