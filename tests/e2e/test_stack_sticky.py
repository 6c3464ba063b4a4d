"""A browser is bound to one worker from its first request, and new ones spread over all workers."""

from tests.e2e.stack import Crowd, Stack, Visitor

VISITORS = 200
CLICKS = 20


def test_two_hundred_visitors_stay_where_they_are_and_fill_all_slots(stack: Stack) -> None:
    stack.up(containers=2)

    def visit(visitor: Visitor) -> None:
        visitor.arrive()
        for _ in range(CLICKS):
            visitor.click_once()

    with Crowd(stack, VISITORS) as crowd:
        crowd.each(visit)
        assert not crowd.moved()
        spread = crowd.spread()
        assert set(spread) == stack.slots()
        assert max(spread.values()) <= 1.5 * min(spread.values()), spread
