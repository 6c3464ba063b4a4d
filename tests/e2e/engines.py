"""Firefox and WebKit, driven without a library: Firefox by WebDriver BiDi, WebKitGTK by WebDriver over HTTP."""

import asyncio
import itertools
import json
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from tests.support.machine import give_up
from tests.support.ports import free_port
from tests.support.waiting import patience

STARTING = patience(60)  # seconds
COMMAND = patience(30)  # seconds for one command, such as to type sixty characters
KEY_MS = 25
PAUSE = 0.05  # seconds between two questions to a browser
PREFERENCES = """user_pref("app.update.auto", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("media.autoplay.default", 0);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("remote.active-protocols", 1);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.enabled", false);
"""
CENTRE = """(() => {
    const element = document.querySelector(%s);
    element.scrollIntoView({block: 'nearest'});
    const {x, y, width, height} = element.getBoundingClientRect();
    return [Math.round(x + width / 2), Math.round(y + height / 2)];
})()"""
Json = dict[str, Any]


class Engine(ABC):
    """One tab of a browser. Actions are those of the WebDriver standard, which are the same over both protocols."""

    name: str

    @abstractmethod
    async def open(self, url: str) -> None:
        """Load the page."""

    @abstractmethod
    async def forget(self) -> None:
        """Delete all cookies: who comes next is another person."""

    @abstractmethod
    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as JSON carries it; of a promise, what it comes to."""

    @abstractmethod
    async def _perform(self, source: Json) -> None:
        """Carry out the actions of one source."""

    async def wait_for(self, condition: str, seconds: float = patience(20)) -> None:
        """Wait until the expression is true."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not await self.evaluate(f"!!({condition})"):
            assert loop.time() < deadline, f"waited {seconds:g} s in vain for {condition}"
            await asyncio.sleep(PAUSE)

    async def click(self, selector: str, pressed: float = 0) -> None:
        """Move the pointer to the element, press and release, that many milliseconds later."""
        await self.move_to(selector)
        await self.press_and_release(pressed)

    async def move_to(self, selector: str) -> None:
        """Put the pointer over the middle of the element."""
        x, y = await self.evaluate(CENTRE % json.dumps(selector))
        await self._point([{"type": "pointerMove", "x": x, "y": y, "duration": 0}])

    async def press_and_release(self, pressed: float, times: int = 1) -> None:
        """Press and release so often where the pointer is."""
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        await self._point([down, {"type": "pause", "duration": pressed}, up] * times)

    async def type(self, text: str) -> None:
        """Press the keys of `text`."""
        keys = [
            {"type": kind, **({"duration": KEY_MS} if kind == "pause" else {"value": key})}
            for key in text
            for kind in ("keyDown", "keyUp", "pause")
        ]
        await self._perform({"type": "key", "id": "keys", "actions": keys})

    async def _point(self, actions: list[Json]) -> None:
        await self._perform(
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        )


class Firefox(Engine):
    """One tab of Firefox."""

    name = "firefox"

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._context = ""

    async def begin(self) -> None:
        """Start a session, and take the tab that is there."""
        await self._command("session.new", {"capabilities": {}})
        tree = await self._command("browsingContext.getTree", {})
        self._context = tree["contexts"][0]["context"]

    async def open(self, url: str) -> None:
        await self._command("browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"})

    async def forget(self) -> None:
        await self._command("storage.deleteCookies", {})

    async def evaluate(self, expression: str) -> Any:
        asked = {"target": {"context": self._context}, "awaitPromise": True, "resultOwnership": "none"}
        told = await self._command(
            "script.evaluate", {**asked, "expression": f"(async () => JSON.stringify([await ({expression})]))()"}
        )
        if told["type"] != "success":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])[0]

    async def _perform(self, source: Json) -> None:
        await self._command("input.performActions", {"context": self._context, "actions": [source]})

    async def _command(self, method: str, params: Json) -> Any:
        number = next(self._numbers)
        await self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(COMMAND):
            while True:
                answer = json.loads(await self._connection.recv())
                if answer.get("id") == number:
                    break
        if answer["type"] == "error":
            raise RuntimeError(f"{method}: {answer['error']}: {answer['message']}")
        return answer["result"]


