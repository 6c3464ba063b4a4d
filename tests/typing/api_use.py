"""Typical use of htag's API. `mypy --strict` must accept every line: people's editors read the same types."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from starlette.applications import Starlette
from starlette.routing import Mount

from htag import HTML, App, ChromeApp, GTag, PyScript, Router, State, States, Tag, WebApp, prevent, stop

# the factory: known elements, unknown ones, fragments
paragraph: GTag = Tag.p("text", Tag.b("bold"), 5, None, ["list"], _class="intro", _data_id=7)
button: GTag = Tag.sl_button("save", _onclick=lambda event: event.target.id)
fragment: GTag = Tag("a", Tag.br())
bare: GTag = GTag("my-element", "x")
html: str = str(paragraph)
markup: str = HTML("<b>") + "x"


class Card(Tag.div):
    """A component with its own parameters."""

    statics = (Tag.style(".card {}"), "<link rel='x'>")
    styles = ".title { color: red }"

    def init(self, title: str, *children: object, wide: bool = False) -> None:
        self.body = Tag.div(*children, _class="body")
        self <= Tag.h2(title)
        self <= self.body
        self += "text"
        if wide:
            self.add_class("wide").remove_class("narrow").toggle_class("x")

    def add(self, *items: Any) -> Self:
        return super().add(*items)

    def on_mount(self) -> None:
        self.call_js("focus()").update()

    def on_unmount(self) -> None:
        assert self.root is not None
        self.root.update(0.1)


class Loading(Tag.section):
    """Hooks may be coroutines and generators."""

    async def on_mount(self) -> None:
        await asyncio.sleep(0)
        self.text = "loaded"


class Stepping(Tag.section):
    """The same, by steps."""

    def on_mount(self) -> Iterator[None]:
        self.text = "1"
        yield
        self.text = "2"


class Page(Tag.App):
    """Handlers of every kind."""

    def init(self) -> None:
        self.count = State(0)
        self.form = States(name="", age=0)
        self.router = Router()
        self.router.add_route("/", Card)
        self.router.set_not_found(Loading)
        with Tag.nav() as nav:
            Tag.a("home", _href="#/")
        nav["class"] = lambda: "busy" if self.count.value else None
        del nav["class"]
        self <= nav <= "more"
        self <= [Card("title", "child", wide=True, _id="card"), lambda: Tag.b(self.count), self.count]
        self <= Tag.button("sync", _onclick=self.sync)
        self <= Tag.button("async", _onclick=prevent(stop(self.later)))
        self <= Tag.button("steps", _onclick=self.steps)
        self <= Tag.form(_onsubmit=self.send)

    def sync(self, event: Any) -> int:
        self.count.value += 1
        self.count += 1
        self.count.set(self.count.get() + 1)
        self.form.name = event.value
        value: int = self.count.value
        return value

    async def later(self, event: Any) -> str:
        await asyncio.sleep(0)
        return str(event["name"])

    async def steps(self, event: Any) -> AsyncIterator[None]:
        self.count.value = 1
        yield
        self.count.notify()

    @prevent
    def send(self, event: Any) -> None:
        found = self.find_tag(self, "card")
        if found is not None:
            found.clear("new").add("more")
            found.remove()
        self.router.navigate("/")
        self.form.load(self.form.dump())

    async def on_destroy(self) -> None:
        await asyncio.sleep(0)


def greet(app: App, request: Any) -> None:
    app.throttle_delay = 0.1


web = WebApp(Page, on_instance=greet, debug=False, parano=True)
hosted: Starlette = Starlette(routes=[Mount("/htag", web.app), Mount("/other", Page().app)])


def main() -> None:
    web.run(host="0.0.0.0", port=8000, open_browser=False, reload=True)
    ChromeApp(Page, width=640).run(port=0)
    PyScript(Page).run()
