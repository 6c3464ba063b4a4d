"""A WebApp with a store, embedded under plain uvicorn: as that ends, its sessions move to the store."""

import asyncio
import time

import httpx2
import pytest
from websockets.asyncio.client import connect

from htag import WebApp
from htag.stores.memory import MemoryStore
from htag.web import shutdown
from htag.web.shutdown import UvicornEnd
from tests.htag.session.lasting import Counter
from tests.support.servers import served_in_loop
from tests.support.waiting import PATIENCE, until


async def closed_as_the_server_ends(web: WebApp) -> int:
    """Open a page and its WebSocket, end the server. Returns the close code."""
    async with served_in_loop(web.app, ws="websockets-sansio", timeout_graceful_shutdown=2) as server:
        address = f"127.0.0.1:{server.port}"
        async with httpx2.AsyncClient(trust_env=False) as client:
            page = await client.get(f"http://{address}/")
        cookie = page.headers["set-cookie"].partition(";")[0]
        async with connect(
            f"ws://{address}/ws?tab=one", additional_headers={"Cookie": cookie}, origin=f"http://{address}", proxy=None
        ) as websocket:  # type: ignore[arg-type]  # an origin is a text
            await websocket.recv()
            server.should_exit = True
            async with asyncio.timeout(5):
                await websocket.wait_closed()
            return websocket.close_code or 0


async def test_sessions_are_in_the_store_and_nobody_s_when_uvicorn_has_ended() -> None:
    store = MemoryStore(60)
    web = WebApp(Counter, secret="s" * 32, store=store)
    waiting = asyncio.create_task(closed_as_the_server_ends(web))
    await until(lambda: bool(web.registry.sessions))
    [session_id] = web.registry.sessions
    assert await waiting == 1012
    record = await store.peek(session_id)
    assert record is not None
    assert record.owner == ""
    assert not web.registry.sessions


async def test_without_a_store_it_ends_as_ever() -> None:
    started = time.monotonic()
    assert await closed_as_the_server_ends(WebApp(Counter)) == 1012
    assert time.monotonic() - started < PATIENCE


class Server:
    """What `UvicornEnd` looks at."""

    force_exit = False


@pytest.mark.parametrize("forced", [True, False])
async def test_a_move_that_takes_for_ever_is_given_up_and_a_second_signal_hastens(
    monkeypatch: pytest.MonkeyPatch, forced: bool
) -> None:
    calls = []

    async def move_out(seconds: float) -> None:
        calls.append(seconds)
        await asyncio.sleep(3600)

    monkeypatch.setattr(shutdown, "MOVING_SECONDS", 60.0 if forced else 0.2)
    monkeypatch.setattr(shutdown, "LAST_SAVES_SECONDS", 0.2)
    server = Server()
    if forced:
        asyncio.get_running_loop().call_later(0.1, setattr, server, "force_exit", True)

    async def close() -> None:
        return

    end = UvicornEnd(move_out, lambda: None, close, lambda: None, has_secret=True)
    async with asyncio.timeout(5):
        await end.have_moved(server)
    assert calls == [60.0 if forced else 0.2, 0.0]
