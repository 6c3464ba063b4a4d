"""A real browser that guesses where its person goes next: it is declined, and asks again when he goes there."""

import json
from typing import Any

import pytest
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from htag import Tag, WebApp
from tests.e2e.serving import Serving
from tests.support.waiting import until


class Destination(Tag.App):
    def init(self) -> None:
        self.log: list[str] = []
        Tag.p("arrived", _id="p")

    def on_mount(self) -> None:
        self.log.append("mount")

    def on_visit(self, request: Request) -> None:
        self.log.append(str(request.query_params))


async def crossroads(request: Request) -> HTMLResponse:
    """A page that says where one goes from here."""
    rules = {request.path_params["kind"]: [{"urls": ["/app/?from=here"], "eagerness": "immediate"}]}
    link = '<a href="/app/?from=here">there</a>'
    return HTMLResponse(f'<script type="speculationrules">{json.dumps(rules)}</script>{link}')


class Watched:
    """Notes how each request for the page is answered."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.answers: list[tuple[bool, int]] = []  # whether it was speculative, and the status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start" and scope["path"] == "/app/":
                self.answers.append((b"sec-purpose" in dict(scope["headers"]), message["status"]))
            await send(message)

        await self._app(scope, receive, noting)


@pytest.mark.parametrize("kind", ["prefetch", "prerender"])
async def test_a_guess_touches_nothing_and_the_visit_works(page: Page, kind: str) -> None:
    web = WebApp(Destination)
    watched = Watched(Starlette(routes=[Route("/{kind}", crossroads), Mount("/app", web.app)]))
    serving = Serving(watched)
    await serving.start()
    try:
        await page.goto(f"{serving.url}app/?from=nowhere")
        (app,) = web.instances.values()
        assert isinstance(app, Destination)
        await page.goto(f"{serving.url}{kind}")
        await until(lambda: len(watched.answers) == 2)
        assert watched.answers[1] == (True, 403)
        assert app.log == ["mount", "from=nowhere"]
        await page.click("a")
        assert await page.inner_text("#p") == "arrived"
        assert watched.answers[2:] == [(False, 200)]
        assert app.log == ["mount", "from=nowhere", "mount", "from=here"]
    finally:
        await page.goto("about:blank")
        await serving.stop()
        await web.registry.close()
