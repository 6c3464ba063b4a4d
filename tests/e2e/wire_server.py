"""A server of wire version 2 (or 1) in which every answer, refusal and broken connection is the test's to choose."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from htag.web.page import asset
from htag.wire.parano import Cipher
from tests.e2e.serving import Serving
from tests.support.waiting import LOOP_SECONDS

Json = dict[str, Any]
OF_THE_CONNECTION = {"poll", "got", "ping", "bye", "measures"}  # actions that are no news of the page
HELLO = ("v", "session", "from", "next", "done", "insist", "elsewhere", "at")


@dataclass
class Log:
    """What the server knows of one tab's numbered events."""

    last: int = 0
    saved: int = 0
    results: dict[int, Json] = field(default_factory=dict)


class WireServer(Serving):
    """One page, one session, any number of tabs.

    `reply(event)` makes the content of the answer to an event (None: never answer). `socket`, `stream` and `post` say
    what becomes of connections: "accept", "refuse", "refuse late" (when `late` is set), "hang", "unknown" (session), a
    close code such as "4307 route", "buffer" (it opens and nothing comes), or of POSTs "blocked" (cookies), a status,
    "login" (a redirect to a form), and of the page as well with `gate`.
    """

    def __init__(
        self, body: str, *, head: str = "", parano: str | None = None, prefix: str = "", version: int = 2
    ) -> None:
        routes = [
            Route("/", self._page),
            Route("/htag.js", self._script),
            Route("/later.js", self._script),
            Route("/errors.js", self._script),
            Route("/lib.js", self._library),
            Route("/login", self._login),
            Route("/stream", self._stream),
            Route("/event", self._event, methods=["POST"]),
            WebSocketRoute("/ws", self._socket),
        ]
        super().__init__(Starlette(routes=[Mount(prefix, routes=routes)] if prefix else routes), prefix)
        self.body, self.head, self.parano, self.version = body, head, parano, version
        self.csrf = "c" * 32
        self.session = "5e551041"
        self.reply: Callable[[Json], Json | None] = lambda event: {}
        self.initial: Json | None = None  # a full render, on every connection
        self.socket = self.stream = self.post = "accept"
        self.gate = ""  # a proxy in front asks for a login: with this status
        self.deaf = False  # what is said on streams does not arrive
        self.people = 1
        self.measures: list[Json] = []
        self.mute = False  # what comes is not even read
        self.saves = True  # each event at once
        self.seen: list[Json] = []  # all messages of the page, in order of arrival; events that are repeated once only
        self.repeated: list[Json] = []
        self.skipped: list[Json] = []
        self.gaps: list[Json] = []
        self.got: list[int] = []
        self.pings = 0
        self.left: list[str] = []  # tabs that said bye
        self.attempts: list[str] = []  # to connect: path, and which revision the page shows
        self.hellos: list[Json] = []  # what else the page said, at each of them and in each POST
        self.tabs: list[str] = []  # the name that the page gave itself, at each of them
        self.headers: list[Json] = []  # of every POST
        self.pages = 0
        self.late = asyncio.Event()
        self.delay = 0.0  # seconds before a POST is answered
        self.revision = 7
        self.journal: dict[int, Json] = {}
        self.logs: dict[str, Log] = {}
        self._numbers: dict[str, list[int]] = {}  # of the events of each tab that the session has handled
        self._clients: dict[asyncio.Queue[str], str] = {}  # queue -> name of the tab
        self._sockets: set[WebSocket] = set()
        self._pending: list[str] = []

    @property
    def connected(self) -> int:
        return len(self._clients)

    def events(self) -> list[Any]:
        """(id, event, value) of each event that came."""
        return [(m["id"], m["event"], m.get("data", {}).get("value")) for m in self.seen if "event" in m]

    def push(self, **content: Any) -> None:
        """Send an update to all connections, or keep it for the next poll."""
        self._broadcast(self._journalled({"action": "update", "updates": {}, **content}))

    def save(self) -> None:
        """Everything is in a snapshot from now on."""
        for name, log in self.logs.items():
            log.saved = log.last
            self._tell(name, {"action": "saved", "saved": log.saved})

    def crash(self) -> None:
        """Break all connections, and forget what was not saved."""
        for name, log in self.logs.items():
            log.last = log.saved
            self._numbers[name] = [n for n in self._numbers.get(name, []) if n <= log.saved]
            log.results = {n: result for n, result in log.results.items() if n <= log.saved}
        self.cut()

    def counted(self) -> list[tuple[str, int]]:
        """(tab, number) of each event that is part of the session's state, in order."""
        return [(name, number) for name, numbers in self._numbers.items() for number in numbers]

    async def close(self, code: int, reason: str = "") -> None:
        """Close all WebSockets."""
        for websocket in [*self._sockets]:
            await websocket.close(code, reason)

    # -- the page

    async def _page(self, request: Request) -> Response:
        self.pages += request.method == "GET"
        if self.gate:
            return self._at_the_gate()
        known = {"HTAG_RELOAD": False, "PARANO": self.parano, "HTAG_CSRF": self.csrf, "HTAG_REVISION": self.revision}
        known["HTAG_SESSION"] = self.session
        script = "".join(f"window.{name} = {json.dumps(value)};" for name, value in known.items())
        return HTMLResponse(
            f"<!DOCTYPE html><html><head><title>t</title><script>{script}</script>{self.head}"
            f'<script src="htag.js"></script></head>{self.body}</html>'
        )

    async def _script(self, request: Request) -> Response:
        return Response(asset(request.url.path.rpartition("/")[2]), media_type="text/javascript")

    def _at_the_gate(self) -> Response:
        if self.gate == "401":
            return HTMLResponse("<h1>Who are you?</h1>", 401)
        return RedirectResponse(f"{self.prefix}/login", int(self.gate))

    async def _login(self, request: Request) -> Response:
        return HTMLResponse("<title>Log in</title><form>Who are you?</form>")

    async def _library(self, request: Request) -> Response:
        await asyncio.sleep(0.2)  # slower than what follows it
        return Response("window.library = 'loaded'", media_type="text/javascript")

    # -- transports

    def _note(self, path: str, connection: HTTPConnection) -> str:
        query = dict(connection.query_params)
        tab = query.pop("tab")
        self.hellos.append({"path": path, "tab": tab} | {name: query.pop(name) for name in HELLO if name in query})
        log = self._log(tab)
        log.last = max(log.last, int(self.hellos[-1].get("from", 1)) - 1)  # what is before that is lost
        if path != "event":
            self.tabs.append(tab)
            self.attempts.append(f"{path}?{urlencode(query)}")
        return tab

    async def _socket(self, websocket: WebSocket) -> None:
        tab = self._note("ws", websocket)
        behaviour = self.socket
        if behaviour == "refuse" or self.gate:
            return await websocket.close()
        if behaviour == "refuse late":
            await self.late.wait()
            return await websocket.close()
        if behaviour == "hang" or self.mute:
            await asyncio.sleep(LOOP_SECONDS)
        await websocket.accept()
        if behaviour == "unknown":
            return await websocket.close(4404)
        if behaviour == "too large":
            await websocket.send_text(self._encode({"action": "error", "traceback": "This page was closed"}))
            return await websocket.close(4413)
        if behaviour[0].isdigit():
            code, _, reason = behaviour.partition(" ")
            return await websocket.close(int(code), reason)
        if behaviour == "buffer":
            await asyncio.sleep(LOOP_SECONDS)
        with self._client(tab, websocket) as outbox:
            self._sockets.add(websocket)
            sending = asyncio.create_task(self._send_all(websocket, outbox))
            try:
                while True:
                    message = self._decode(await websocket.receive_text())
                    if not self.mute and not self._handle(message, tab):
                        await websocket.close(4400)
            except (WebSocketDisconnect, RuntimeError):
                pass
            finally:
                self._sockets.discard(websocket)
                sending.cancel()

    async def _send_all(self, websocket: WebSocket, outbox: asyncio.Queue[str]) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            while True:
                await websocket.send_text(await outbox.get())

    async def _stream(self, request: Request) -> Response:
        tab = self._note("stream", request)
        if self.gate:
            return self._at_the_gate()
        if self.stream not in ("accept", "buffer"):
            return PlainTextResponse("Unknown session", 404)
        if self.mute:
            await asyncio.sleep(LOOP_SECONDS)

        async def lines() -> AsyncIterator[str]:
            while self.stream == "buffer" and not self.stopping:
                await asyncio.sleep(0.1)
                yield ""
            with self._client(tab, request) as outbox:
                while not self.stopping:
                    try:
                        if self.deaf and await asyncio.wait_for(outbox.get(), 0.1):
                            continue
                        yield f"data: {await asyncio.wait_for(outbox.get(), 0.1)}\n\n"
                    except TimeoutError:
                        yield ":\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    async def _work(self, message: Json, log: Log) -> None:
        """Take `delay` for an event, which has been taken by then."""
        if not self.delay:
            return  # nothing comes between: another way's events would be counted from a number that is taken back
        taken = message.get("n") == log.last + 1
        log.last += taken
        await asyncio.sleep(self.delay)
        log.last -= taken

    async def _event(self, request: Request) -> Response:
        tab = self._note("event", request)
        self.headers.append(dict(request.headers))
        if self.gate:
            return self._at_the_gate()
        if self.mute:
            await asyncio.sleep(LOOP_SECONDS)
        if self.post == "unknown":
            return PlainTextResponse("Unknown session", 404)
        if self.post == "blocked":
            return PlainTextResponse("No session cookie", 400)
        if self.post.startswith("409"):
            return JSONResponse({"status": "elsewhere", "at": self.post[4:]}, 409)
        if self.post != "accept":
            return PlainTextResponse("no such luck", int(self.post))
        message = self._decode((await request.body()).decode())
        if "event" in message:
            await self._work(message, self._log(tab))
        if message.get("fallback"):
            unheard = int(request.query_params.get("done", 0)) + 1
            kept = [(n, result) for n, result in self._log(tab).results.items() if n >= unheard]
            clients, self._clients = self._clients, {}
            in_order = self._handle(message, tab)
            self._clients = clients
            if any(message.get("n") == repeated["n"] for repeated in self.repeated):
                self._say_again(message["n"], tab)  # it came by another way while this was at work
            payloads, self._pending = self._pending, []
            payloads = [
                self._encode({"action": "update", "updates": {}, **each, "done": n}) for n, each in kept
            ] + payloads
            answer: Json = {"status": "ok", "payloads": payloads, "revision": self.revision}
        else:
            in_order, answer = self._handle(message, tab), {"status": "ok"}
        if self.version == 2:
            log = self._log(tab)
            answer |= {"last": log.last, "saved": log.saved}
        return JSONResponse(answer if in_order else {"status": "gap", "last": log.last}, 200 if in_order else 409)

    @contextmanager
    def _client(self, tab: str, connection: HTTPConnection) -> Iterator[asyncio.Queue[str]]:
        outbox: asyncio.Queue[str] = asyncio.Queue()
        for message in self._first(tab, int(connection.query_params["rev"])):
            outbox.put_nowait(self._encode(message))
        self._clients[outbox] = tab
        try:
            yield outbox
        finally:
            self._clients.pop(outbox, None)

    def _first(self, tab: str, shown: int) -> Iterator[Json]:
        """What comes first on a connection of `tab`."""
        if self.version == 1:
            yield {"action": "update", "updates": {}, **(self.initial or {})}
            return
        log = self._log(tab)
        yield {"action": "welcome", "last": log.last, "saved": log.saved, "people": self.people}
        for number, result in log.results.items():
            yield {"action": "update", "updates": {}, **result, "done": number}
        if self.initial:
            yield {"action": "update", "updates": {}, **self.initial}
        else:
            for number in range(shown + 1, self.revision + 1):
                yield self.journal[number]

    # -- messages

    def _log(self, tab: str) -> Log:
        return self.logs.setdefault(tab, Log())

    def _handle(self, message: Json, tab: str) -> bool:
        """Whether `message` is in order."""
        if "got" in message:
            self.got.append(message["got"])
        if message.get("action") == "ping":
            self.pings += 1
            self._tell(tab, {"action": "pong"})
        if message.get("action") == "measures":
            self.measures.append(message)
        if message.get("action") == "bye":
            self.left.append(tab)
        if message.get("action") in OF_THE_CONNECTION:
            return True
        if "n" not in message:
            self.seen.append(message)
            self._answer(message)
            return True
        log, number = self._log(tab), message["n"]
        if number <= log.last:
            self.repeated.append(message)
            self._say_again(number, tab)
        elif number > log.last + 1:
            self.gaps.append(message)
            return False
        else:
            self._take(message, log, tab)
        return True

    def _say_again(self, number: int, tab: str) -> None:
        """As the real server: a request that would have brought the answer may have been given up."""
        if number in self._log(tab).results:
            self._tell(tab, {"action": "update", "updates": {}, **self._log(tab).results[number], "done": number})

    def _take(self, message: Json, log: Log, tab: str) -> None:
        log.last = message["n"]
        if message.get("action") == "skip":
            self.skipped.append(message)
        else:
            self.seen.append(message)
            self._numbers.setdefault(tab, []).append(message["n"])
            if (answer := self._answer(message)) is not None:
                log.results[message["n"]] = answer
        if self.saves:
            log.saved = log.last
            self._tell(tab, {"action": "saved", "saved": log.saved})

    def _answer(self, message: Json) -> Json | None:
        reply = self.reply(message)
        if reply is None or "event" not in message:
            return None
        answer = {"callback_id": message["data"]["callback_id"], "result": None}
        answer["result"] = reply.get("result")
        done = {"done": message["n"]} if "n" in message else {}
        self._broadcast(self._journalled({"action": "update", "updates": {}, **reply, **answer, **done}))
        return answer

    def _journalled(self, update: Json) -> Json:
        if self.version == 1 or not any(update.get(name) for name in ("updates", "ops", "js", "statics")):
            return update
        self.revision += 1
        update["seq"] = self.revision
        self.journal[self.revision] = {"statics": [], **update}
        return update

    def _broadcast(self, message: Json) -> None:
        text = self._encode(message)
        for outbox in self._clients:
            outbox.put_nowait(text)
        if not self._clients:
            self._pending.append(text)

    def _tell(self, tab: str, message: Json) -> None:
        for outbox, name in self._clients.items():
            if name == tab:
                outbox.put_nowait(self._encode(message))

    def _encode(self, message: Json) -> str:
        text = json.dumps(message)
        return Cipher(self.parano).conceal(text.encode()) if self.parano else text

    def _decode(self, text: str) -> Json:
        raw = Cipher(self.parano).reveal(text) if self.parano else text.encode()
        decoded: Json = json.loads(raw)
        return decoded