class WebKit(Engine):
    """One tab of WebKitGTK's MiniBrowser."""

    name = "webkit"

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._session = ""

    async def begin(self) -> None:
        """Start a session."""
        self._session = f"/session/{(await self._told('POST', '/session', {'capabilities': {}}))['sessionId']}"

    async def end(self) -> None:
        """End it, and with it the browser."""
        await self._told("DELETE", self._session)

    async def open(self, url: str) -> None:
        await self._told("POST", f"{self._session}/url", {"url": url})

    async def forget(self) -> None:
        await self._told("DELETE", f"{self._session}/cookie")

    async def evaluate(self, expression: str) -> Any:
        script = (
            f"const done = arguments[0]; (async () => JSON.stringify([await ({expression})]))()"
            ".then(done, (error) => done(null, String(error)))"
        )
        told = await self._told("POST", f"{self._session}/execute/async", {"script": script, "args": []})
        if told is None:
            raise RuntimeError(f"{expression} failed")
        return json.loads(told)[0]

    async def _perform(self, source: Json) -> None:
        await self._told("POST", f"{self._session}/actions", {"actions": [source]})

    async def _told(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = (await self._client.request(method, path, json=body)).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(f"{path}: {answer['error']}: {answer.get('message')}")
        return answer


def program(name: str, package: str) -> str:
    """The path of a program; without it the test ends, saying which package of Debian's has it."""
    path = shutil.which(name)
    if path is None:
        give_up(f"there is no {name} on this machine (Debian: apt-get install {package})")
    return path


@asynccontextmanager
async def running(*command: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process, ended with the block."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()  # what it has said is read, so that it can end


@asynccontextmanager
async def firefox() -> AsyncIterator[Firefox]:
    """A Firefox without a window, with a profile of its own."""
    path = program("firefox-esr", "firefox-esr") if not shutil.which("firefox") else program("firefox", "firefox")
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        (Path(profile) / "user.js").write_text(PREFERENCES)
        command = (path, "--headless", "--no-remote", "--profile", profile, f"--remote-debugging-port={port}")
        async with running(*command, "about:blank", HOME=profile), await connected(port) as connection:
            tab = Firefox(connection)
            await tab.begin()
            yield tab


async def connected(port: int) -> ClientConnection:
    """A connection to a Firefox that is starting."""
    async with asyncio.timeout(STARTING):
        while True:
            try:
                return await connect(f"ws://127.0.0.1:{port}/session", max_size=None, proxy=None)
            except OSError:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def webkit() -> AsyncIterator[WebKit]:
    """A MiniBrowser on a display of its own."""
    server, driver = program("Xvfb", "xvfb"), program("WebKitWebDriver", "webkit2gtk-driver")
    port = free_port()
    async with AsyncExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        display = await stack.enter_async_context(
            running(server, "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp")
        )
        number = (await asyncio.wait_for(display.stdout.readline(), STARTING)).decode().strip()
        await stack.enter_async_context(
            running(driver, f"--port={port}", DISPLAY=f":{number}", HOME=home, GDK_BACKEND="x11")
        )
        client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=COMMAND, trust_env=False)
        tab = WebKit(await stack.enter_async_context(client))
        await answering(tab)
        yield tab
        await tab.end()


async def answering(tab: WebKit) -> None:
    """Start a session with a driver that is starting."""
    async with asyncio.timeout(STARTING):
        while True:
            try:
                return await tab.begin()
            except httpx2.TransportError:
                await asyncio.sleep(0.1)


ENGINES = {"firefox": firefox, "webkit": webkit}
