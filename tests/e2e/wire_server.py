"""A server of wire version 1 in which every answer, refusal and broken connection is the test's to choose."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from htag.web.page import asset
from htag.wire.parano import Cipher
from tests.e2e.serving import Serving
from tests.support.waiting import LOOP_SECONDS

Json = dict[str, Any]


class WireServer(Serving):
    """One page, one session, any number of tabs.

    `reply(event)` makes the content of the answer to an event (None: never answer). `socket`, `stream` and `post` say
    what becomes of connections: "accept", "refuse", "refuse late" (when `late` is set), "hang", "unknown" (session), or
    of POSTs "blocked" (cookies).
    """

    def __init__(self, body: str, *, head: str = "", parano: str | None = None, prefix: str = "") -> None:
        routes = [
            Route("/", self._page),
            Route("/htag.js", self._script),
            Route("/lib.js", self._library),
            Route("/stream", self._stream),
            Route("/event", self._event, methods=["POST"]),
            WebSocketRoute("/ws", self._socket),
        ]
        super().__init__(Starlette(routes=[Mount(prefix, routes=routes)] if prefix else routes), prefix)
        self.body, self.head, self.parano = body, head, parano
        self.reply: Callable[[Json], Json | None] = lambda event: {}
        self.initial: Json | None = None
        self.socket = self.stream = self.post = "accept"
        self.seen: list[Json] = []  # all messages but polls, in order of arrival
        self.attempts: list[str] = []  # to connect: path, and which revision the page shows
        self.tabs: list[str] = []  # the name that the page gave itself, at each of them
        self.headers: list[Json] = []  # of every POST
        self.pages = 0
        self.late = asyncio.Event()
        self.delay = 0.0  # seconds before a POST is answered
        self._clients: list[asyncio.Queue[str]] = []
        self._pending: list[str] = []

    @property
    def connected(self) -> int:
        return len(self._clients)

    def events(self) -> list[Any]:
        """(id, event, value) of each event that came."""
        return [(m["id"], m["event"], m.get("data", {}).get("value")) for m in self.seen if "event" in m]

    def push(self, **content: Any) -> None:
        """Send an update to all connections, or keep it for the next poll."""
        self._broadcast({"action": "update", "updates": {}, **content})

    # -- the page

    async def _page(self, request: Request) -> Response:
        self.pages += request.method == "GET"
        known = {"HTAG_RELOAD": False, "PARANO": self.parano, "HTAG_CSRF": "c" * 32, "HTAG_REVISION": 7}
        script = "".join(f"window.{name} = {json.dumps(value)};" for name, value in known.items())
        return HTMLResponse(
            f"<!DOCTYPE html><html><head><title>t</title><script>{script}</script>{self.head}"
            f'<script src="htag.js"></script></head>{self.body}</html>'
        )

    async def _script(self, request: Request) -> Response:
        return Response(asset("htag.js"), media_type="text/javascript")

    async def _library(self, request: Request) -> Response:
        await asyncio.sleep(0.2)  # slower than what follows it
        return Response("window.library = 'loaded'", media_type="text/javascript")

    # -- transports

    def _note(self, path: str, connection: HTTPConnection) -> None:
        query = dict(connection.query_params)
        self.tabs.append(query.pop("tab"))
        self.attempts.append(f"{path}?{urlencode(query)}")

    async def _socket(self, websocket: WebSocket) -> None:
        self._note("ws", websocket)
        if self.socket == "refuse":
            return await websocket.close()
        if self.socket == "refuse late":
            await self.late.wait()
            return await websocket.close()
        if self.socket == "hang":
            await asyncio.sleep(LOOP_SECONDS)
        await websocket.accept()
        if self.socket == "unknown":
            return await websocket.close(4404)
        if self.socket == "too large":
            await websocket.send_text(self._encode({"action": "error", "traceback": "This page was closed"}))
            return await websocket.close(4413)
        with self._client() as outbox:
            sending = asyncio.create_task(self._send_all(websocket, outbox))
            try:
                while True:
                    self._handle(self._decode(await websocket.receive_text()))
            except WebSocketDisconnect:
                pass
            finally:
                sending.cancel()

    async def _send_all(self, websocket: WebSocket, outbox: asyncio.Queue[str]) -> None:
        while True:
            await websocket.send_text(await outbox.get())

    async def _stream(self, request: Request) -> Response:
        self._note("stream", request)
        if self.stream != "accept":
            return PlainTextResponse("Unknown session", 404)

        async def lines() -> AsyncIterator[str]:
            with self._client() as outbox:
                while not self.stopping:
                    try:
                        yield f"data: {await asyncio.wait_for(outbox.get(), 0.1)}\n\n"
                    except TimeoutError:
                        yield ":\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    async def _event(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        if self.post == "unknown":
            return PlainTextResponse("Unknown session", 404)
        if self.post == "blocked":
            return PlainTextResponse("No session cookie", 400)
        if self.post != "accept":
            return PlainTextResponse("no such luck", int(self.post))
        message = self._decode((await request.body()).decode())
        await asyncio.sleep(self.delay)
        if not message.get("fallback"):
            self._handle(message)
            return JSONResponse({"status": "ok"})
        clients, self._clients = self._clients, []
        self._handle(message)
        self._clients = clients
        payloads, self._pending = self._pending, []
        return JSONResponse({"status": "ok", "payloads": payloads})

    @contextmanager
    def _client(self) -> Iterator[asyncio.Queue[str]]:
        outbox: asyncio.Queue[str] = asyncio.Queue()
        if self.initial:
            outbox.put_nowait(self._encode({"action": "update", "updates": {}, **self.initial}))
        self._clients.append(outbox)
        try:
            yield outbox
        finally:
            if outbox in self._clients:
                self._clients.remove(outbox)

    def _handle(self, message: Json) -> None:
        if message.get("action") == "poll":
            return
        self.seen.append(message)
        reply = self.reply(message)
        if reply is None or "event" not in message:
            return
        answer = {"callback_id": message["data"]["callback_id"], "result": None, "updates": {}, **reply}
        self._broadcast({"action": "update", **answer})

    def _broadcast(self, message: Json) -> None:
        text = self._encode(message)
        for outbox in self._clients:
            outbox.put_nowait(text)
        if not self._clients:
            self._pending.append(text)

    def _encode(self, message: Json) -> str:
        text = json.dumps(message)
        return Cipher(self.parano).conceal(text.encode()) if self.parano else text

    def _decode(self, text: str) -> Json:
        raw = Cipher(self.parano).reveal(text) if self.parano else text.encode()
        decoded: Json = json.loads(raw)
        return decoded
