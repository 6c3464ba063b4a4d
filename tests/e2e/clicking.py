"""Hundreds of tabs in one event loop, which click all the time and come back by themselves, as htag.js does.

They speak wire version 2 over WebSockets. A tab never loads its page again: where a browser would have to (the session
is unknown), it notes that and stops.
"""

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from headless.protocol import ELSEWHERE, UNKNOWN_SESSION, ClientProtocol
from headless.wire import Message
from tests.support.pace import Pace
from tests.support.waiting import patience

# As htag/client has them, in seconds.
DELAYS = (0.05, 0.1, 0.25, 0.5, 0.5, 0.5, 1.0, 2.0, 5.0)  # between attempts to connect
ATTEMPT = 1.5  # for one attempt
PATIENT_ATTEMPTS = 8  # attempts after which each has longer
SILENCE = 3.0  # before the server is asked whether it is there; as many again before it is given up
SETTLING = 5.0  # for a page to show what its last answer said: a full render may follow
LASTING = 1.0  # that a connection must last for the delays to begin anew

BUTTON, SHOWN = "more", "clicks"  # ids in the app that is clicked


class Clicker(ClientProtocol):
    """One tab of one person."""

    def __init__(self, url: str, pause: float) -> None:
        """`pause`: seconds between an answer and the next click, about."""
        super().__init__(strict=False, version=2)
        self.url = url
        self.cookies: dict[str, str] = {}
        self.clicks = 0
        self.gaps: list[float] = []  # seconds between each click and its answer
        self.codes: Counter[int] = Counter()  # with which connections ended
        self.hosts: list[str] = []  # that served, each as it came
        self.lost_page = False  # a browser would have loaded its page again
        self._pause = pause
        self._socket: ClientConnection | None = None
        self._news = asyncio.Event()
        self._heard = 0.0
        self._asked = False

    # -- a visit

    async def load(self, client: httpx2.AsyncClient) -> None:
        """Load the page."""
        answer = await client.get(self.url)
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:200]}"
        self._keep(answer.headers.get_list("set-cookie"))
        self.hosts.append(answer.headers["x-htag-served-by"])
        self.show(answer.text)

    async def click_on(self, stop: asyncio.Event) -> None:
        """Click, wait for the answer, and again, until `stop`; then until every click is answered."""
        staying = asyncio.create_task(self._stay_connected())
        try:
            while not stop.is_set() and not self.lost_page:
                await self._click()
                await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))
            with contextlib.suppress(TimeoutError):  # what it shows then is told
                async with asyncio.timeout(SETTLING):
                    await self._until(lambda: self.lost_page or self.shown == self.clicks)
        finally:
            staying.cancel()
            await asyncio.wait({staying})
            if self._socket is not None:
                await self._socket.close(1001)

    async def _click(self) -> None:
        _, report = self.report(BUTTON, "click")
        number = self.events.add(report)
        self.clicks += 1
        started = time.monotonic()
        await self._send(report)
        await self._until(lambda: self.lost_page or self.events.is_answered(number))
        self.gaps.append(time.monotonic() - started)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._news.clear()
            await self._news.wait()

    @property
    def shown(self) -> int:
        """What the page shows."""
        return int(self.document.text(SHOWN))

    # -- the connection

    async def _stay_connected(self) -> None:
        tries = 0
        while not self.lost_page:
            connected = await self._connection()
            self.events.note_lost()
            self._socket = None
            tries = 0 if connected > LASTING else tries + 1
            await asyncio.sleep(DELAYS[min(tries, len(DELAYS) - 1)] * random.uniform(0.5, 1.5))

    async def _connection(self) -> float:
        """One connection, from the attempt to its end. Returns how many seconds it was of use."""
        self.tries += 1
        if self.elsewhere:
            self.elsewhere += 1  # another slot each time
        seconds = ATTEMPT if self.tries < PATIENT_ATTEMPTS else 4 * ATTEMPT
        address = self.url.replace("http", "ws", 1) + "ws" + self.channel_query(self.revision)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        ready = 0.0
        try:
            async with asyncio.timeout(seconds):
                # no ping of its own: a browser's WebSocket has none either
                socket = await connect(
                    address, additional_headers=headers, origin=self.url.rstrip("/"), open_timeout=None,  # type: ignore[arg-type]
                    ping_interval=None, compression=None, proxy=None, max_size=None,
                )  # fmt: skip
                assert socket.response is not None
                self._keep(socket.response.headers.get_all("set-cookie"))
                self.hosts.append(socket.response.headers["x-htag-served-by"])
                first = self._take(await socket.recv())
            ready = time.monotonic()
            self._socket, self.tries, self.at, self.elsewhere = socket, 0, None, 0
            for message in self.events.pending(first["last"], first["saved"]):
                await self._send(message)
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch(socket))
                await self._listen(socket)
                watching.cancel()
        except TimeoutError:
            self.codes[0] += 1
            self.elsewhere = self.elsewhere or random.randrange(1, 1_000_000)
        except ConnectionClosed as closed:
            self._ended(closed)
        except (OSError, InvalidHandshake) as error:
            self.codes[getattr(getattr(error, "response", None), "status_code", -1)] += 1
        return time.monotonic() - ready if ready else 0.0

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            while True:
                self._take(await socket.recv())
        except ConnectionClosed as closed:
            self._ended(closed)

    def _ended(self, closed: ConnectionClosed) -> None:
        code = closed.rcvd.code if closed.rcvd else 1006
        self.codes[code] += 1
        if code == ELSEWHERE and closed.rcvd:
            self.at = closed.rcvd.reason
        if code == UNKNOWN_SESSION:
            self.lost_page = True
            self._news.set()

    async def _watch(self, socket: ClientConnection) -> None:
        """Notice a server that is silent while an answer is due."""
        asked = False
        self._heard = time.monotonic()
        while True:
            await asyncio.sleep(SILENCE / 20)
            silent = time.monotonic() - self._heard
            if self.events.done + 1 >= self.events.next or silent < SILENCE:
                asked = False
                if self.events.done + 1 >= self.events.next:
                    self._heard = time.monotonic()
            elif not asked:
                asked = True
                await self._send({"action": "ping"})
            elif silent > 2 * SILENCE:
                self.codes[-2] += 1
                self.elsewhere = random.randrange(1, 1_000_000)
                socket.transport.abort()
                return

    async def _send(self, message: Message) -> None:
        if self._socket is None:
            return  # it is kept, and goes out after the next welcome
        if "n" in message:
            self.events.note_sent(message["n"])
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(self.encode(message))

    def _take(self, payload: Any) -> Message:
        self._heard = time.monotonic()
        message = self.receive(payload)
        self.events.answers.clear()
        self._news.set()
        return message

    def _keep(self, lines: Sequence[str]) -> None:
        jar: SimpleCookie = SimpleCookie()
        for line in lines:
            jar.load(line)
        self.cookies.update({name: morsel.value for name, morsel in jar.items()})


