"""One visitor against all: other visitors' clicks go on, no worker dies, memory comes back."""

import http.client
import json
import random
import threading
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from websockets.frames import Opcode

from tests.app import fuzz
from tests.app.attack import RawSocket, Visitor, Worker, beside, frame
from tests.app.processes import Start
from tests.support.waiting import PATIENCE, eventually

SECONDS = 1.5  # of each attack
CLICKS = 12  # at least, however long this machine takes for them
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
    "large messages": frame(Opcode.TEXT, b'{"data":[' + b"[]," * 99_990 + b"11111," * 100_000 + b"1]}"),
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


# whether the attacker reads matters where there is an answer
@pytest.mark.parametrize(
    ("kind", "reads"), [(kind, True) for kind in FLOODS] + [(kind, False) for kind in ("long pings", "clicks")]
)
def test_frames_of_any_kind_hold_nobody_up(worker: Worker, kind: str, reads: bool) -> None:
    data = FLOODS[kind] * max(1, 400_000 // len(FLOODS[kind]))
    cookie, _ = worker.visit()
    with Visitor.of(worker) as visitor:
        visitor.clicks(0.3)
        before = worker.memory()
        visitor.waited.clear()
        with beside(*(flood(worker, cookie, data, reads=reads) for _ in range(2))):
            visitor.clicks(SECONDS, CLICKS)
    visitor.assert_served()
    assert worker.memory() - before < MOST_MEMORY
    if "texts" not in kind and "clicks" not in kind:  # whole messages are slowed down above the protocol
        assert worker.metric("htag_websocket_pauses_total") > 0
    worker.assert_unharmed()


def test_many_tabs_of_one_session_that_click_all_the_time_hold_nobody_up(worker: Worker) -> None:
    cookie, _ = worker.visit()
    data = FLOODS["clicks"] * 2000
    with Visitor.of(worker) as visitor:
        visitor.clicks(0.3)
        visitor.waited.clear()
        with beside(*(flood(worker, cookie, data, reads=True) for _ in range(8))):
            visitor.clicks(SECONDS, CLICKS)
    visitor.assert_served()
    worker.assert_unharmed()


# -- ten thousand fuzzed messages

FUZZED = 10_000
FUZZERS = 4
IDENTITIES = ["more", "field", "button-1", "p-3", "nobody"]


def fuzzed_frames(worker: Worker, seed: int, count: int) -> Callable[[threading.Event], None]:
    """An attack: sends `count` fuzzed frames, over as many connections as it takes."""

    def attack(over: threading.Event) -> None:
        cookie, _ = worker.visit()
        made = fuzz.frames(random.Random(seed), IDENTITIES)
        socket = RawSocket(worker, cookie)
        for data in islice(made, count):
            if not socket.send(data):
                socket.close()
                socket = RawSocket(worker, cookie)
                assert socket.status == 101
            socket.read()
        socket.close()

    return attack


def fuzzed_bodies(worker: Worker, seed: int, count: int) -> Callable[[threading.Event], None]:
    """An attack: POSTs `count` fuzzed bodies."""

    def attack(over: threading.Event) -> None:
        cookie, token = worker.visit()
        chance = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=PATIENCE)
        for _ in range(count):
            body = fuzz.text(chance, IDENTITIES)
            connection.request("POST", "/event", body, {"cookie": cookie, "x-htag-token": token})
            response = connection.getresponse()
            response.read()
            assert response.status in (200, 400, 429), response.status
        connection.close()

    return attack


def test_ten_thousand_fuzzed_messages(worker: Worker) -> None:
    with Visitor.of(worker) as visitor:
        visitor.clicks(0.3)
        before = worker.memory()
        visitor.waited.clear()
        each = FUZZED // (2 * FUZZERS)
        attacks = [kind(worker, seed, each) for kind in (fuzzed_frames, fuzzed_bodies) for seed in range(FUZZERS)]
        with beside(*attacks) as running:
            while not all(attack.done() for attack in running):
                visitor.clicks(0.1)
    # not heard are control frames, fragments, what follows a close frame, and messages without an id
    assert worker.heard() > FUZZED / 3
    visitor.assert_served()
    eventually(lambda: worker.sessions() == 0, "the sessions of the attack are gone")
    eventually(lambda: worker.memory() - before < MOST_MEMORY, "memory comes back")
    worker.assert_unharmed()


# -- a newline


def test_a_newline_shows_nothing_and_makes_nothing(worker: Worker) -> None:
    worker.visit()
    before = worker.sessions()
    for path in ("/%0a", "/metrics%0a", "/health%0a", "/htag.js%0a", "/%0A", "/%0d%0a", "/metrics%0d", "/%00", "/%7f"):
        assert worker.get(path).status == 404, path
    with closing(RawSocket(worker, worker.visit()[0], "/ws%0a")) as socket:
        assert socket.status == 403
    assert worker.sessions() == before + 1
    worker.assert_unharmed()


def test_pages_with_a_newline_hold_nobody_up(worker: Worker) -> None:
    def attack(over: threading.Event) -> None:
        while not over.is_set():
            assert worker.get("/%0a").status == 404

    with Visitor.of(worker) as visitor:
        visitor.clicks(0.3)
        visitor.waited.clear()
        with beside(attack, attack):
            visitor.clicks(SECONDS, CLICKS)
    visitor.assert_served()
    worker.assert_unharmed()


# -- made-up cookies, and tabs that come and go


def test_made_up_cookies_hold_nobody_up_and_leave_nothing(worker: Worker) -> None:
    def handshakes(over: threading.Event) -> None:
        number = 0
        while not over.is_set():
            number += 1
            socket = RawSocket(worker, f"htag_sid=made-up-{number}")
            assert socket.status == 101  # and then the close code of an unknown session
            socket.close()

    def posts(over: threading.Event) -> None:
        while not over.is_set():
            for cookie in ("htag_sid=x", "htag_sid=x.y", "htag_sid=" + "A" * 3000, "htag_sid=\xff"):
                answer = worker.request("POST", "/event", b"{}", {"cookie": cookie, "x-htag-token": "x"})
                assert answer.status == 404

    with Visitor.of(worker) as visitor:
        visitor.clicks(0.3)
        before, sessions = worker.memory(), worker.sessions()
        visitor.waited.clear()
        with beside(handshakes, handshakes, posts):
            visitor.clicks(2 * SECONDS, CLICKS)
        assert worker.sessions() == sessions
        eventually(lambda: worker.memory() - before < MOST_MEMORY, "memory comes back")
    visitor.assert_served()
    worker.assert_unharmed()


def test_a_tab_that_comes_and_goes_holds_nobody_up(worker: Worker) -> None:
    cookie, _ = worker.visit()

    def reconnects(over: threading.Event) -> None:
        others = [RawSocket(worker, cookie) for _ in range(8)]  # tabs of the same session that do not read
        while not over.is_set():
            RawSocket(worker, cookie).close()
        for socket in others:
            socket.close()

    with Visitor.of(worker) as visitor:
        visitor.clicks(0.3)
        before = worker.memory()
        visitor.waited.clear()
        with beside(reconnects):
            visitor.clicks(2 * SECONDS, CLICKS)
        eventually(lambda: worker.memory() - before < MOST_MEMORY, "memory comes back")
    visitor.assert_served()
    worker.assert_unharmed()
