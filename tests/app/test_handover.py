"""`htag_stack.handover` and its client: a worker asks another one, which answers its like only."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from htag_stack import handover_client
from htag_stack.handover import (
    CLOCK,
    LONGEST_BODY,
    PATH,
    SEAL,
    WINDOW_SECONDS,
    Answer,
    HandoverEndpoint,
    Question,
    Seal,
)
from htag_stack.handover_client import ASK_SECONDS, HandoverClient, HolderSilent, Owner
from tests.app.processes import SECRET
from tests.support.observers import RecordingObserver
from tests.support.servers import served_in_loop
from tests.support.waiting import LOOP_SECONDS

BODY = msgspec.json.encode(Question("an id", "b00b1e5a", False))


class Holder:
    """A worker that is asked: it notes the questions, and answers as it is told."""

    def __init__(self, answer: Answer = "released", pause: float = 0.0) -> None:
        self.questions: list[tuple[str, str, bool]] = []
        self.observer = RecordingObserver()
        self._answer: Answer = answer
        self._pause = pause
        route = HandoverEndpoint(Seal(SECRET), self._reply, self.observer).route
        self.application = Starlette(routes=[route])

    async def _reply(self, session: str, boot: str, insist: bool) -> Answer:
        self.questions.append((session, boot, insist))
        await asyncio.sleep(self._pause)
        return self._answer


@asynccontextmanager
async def listening(holder: Holder) -> AsyncIterator[str]:
    """`holder` on a real port; its address as an owner has it."""
    async with served_in_loop(holder.application) as server:
        yield f"127.0.0.1:{server.port}"


# ---- the client and the endpoint together


@pytest.mark.parametrize("answer", ["released", "kept", "unknown"])
@pytest.mark.parametrize("insist", [True, False])
async def test_the_holder_is_asked_and_its_answer_comes_back(answer: Answer, insist: bool) -> None:
    holder = Holder(answer)
    async with listening(holder) as address:
        assert await HandoverClient(Seal(SECRET)).ask(f"{address}/b00b1e5a", "an id", insist) == answer
    assert holder.questions == [("an id", "b00b1e5a", insist)]


async def test_a_holder_without_our_secret_answers_nothing_of_use() -> None:
    holder = Holder()
    async with listening(holder) as address:
        with pytest.raises(HolderSilent):
            await HandoverClient(Seal("another secret of enough letters ..")).ask(f"{address}/b", "id", True)
    assert holder.questions == []


async def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with listening(Holder()) as address:
        assert await HandoverClient(Seal(SECRET)).ask(f"{address}/b", "id", True) == "released"


# ---- a holder that does not answer is not waited for


async def is_silent(owner: str, answer_seconds: float = 0.1) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handover_client, "ASK_SECONDS", answer_seconds)
        async with asyncio.timeout(LOOP_SECONDS):
            with pytest.raises(HolderSilent):
                await HandoverClient(Seal(SECRET)).ask(owner, "an id", False)


async def test_a_holder_that_takes_too_long_is_silent() -> None:
    assert ASK_SECONDS < 1, "a visitor waits for it"
    async with listening(Holder(pause=1.5)) as address:
        await is_silent(f"{address}/b")


async def test_one_whose_kernel_accepts_and_nobody_reads_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # as a worker after SIGSTOP
        await is_silent(f"127.0.0.1:{frozen.getsockname()[1]}/b")


async def test_one_that_is_gone_is_silent_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    await is_silent(f"127.0.0.1:{port}/b", answer_seconds=600)


async def silent_after(said: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await is_silent(f"127.0.0.1:{port}/b", answer_seconds=600)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00\xff",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nno JSON",
        b'HTTP/1.1 200 OK\r\n\r\n{"answer": "perhaps"}',
        b'HTTP/1.1 500 No\r\n\r\n{"answer": "released"}',
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000,
    ],
)
async def test_what_is_no_answer_is_silence(said: bytes) -> None:
    await silent_after(said)


@pytest.mark.parametrize(
    "owner", ["", "host", "host:80", "host/boot", "host:many/boot", ":80/boot", "127.0.0.1:99999/b"]
)
async def test_what_names_no_holder_is_silence(owner: str) -> None:
    await is_silent(owner, answer_seconds=600)


def test_an_owner_is_read() -> None:
    assert Owner.parse("172.18.0.4:8001/b00b1e5a") == Owner("172.18.0.4", 8001, "b00b1e5a")
    assert Owner.parse("fd00::4:8001/b00b1e5a") == Owner("fd00::4", 8001, "b00b1e5a")


# ---- who is refused


@pytest.fixture
def holder() -> Holder:
    return Holder()


@pytest.fixture
def post(holder: Holder) -> Callable[[bytes, str], int]:
    client = TestClient(holder.application)
    return lambda body, seal: client.post(PATH, content=body, headers={SEAL.encode(): seal.encode()}).status_code


def aged(seconds: float) -> str:
    return Seal(SECRET, lambda: time.time() + seconds).over(BODY)


@pytest.mark.parametrize(
    ("body", "seal"),
    [
        (BODY, ""),
        (BODY, "."),
        (BODY, "é..é"),
        (BODY, "nan.0.0"),
        (BODY, Seal("another secret of enough letters ..").over(BODY)),
        (BODY, Seal(SECRET).over(BODY)[:-1]),
        (BODY, "9" + Seal(SECRET).over(BODY)),
        (BODY.replace(b"an id", b"other"), Seal(SECRET).over(BODY)),
        (BODY, lambda: aged(WINDOW_SECONDS + 60)),
        (BODY, lambda: aged(-WINDOW_SECONDS - 2)),
        (b"x" * (LONGEST_BODY + 1), Seal(SECRET).over(b"x" * (LONGEST_BODY + 1))),
    ],
    ids=[
        "none",
        "empty",
        "letters",
        "no time",
        "other key",
        "cut",
        "other time",
        "other body",
        "early",
        "late",
        "long",
    ],
)
def test_what_no_worker_of_ours_asks_now_is_refused_and_counted(
    holder: Holder, post: Callable[[bytes, str], int], body: bytes, seal: str | Callable[[], str]
) -> None:
    """A seal with a time is made now: what is early when the tests are collected is not, a quarter of an hour later."""
    assert post(body, seal if isinstance(seal, str) else seal()) == 403
    assert holder.questions == []
    assert holder.observer.calls == [("message_refused", ("forged",))]


def test_a_question_is_answered_once(holder: Holder, post: Callable[[bytes, str], int]) -> None:
    seal = Seal(SECRET).over(BODY)
    assert [post(BODY, seal), post(BODY, seal), post(BODY, Seal(SECRET).over(BODY))] == [200, 403, 200]
    assert len(holder.questions) == 2


def test_a_seal_stays_used_for_as_long_as_it_is_fresh() -> None:
    clock = count(1_000_000)
    now = next(clock)
    seals, others = Seal(SECRET, lambda: now), Seal(SECRET, lambda: now)
    ahead = Seal(SECRET, lambda: now + WINDOW_SECONDS).over(BODY)
    assert seals.accepts(BODY, ahead)
    for _ in range(2 * WINDOW_SECONDS + 5):
        now = next(clock)
        assert not seals.accepts(BODY, ahead)
        assert seals.accepts(BODY, others.over(BODY))


def test_a_clock_that_is_somewhat_off_does_no_harm(post: Callable[[bytes, str], int]) -> None:
    assert [post(BODY, aged(seconds)) for seconds in (-WINDOW_SECONDS + 2, WINDOW_SECONDS - 2)] == [200, 200]


def test_only_posts_are_answered(holder: Holder) -> None:
    assert TestClient(holder.application).get(PATH).status_code == 405


def test_the_answer_is_plain_json(holder: Holder) -> None:
    answer = TestClient(holder.application).post(PATH, content=BODY, headers={SEAL: Seal(SECRET).over(BODY)})
    assert json.loads(answer.text) == {"answer": "released"}


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    holder = Holder()
    async with listening(holder) as address:
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{".encode())
        async with asyncio.timeout(3):
            assert (await reader.readline()).split()[1] == b"403"
        writer.close()


# ---- clocks


def off(seconds: float) -> Seal:
    """What a worker has on a host whose clock is ahead by `seconds`."""
    return Seal(SECRET, lambda: time.time() + seconds)


@pytest.mark.parametrize("seconds", [-7200, -WINDOW_SECONDS - 5, WINDOW_SECONDS + 5, 7200])
async def test_a_host_with_another_clock_asks_again_by_the_holders(
    seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    holder = Holder()
    async with listening(holder) as address:
        client = HandoverClient(off(seconds))
        for number in (1, 2, 3):
            assert await client.ask(f"{address}/b00b1e5a", "an id", False) == "released"
            assert len(holder.questions) == number
    assert holder.observer.labels("message_refused") == ["forged"], "once: then it knows"
    said = [record.getMessage() for record in caplog.records if "clock" in record.getMessage()]
    assert len(said) == 1
    assert "127.0.0.1" in said[0]
    assert f"{abs(seconds):.0f} s" in said[0] or f"{abs(seconds) - 1:.0f} s" in said[0]


@asynccontextmanager
async def refusing(clock: str) -> AsyncIterator[tuple[str, list[str]]]:
    """What refuses each question, and says this clock; its address, and the seals that it was sent."""
    seals: list[str] = []

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seals.append(head.partition(f"{SEAL}: ")[2].partition("\r\n")[0])
        writer.write(f"HTTP/1.1 403 Forbidden\r\n{CLOCK}: {clock}\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", seals


@pytest.mark.parametrize(
    "clock",
    [
        "",
        "9999999999",
        "9999999999.",
        "x.y",
        Seal("another secret of enough letters ..").clock_for("1.2.3"),
        Seal(SECRET, lambda: 9999999999).clock_for("1.2.3"),  # of another question: heard before, said again
    ],
)
async def test_a_clock_that_the_holder_did_not_say_for_this_question_is_not_believed(clock: str) -> None:
    async with refusing(clock) as (address, seals):
        client = HandoverClient(Seal(SECRET))
        with pytest.raises(HolderSilent, match="refuses"):
            await client.ask(f"{address}/b00b1e5a", "an id", False)
    assert len(seals) == 1
    assert abs(float(seals[0].partition(".")[0]) - time.time()) < WINDOW_SECONDS


def test_strangers_are_told_no_clock(holder: Holder) -> None:
    client = TestClient(holder.application)
    strange = Seal("another secret of enough letters ..", lambda: 1.0).over(BODY)
    assert CLOCK not in client.post(PATH, content=BODY, headers={SEAL: strange}).headers
    assert CLOCK in client.post(PATH, content=BODY, headers={SEAL: aged(-3600)}).headers
