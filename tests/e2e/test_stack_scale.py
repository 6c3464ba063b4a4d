"""`docker compose up --scale app=N` while people click: up without anybody noticing, down with a connection that breaks
(wire version 1: version 2 is in test_stack_survival.py), and no new page for anybody.
"""

from collections import Counter

from tests.e2e.stack import SLOTS, Busy, Crowd, Stack, Visitor
from tests.support.waiting import eventually

VISITORS = 100
NEWCOMERS = 60
LATECOMERS = 20


def test_scaling_up_moves_nobody_and_scaling_down_moves_sessions(stack: Stack) -> None:
    stack.up(containers=2)
    first = stack.containers()
    with Crowd(stack, VISITORS) as crowd, Crowd(stack, NEWCOMERS) as newcomers:
        crowd.each(Visitor.arrive)
        with Busy(crowd, Visitor.click_once) as busy:
            busy.wait_for_all()

            stack.up(containers=4)
            everywhere = stack.containers()
            assert len(everywhere) == 4
            eventually(lambda: _up(stack) == 4 * SLOTS, "all slots in Prometheus")
            newcomers.each(Visitor.arrive)
            busy.wait_for_rounds(3)

            reached = Counter(visitor.host for visitor in newcomers.visitors)
            assert set(reached) >= everywhere - first, reached
            assert not busy.troubles
            assert not crowd.moved()

            with Busy(newcomers, Visitor.click_once) as busy_newcomers:
                busy_newcomers.wait_for_all()
                stack.up(containers=2)
                with Crowd(stack, LATECOMERS) as latecomers:  # nginx still knows the addresses of the removed
                    latecomers.each(Visitor.arrive)
                left = stack.containers()
                removed = everywhere - left
                assert len(removed) == 2
                busy_newcomers.wait_for_rounds(3)
                busy.wait_for_rounds(3)
            troubles = [*busy.troubles, *busy_newcomers.troubles]

    everybody = [*crowd.visitors, *newcomers.visitors]
    unlucky = [visitor for visitor in everybody if (visitor.served_by or "").partition(":")[0] in removed]
    assert unlucky
    assert {host for host, _, _ in troubles} <= removed, troubles  # who was elsewhere saw nothing
    assert {visitor for _, visitor, _ in troubles} == set(unlucky)
    assert all(visitor.host in left and visitor.clicks > 0 for visitor in unlucky)
    assert not [visitor for visitor in everybody if visitor.moves and visitor not in unlucky]
    assert {visitor.page_loads for visitor in everybody} == {1}
    eventually(lambda: _up(stack) == 2 * SLOTS == _known(stack), "the removed slots to be forgotten")


def _up(stack: Stack) -> float:
    return stack.number('count(up{job="htag"} == 1)')


def _known(stack: Stack) -> float:
    return stack.number('count(up{job="htag"})')
