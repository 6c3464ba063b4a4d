"""A scripted server whose page forbids, by a header that is really sent, all JavaScript that carries no nonce."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio
from playwright.async_api import Error, Frame, Page
from starlette.requests import Request
from starlette.responses import Response

from tests.e2e.wire_server import WireServer
from tests.support.waiting import patience, until

NONCE = "dGhpcyBpcyBvbmU"
HEADERS = {
    "Content-Security-Policy": f"script-src 'nonce-{NONCE}' 'strict-dynamic'; object-src 'none'; base-uri 'none'",
    "Content-Security-Policy-Report-Only": "require-trusted-types-for 'script'",
}
WATCH = """<script>
    window.violations = [];
    addEventListener('securitypolicyviolation', ({effectiveDirective, blockedURI, sample, sourceFile, lineNumber}) => {
        const at = `${sourceFile}:${lineNumber}`;
        violations.push({directive: effectiveDirective, what: blockedURI, sample, at});
    }, true);
</script>"""

PAGE_SECONDS = patience(20)
ANSWER_SECONDS = patience(5)  # for one question; a page that is busy takes milliseconds

Violation = dict[str, Any]
ServeStrict = Callable[..., Awaitable["StrictServer"]]


class StrictServer(WireServer):
    """Scripts of `head` get the nonce; those in the body do not: they are not in a page of htag either."""

    def __init__(self, body: str, *, head: str = "", **options: Any) -> None:
        super().__init__(body, head=WATCH + head, **options)

    async def _page(self, request: Request) -> Response:
        response = await super()._page(request)
        head, body = bytes(response.body).split(b"</head>")
        head = head.replace(b"<script", f'<script nonce="{NONCE}"'.encode())
        return Response(head + b"</head>" + body, media_type="text/html", headers=HEADERS)

    async def visit(self, page: Page) -> None:
        """Load the page, and wait until it is connected."""
        await page.goto(self.url)
        await comes(page, "window.ws?.readyState === 1")
        await until(lambda: self.connected)

    async def show(self, page: Page, **content: Any) -> None:
        """Push an update and wait until it is applied."""
        js = [*content.pop("js", []), "window.applied = (window.applied || 0) + 1"]
        self.push(**content, js=js)
        await comes(page, "window.applied && window.applied--")


async def comes(
    page: Page | Frame,
    expression: str,
    *,
    arg: Any = None,
    timeout: float = 1000 * PAGE_SECONDS,  # noqa: ASYNC109 — it stands in for Playwright's own, and is given what that is
) -> None:
    """Wait until `expression` is true, `timeout` ms at most: from without, as Playwright's own way is an eval in the
    page, which our pages forbid. It may be another page by then. TimeoutError says what it was the last time."""
    last: Any = "no answer"
    try:
        async with asyncio.timeout(timeout / 1000):
            while not (last := await _asked(page, expression, arg)):
                await page.wait_for_timeout(10)
    except TimeoutError as error:
        raise TimeoutError(f"{expression} is {last!r} in {page.url} after {timeout:g} ms") from error


async def _asked(page: Page | Frame, expression: str, arg: Any) -> Any:
    """`value`, or what was missing: of some ten thousand pages one never answered what it was asked first."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await value(page, expression, arg)
    except TimeoutError:
        print(f"{page.url} has not answered for {ANSWER_SECONDS:g} s, and is asked again: {expression}")
        return None


async def value(page: Page | Frame, expression: str, arg: Any = None) -> Any:
    """Return the value of `expression`; None while another page is being loaded."""
    try:
        return await page.evaluate(expression, arg)
    except Error as error:
        if "context was destroyed" not in str(error) and "navigat" not in str(error):
            raise
        return None


async def violations(page: Page) -> list[Violation]:
    """What the browser refused, or would have refused, since the page was loaded."""
    await page.evaluate("new Promise(requestAnimationFrame)")  # they are told late
    seen: list[Violation] = await page.evaluate("window.violations")
    return seen


@pytest_asyncio.fixture(loop_scope="session")
async def serve_strict(page: Page) -> AsyncIterator[ServeStrict]:
    """Starts such a server for a body. In the end the page must have seen no violation: a test that makes one takes it
    out of `window.violations`."""
    servers = []

    async def start(body: str, **options: Any) -> StrictServer:
        server = StrictServer(body, **options)
        await server.start()
        servers.append(server)
        return server

    yield start
    seen = await violations(page)
    for server in servers:
        await server.stop()
    assert seen == []
