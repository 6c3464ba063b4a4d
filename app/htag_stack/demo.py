"""The demo, a small htag 2 app of four pages. Copy it and make it yours: HTAG_APP=my_module:MyApp serves it instead."""

import asyncio
import itertools
import random
import time
from pathlib import Path
from typing import Any

from htag import Router, State, Tag, prevent

HERE = Path(__file__).parent
BARS = 48  # of the live chart
PERIOD = 1.0  # seconds between two of its values
TOLD = 10  # values that are told of in one sentence


class Home(Tag.section):
    """Shows a number that a button raises: the app holds it, so it survives leaving this page and reloading it."""

    def init(self) -> None:
        Tag.h1("Everything you see is Python")
        Tag.p(
            "Each click goes to the server, runs a Python method, and what it changed comes back. No page is reloaded."
        )
        with Tag.div(_class="card counter"):
            Tag.output(lambda: self.root.clicks, _id="clicks")  # screen readers say what an output changes to
            Tag.button("Click me", _id="click", _onclick=self.click)

    def click(self, event: Any) -> None:
        self.root.clicks += 1


class Tasks(Tag.section):
    """Shows a list of tasks to add, tick and delete."""

    def init(self) -> None:
        Tag.h1("Tasks")
        with Tag.form(_class="row", _onsubmit=self.add_task):
            self.entry = Tag.input(
                _id="new-task",
                _value="",
                _placeholder="What is to be done?",
                _aria_label="New task",
                _autocomplete="off",
            )
            Tag.button("Add", _id="add-task", _type="button", _onclick=self.add_task)
        Tag.ul(lambda: [self.row(task) for task in self.root.tasks.get()], _class="tasks")
        Tag.p(lambda: self.summary(), _class="muted", _role="status")

    def row(self, task: dict[str, Any]) -> Any:
        return Tag.li(
            Tag.label(
                Tag.input(_type="checkbox", _checked=task["done"], _onclick=lambda event: self.tick(task)),
                Tag.span(task["text"]),
            ),
            Tag.button(
                "✕", _class="quiet", _aria_label=f"Delete {task['text']}", _onclick=lambda event: self.delete(task)
            ),
            _class="done" if task["done"] else None,
            _data_htag_key=task.get("key"),  # the row is this task's, wherever it stands
        )

    @prevent
    def add_task(self, event: Any) -> None:
        text = self.entry["value"].strip()
        if text:
            key = 1 + max((task.get("key", 0) for task in self.root.tasks.get()), default=0)
            self.root.tasks.append({"text": text, "done": False, "key": key})
        self.entry["value"] = ""
        self.focus_entry()

    def tick(self, task: dict[str, Any]) -> None:
        task["done"] = not task["done"]
        self.root.tasks.notify()

    def delete(self, task: dict[str, Any]) -> None:
        self.root.tasks.remove(task)
        self.focus_entry()  # the button that had the focus is gone

    def focus_entry(self) -> None:
        """Put the cursor into the field for the next task."""
        self.entry.call_js("document.getElementById('new-task').focus()")

    def summary(self) -> str:
        tasks = self.root.tasks.get()
        left = sum(not task["done"] for task in tasks)
        return f"{left} of {len(tasks)} left" if tasks else "Nothing to do."


class Contact(Tag.section):
    """Shows a form that is checked on the server and answered on the page."""

    def init(self) -> None:
        Tag.h1("Contact")
        self.answer = Tag.div(_role="status")
        with Tag.form(_class="card", _onsubmit=self.send):
            with Tag.label("Your name"):
                Tag.input(_name="name", _autocomplete="name")
            with Tag.label("E-mail"):
                Tag.input(_name="email", _type="email", _autocomplete="email")
            with Tag.label("Message"):
                Tag.textarea(_name="message", _rows=4)
            Tag.button("Send")

    @prevent
    def send(self, event: Any) -> None:
        missing = [name for name in ("name", "email", "message") if not str(event[name] or "").strip()]
        if missing:
            self.answer.clear(Tag.p(f"Please fill in: {', '.join(missing)}.", _class="note bad"))
        else:
            self.answer.clear(
                Tag.p(f"Thank you, {event['name']}. (This is a demo: nothing was sent.)", _class="note good")
            )


