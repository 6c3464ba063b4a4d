"""`htag_stack.server`: told to end, the server serves on until the sessions have moved, and not for longer."""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from htag_stack import server as module
from htag_stack.server import StackServer
from tests.support.servers import UnsignalledServer
from tests.support.waiting import PATIENCE, passed, patience, until


class Sessions:
    """Some that take their time to move."""

    def __init__(self, needs: float = 0.0, number: int = 3) -> None:
        self.draining = False
        self.calls: list[float] = []
        self.left = number
        self._needs = needs

    def drain(self) -> None:
        self.draining = True

    async def move_out(self, seconds: float) -> None:
        self.calls.append(seconds)
        await asyncio.sleep(min(seconds, self._needs))
        self.left = 0

    def total(self) -> int:
        return self.left

    def is_worn(self) -> bool:
        return False


class Unsignalled(UnsignalledServer, StackServer):
    """Ours, with the process's signals left to pytest."""

    replaced = False

    def is_replaced(self) -> bool:
        return self.replaced


async def _page(request: Request) -> Response:
    return PlainTextResponse("served")


@asynccontextmanager
async def serving(sessions: Sessions | None, seconds: float) -> AsyncIterator[tuple[Unsignalled, "asyncio.Task[None]"]]:
    config = uvicorn.Config(Starlette(routes=[Route("/", _page)]), port=0, log_config=None, timeout_graceful_shutdown=1)
    server = Unsignalled(config, sessions, seconds)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield server, task
    finally:
        server.end_at_once()
        await task


async def answers(server: Unsignalled) -> bool:
    """Whether a new connection is accepted and served."""
    async with httpx2.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{server.port}/", timeout=PATIENCE)).text == "served"
        except httpx2.TransportError:
            return False


async def test_it_accepts_and_serves_until_the_sessions_have_moved() -> None:
    sessions = Sessions(needs=0.6)
    async with serving(sessions, 60) as (server, task):
        server.handle_exit(signal.SIGTERM, None)
        assert sessions.draining  # at once: no newcomer is bound here any more
        started = time.monotonic()
        while sessions.left:
            assert await answers(server) or not sessions.left  # the last one may move while this request is on its way
        await task
        assert 0.5 < time.monotonic() - started < patience(30)  # of the 60 s that it may take
    assert sessions.calls == [60]


async def test_with_nobody_there_it_ends_at_once() -> None:
    async with serving(Sessions(number=0), 60) as (server, task):
        started = time.monotonic()
        server.handle_exit(signal.SIGTERM, None)
        await task
        assert time.monotonic() - started < patience(30)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_hastens(second: signal.Signals) -> None:
    sessions = Sessions(needs=60)
    async with serving(sessions, 60) as (server, task):
        server.handle_exit(signal.SIGTERM, None)
        await until(lambda: bool(sessions.calls))
        server.handle_exit(second, None)
        await asyncio.wait_for(task, PATIENCE)
        assert not server.force_exit  # the lifespan is to be ended
    assert sessions.calls == [60, 0]
    assert sessions.left == 0


async def test_two_signals_in_one_moment_hasten_too() -> None:
    sessions = Sessions(needs=60)
    async with serving(sessions, 60) as (server, task):
        server.handle_exit(signal.SIGINT, None)
        server.handle_exit(signal.SIGINT, None)
        await asyncio.wait_for(task, PATIENCE)
        assert not server.force_exit
    assert sessions.calls == [0]


async def test_an_end_without_a_signal_drains_too() -> None:
    sessions = Sessions(needs=0.2)
    async with serving(sessions, 5) as (server, task):
        server.should_exit = True
        await task
    assert sessions.calls == [5]
    assert sessions.draining


async def test_sessions_that_do_not_move_do_not_hold_it_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Stuck(Sessions):
        async def move_out(self, seconds: float) -> None:
            await asyncio.sleep(3600)

    monkeypatch.setattr(module, "LAST_SAVES_SECONDS", 0.2)
    async with serving(Stuck(), 0.2) as (server, task):
        server.handle_exit(signal.SIGTERM, None)
        with caplog.at_level(logging.INFO, "htag_stack"):
            await asyncio.wait_for(task, PATIENCE)
    assert "3 of 3 sessions stay" in caplog.text


async def test_a_move_that_fails_is_told_and_the_end_comes(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Sessions):
        async def move_out(self, seconds: float) -> None:
            raise RuntimeError("no store")

    async with serving(Failing(), 5) as (server, task):
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.wait_for(task, PATIENCE)
    assert "the sessions could not be moved" in caplog.text
    assert "no store" in caplog.text


async def test_a_worker_that_has_a_successor_accepts_no_more() -> None:
    sessions = Sessions(needs=1.0)
    async with serving(sessions, 5) as (server, task):
        port = server.port
        with socket.create_connection(("127.0.0.1", port)) as before:
            await passed(0.05)
            server.replaced = True
            server.handle_exit(signal.SIGTERM, None)
            assert not sessions.draining  # a newcomer whom it has just accepted is served,
            await until(lambda: not server.servers[0].is_serving())
            await until(lambda: sessions.draining)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
            assert sessions.left  # the sessions are still moving,
            before.sendall(b"GET / HTTP/1.0\r\n\r\n")  # and what is open already is served
            answer = await asyncio.to_thread(before.recv, 1000)
            assert answer.startswith(b"HTTP/1.1 200")
        await task


async def test_the_arbiter_is_told_that_the_worker_lives_while_it_drains() -> None:
    told = 0

    async def notify() -> None:
        nonlocal told
        told += 1

    sessions = Sessions(needs=2.5)
    async with serving(sessions, 5) as (server, task):
        server.config.callback_notify, server.config.timeout_notify = notify, 1
        server.handle_exit(signal.SIGTERM, None)
        await until(lambda: sessions.left == 0)
        assert told >= 2
        await task


async def test_a_program_that_could_not_be_composed_ends_without_a_drain() -> None:
    async with serving(None, 60) as (server, task):
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.wait_for(task, PATIENCE)
