"""Apps whose sessions outlive their worker, and workers that share a store. Not in a test module: pytest rewrites
those, and code that is written anew has no address."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from headless.asgi import Site
from headless.tab import Tab
from htag import State, Tag, WebApp
from htag.app import App
from htag.limits import Limits
from htag.session.persistence import Persistence
from htag.session.session import Session
from htag.stores.base import Store
from htag.stores.memory import MemoryStore
from tests.support.observers import RecordingObserver
from tests.support.waiting import until

HELD: list[Any] = []  # apps that something in this process holds
DIARY: list[str] = []  # what the apps' hooks have done


class Counter(Tag.App):
    """Counts clicks; each click is remembered in the tree, too."""

    def init(self) -> None:
        self.count = State(0)
        self.clicks = 0
        Tag.button("more", _id="more", _onclick=self.more)
        Tag.span(lambda: self.count.value, _id="count")
        self.log = Tag.ul(_id="log")

    def more(self, event: Any) -> int:
        self.clicks += 1
        self.count.value += 1
        self.log <= Tag.li(f"click {self.clicks}")
        return self.clicks


class Hooked(Counter):
    """Says what its hooks do."""

    def on_mount(self) -> None:
        DIARY.append("mount")
        self.call_js("prepare()")

    def on_unmount(self) -> None:
        DIARY.append("unmount")

    def on_destroy(self) -> None:
        DIARY.append(f"destroy {self.clicks}")


class Destroyed(Counter):
    """Has no other hook than this."""

    def on_destroy(self) -> None:
        DIARY.append("destroy")


class Slow(Counter):
    """Has a handler that takes time."""

    def init(self) -> None:
        super().init()
        self.begun = 0
        Tag.button("slow", _id="slow", _onclick=self.slow)

    async def slow(self, event: Any) -> str:
        self.begun += 1
        await asyncio.sleep(0.3)
        self.clicks += 10
        return "slow"


class Silent(Counter):
    """Has a handler that takes very long, and changes nothing meanwhile."""

    def init(self) -> None:
        super().init()
        Tag.button("long", _id="long", _onclick=self.long)

    async def long(self, event: Any) -> None:
        DIARY.append("began")
        await asyncio.sleep(3600)


class Pinned(Counter):
    """Holds what no snapshot can, once it is asked to."""

    def init(self) -> None:
        super().init()
        self.handle: Any = None
        Tag.button("pin", _id="pin", _onclick=self.pin)
        Tag.button("free", _id="free", _onclick=self.free)

    def pin(self, event: Any) -> None:
        self.handle = (each for each in ())

    def free(self, event: Any) -> None:
        self.handle = None


class Mute(ValueError):
    """An error that cannot even be said."""

    def __str__(self) -> str:
        raise RuntimeError


class Note:
    """What a person has typed; it refuses to be written, or to be read."""

    def __init__(self, text: str, refuses: str) -> None:
        self.text = text
        self.refuses = refuses

    def __getstate__(self) -> dict[str, str]:
        if self.refuses == "written":
            raise ValueError(self.text)
        return self.__dict__

    def __setstate__(self, state: dict[str, str]) -> None:
        raise Mute if state["refuses"] == "mutely" else ValueError(state["text"])


class Noted(Counter):
    """Keeps what is typed where a snapshot's troubles might quote it."""

    def init(self) -> None:
        super().init()
        self.notes: dict[str, Any] = {}
        for handler in (self.keyed, self.written, self.read, self.mutely):
            Tag.button(handler.__name__, _id=handler.__name__, _onclick=handler)

    def keyed(self, event: Any) -> None:
        self.notes[event.value] = (each for each in ())

    def written(self, event: Any) -> None:
        self.notes["last"] = Note(event.value, "written")

    def read(self, event: Any) -> None:
        self.notes["last"] = Note(event.value, "read")

    def mutely(self, event: Any) -> None:
        self.notes["last"] = Note(event.value, "mutely")


class Asking(Tag.App):
    """Shows a dialog, whose handlers lead to the app, and takes it out again."""

    def init(self) -> None:
        self.asked = 0
        Tag.button("ask", _id="ask", _onclick=self.ask)

    def ask(self, event: Any) -> int:
        self.asked += 1
        self.dialog = Tag.dialog(Tag.button("no", _id="no", _onclick=lambda event: self.close()))
        self <= self.dialog
        return self.asked

    def close(self) -> None:
        self.remove(self.dialog)
        del self.dialog


class Workers:
    """Workers that share a store and a secret, and the browser that goes from one to another."""

    def __init__(self, store: Store, entity: type[App]) -> None:
        self.store = store
        self.entity = entity
        self.webs: dict[str, WebApp] = {}
        self.diaries: dict[str, RecordingObserver] = {}
        self.silent: set[str] = set()

    def start(self, name: str, entity: type[App] | None = None, **limits: Any) -> WebApp:
        """Start the worker called `name`."""
        diary = RecordingObserver()
        settings: dict[str, Any] = {"idle_seconds": 0, "pinned_grace_seconds": 3600} | limits
        web = WebApp(
            entity or self.entity, secret="s" * 32, store=self.store, observer=diary, limits=Limits(**settings)
        )
        persistence = self.persistence(web)
        persistence.located(f"{name}:1")
        persistence.ask_by(self.ask)
        self.webs[name], self.diaries[name] = web, diary
        return web

    def persistence(self, web: WebApp) -> Persistence:
        assert web.registry.persistence is not None
        return web.registry.persistence

    async def ask(self, owner: str, session_id: str, insist: bool) -> str:
        """Ask the worker `owner`, as over HTTP."""
        place, _, boot = owner.partition("/")
        name = place.partition(":")[0]
        if name in self.silent or name not in self.webs:
            raise TimeoutError
        return await self.webs[name].registry.handed_over(session_id, boot, insist=insist)

    async def tab(self, web: WebApp, version: Any = 2) -> Tab:
        """Open the page at `web`."""
        return await (await Tab(Site(web.app), version=version).load()).connect()

    async def go(self, tab: Tab, web: WebApp) -> Tab:
        """The tab's connection breaks, and it comes to `web`."""
        await tab.lose()
        tab.site = Site(web.app, cookies=tab.site.cookies)
        return await tab.connect()

    async def close(self) -> None:
        for web in self.webs.values():
            await web.registry.close()


Start = Callable[..., Workers]


@pytest.fixture
async def workers() -> AsyncIterator[Start]:
    """`workers(Counter)`: workers that share a memory store."""
    started: list[Workers] = []
    HELD.clear()
    DIARY.clear()

    def start(entity: type[App] = Counter, store: Store | None = None) -> Workers:
        started.append(Workers(store or MemoryStore(), entity))
        return started[-1]

    yield start
    for each in started:
        await each.close()


def only_session(web: WebApp) -> Session:
    """The one session of `web`."""
    (session,) = web.registry.sessions.values()
    return session


async def saved(web: WebApp) -> None:
    """Wait until nothing of `web` is dirty."""

    await until(lambda: web.registry.snapshot_counts()["dirty"] == 0 and web.registry.snapshot_counts()["saved"] > 0)
