"""Chaos: while hundreds of tabs click, everything breaks that can, one thing after another, drawn from a seed.

    make chaos MINUTES=10 SEED=11 TABS=100

In the end each tab shows exactly the clicks that were made in it, on the page that was loaded once. The same seed
draws the same disasters in the same order; what they meet depends on the machine's timing.
"""

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.clicking import Clickers
from tests.e2e.disasters import frozen, keep_a_copy, put_the_copy_back, send, workers
from tests.e2e.stack import Stack
from tests.support.engine import docker
from tests.support.source import ROOT
from tests.support.waiting import eventually, patience

SERVICES = ("nginx", "app", "valkey")
CONTAINERS = 2  # when all is well
PAUSE = 1.0  # seconds between two clicks of a tab
# Around trouble of the store: until every session is with a worker, and saved. A crash before that meets what the
# store has lost, which nothing can bring back. It takes 3 s, and a minute on a machine that is busy.
SAVED_SECONDS = patience(180)
FROZEN_SECONDS = 15.0
MENDED = 3  # attempts to bring everything up again, on a machine that is too busy for its health checks


class Chaos:
    """Breaks one thing after another of a running stack."""

    def __init__(self, stack: Stack, crowd: Clickers, folders: tuple[str, str], seed: int) -> None:
        """`crowd`: clicks meanwhile. `folders`: with two versions of the app `clicked`, between which it rolls."""
        self._stack = stack
        self._crowd = crowd
        self._folders = folders
        self._random = random.Random(seed)
        self.log: list[tuple[float, str]] = []
        """What was broken, and when: in seconds since the beginning."""
        self.cut_short: list[str] = []
        """Disasters that the machine was too busy for."""

    def rage(self, seconds: float) -> None:
        """Break things for `seconds`, about."""
        started = time.monotonic()
        deck: list[Callable[[Chaos], None]] = []
        while (now := time.monotonic() - started) < seconds:
            deck = deck or self._random.sample(DISASTERS, len(DISASTERS))  # each comes, however short the time
            disaster = deck.pop()
            self.log.append((now, disaster.__name__))
            print(f"{now:6.1f} s  {disaster.__name__}", flush=True)
            self._befall(disaster)

    def _befall(self, disaster: "Callable[[Chaos], None]") -> None:
        """Let a disaster happen. A command that fails, because the machine is busy or what was broken before is not up
        again (a roll that is cut short, say), is a disaster as well: no click may be lost in it."""
        try:
            disaster(self)
        except AssertionError as failure:
            self.cut_short.append(disaster.__name__)
            print(f"          {disaster.__name__} was cut short: {failure}", flush=True)
            self._mend()

    def _mend(self) -> None:
        """Bring up what a disaster that was cut short has left down."""
        for _ in range(MENDED):
            with suppress(AssertionError):
                return self._stack.up(containers=CONTAINERS, services=SERVICES)
        return self._stack.up(containers=CONTAINERS, services=SERVICES)

    def _containers(self) -> list[str]:
        return sorted(self._stack.containers())

    def _worker(self) -> tuple[str, int]:
        container = self._random.choice(self._containers())
        return container, self._random.choice(workers(container))

    def _until_saved(self) -> None:
        eventually(self._crowd.saved_from_now_on(), "every session to be saved", SAVED_SECONDS)

    def _valkey(self) -> str:
        return self._stack.compose("ps", "--quiet", "valkey").strip()

    # -- disasters: each ends when the next may come -------------------------------------------------------------------

    def kill_a_worker(self) -> None:
        send(*self._worker(), "KILL")
        time.sleep(2)

    def kill_several_workers(self) -> None:
        for _ in range(4):
            send(*self._worker(), "KILL")
            time.sleep(1)

    def end_a_worker(self) -> None:
        send(*self._worker(), "TERM")
        time.sleep(3)

    def freeze_a_worker(self) -> None:
        with frozen(*self._worker()):
            time.sleep(FROZEN_SECONDS)
        time.sleep(3)

    def read_the_code_anew(self) -> None:
        docker("kill", "--signal", "HUP", self._random.choice(self._containers()))
        time.sleep(5)

    def scale_up_and_down(self) -> None:
        self._stack.up(containers=self._random.choice((1, 3)), services=SERVICES)
        time.sleep(2)
        self._stack.up(containers=CONTAINERS, services=SERVICES)
        time.sleep(2)

    def roll(self) -> None:
        self._stack.roll(HTAG_APPS_DIR=self._random.choice(self._folders))

    def restart_nginx(self) -> None:
        self._stack.compose("restart", "nginx")
        time.sleep(3)

    def restart_valkey(self) -> None:
        self._stack.compose("restart", "valkey")
        self._until_saved()

    def pause_valkey(self) -> None:
        docker("pause", self._valkey())
        try:
            time.sleep(self._random.uniform(3, 15))
        finally:
            docker("unpause", self._valkey())
        self._until_saved()

    def empty_valkey(self) -> None:
        self._until_saved()
        self._stack.compose("exec", "valkey", "valkey-cli", "flushall")
        self._until_saved()

    def put_valkey_back(self) -> None:
        valkey = self._valkey()
        self._until_saved()
        keep_a_copy(valkey)
        time.sleep(5)
        self._stack.compose("stop", "--timeout", "1", "valkey")
        put_the_copy_back(valkey)
        self._stack.compose("start", "valkey")
        self._until_saved()


