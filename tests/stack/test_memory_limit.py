"""The app's container with a small memory limit, and more visitors than it has room for."""

import http.client
import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stack.engine import ROOT, docker

IMAGE = "htag-stack:memory"
MIB = 2**20
LIMIT = 160  # MiB
SESSION = 0.5  # MiB: some three hundred fill it
NEW_SECONDS = 8  # that a page which nobody connects to is kept
VISITORS = 1200
AT_ONCE = 16

APP = f"""
from htag import Tag

class Page(Tag.App):
    def init(self):
        self.data = [str(number) * 40 for number in range({int(SESSION * MIB / 280)})]
        self.add("here")
"""


class Container:
    """One slot, with its port on loopback."""

    def __init__(self, folder: Path) -> None:
        self.name = f"htag-memory-{uuid.uuid4().hex[:8]}"
        (folder / "large.py").write_text(APP)
        folder.chmod(0o755)
        docker(
            "run", "--detach", "--name", self.name, f"--memory={LIMIT}m", f"--memory-swap={LIMIT}m",
            "--env=WEB_CONCURRENCY=1", "--env=HTAG_APP=large:Page", f"--env=HTAG_SESSION_NEW_SECONDS={NEW_SECONDS}",
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


@pytest.fixture
def container(engine: None, tmp_path: Path) -> Iterator[Container]:
    docker("build", "--tag", IMAGE, str(ROOT))
    made = Container(tmp_path)
    until(made.is_there, "the worker")
    yield made
    docker("rm", "--force", "--volumes", made.name)


def until(condition: object, what: str, seconds: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.2)


def test_who_does_not_fit_is_told_and_nothing_is_killed_and_the_room_comes_back(container: Container) -> None:
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
    again = 0
    for _ in range(20):
        again += container.get()[0] == 200
    assert again == 20
    assert container.state() == (True, False, 0)
