"""The app's container with a small memory limit, and more visitors than it has room for."""

import http.client
import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stack.engine import docker
from tests.support.source import ROOT
from tests.support.waiting import eventually

IMAGE = "htag-stack:memory"
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

    def __init__(self, folder: Path, app: str) -> None:
        """`app`: a module's text, with a class called Page."""
        self.name = f"htag-memory-{uuid.uuid4().hex[:8]}"
        (folder / "pages.py").write_text(app)
        folder.chmod(0o755)
        docker(
            "run", "--detach", "--name", self.name, f"--memory={LIMIT}m", f"--memory-swap={LIMIT}m",
            "--env=WEB_CONCURRENCY=1", "--env=HTAG_NEWCOMERS_PER_SECOND=0", "--env=HTAG_APP=pages:Page",
            f"--env=HTAG_SESSION_NEW_SECONDS={NEW_SECONDS}",
            "--restart=on-failure", f"--volume={folder}:/srv/apps:ro", "--publish=127.0.0.1::8001", IMAGE,
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

    def started_at(self) -> str:
        """When the worker process was made."""
        [found] = re.findall(r"^process_start_time_seconds (.*)$", self.get("/metrics")[1], re.MULTILINE)
        return str(found)

    def state(self) -> tuple[bool, bool, int]:
        """(runs, was killed for memory, restarts)"""
        [inspected] = json.loads(docker("inspect", self.name))
        return inspected["State"]["Running"], inspected["State"]["OOMKilled"], inspected["RestartCount"]


@pytest.fixture(scope="module")
def image(engine: None) -> None:
    docker("build", "--tag", IMAGE, str(ROOT))


@pytest.fixture
def serve(image: None, tmp_path: Path) -> Iterator[Callable[[str], Container]]:
    names = []

    def serve(app: str) -> Container:
        made = Container(tmp_path, app)
        names.append(made.name)
        eventually(made.is_there, "the worker")
        return made

    yield serve
    docker("rm", "--force", "--volumes", *names)


def test_who_does_not_fit_is_told_and_nothing_is_killed_and_the_room_comes_back(
    serve: Callable[[str], Container],
) -> None:
    container = serve(LARGE)
    began = container.started_at()
    assert json.loads(container.get("/health")[1])["memory"]["limit_bytes"] == LIMIT * MIB
    known = container.get()[2]
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        statuses = Counter(status for status, _, _ in crowd.map(lambda _: container.get(), range(VISITORS)))
    assert set(statuses) == {200, 503}
    assert statuses[200] > 50
    assert "All places are taken" in container.get()[1]
    assert container.get(cookie=known)[0] == 200
    assert container.state() == (True, False, 0)
    assert container.started_at() == began

    time.sleep(NEW_SECONDS)  # nobody has connected: the sessions end
    assert container.get()[0] == 200  # a worker without sessions refuses nobody
    # One run of seven refused the next ones at first. Near the limit what could be used again is not relied on, which
    # may be why; it was not shown. What is asked is that the room comes back by itself.
    eventually(lambda: [container.get()[0] for _ in range(20)] == [200] * 20, "room for newcomers", seconds=30)
    assert container.state() == (True, False, 0)


def test_pages_that_leave_20_mb_in_a_circle_turn_nobody_away(serve: Callable[[str], Container]) -> None:
    container = serve(LEAVES_A_CIRCLE)
    assert [container.get()[0] for _ in range(40)] == [200] * 40
    assert container.state() == (True, False, 0)
