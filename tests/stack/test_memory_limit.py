"""The app's container with a small memory limit, and more visitors than it has room for."""

import http.client
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import docker
from tests.support.waiting import PATIENCE, eventually

MIB = 2**20
LIMIT = 160  # MiB
SESSION = 0.5  # MiB: some three hundred fill it
NEW_SECONDS = 8  # that a page which nobody connects to is kept
VISITORS = 1200
AT_ONCE = 16

LARGE = f"""
from htag import Tag

class Page(Tag.App):
    def init(self):
        self.data = [str(number) * 40 for number in range({int(SESSION * MIB / 280)})]
        self.add("here")
"""

# What is kept of each session is small, and of Python's memory, which is given back by the MiB, nearly nothing is.
LEAVES_SOMETHING = (
    LARGE
    + """
        LEFT.append(str(id(self)) * 20)

LEFT = []
"""
)

# Blocks of the C library, which gives back from the end only, unless it is asked.
MIDDLE = f"""
from htag import Tag

class Page(Tag.App):
    def init(self):
        self.data = [bytes(500 + 37 * number) for number in range({int((SESSION * MIB * 2 / 37) ** 0.5)})]
        self.add("here")
"""

IN_A_CIRCLE = (
    LARGE
    + """
        self.data.append(self.data)
"""
)

HEAVY = f"""
from htag import Tag

class Page(Tag.App):
    def init(self):
        self.data = b"x" * {14 * MIB}
        self.add("here")
"""

LEAVES_A_CIRCLE = """
from htag import Tag

class Circle:
    def __init__(self):
        self.me, self.content = self, bytearray(b"x" * 20_000_000)

class Page(Tag.App):
    def init(self):
        Circle()
        self.add("here")
"""


class Container:
    """One slot, with its port on loopback."""

    def __init__(self, image: str, folder: Path, app: str) -> None:
        """`app`: a module's text, with a class called Page."""
        self.name = f"htag-memory-{uuid.uuid4().hex[:8]}"
        (folder / "pages.py").write_text(app)
        folder.chmod(0o755)
        docker(
            "run", "--detach", "--name", self.name, f"--memory={LIMIT}m", f"--memory-swap={LIMIT}m",
            "--env=WEB_CONCURRENCY=1", "--env=HTAG_NEWCOMERS_PER_SECOND=0", "--env=HTAG_APP=pages:Page",
            f"--env=HTAG_SESSION_NEW_SECONDS={NEW_SECONDS}",
            "--restart=on-failure", f"--volume={folder}:/srv/apps:ro", "--publish=127.0.0.1::8001", image,
        )  # fmt: skip
        self._port = int(docker("port", self.name, "8001").rpartition(":")[2])

    def get(self, path: str = "/", cookie: str = "") -> tuple[int, str, str]:
        """(status, body, the cookie that was set)"""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), (answer.getheader("set-cookie") or "").partition(";")[0]
        finally:
            connection.close()

    def is_there(self) -> bool:
        try:
            return self.get("/health/live")[0] == 200
        except OSError:
            return False

    def health(self) -> Any:
        return json.loads(self.get("/health")[1])

    def memory(self) -> dict[str, int]:
        return dict(self.health()["memory"])

    def sessions(self) -> int:
        return sum(self.health()["sessions"].values())

    def started_at(self) -> str:
        """When the worker process was made."""
        [found] = re.findall(r"^process_start_time_seconds (.*)$", self.get("/metrics")[1], re.MULTILINE)
        return str(found)

    def state(self) -> tuple[bool, bool, int]:
        """(runs, was killed for memory, restarts)"""
        [inspected] = json.loads(docker("inspect", self.name))
        return inspected["State"]["Running"], inspected["State"]["OOMKilled"], inspected["RestartCount"]


@pytest.fixture
def serve(app_image: str, tmp_path: Path) -> Iterator[Callable[[str], Container]]:
    names = []

    def serve(app: str) -> Container:
        made = Container(app_image, tmp_path, app)
        names.append(made.name)
        eventually(made.is_there, "the worker")
        return made

    yield serve
    docker("rm", "--force", "--volumes", *names)


def fill(container: Container, known: str) -> tuple[Counter[int], Counter[int], set[str]]:
    """A crowd comes, and the visitor that has the cookie `known` is there all the time: how often newcomers and that
    visitor got each status, and what the refused were told."""

    def visit(number: int) -> tuple[bool, int, str]:
        comes_back = number % 50 == 0
        status, body, _ = container.get(cookie=known if comes_back else "")
        return comes_back, status, body

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        visits = list(crowd.map(visit, range(VISITORS)))
    newcomers = Counter(status for comes_back, status, _ in visits if not comes_back)
    return newcomers, Counter(status for comes_back, status, _ in visits if comes_back), refusals(visits)


def refusals(visits: list[tuple[bool, int, str]]) -> set[str]:
    return {body for _, status, body in visits if status == 503}


@pytest.mark.parametrize(
    ("app", "seconds"),
    [(LARGE, 0), (LEAVES_SOMETHING, 0), (MIDDLE, 0), (IN_A_CIRCLE, PATIENCE)],
    ids=["small blocks", "small blocks and something left", "large blocks", "in a circle"],
)
def test_who_does_not_fit_is_told_and_nothing_is_killed_and_the_room_comes_back(
    serve: Callable[[str], Container], app: str, seconds: float
) -> None:
    """At once when the sessions have ended. Where they leave their memory in circles, the garbage collector finds it at
    the next of the measurements, one a second, of which one more tells what it found."""
    container = serve(app)
    began = container.started_at()
    assert container.memory()["limit_bytes"] == LIMIT * MIB
    known = container.get()[2]
    newcomers, comes_back, told = fill(container, known)
    assert set(newcomers) == {200, 503}
    assert newcomers[200] > 50
    assert set(comes_back) == {200}
    assert all("All places are taken" in each for each in told)
    assert container.state() == (True, False, 0)
    assert container.started_at() == began

    eventually(lambda: container.sessions() == 0, "the end of the sessions", seconds=NEW_SECONDS + 10)
    had = container.memory()
    eventually(lambda: come(container, 20) == [200] * 20, f"room for newcomers, where there was {had}", seconds=seconds)
    assert container.state() == (True, False, 0)


def come(container: Container, newcomers: int) -> list[int]:
    """The status that each of them gets, one after the other."""
    return [container.get()[0] for _ in range(newcomers)]


def test_the_first_crowd_kills_nothing_however_large_the_pages_are(serve: Callable[[str], Container]) -> None:
    """How much one takes was learnt from ten newcomers, and the kernel killed the worker before."""
    container = serve(HEAVY)
    known = container.get()[2]
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        statuses = Counter(crowd.map(lambda _: container.get()[0], range(60)))
    assert set(statuses) == {200, 503}
    assert statuses[200] >= 4
    assert container.get(cookie=known)[0] == 200
    assert container.state() == (True, False, 0)


def test_pages_that_leave_20_mb_in_a_circle_turn_nobody_away(serve: Callable[[str], Container]) -> None:
    container = serve(LEAVES_A_CIRCLE)
    assert [container.get()[0] for _ in range(40)] == [200] * 40
    assert container.state() == (True, False, 0)
