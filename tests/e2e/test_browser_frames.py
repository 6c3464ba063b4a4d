"""The app in a frame of another site's page, over TLS: browsers keep its cookies from it, or it has its own there."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Frame
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from htag import Tag, WebApp
from tests.e2e.served_app import SECRET
from tests.e2e.strict_page import comes
from tests.support.servers import served_in_loop

CLICKS = 3


class Counter(Tag.App):
    def init(self) -> None:
        self.button = Tag.button("0", _id="button", _onclick=self.count)
        self += self.button

    def count(self, event: Any) -> None:
        self.button.text = str(int(self.button.text) + 1)


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Any]:
    """A uvicorn's options for TLS, with a certificate that no browser trusts."""
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    return {"ssl_keyfile": key, "ssl_certfile": certificate, "timeout_graceful_shutdown": 1}


@asynccontextmanager
async def framed(chromium: Browser, web: WebApp, tls: dict[str, Any]) -> AsyncIterator[Frame]:
    """The frame that shows `web` in a page of another site: addresses are sites of their own."""

    async def portal(request: Request) -> HTMLResponse:
        return HTMLResponse(f'<iframe src="https://127.0.0.1:{app.port}/" width=600 height=400></iframe>')

    context = await chromium.new_context(ignore_https_errors=True)
    outside = Starlette(routes=[Route("/", portal)])
    async with served_in_loop(web.app, **tls) as app, served_in_loop(outside, host="127.0.0.2", **tls) as site:
        page = await context.new_page()
        await page.goto(f"https://127.0.0.2:{site.port}/")
        yield page.frames[1]
        await context.close()
    await web.registry.close()


async def test_where_the_operator_allows_it_the_app_works_there(chromium: Browser, tls: dict[str, Any]) -> None:
    web = WebApp(Counter, secret=SECRET, embedded=True)
    async with framed(chromium, web, tls) as frame:
        await comes(frame, "window.ws?.readyState === 1")
        for _ in range(CLICKS):
            await frame.click("#button")
        await comes(frame, f"document.querySelector('#button').textContent === '{CLICKS}'")
        (cookie,) = await frame.page.context.cookies()
        assert cookie["secure"]
        assert cookie["sameSite"] == "None"
        assert cookie["partitionKey"] == "https://127.0.0.2"
        await frame.page.reload()
        await comes(frame.page.frames[1], f"document.querySelector('#button').textContent === '{CLICKS}'")
        assert len(web.instances) == 1, "its cookie came back"


async def test_where_it_is_not_the_page_says_what_is_the_matter(chromium: Browser, tls: dict[str, Any]) -> None:
    async with framed(chromium, WebApp(Counter, secret=SECRET), tls) as frame:
        said = "document.querySelector('htag-notice')?.shadowRoot.querySelector('[part=text]').textContent"
        await comes(frame, f"{said}?.includes('inside another site')")
