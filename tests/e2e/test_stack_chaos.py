"""A short chaos: `make chaos` is the long one."""

from tests.e2e.chaos import survived
from tests.support.engine import need_engine

SECONDS = 60.0


def test_everything_breaks_and_every_click_counts_once() -> None:
    need_engine()
    crowd = survived(SECONDS, seed=4, tabs=60)
    assert crowd.answered > 60 * 20
