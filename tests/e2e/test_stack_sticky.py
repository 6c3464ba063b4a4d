"""A browser is bound to one worker from its first request, and new ones spread over all workers."""

import requests

from tests.e2e.stack import Crowd, Stack, Visitor
from tests.support.waiting import STACK_SECONDS, eventually

VISITORS = 200
CLICKS = 20


def test_two_hundred_visitors_stay_where_they_are_and_fill_all_slots(stack: Stack) -> None:
    stack.up(containers=2)
    slots = stack.slots()
    # nginx has found the second container, and each slot has made its first page, which takes longer than the others
    eventually(lambda: {_serving(stack) for _ in range(12)} == slots, "a page of each slot")

    def visit(visitor: Visitor) -> None:
        visitor.arrive()
        for _ in range(CLICKS):
            visitor.click_once()

    with Crowd(stack, VISITORS) as crowd:
        crowd.each(visit)
        assert not crowd.moved()
        spread = crowd.spread()
        assert set(spread) == slots
        assert max(spread.values()) <= 1.5 * min(spread.values()), spread


def _serving(stack: Stack) -> str:
    """The slot that gives a newcomer the page."""
    return requests.get(stack.url, timeout=STACK_SECONDS).headers["X-Htag-Served-By"]
