"""One of the apps of `browser_apps.py`, served by the library on a real port, and the tabs that are on it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Generic, TypeVar, cast

from playwright.async_api import Page

from htag import Tag, WebApp
from tests.e2e.serving import Serving
from tests.support.waiting import patience, until

SECRET = "s" * 32
HEARING = patience(20)  # seconds: longer than any event takes over a whole connection
SHOWING = patience(20)  # seconds that any single wait in a page may take
MOMENT = 0.3  # seconds in which an event that is counted twice would come
CONNECTED = {
    "ws": "window.ws?.readyState === 1",
    "sse": "window.sse?.readyState === 1 && !use_pure_http",
    "http": "window.use_pure_http",
}
A = TypeVar("A", bound=Tag.App)


class ServedApp(Generic[A]):
    """`App` on a port. `around` is what stands before the library, such as a proxy that buffers."""

    def __init__(self, app: type[A], around: Callable[[Any], Any] | None, options: dict[str, Any]) -> None:
        self.web = WebApp(app, secret=SECRET, **options)
        self.serving = Serving(around(self.web.app) if around else self.web.app)

    @property
    def app(self) -> A:
        """The App of the only session."""
        (app,) = self.apps
        return app

    @property
    def apps(self) -> list[A]:
        """The Apps of all sessions."""
        return list(cast(dict[str, A], self.web.instances).values())

    @property
    def url(self) -> str:
        return self.serving.url


@asynccontextmanager
async def served(
    app: type[A], around: Callable[[Any], Any] | None = None, **options: Any
) -> AsyncIterator[ServedApp[A]]:
    """Serve `app` in the block; `options` go to `WebApp`."""
    server = ServedApp(app, around, options)
    await server.serving.start()
    try:
        yield server
    finally:
        await server.serving.stop()
        await server.web.registry.close()


async def visit(page: Page, url: str, transport: str = "ws") -> None:
    """Load the page and wait until it is connected over `transport`."""
    if transport != "ws":
        await page.context.add_cookies([{"name": "htag_mode", "value": transport, "url": url}])
    await page.goto(url)
    await shows(page, CONNECTED[transport])


async def shows(page: Page, condition: str, seconds: float = SHOWING) -> None:
    """Wait until the expression is true. It is asked from without: Playwright's own way is an `eval` in the page, which
    its policy forbids."""
    deadline = time.monotonic() + seconds
    while not await page.evaluate(f"!!({condition})"):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {condition}"
        await page.wait_for_timeout(10)


@asynccontextmanager
async def raising(state: Any, per_second: float) -> AsyncIterator[None]:
    """Raise `state` by one, so many times a second, in the block."""

    async def raise_it() -> None:
        while True:
            await asyncio.sleep(1 / per_second)
            state.value += 1

    task = asyncio.create_task(raise_it())
    try:
        yield
    finally:
        task.cancel()


async def raise_and_show(page: Page, state: Any, selector: str, times: int = 8) -> None:
    """Raise `state` so many times, each time as soon as `selector` has shown the last one."""
    for _ in range(times):
        state.value += 1
        await shows(page, f"document.querySelector('{selector}')?.textContent.includes('<{state.value}>')")


async def heard(app: Any, number: int, seconds: float = HEARING) -> list[Any]:
    """What the App has heard, when that are so many events and a moment has brought no more; or time is up."""
    with suppress(TimeoutError):
        await until(lambda: len(app.heard) >= number, seconds)
        await asyncio.sleep(MOMENT)
    return list(app.heard)