DISASTERS: tuple[Callable[[Chaos], None], ...] = (
    Chaos.kill_a_worker,
    Chaos.kill_a_worker,  # what happens most
    Chaos.kill_several_workers,
    Chaos.end_a_worker,
    Chaos.freeze_a_worker,
    Chaos.read_the_code_anew,
    Chaos.scale_up_and_down,
    Chaos.roll,
    Chaos.restart_nginx,
    Chaos.restart_valkey,
    Chaos.pause_valkey,
    Chaos.empty_valkey,
    Chaos.put_valkey_back,
)


@contextmanager
def two_versions() -> Iterator[tuple[str, str]]:
    """Two folders with the app `clicked`, in two versions, which a container's user may read."""
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        folders = []
        for version in ("before", "after"):
            folder = Path(top) / version
            folder.mkdir(mode=0o755)
            folder.chmod(0o755)
            shutil.copy(ROOT / f"tests/e2e/rolled/{version}.py", folder / "clicked.py")
            (folder / "clicked.py").chmod(0o644)
            folders.append(str(folder))
        yield folders[0], folders[1]


@contextmanager
def started(folders: tuple[str, str]) -> Iterator[Stack]:
    """The stack, built from the sources, with the first version of the app; it is taken down at the end."""
    stack = Stack(
        "chaos", HTAG_APP="clicked:Clicked", HTAG_APPS_DIR=folders[0], HTAG_LOG_LEVEL="info",
        NGINX_VISITOR_RATE="1000r/s",
    )  # fmt: skip
    try:
        stack.compose("build", "app", "nginx")
        stack.up(containers=CONTAINERS, services=SERVICES)
        yield stack
    finally:
        stack.down()


def survived(seconds: float, seed: int, tabs: int) -> Clickers:
    """Let chaos rage for `seconds` while `tabs` tabs click. Returns them; AssertionError: one has lost something."""
    with two_versions() as folders, started(folders) as stack:
        crowd = Clickers(f"{stack.url}/", tabs, PAUSE)
        chaos = Chaos(stack, crowd, folders, seed)
        try:
            with crowd.clicking(patience(60)):
                time.sleep(3)
                chaos.rage(seconds)
        except BaseException as error:
            error.add_note(stack.compose("logs", "--no-log-prefix", "--tail", "60", "app"))
            raise
        finally:
            print(summary(crowd, seed), f"\ncut short: {chaos.cut_short}")
        crowd.assert_whole()
        return crowd


def summary(crowd: Clickers, seed: int) -> str:
    """What the tabs have seen, in two lines."""
    longest = ", ".join(f"{percent} %: {crowd.gap(percent):.2f} s" for percent in (50, 90, 99, 100))
    ends = dict(sorted(crowd.codes().items()))
    return (
        f"seed {seed}: {crowd.answered} clicks in {len(crowd.tabs)} tabs, {len(crowd.wrong())} of which show another "
        f"number\nlongest wait of a tab for an answer: {longest}; how connections ended: {ends}"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--tabs", type=int, default=100)
    chosen = parser.parse_args()
    survived(chosen.minutes * 60, chosen.seed, chosen.tabs)
    print("all is whole: every click counted once, no page loaded again")


if __name__ == "__main__":
    main()
