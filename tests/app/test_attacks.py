"""One visitor against all: other visitors' clicks go on, no worker dies, memory comes back."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.frames import Opcode

from tests.app.attack import RawSocket, Visitor, Worker, beside, frame
from tests.app.conftest import Start

SECONDS = 2.5  # of each attack
CLICKS = 15  # in that time, at least: a machine that does much else may take a tenth of a second for each
MOST_MEMORY = 24 << 20  # bytes that may have come after an attack, when its sessions are gone

CLICK = json.dumps({"id": "more", "event": "click", "data": {}}).encode()
FLOODS = {
    "empty pings": frame(Opcode.PING),
    "long pings": frame(Opcode.PING, b"x" * 125),
    "pongs": frame(Opcode.PONG),
    "fragments": frame(Opcode.CONT, b"", fin=False),
    "fragments of a byte": frame(Opcode.CONT, b" ", fin=False),
    "empty texts": frame(Opcode.TEXT),
    "clicks": frame(Opcode.TEXT, CLICK),
    "large messages": frame(Opcode.TEXT, b'{"data":[' + b"[]," * 300_000 + b"1]}"),
}


@pytest.fixture
def worker(start: Start, tmp_path: Path, free_base: int) -> Worker:
    return Worker(start, tmp_path, free_base)


def flood(worker: Worker, cookie: str, data: bytes, *, reads: bool) -> Callable[[threading.Event], None]:
    """An attack: one connection that sends `data` as fast as it is taken."""

    def attack(over: threading.Event) -> None:
        socket = RawSocket(worker, cookie)
        assert socket.status == 101
        socket.socket.settimeout(0.2)
        socket.send(frame(Opcode.TEXT, b"{", fin=False) if data[0] & 15 == Opcode.CONT else b"")
        while not over.is_set():
            for start in range(0, len(data), 65536):
                socket.send(data[start : start + 65536])
            if reads:
                socket.read()
                socket.socket.settimeout(0.2)
        socket.close()

    return attack


@pytest.mark.parametrize("reads", [True, False], ids=["reading", "not reading"])
@pytest.mark.parametrize("kind", FLOODS)
def test_frames_of_any_kind_hold_nobody_up(worker: Worker, kind: str, reads: bool) -> None:
    data = FLOODS[kind] * max(1, 400_000 // len(FLOODS[kind]))
    cookie, _ = worker.visit()
    with Visitor.of(worker) as visitor:
        visitor.clicks(0.3)
        before = worker.memory()
        visitor.waited.clear()
        with beside(*(flood(worker, cookie, data, reads=reads) for _ in range(2))):
            visitor.clicks(SECONDS)
    visitor.assert_served(CLICKS)
    assert worker.memory() - before < MOST_MEMORY
    worker.assert_unharmed()
