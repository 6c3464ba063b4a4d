"""A page with a button on a scripted server, over each of the transports."""

from playwright.async_api import Page

from tests.e2e.wire_server import WireServer

BODY = "<body id=app><button id=b onclick=\"window.answer = htag_event('b','click',event)\">0</button></body>"
STATE = {
    "ws": "window.ws?.readyState === 1",
    "sse": "window.sse?.readyState === 1 && !use_pure_http",
    "http": "window.use_pure_http",
}

# what the page does for the cookie htag_mode: the constructor works, its error comes later
MOCK = "window.%s = class { constructor() { setTimeout(() => this.onerror(new Event('error'))) } close() {} };"
FORCED = {
    "ws": "",
    "sse": f"<script>{MOCK % 'WebSocket'}</script>",
    "http": f"<script>{MOCK % 'WebSocket'}{MOCK % 'EventSource'}</script>",
}


async def reach(page: Page, transport: str) -> None:
    await page.wait_for_function(STATE[transport])


def count_clicks(server: WireServer) -> None:
    def reply(event: object) -> dict[str, object]:
        clicks = len(server.events())
        return {"updates": {"b": BODY[13:-7].replace(">0<", f">{clicks}<")}, "result": clicks}

    server.reply = reply
