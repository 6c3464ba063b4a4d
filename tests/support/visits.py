"""Fixtures: a browser's tabs on an app, over each transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import pytest

from headless.asgi import Site
from headless.protocol import TRANSPORTS
from headless.tab import Tab
from htag import Tag, WebApp

Visit = Callable[..., Awaitable[Tab]]
Serve = Callable[[type[Tag.App]], Visit]


async def shut_down(web: Any) -> None:
    """What a server does at its end: all sessions end, and with them hooks that never came to run."""
    registry = getattr(web, "registry", None)
    if registry is not None:  # the published package, which these tests also run against, has none
        await registry.close()


class Visits:
    """The tabs that a test opened and the web apps it opened them on; all end with the test."""

    def __init__(self) -> None:
        self._tabs: list[Tab] = []
        self._webs: list[WebApp] = []

    def serve(self, entity: Any, **options: Any) -> WebApp:
        self._webs.append(WebApp(entity, **options))
        return self._webs[-1]

    def tab(self, web: WebApp, transport: str, version: Literal[1, 2] = 1) -> Tab:
        """Open a tab, with nothing in it yet, of a browser of its own. `version`: of the wire."""
        self._tabs.append(Tab(Site(web.app), transport, version))
        return self._tabs[-1]

    async def end(self) -> None:
        for tab in self._tabs:
            await tab.leave()
        for web in self._webs:
            await shut_down(web)


@pytest.fixture
async def visits() -> AsyncIterator[Visits]:
    visits = Visits()
    yield visits
    await visits.end()


@pytest.fixture
def visit(visits: Visits) -> Visit:
    """`await visit(MyApp)`: a tab that shows a new session of MyApp, connected by WebSocket unless told otherwise.

    What else is given goes to `WebApp`; `load=False` and `connect=False` stop before that step.
    """

    async def open_tab(
        entity: Any, transport: str = "websocket", *, load: bool = True, connect: bool = True, **options: Any
    ) -> Tab:
        born: list[Any] = []
        tab = visits.tab(visits.serve(entity, on_instance=born.append, **options), transport)
        if load:
            await tab.load()
            tab.app = born[0] if born else entity
            if connect:
                await tab.connect()
        return tab

    return open_tab


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


@pytest.fixture
def operation() -> dict[str, Any]:
    """How the apps of `serve` are operated: what each `WebApp` is given."""
    return {}


@pytest.fixture
def serve(visits: Visits, transport: str, operation: dict[str, Any]) -> Serve:
    """`visit = serve(MyApp)`, then `await visit()` for each visitor who opens it, over each transport in turn."""

    def serve_app(entity: type[Tag.App]) -> Visit:
        web = visits.serve(entity, **operation)

        async def open_tab() -> Tab:
            return await (await visits.tab(web, transport).load()).connect()

        return open_tab

    return serve_app


def shows_everything(message: dict[str, Any], app: Any) -> bool:
    """Whether this message, of wire version 2, shows the whole body of `app`, and nothing else."""
    return [operation[:2] for operation in message.get("ops", ())] == [["h", app.id]]