class Clickers:
    """A crowd of them, in a thread with an event loop of its own, while the test does something to the stack."""

    def __init__(self, url: str, size: int, pause: float = 0.3) -> None:
        self.tabs: list[Clicker] = []
        self._url = url
        self._size = size
        self._pause = pause
        self._loop = asyncio.new_event_loop()
        self.slowdown = 1.0  # because others wanted the same cores while they clicked
        self._stop: asyncio.Event | None = None
        self._clicking: list[asyncio.Task[None]] = []
        self._running: Future[None] | None = None

    @contextmanager
    def clicking(self, seconds: float = 60.0) -> Iterator[None]:
        """Open the pages, and click all the time in the block. Then all clicks are answered within `seconds`."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(patience(180))
            self._running = asyncio.run_coroutine_threadsafe(self._click_on(), self._loop)
            with Pace() as pace:
                yield
            self.slowdown = pace.slowdown
            assert self._stop is not None
            self._loop.call_soon_threadsafe(self._stop.set)
            self._running.result(seconds)
        finally:
            asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result(20)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _open(self) -> None:
        """Load all pages. Each tab connects when it has its own, as in a browser: the server keeps a page without a
        connection for a minute, in which a busy machine does not load all of them."""
        self.tabs = [Clicker(self._url, self._pause) for _ in range(self._size)]
        self._stop = asyncio.Event()
        for tab in self.tabs:
            # over http; certificates that nothing asks for would take 20 ms of a core to read, for each tab
            async with httpx2.AsyncClient(verify=False, trust_env=False, timeout=patience(20)) as client:
                await tab.load(client)
            self._clicking.append(asyncio.create_task(tab.click_on(self._stop)))

    async def _click_on(self) -> None:
        await asyncio.gather(*self._clicking)

    async def _cancel(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=10)

    # -- what is to be seen

    @property
    def answered(self) -> int:
        """How many clicks have been answered."""
        return sum(len(tab.gaps) for tab in self.tabs)

    def saved_from_now_on(self) -> Callable[[], bool]:
        """What says whether every tab has made a click since now that is saved."""
        marks = [(tab, tab.events.next) for tab in self.tabs]
        return lambda: all(tab.events.saved >= mark or tab.lost_page for tab, mark in marks)

    def wrong(self) -> list[tuple[int, int, list[str]]]:
        """Clicks, what the page shows, and errors that were shown, where there are any or the two numbers differ."""
        told = [(tab.clicks, tab.shown, tab.failures) for tab in self.tabs]
        return [each for each in told if each[0] != each[1] or each[2]]

    def longest_gaps(self) -> list[float]:
        """The longest wait for an answer of each tab, the shortest first."""
        return sorted(max(tab.gaps, default=0.0) for tab in self.tabs)

    def gap(self, percent: float) -> float:
        """So many percent of the tabs have waited no longer for any answer, in seconds."""
        gaps = self.longest_gaps()
        return gaps[min(len(gaps) - 1, int(len(gaps) * percent / 100))]

    def own_gap(self, percent: float) -> float:
        """Likewise, had nothing else wanted the same cores."""
        return self.gap(percent) / self.slowdown

    def codes(self) -> Counter[int]:
        """How all connections ended."""
        copies = [Counter(dict(tab.codes)) for tab in self.tabs]  # their thread may add to them meanwhile
        return sum(copies, Counter())

    def assert_whole(self) -> None:
        """No page was lost, no click, and none counted twice."""
        lost = sum(tab.lost_page for tab in self.tabs)
        assert not lost, f"{lost} pages have lost their session: {self.codes()}"
        assert {tab.page_loads for tab in self.tabs} == {1}
        assert not self.wrong(), f"(clicks, shown, errors): {self.wrong()}; {self.codes()}"
