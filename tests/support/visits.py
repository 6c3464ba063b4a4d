"""Fixtures: a browser's tabs on an app, over each transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from htag import Tag, WebApp
from tests.browser import TRANSPORTS, Site, Tab, shut_down

Visit = Callable[..., Awaitable[Tab]]


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """`await visit(MyApp)`: a tab that shows a new session of MyApp, connected by WebSocket unless told otherwise.

    What else is given goes to `WebApp`; `load=False` and `connect=False` stop before that step.
    """
    tabs: list[Tab] = []
    webs: list[WebApp] = []

    async def open_tab(
        entity: Any, transport: str = "websocket", *, load: bool = True, connect: bool = True, **options: Any
    ) -> Tab:
        born: list[Any] = []
        web = WebApp(entity, on_instance=born.append, **options)
        webs.append(web)
        tab = Tab(Site(web.app), transport)
        tabs.append(tab)
        if load:
            await tab.load()
            tab.app = born[0] if born else entity
            if connect:
                await tab.connect()
        return tab

    yield open_tab
    for tab in tabs:
        await tab.leave()
    for web in webs:
        await shut_down(web)


@pytest.fixture
def show(visit: Visit) -> Visit:
    """`await show(tag)`: a tab on an app that holds just that; what is shown has been rendered, hence is clean."""

    async def show_tags(*children: Any, **options: Any) -> Tab:
        class Page(Tag.App):
            def init(self) -> None:
                self <= children

        return await visit(Page, **options)

    return show_tags


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each of the three transports in turn."""
    name: str = request.param
    return name
