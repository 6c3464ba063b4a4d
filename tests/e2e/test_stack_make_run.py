"""`make run` in a fresh copy of the project with nothing installed: served within two minutes, without Docker; and open
pages go on after everything was killed, with SQLite.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.async_api import Browser

from tests.app.visiting import is_live
from tests.e2e.browsing import browsing, clicking_in
from tests.e2e.clicking import Clickers
from tests.support.engine import run
from tests.support.ports import free_port
from tests.support.servers import serves
from tests.support.source import ROOT
from tests.support.waiting import eventually, patience

SECONDS = patience(120)
TABS = 5  # in Chromium


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `git clone` would bring, and what is not committed yet."""
    tmp_path = tmp_path_factory.mktemp("copy")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


class MadeRun:
    """`make run` in that copy, serving somebody's own app."""

    def __init__(self, copy: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._copy = copy

    def start(self, app: str) -> None:
        environment = {**os.environ, "HTAG_PORT": str(self.port), "HTAG_APP": app}
        self._process = subprocess.Popen(["make", "run"], cwd=self._copy, env=environment, start_new_session=True)

    def serve(self, app: str) -> None:
        """Start, and wait until pages that come back are served."""
        self.start(app)
        eventually(lambda: is_live(self.port), "make run to serve", SECONDS)

    def send(self, number: signal.Signals) -> None:
        """To make and all that it has started."""
        os.killpg(self._process.pid, number)
        self._process.wait(30)


@pytest.fixture
def made(copy: Path) -> Iterator[MadeRun]:
    # called as in htag's tutorial, and as a folder of ours
    (copy / "apps/app.py").write_text(
        (copy / "apps/hello.py").read_text() + "\n\nfrom htag import WebApp\n\napp = WebApp(Hello, debug=False).app\n"
    )
    shutil.copy(ROOT / "tests/e2e/rolled/before.py", copy / "apps/clicked.py")
    made = MadeRun(copy)
    yield made
    made.send(signal.SIGINT)


def test_a_fresh_copy_serves_somebody_s_own_app_within_two_minutes_and_its_sessions_outlive_it(
    made: MadeRun, copy: Path
) -> None:
    made.start("app:app")
    eventually(lambda: serves(made.url), "make run to serve", SECONDS)
    assert "Hello</button>" in requests.get(made.url, timeout=10).text
    assert not (copy / ".venv/bin/pytest").exists()  # only what is needed to run was installed
    made.send(signal.SIGINT)

    made.start("clicked:Clicked")
    eventually(lambda: serves(made.url), "make run to serve again")
    crowd = Clickers(made.url, 20)
    with crowd.clicking():
        for number in (signal.SIGKILL, signal.SIGINT):  # everything killed, and Ctrl-C
            time.sleep(3)
            made.send(number)
            made.serve("clicked:Clicked")
        time.sleep(3)
    crowd.assert_whole()
    assert crowd.codes()[1006] >= 20
    assert crowd.codes()[1012] >= 20


async def test_open_pages_go_on_after_everything_was_killed_and_after_ctrl_c(made: MadeRun, chromium: Browser) -> None:
    await asyncio.to_thread(made.serve, "clicked:Clicked")  # the test before has installed what it takes
    async with browsing(chromium, made.url, TABS) as crowd, clicking_in(crowd):
        for number in (signal.SIGKILL, signal.SIGINT):
            await asyncio.sleep(3)
            await asyncio.to_thread(made.send, number)
            await asyncio.to_thread(made.serve, "clicked:Clicked")
        await asyncio.sleep(3)
    assert crowd.reconnects >= 2 * TABS
