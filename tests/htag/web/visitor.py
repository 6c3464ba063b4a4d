"""One visitor of one WebApp, who posts what a test likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from headless.asgi import Answer, Site
from headless.tab import Tab
from htag import State, Tag, WebApp
from tests.support.observers import RecordingObserver


class Page(Tag.App):
    def init(self) -> None:
        self.gate = asyncio.Event()
        self.calls: list[Any] = []
        self.count = State(0)
        Tag.p(self.count, _id="count")
        Tag.button("more", _id="more", _onclick=self.more)
        Tag.button("slow", _id="slow", _onclick=self.slow)

    def more(self, event: Any) -> int:
        self.calls.append(event.n)
        self.count += 1
        return int(self.count.value)

    async def slow(self, event: Any) -> int:
        self.calls.append(event.n)
        await self.gate.wait()
        self.count += 1
        return int(self.count.value)


class Scene:
    """One visitor of one WebApp."""

    def __init__(self, **options: Any) -> None:
        self.apps: list[Page] = []
        self.observer = RecordingObserver()
        self.web = WebApp(Page, on_instance=self.apps.append, observer=self.observer, **options)
        self.site = Site(self.web.app)
        self.token = ""

    async def visit(self) -> Scene:
        tab = await Tab(self.site).load()
        self.token = tab.token
        return self

    @property
    def app(self) -> Page:
        return self.apps[0]

    @property
    def revision(self) -> int:
        (session,) = self.web.registry.sessions.values()
        return session.revision

    async def post(self, message: Any, *, tab: str = "", query: str = "", **headers: str) -> Answer:
        body = message if isinstance(message, str | bytes) else json.dumps(message)
        more = {"x-htag-tab": tab} if tab else {}
        return await self.site.post(f"/event{query}", body, {"x-htag-token": self.token, **more, **headers})


Open = Callable[..., Any]


@pytest.fixture
async def scene() -> AsyncIterator[Open]:
    """`await scene(limits=…)`: a visitor who has the page."""
    scenes: list[Scene] = []

    async def open_scene(**options: Any) -> Scene:
        scenes.append(await Scene(**options).visit())
        return scenes[-1]

    yield open_scene
    for each in scenes:
        await each.web.registry.close()


def click(identity: str, number: int, *, fallback: bool = True) -> dict[str, Any]:
    data = {"callback_id": f"c{number}", "n": number}
    return {"id": identity, "event": "click", "data": data, "fallback": fallback}


def payloads(answer: Answer) -> list[Any]:
    return [json.loads(payload) for payload in answer.json["payloads"]]
