"""The measure by which tests with a bound in seconds excuse a machine that is busy with something else."""

import os
import subprocess
import sys
import time

from tests.support.pace import Pace

SECONDS = 3.0  # of measuring


def test_who_shares_a_core_with_three_others_is_about_four_times_slower() -> None:
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})  # which those that are started here inherit
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    try:
        with Pace() as pace:
            time.sleep(SECONDS)
    finally:
        for each in busy:
            each.kill()
            each.wait()
        os.sched_setaffinity(0, mine)
    assert pace.slowdown > 1.5  # four, were they alone; one that has waited is given some milliseconds at once


def test_it_is_never_an_excuse_for_what_is_slow_by_itself() -> None:
    with Pace() as pace:
        pass
    assert pace.slowdown >= 1.0
