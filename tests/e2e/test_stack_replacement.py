"""A worker is killed while people load pages: nobody gets an error, and its replacement takes its place."""

from tests.e2e.stack import Busy, Crowd, Stack, Visitor
from tests.support.waiting import eventually

VISITORS = 100
PAUSE = 1.0  # seconds between two pages of a visitor; without it this would be an attack, and nginx would say so


def test_nobody_who_loads_pages_notices_that_a_worker_was_killed(stack: Stack) -> None:
    with Crowd(stack, VISITORS) as crowd:
        crowd.each(Visitor.open)
        witness = crowd.visitors[0]
        killed = stack.health(witness)["worker"]

        with Busy(crowd, Visitor.open, PAUSE) as busy:
            busy.wait_for_all()
            stack.compose("exec", "app", "python", "-c", f"import os; os.kill({killed['pid']}, 9)")
            replacement = eventually(lambda: _other_worker(stack, witness, killed["pid"]), "the replacement")
            busy.wait_for_rounds(3)

        assert (replacement["host"], replacement["slot"]) == (killed["host"], killed["slot"])
        assert not busy.troubles
        # A page that was being made at that very moment is made by another worker, and its visitor stays there.
        assert len(crowd.moved()) <= 0.05 * VISITORS
        slots = {visitor.served_by for visitor in crowd.visitors}
        assert slots == stack.slots()


def _other_worker(stack: Stack, witness: Visitor, pid: int) -> dict[str, int]:
    worker: dict[str, int] = stack.health(witness)["worker"]
    return worker if worker["pid"] != pid else {}
