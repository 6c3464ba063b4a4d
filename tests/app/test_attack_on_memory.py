"""One visitor who has the server keep as much as it will: that is bounded, the worker stays, others are served."""

import http.client
import json
import statistics
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from websockets.frames import Opcode

from tests.app.attack import RawSocket, Visitor, Worker, beside, frame
from tests.app.processes import Start
from tests.support.waiting import PATIENCE, eventually

MOST_GROWTH = 150 << 20  # bytes, that one visitor can make of a worker for a time: 50 on an idle machine
TASK = "x" * 900_000


@pytest.fixture
def worker(start: Start, tmp_path: Path, free_base: int) -> Worker:
    """A worker with an app that keeps what it is told and shows it: as the demo's tasks do."""
    return Worker(start, tmp_path, free_base, HTAG_APP="keeper:Keeper")


@pytest.fixture(autouse=True)
def app_module(tmp_path: Path) -> None:
    (tmp_path / "keeper.py").write_text(
        """
from htag import Tag


class Keeper(Tag.App):
    def init(self):
        self.number = 0
        self.shown = Tag.span("0")
        Tag.button("+", _id="more", _onclick=self.more)
        Tag.button("again", _id="again", _onclick=self.again)
        self.field = Tag.input(_id="field", _onchange=self.keep)
        self.tasks = Tag.ul()

    def more(self, event):
        self.number += 1
        self.shown.text = str(self.number)

    def keep(self, event):
        self.tasks += Tag.li(event.value)

    def again(self, event):
        self.tasks["class"] = f"c{self.number}"
        self.number += 1
"""
    )


def post(worker: Worker, cookie: str, token: str, message: object) -> int:
    """The status of an event that is POSTed."""
    connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=PATIENCE)
    with closing(connection):
        connection.request("POST", "/event", json.dumps(message), {"cookie": cookie, "x-htag-token": token})
        response = connection.getresponse()
        response.read()
        return response.status


def test_eight_large_tasks_and_twenty_tabs_that_do_not_read(worker: Worker) -> None:
    cookie, token = worker.visit()
    peak = 0

    def attack(over: threading.Event) -> None:
        sockets = [RawSocket(worker, cookie, receives=4096) for _ in range(20)]
        for socket in sockets:
            socket.socket.settimeout(0.05)  # each in vain, when it is not read any more
        for number in range(8):
            event = {"id": "field", "event": "change", "data": {"value": f"{number}{TASK}"}}
            assert post(worker, cookie, token, event) in (200, 429)
        click = frame(Opcode.TEXT, json.dumps({"id": "again", "event": "click", "data": {}}).encode())
        for _ in range(10):  # each has megabytes rendered; more of them only take longer until the last one is read
            for socket in sockets:
                socket.send(click)
            time.sleep(0.01)
        over.wait()
        for socket in sockets:
            socket.close()

    def watch(over: threading.Event) -> None:
        nonlocal peak
        while not over.is_set():
            peak = max(peak, worker.memory())
            time.sleep(0.01)

    with Visitor.of(worker) as visitor:
        visitor.clicks(0.3)
        before = worker.memory()
        visitor.waited.clear()
        with beside(attack, watch):
            visitor.clicks(5, 20)
        assert peak - before < MOST_GROWTH
        eventually(lambda: worker.sessions() == 1, "the session of the attack is gone")
        eventually(lambda: worker.memory() - before < 40 << 20, "memory comes back")
    assert statistics.mean(visitor.waited) < 0.1  # seconds of the event loop; it renders megabytes for the others
    worker.assert_unharmed()
