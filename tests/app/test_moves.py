"""gunicorn's workers end, in order and otherwise, while tabs click all the time: sessions move, and no page notices."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.app.processes import GUNICORN, Stack, Start
from tests.app.visiting import get, pid_of
from tests.e2e.clicking import Clickers
from tests.support.source import ROOT
from tests.support.waiting import eventually, patience

TABS = 30


@pytest.fixture
def stack(start: Start, free_base: int, tmp_path: Path) -> Stack:
    """Two slots, sessions in SQLite."""
    bring(tmp_path, "before")
    settings = {"HTAG_APP": "clicked:Clicked", "HTAG_PORT": str(free_base), "HTAG_LOG_FORMAT": "json"}
    return Stack(start(*GUNICORN, **settings), free_base)


def bring(folder: Path, version: str) -> None:
    shutil.copy(ROOT / "tests/e2e/rolled" / f"{version}.py", folder / "clicked.py")


def test_a_reload_with_new_code_moves_the_sessions_to_the_new_workers(stack: Stack, tmp_path: Path) -> None:
    before = {port: pid_of(port) for port in stack.ports}
    crowd = Clickers(f"http://127.0.0.1:{stack.ports[0]}/", TABS)
    with crowd.clicking():
        time.sleep(1)
        bring(tmp_path, "after")
        stack.server.send(signal.SIGHUP)
        eventually(lambda: all(pid_of(port) != pid for port, pid in before.items()), "new workers serve")
        eventually(lambda: crowd.codes()[1012] >= TABS, "all have moved")
        time.sleep(1)
    crowd.assert_whole()
    assert crowd.codes()[1012] == TABS
    assert {tab.document.elements("h1")[0].text for tab in crowd.tabs} == {"After"}
    assert crowd.gap(100) < patience(5)


def test_a_worker_that_is_told_to_end_refuses_newcomers_while_its_sessions_move(stack: Stack) -> None:
    port = stack.ports[0]
    pid = pid_of(port)
    crowd = Clickers(f"http://127.0.0.1:{port}/", TABS)
    with crowd.clicking():
        time.sleep(1)
        os.kill(pid, signal.SIGTERM)
        answers = [get(port, path) for path in ("/health/ready", "/", "/health")]
        assert [answer.status for answer in answers] == [503] * 3
        assert answers[1].getheader("x-htag-refused")  # nginx asks another worker, and binds to that
        assert pid_of(port) == pid
        eventually(lambda: pid_of(port) != pid, "its replacement")
        time.sleep(1)
    crowd.assert_whole()


def test_the_end_of_everything_leaves_sessions_in_the_store_for_the_next_start(
    stack: Stack, start: Start, free_base: int
) -> None:
    crowd = Clickers(f"http://127.0.0.1:{stack.ports[0]}/", TABS)
    settings = {"HTAG_APP": "clicked:Clicked", "HTAG_PORT": str(free_base), "HTAG_LOG_FORMAT": "json"}
    with crowd.clicking():
        time.sleep(1)
        stack.server.send(signal.SIGTERM)
        assert stack.server.ended() == 0
        assert stack.server.stdout().count("Application shutdown complete") == len(stack.ports), "none was killed"
        assert "sessions stay" in stack.server.stdout()
        assert f"0 of {TABS} sessions stay" in stack.server.stdout()
        Stack(start(*GUNICORN, **settings), free_base)
        time.sleep(1)
    crowd.assert_whole()
