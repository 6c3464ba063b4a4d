"""Sessions outlive their workers, with everything real: engine, nginx, Valkey. Hundreds of tabs click all the time, and
in the end each shows exactly the clicks that were made in it, on the page that was loaded once.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.clicked_stack import SERVICES
from tests.e2e.clicked_stack import folders as folders  # fixtures
from tests.e2e.clicked_stack import running as running
from tests.e2e.clicked_stack import site as site
from tests.e2e.clicking import Clickers
from tests.e2e.disasters import frozen, keep_a_copy, kill_any, put_the_copy_back, workers
from tests.e2e.stack import Stack
from tests.support.engine import docker
from tests.support.waiting import eventually, patience

TABS = 200
PAUSE = 1.0  # seconds between two clicks of a tab: so many that two cores carry them, and the tests beside them
KILLING_SECONDS = 60
GAP = 3.0  # seconds that 99 % of the tabs wait for an answer at most
ELSEWHERE = 12.0  # seconds within which everybody of a frozen worker is served by another one
FROZEN_SECONDS = ELSEWHERE + 8  # who was not served elsewhere would have waited for longer


@contextmanager
def clicking(stack: Stack, tabs: int = TABS) -> Iterator[Clickers]:
    """Tabs that click in the block. What they have seen is printed, and in the end all is whole."""
    crowd = Clickers(stack.url + "/", tabs, PAUSE)
    try:
        with crowd.clicking(patience(40)):
            eventually(crowd.saved_from_now_on(), "a click of everybody to be saved")
            yield crowd
    except BaseException:
        print(*troubles(stack), sep="\n")
        raise
    finally:
        longest = ", ".join(f"{percent} %: {crowd.gap(percent):.2f} s" for percent in (50, 90, 99, 100))
        print(f"{crowd.answered} clicks in {tabs} tabs; longest gaps {longest}; ends {dict(crowd.codes())}")
        print(f"{crowd.slowdown:.1f} times slower than alone")
    try:
        crowd.assert_whole()
    except AssertionError:
        print(*troubles(stack), sep="\n")
        raise


def ended_by_the_server(crowd: Clickers) -> list[int]:
    """The codes of connections that were closed or refused. Those that a tab gives up, maybe too early, are below."""
    return [code for code in crowd.codes() if code > 0]


def troubles(stack: Stack) -> list[str]:
    """What the workers have logged as warnings and errors, lately."""
    lines = stack.compose("logs", "--no-log-prefix", "--tail", "3000", "app").splitlines()
    return [line for line in lines if re.search(r'"level": ?"(warning|error|critical)"', line, re.IGNORECASE)][-30:]


def test_workers_that_are_killed_all_the_time(site: Stack) -> None:
    with clicking(site) as crowd:
        until = time.monotonic() + KILLING_SECONDS
        kills = 0
        while time.monotonic() < until:
            due = time.monotonic() + 2
            kill_any(sorted(site.containers()))
            kills += 1
            time.sleep(max(0.0, due - time.monotonic()))
    assert kills > KILLING_SECONDS / 4
    assert crowd.codes()[1006] > TABS / 4  # else none of the killed had people
    assert crowd.own_gap(99) < GAP


def test_a_roll_to_another_version_of_the_app(site: Stack, folders: tuple[str, str]) -> None:
    before = site.containers()
    with clicking(site) as crowd:
        site.roll(HTAG_APPS_DIR=folders[1])
    after = site.containers()
    assert len(after) == len(before)
    assert not after & before
    assert {tab.document.elements("h1")[0].text for tab in crowd.tabs} == {"After"}
    assert crowd.own_gap(99) < GAP


def test_a_version_that_does_not_start_changes_nothing(site: Stack, folders: tuple[str, str]) -> None:
    before = site.containers()
    with clicking(site, 20) as crowd, pytest.raises(AssertionError, match="the old version serves on"):
        site.roll(HTAG_APP="clicked:Nothing")
    assert site.containers() == before
    assert len(site.compose("ps", "--all", "--quiet", "app").split()) == len(before)
    assert not ended_by_the_server(crowd)


def test_four_containers_and_back_to_one(site: Stack) -> None:
    with clicking(site) as crowd:
        site.up(containers=4, services=SERVICES)
        time.sleep(3)
        assert not ended_by_the_server(crowd)  # more room moves nobody
        site.up(containers=1, services=SERVICES)
    assert crowd.own_gap(99) < GAP
    assert len({tab.hosts[-1].partition(":")[0] for tab in crowd.tabs}) == 1


@pytest.mark.parametrize("service", ["valkey", "nginx"])
def test_a_restart(site: Stack, service: str) -> None:
    with clicking(site) as crowd:
        site.compose("restart", service)
        time.sleep(3)
        kill_any(sorted(site.containers()))
        time.sleep(3)
    if service == "nginx":
        assert sum(crowd.codes().values()) >= TABS


def test_a_worker_that_is_frozen_and_thawed(site: Stack) -> None:
    container = sorted(site.containers())[0]
    with clicking(site) as crowd:
        pid = workers(container)[0]
        with frozen(container, pid):
            time.sleep(FROZEN_SECONDS)
        time.sleep(5)
    assert crowd.codes()[-2] > TABS / 8  # else it had no people
    assert crowd.own_gap(100) < ELSEWHERE  # they were served elsewhere
    given_up = site.total("htag_sessions_superseded_total")
    assert given_up > TABS / 8  # its late writes were refused


def test_a_store_that_stands_still(site: Stack) -> None:
    [valkey] = site.compose("ps", "--quiet", "valkey").split()
    with clicking(site) as crowd:
        docker("pause", valkey)
        try:
            time.sleep(20)
        finally:
            docker("unpause", valkey)
        time.sleep(4)
        kill_any(sorted(site.containers()))
        time.sleep(4)
    assert crowd.own_gap(99) < GAP


def test_a_store_that_loses_its_data(site: Stack) -> None:
    with clicking(site) as crowd:
        site.compose("exec", "valkey", "valkey-cli", "flushall")
        time.sleep(6)
        for _ in range(2):
            kill_any(sorted(site.containers()))
            time.sleep(3)
    assert crowd.own_gap(99) < GAP


def test_a_store_that_is_put_back_by_ten_seconds(site: Stack) -> None:
    with clicking(site) as crowd:
        [valkey] = site.compose("ps", "--quiet", "valkey").split()
        keep_a_copy(valkey)
        time.sleep(10)
        site.compose("stop", "--timeout", "1", "valkey")
        put_the_copy_back(valkey)
        site.compose("start", "valkey")
        time.sleep(6)
        for _ in range(2):
            kill_any(sorted(site.containers()))
            time.sleep(3)
    assert crowd.own_gap(99) < GAP
