"""The apps are used as people use them: several browsers, each with its own session, on each of three transports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from htag import Tag, WebApp
from tests.browser import TRANSPORTS, Site, Tab, shut_down

Visit = Callable[[], Awaitable[Tab]]
Serve = Callable[[type[Tag.App]], Visit]


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each of the three transports in turn."""
    name: str = request.param
    return name


@pytest.fixture
async def serve(transport: str) -> AsyncIterator[Serve]:
    """`visit = serve(MyApp)`, then `await visit()` for each person who opens it."""
    tabs: list[Tab] = []
    webs: list[WebApp] = []

    def serve_app(entity: type[Tag.App]) -> Visit:
        web = WebApp(entity)
        webs.append(web)

        async def visit() -> Tab:
            tab = Tab(Site(web.app), transport)
            tabs.append(tab)
            return await (await tab.load()).connect()

        return visit

    yield serve_app
    for tab in tabs:
        await tab.leave()
    for web in webs:
        await shut_down(web)