class Live(Tag.section):
    """Shows a chart that a background task changes for as long as the page is open."""

    def init(self) -> None:
        self.values = State(walk([50.0] * BARS, BARS))
        self.paused = State(False)
        self.range = State("")
        Tag.h1("Live")
        Tag.p(
            "A task on the server adds a value every second. It starts when you open this page and ends when you leave."
        )
        Tag.div(
            lambda: [Tag.i(_style=f"height:{value:.0f}%") for value in self.values.get()],
            _class="card chart",
            _role="img",
            _aria_label=f"Chart of the last {BARS} values",
        )
        with Tag.div(_class="row"):
            Tag.p(lambda: f"Now: {self.values.get()[-1]:.0f}", _class="muted", _id="live-value")
            Tag.button(
                lambda: "Go on" if self.paused.get() else "Pause", _id="pause", _class="plain", _onclick=self.pause
            )
        # said aloud by a screen reader: seldom, so that it can be listened to
        Tag.p(lambda: self.range.get(), _class="muted", _role="status")

    def on_mount(self) -> None:
        self.task = asyncio.create_task(self.measure())

    def on_unmount(self) -> None:
        self.task.cancel()

    def pause(self, event: Any) -> None:
        """Stop the chart, or let it go on."""
        self.paused.set(not self.paused.get())

    async def measure(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(PERIOD)
            if not self.paused.get():
                self.values.set(walk(self.values.get(), 1))
                if number % TOLD == 0:
                    latest = self.values.get()[-TOLD:]
                    self.range.set(f"The last {TOLD} values: {min(latest):.0f} to {max(latest):.0f}.")


def walk(values: list[float], steps: int) -> list[float]:
    """`values` after `steps` random steps: as many, each between 2 and 100."""
    for _ in range(steps):
        values = [*values[1:], min(100, max(2, values[-1] + random.uniform(-12, 12)))]
    return values


class Whereabouts(Tag.aside):
    """Shows which worker serves this session; it does not change for as long as that worker lives."""

    def init(self) -> None:
        Tag.h2("You are served by")
        with Tag.dl():
            self.line("Container", lambda: self.served_by()[0])
            self.line("Slot", lambda: self.served_by()[1])
            self.line("Transport", Tag.span("…", _id="transport"))  # only the browser knows: see demo.js
            self.line("Session age", Tag.time(_id="age", _data_since=int(time.time())))
            self.line("Clicks", lambda: self.root.clicks)

    def line(self, name: str, value: Any) -> None:
        Tag.dt(name)
        Tag.dd(value)

    def served_by(self) -> tuple[str, str]:
        """(container, slot) of the request that is being answered; request_layer.py puts it there."""
        self.root.clicks.get()  # so that every click shows anew which worker answered it
        host, _, slot = getattr(self.request.state, "served_by", "this process:1").rpartition(":")
        return host, slot


class Demo(Tag.App):
    """Shows the frame around the pages, and holds what outlives a change of page."""

    statics = (
        Tag.title("htag demo"),
        Tag.style((HERE / "demo.css").read_text()),
        Tag.script((HERE / "demo.js").read_text()),
    )

    def init(self) -> None:
        self["lang"] = "en"
        self.clicks = State(0)
        self.tasks = State([{"text": "Open this page in a second tab", "done": False, "key": 1}])
        self.router = Router()
        for path, page in {"/": Home, "/tasks": Tasks, "/contact": Contact, "/live": Live}.items():
            self.router.add_route(path, page)
        with Tag.header():
            Tag.strong("htag demo")
            with Tag.nav(_aria_label="Pages"):
                self.link("Home", "/")
                self.link("Tasks", "/tasks")
                self.link("Contact", "/contact")
                self.link("Live", "/live")
        with Tag.div(_class="columns"):
            Tag.main(self.router)
            Whereabouts(_aria_label="Server")

    def link(self, text: str, path: str) -> None:
        Tag.a(text, _href=f"#{path}", _aria_current=lambda: "page" if self.router.path == path else None)
