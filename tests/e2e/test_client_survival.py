"""Real Chromium, a real server and a real store: the server's process is killed, and the person notices nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.e2e.dialog import SHOWN_ERROR
from tests.support.ports import free_port
from tests.support.source import ROOT
from tests.support.waiting import until

CONNECTED = {
    "ws": "window.ws?.readyState === 1",
    "sse": "window.sse?.readyState === 1 && !use_pure_http",
    "http": "window.use_pure_http",
}
CLICKS = 100
CLICK = f"""window.stayed = true; window.results = []; window.all = (async () => {{
    const answers = [];
    for (let n = 1; n <= {CLICKS}; n++) {{
        answers.push(htag_event('more', 'click', n).then((result) => results.push(result)));
        await new Promise((done) => setTimeout(done, 30));
    }}
    await Promise.all(answers);
}})(); 0"""


class Mortal:
    """A worker's process: killed, and started again on the same port with the same store."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._file = folder / "sessions.sqlite"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Serve, or die at once: of what a page that waited for it has sent."""
        arguments = (sys.executable, "-m", "tests.e2e.mortal_worker", str(self.port), str(self._file))
        self._process = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT)
        async with httpx2.AsyncClient() as client:
            while not self.is_dead:
                try:
                    await client.head(self.url)
                    return
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)

    @property
    def is_dead(self) -> bool:
        return self._process is None or self._process.returncode is not None

    async def kill(self) -> None:
        assert self._process is not None
        if not self.is_dead:
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        await self._process.wait()


@pytest_asyncio.fixture(loop_scope="session")
async def mortal(tmp_path: Path) -> AsyncIterator[Mortal]:
    worker = Mortal(tmp_path)
    await worker.start()
    yield worker
    await worker.kill()


async def visit(page: Page, worker: Mortal, transport: str) -> None:
    if transport != "ws":
        await page.context.add_cookies([{"name": "htag_mode", "value": transport, "url": worker.url}])
    await page.goto(worker.url)
    await page.wait_for_function(CONNECTED[transport])


async def begin(page: Page) -> None:
    """A first click, and the time for its snapshot: a session that was never saved dies with its worker."""
    await page.evaluate("ws.addEventListener('message', ({data}) => (window.saved ||= JSON.parse(data).saved >= 1))")
    assert await page.evaluate("htag_event('more', 'click')") == 1
    await page.wait_for_function("window.saved")


async def shown(page: Page) -> Any:
    return await page.evaluate("[+document.querySelector('#count').textContent, lines.children.length]")


@pytest.mark.parametrize("transport", ["ws", "sse", "http"])
async def test_a_server_that_is_killed_among_clicks_costs_none_and_counts_none_twice(
    page: Page, mortal: Mortal, transport: str
) -> None:
    await visit(page, mortal, transport)
    await page.evaluate(CLICK)
    for _ in range(2):
        await asyncio.sleep(1)
        await mortal.kill()
        await mortal.start()
    await page.evaluate("all")
    assert sorted(await page.evaluate("results")) == list(range(1, CLICKS + 1))
    assert await page.evaluate("stayed") is True
    await page.wait_for_function(f"document.querySelector('#count').textContent === '{CLICKS}'")
    assert await shown(page) == [CLICKS, CLICKS]
    values = await page.evaluate("[...lines.children].map((line) => +line.textContent)")
    assert values == list(range(1, CLICKS + 1))
    last = page.locator("#lines li").last
    await last.click()  # an element that came by a replay or a restore is alive
    await page.wait_for_function(f"document.querySelector('#count').textContent === '{CLICKS + 1}'")


async def test_a_server_that_is_stopped_and_started_again_is_joined_without_a_full_render(
    page: Page, mortal: Mortal
) -> None:
    await visit(page, mortal, "ws")
    assert await page.evaluate("htag_event('more', 'click')") == 1
    await page.evaluate("window.button = more; 0")
    await mortal.stop()
    await page.evaluate("window.answer = htag_event('more', 'click'); 0")
    await mortal.start()
    assert await page.evaluate("answer") == 2
    assert await page.evaluate("button.isConnected") is True


async def test_a_page_that_is_loaded_again_while_the_server_is_dead_loses_no_click(page: Page, mortal: Mortal) -> None:
    await visit(page, mortal, "ws")
    await begin(page)
    await page.evaluate("for (let n = 0; n < 5; n++) void htag_event('more', 'click')")
    await mortal.kill()
    await page.evaluate("for (let n = 0; n < 5; n++) void htag_event('more', 'click')")
    await mortal.start()
    await page.reload()
    await page.wait_for_function("document.querySelector('#count')?.textContent === '11'")
    await page.wait_for_timeout(1500)
    assert (await shown(page))[0] == 11


async def test_a_click_that_kills_the_server_each_time_is_given_up(page: Page, mortal: Mortal) -> None:
    await visit(page, mortal, "ws")
    await begin(page)
    await page.evaluate("window.death = htag_event('die', 'click'); window.after = htag_event('more', 'click'); 0")
    for _ in range(3):
        await until(lambda: mortal.is_dead)
        await mortal.start()
    assert await page.evaluate("death") is None
    assert await page.evaluate("after") == 2
    assert '"click" of "die"' in (await page.evaluate(SHOWN_ERROR))[1]
    await page.wait_for_timeout(500)
    assert not mortal.is_dead


async def test_a_handler_that_was_interrupted_is_not_run_again_and_its_promise_ends(page: Page, mortal: Mortal) -> None:
    await visit(page, mortal, "ws")
    await begin(page)
    await page.evaluate("window.answer = htag_event('wait', 'click'); 0")
    await page.wait_for_function("document.querySelector('#count').textContent === '1001'")
    await page.wait_for_timeout(8000)  # it has been noted as started: after 5 s
    await mortal.kill()
    await mortal.start()
    assert await page.evaluate("answer") is None
    assert "interrupted" in (await page.evaluate(SHOWN_ERROR))[1]
    assert await page.evaluate("htag_event('more', 'click')") == 1002
