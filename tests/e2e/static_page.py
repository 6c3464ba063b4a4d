"""A page with the client script and no server: what it would send is kept in `sent`, and the test is the server."""

import json
from typing import Any

from playwright.async_api import Page, Route

from htag.web.page import SCRIPTS, asset

URL = "http://page.test/"
SETUP = """
window.HTAG_EXT_INIT = true; window.HTAG_REVISION = 0; window.sent = [];
window.htag_transport = (message) => window.sent.push(message);
"""


async def show(page: Page, body: str, *, head: str = "", before: str = "") -> None:
    """Load a page with `body` (from `<body` on) and `head`; `before` runs ahead of the client script."""
    html = (
        f"<!DOCTYPE html><html><head><meta charset=utf-8><script>{SETUP}{before}</script>"
        f"<script src=htag.js></script>{head}</head>{body}</html>"
    )

    async def serve(route: Route) -> None:
        name = route.request.url.removeprefix(URL).partition("?")[0]
        if name in SCRIPTS:
            await route.fulfill(body=asset(name).decode(), content_type="text/javascript")
        elif route.request.url == URL:
            await route.fulfill(body=html, content_type="text/html")
        else:
            await route.fulfill(body="<p>a frame</p>", content_type="text/html")

    await page.route(f"{URL}**", serve)
    await page.goto(URL)
    await page.add_script_tag(url="later.js")


async def apply(page: Page, *ops: list[Any], **content: Any) -> None:
    """Apply operations, and be sure that none failed."""
    await page.evaluate("(message) => handle_payload(message)", {"ops": list(ops), **content})
    errors = [message for message in await page.evaluate("sent") if message.get("action") == "log_error"]
    assert not errors, json.dumps(errors, indent=1)


async def answer(page: Page, *ops: list[Any]) -> None:
    """Answer all events that were sent, the last of them with these operations."""
    ids = await page.evaluate("sent.splice(0).map(({data}) => data?.callback_id).filter(Boolean)")
    for identity in ids[:-1]:
        await page.evaluate("(id) => handle_payload({callback_id: id})", identity)
    await apply(page, *ops, callback_id=ids[-1])
