"""Pushes to tabs that have just gone are quiet, and what is not read does not stay: real servers and sockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from headless.asgi import Site
from headless.tab import Tab
from htag import State, Tag, WebApp
from htag.limits import Limits
from htag.web.unread import CutsUnread
from tests.support.servers import served_in_loop
from tests.support.waiting import passed, until

SERVERS: list[Any] = ["websockets-sansio", CutsUnread]
MIB = 1 << 20


class Ticking(Tag.App):
    def init(self) -> None:
        self.count = State(0)
        self.throttle_delay = 0.0
        Tag.p(self.count)
        Tag.p(_id="large")


@asynccontextmanager
async def served(web: WebApp, protocol: Any, **options: Any) -> AsyncIterator[int]:
    """The port of a server in this loop."""
    async with served_in_loop(web.app, ws=protocol, ws_per_message_deflate=False, **options) as server:
        try:
            yield server.port
        finally:
            server.force_exit = True
    await web.registry.close()


async def connected(web: WebApp, port: int) -> ClientConnection:
    site = Site(web.app)
    await Tab(site).load()
    headers = {"cookie": f"htag_sid={site.cookies['htag_sid']}"}
    return await connect(f"ws://127.0.0.1:{port}/ws", additional_headers=headers, max_size=None)


@pytest.mark.parametrize("protocol", SERVERS)
async def test_pushes_to_sockets_that_close_are_quiet(protocol: Any, caplog: pytest.LogCaptureFixture) -> None:
    apps: list[Ticking] = []
    # whoever sends more is read more slowly, and its close is noticed only then
    web = WebApp(Ticking, on_instance=apps.append, limits=Limits(messages_per_second=5))

    async def tick() -> None:
        while True:
            for app in apps:
                app.count += 1
            await asyncio.sleep(0.001)

    caplog.set_level(logging.WARNING)
    async with served(web, protocol) as port:
        ticking = asyncio.ensure_future(tick())
        for number in range(40):
            websocket = await connected(web, port)
            await websocket.recv()
            match number % 4:
                case 0:
                    await websocket.close()
                case 1:
                    websocket.transport.abort()
                case 2:  # not UTF-8: the server closes
                    websocket.transport.write(text_frame(b'{"id":"x"}') * 6 + text_frame(b"\xff\xfe"))
                    with contextlib.suppress(Exception):
                        await asyncio.wait_for(websocket.wait_closed(), 1)
                case 3:  # the session ends while pushes are made
                    web.registry.end(list(web.registry.sessions.values())[-1], "replaced")
                    with contextlib.suppress(Exception):
                        await asyncio.wait_for(websocket.wait_closed(), 1)
        await passed(0.5)
        ticking.cancel()
    lines = [record for record in caplog.records if "Invalid UTF-8" not in record.message]  # uvicorn's own
    assert [(record.name, record.getMessage()) for record in lines] == []


def text_frame(payload: bytes) -> bytes:
    """A text message of a client, masked with zeros."""
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


class Deaf:
    """A WebSocket that reads its handshake and nothing more."""

    def __init__(self, cookie: str, port: int) -> None:
        self._cookie = cookie
        self._port = port
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)

    async def connect(self) -> Deaf:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", self._port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /ws HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Cookie: htag_sid={self._cookie}"]
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        await loop.sock_sendall(self.socket, "\r\n".join([*lines, "", ""]).encode())
        assert b"101" in await loop.sock_recv(self.socket, 12)
        return self


@pytest.mark.parametrize("why", ["the session ends", "no pong comes"])
async def test_a_connection_that_is_closed_and_not_read_is_cut(why: str) -> None:
    apps: list[Ticking] = []
    web = WebApp(Ticking, on_instance=apps.append)
    options = {"ws_ping_interval": 0.2, "ws_ping_timeout": 0.2} if why == "no pong comes" else {}
    async with served(web, CutsUnread, **options) as port:
        site = Site(web.app)
        await Tab(site).load()
        (session,) = web.registry.sessions.values()
        deaf = await Deaf(site.cookies["htag_sid"], port).connect()
        await until(lambda: session.channels)
        apps[0].count.set("x" * 20 * MIB)
        await until(lambda: session.room.taken)
        if why == "the session ends":
            web.registry.end(session, "replaced")
            session.channels[0].give_up()  # type: ignore[attr-defined]
        await until(lambda: not session.channels)
        await until(lambda: not session.room.taken)
        deaf.socket.close()


async def test_the_last_that_was_written_has_time_to_leave() -> None:
    web = WebApp(Ticking)
    async with served(web, CutsUnread) as port:
        websocket = await connected(web, port)
        await websocket.recv()
        (session,) = web.registry.sessions.values()
        session.app.count.set("x" * 5 * MIB)  # type: ignore[attr-defined]
        await until(lambda: session.room.taken)
        web.registry.end(session, "replaced")
        frame = json.loads(await websocket.recv())
        assert len(next(iter(frame["updates"].values()))) > 5 * MIB
        await websocket.wait_closed()
        assert websocket.close_code == 4404
