"""No connection holds the loop or piles up memory, whatever frames it sends; what it may send arrives unchanged."""

import asyncio
import logging
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from htag import Tag, WebApp, websocket_protocol
from htag.runners import serving
from htag.websocket_protocol import BUDGET, FRAME, FRAMES_A_TURN, SLICE, FairWebSocketProtocol
from htag_stack.settings import Settings
from htag_stack.worker import uvicorn_options
from tests.support.waiting import passed

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
MOST_FRAMES = SLICE // 6 + FRAMES_A_TURN  # in one turn: a turn ends after the slice in which its frames are reached


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


PING, PONG, EMPTY = (frame(opcode) for opcode in (Opcode.PING, Opcode.PONG, Opcode.TEXT))


class Transport(asyncio.Transport):
    """The socket's end: what was written, and whether more is read."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reading = True
        self.closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        if data:
            self.written.append(bytes(data))

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closing = True


class Peer:
    """A connection of FairWebSocketProtocol, the application behind it, and how many frames each turn took."""

    def __init__(self, kind: type = FairWebSocketProtocol) -> None:
        self.heard: list[Any] = []
        self.may_take = asyncio.Event()
        self.may_take.set()
        quiet: Any = {"log_config": None, "ws_per_message_deflate": False, "ws_ping_interval": None}
        config = uvicorn.Config(self.application, interface="asgi3", **quiet)
        config.load()
        self.transport = Transport()
        self.protocol = kind(config, ServerState(), {})
        self.protocol.connection_made(self.transport)
        self.turns: list[int] = []
        self.protocol.handle_events = self._counted(self.protocol.handle_events)  # type: ignore[method-assign]

    def _counted(self, handle_events: Callable[[], None]) -> Callable[[], None]:
        def counted() -> None:
            self._in_this_turn += len(self.protocol.conn.events)
            handle_events()

        return counted

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.heard.append(message.get("text", message.get("bytes")))
            await self.may_take.wait()
        self.heard.append(message["code"])

    async def open(self) -> "Peer":
        self._in_this_turn = 0
        self.protocol.data_received(HANDSHAKE)
        await asyncio.sleep(0.01)
        self.transport.written.clear()
        return self

    async def send(self, data: bytes, turns: int = 50) -> None:
        """Deliver `data` as one read of the socket, and let the loop turn."""
        self._in_this_turn = 0
        self.protocol.data_received(data)
        for _ in range(turns):
            self.turns.append(self._in_this_turn)
            self._in_this_turn = 0
            await asyncio.sleep(0)
        self.turns.append(self._in_this_turn)

    async def drained(self) -> None:
        async with asyncio.timeout(10):
            while not self.transport.reading and not self.transport.closing:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.001)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = await Peer().open()
    yield peer
    peer.may_take.set()
    peer.protocol.connection_lost(None)
    await passed(0.01)


# -- what people send


@pytest.mark.parametrize("size", [0, 1, 150, SLICE, SLICE + 1, 70_000, 1 << 20])
async def test_a_message_of_any_size_arrives_as_it_was_sent(peer: Peer, size: int) -> None:
    text = "é" * (size // 2) + "x" * (size % 2)
    await peer.send(frame(Opcode.TEXT, text.encode()))
    await peer.drained()
    assert peer.heard == [text]
    await peer.send(frame(Opcode.BINARY, text.encode()))
    await peer.drained()
    assert peer.heard[1:] == [text.encode()]


async def test_messages_in_many_pieces_of_any_size_arrive_in_order(peer: Peer) -> None:
    texts = [f"message {number} " * (number * 7 % 90) for number in range(300)]
    stream = b"".join(frame(Opcode.TEXT, text.encode()) for text in texts)
    for start in range(0, len(stream), 9973):
        await peer.send(stream[start : start + 9973])
        await peer.drained()
    assert peer.heard == texts


async def test_a_ping_is_answered_and_an_ordinary_click_holds_nothing_up(peer: Peer) -> None:
    await peer.send(frame(Opcode.PING, b"hello") + frame(Opcode.TEXT, b"{}"))
    assert peer.transport.written == [Frame(Opcode.PONG, b"hello").serialize(mask=False)]
    assert (peer.heard, peer.transport.reading) == (["{}"], True)


# -- control frames and fragments


@pytest.mark.parametrize("flood", [PING, PONG, frame(Opcode.PING, b"x" * 125)], ids=["ping", "pong", "long ping"])
async def test_no_turn_of_the_loop_takes_more_than_some_control_frames(peer: Peer, flood: bytes) -> None:
    await peer.send(flood * (256_000 // len(flood)))
    assert sum(peer.turns) > FRAMES_A_TURN
    assert max(peer.turns) <= MOST_FRAMES


async def test_the_fragments_of_a_message_take_turns_too(peer: Peer) -> None:
    flood = frame(Opcode.TEXT, b"a", fin=False) + frame(Opcode.CONT, b"b", fin=False) * 30_000
    await peer.send(flood)
    assert max(peer.turns) <= MOST_FRAMES


@pytest.mark.parametrize("flood", [PING, PONG, frame(Opcode.CONT, fin=False)], ids=["ping", "pong", "fragment"])
async def test_a_second_has_a_budget_of_frames_and_then_nothing_is_read(
    peer: Peer, flood: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_protocol, "BUDGET", 100 * FRAME)
    peer.protocol._left = 100 * FRAME
    await peer.send(frame(Opcode.TEXT, b"a", fin=False) + flood * 4000, turns=500)
    assert not peer.transport.reading
    assert sum(peer.turns) <= 200 + 2 * MOST_FRAMES  # the second begins with the first time that all is spent


async def test_a_connection_that_spent_the_budget_is_read_again_when_the_second_is_over(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = peer.protocol.loop.time
    later = 0.0
    monkeypatch.setattr(peer.protocol.loop, "time", lambda: clock() + later)
    peer.protocol._left, peer.protocol._until = 0, clock() + 1
    await peer.send(PONG)
    assert not peer.transport.reading
    later = 1.1
    peer.protocol._read_on()
    assert peer.transport.reading
    assert 0 < peer.protocol._left <= BUDGET


async def test_pongs_do_not_pile_up_for_one_who_does_not_read(peer: Peer) -> None:
    peer.protocol.pause_writing()
    await peer.send(frame(Opcode.PING, b"x" * 125) * 100)
    await peer.drained()
    assert peer.transport.written == []
    peer.protocol.resume_writing()
    await peer.send(PING)
    assert peer.transport.written == [Frame(Opcode.PONG, b"").serialize(mask=False)]


@pytest.mark.parametrize("data", [b"", b"x"], ids=["empty", "one byte"])
async def test_a_message_of_many_fragments_takes_the_memory_of_its_bytes(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(websocket_protocol, "BUDGET", 1 << 40)
    peer.protocol._left = 1 << 40
    await peer.send(frame(Opcode.TEXT, b"a", fin=False), turns=1)
    flood = frame(Opcode.CONT, data, fin=False) * 1000
    tracemalloc.start()
    for _ in range(20):
        await peer.send(flood, turns=10)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 500_000  # as a list it has 20 000 times 57 bytes and more
    await peer.send(frame(Opcode.CONT, b"z"))
    await peer.drained()
    assert peer.heard == ["a" + data.decode() * 20_000 + "z"]


# -- messages that the application is too slow for


async def test_what_the_application_has_not_taken_waits_unparsed(peer: Peer) -> None:
    peer.may_take.clear()
    await peer.send(EMPTY * 40_000)
    assert not peer.transport.reading
    assert len(peer.protocol.queue) <= SLICE // 6
    held = peer.protocol._held
    assert held is not None
    assert len(held) < 240_000
    peer.protocol.connection_lost(None)
    assert peer.protocol._held is None
    peer.protocol.connections.add(peer.protocol)  # for the fixture, which loses it again


async def test_the_messages_of_one_read_take_turns_with_other_connections(peer: Peer) -> None:
    longest = 0.0

    async def another() -> None:
        nonlocal longest
        while True:
            before = len(peer.heard)
            await asyncio.sleep(0)
            longest = max(longest, len(peer.heard) - before)

    watch = asyncio.create_task(another())
    await peer.send(frame(Opcode.TEXT, b"0123456789" * 4) * 1500, turns=500)
    watch.cancel()
    assert len(peer.heard) > 500
    assert longest <= SLICE // 46 + 1


async def test_after_a_close_the_rest_is_read_for_the_other_side_s_close_frame(peer: Peer) -> None:
    peer.may_take.clear()
    await peer.send(EMPTY * 2000)
    await peer.protocol.send({"type": "websocket.close", "code": 1013})
    assert peer.transport.reading
    await peer.send(frame(Opcode.CLOSE, b"\x03\xf5"))
    assert peer.transport.closing


# -- what is no frame, or no text


async def test_text_that_is_not_utf_8_closes_with_1007_and_is_not_logged(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await peer.send(frame(Opcode.TEXT, b"secret \xff\xfe") * 3)
    assert peer.transport.written[0][2:4] == (1007).to_bytes(2, "big")
    assert peer.transport.closing
    assert peer.heard == [1007]
    assert "Traceback" not in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("data", [b"\xff" * 40, b"\x81\x05hello", frame(Opcode.CONT, b"x"), b"\xc1\x80\0\0\0\0"])
async def test_what_is_no_frame_closes_with_1002(peer: Peer, data: bytes) -> None:
    await peer.send(data)
    assert peer.transport.written[0][2:4] == (1002).to_bytes(2, "big")
    assert peer.transport.closing


async def test_what_is_no_frame_before_the_handshake_is_over_closes_quietly(caplog: pytest.LogCaptureFixture) -> None:
    peer = Peer()
    peer._in_this_turn = 0
    peer.protocol.data_received(HANDSHAKE)
    peer.protocol.data_received(b"\xff" * 10)
    assert peer.transport.closing
    peer.protocol.connection_lost(None)
    await passed(0.01)
    assert (peer.heard, caplog.messages) == ([], [])


async def test_a_message_above_the_limit_closes_with_1009_before_it_is_kept(peer: Peer) -> None:
    peer.protocol.conn.max_message_size = 1000
    await peer.send(frame(Opcode.TEXT, b"x" * 100_000))
    assert peer.transport.written[0][2:4] == (1009).to_bytes(2, "big")
    assert peer.transport.closing
    assert peer.protocol._held is None


# -- who uses it


def test_uvicorn_takes_it_by_its_name_and_the_deployed_program_and_webapp_run_use_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = uvicorn.Config(lambda: None, ws="htag.websocket_protocol:FairWebSocketProtocol", log_config=None)
    config.load()
    assert config.ws_protocol_class is FairWebSocketProtocol
    assert uvicorn_options(Settings(store="memory://"))["ws"] is FairWebSocketProtocol
    run: list[Any] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: run.append(options["ws"]))
    for chosen in ({}, {"ws": "wsproto"}):
        serving.listen(WebApp(Tag.App), "127.0.0.1", 0, chosen)
    assert run == [FairWebSocketProtocol, "wsproto"]
