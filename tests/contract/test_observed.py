"""What ours adds to the contract: the observer hears of every event and failure, the log once and without data."""

import logging
import time

import pytest

from htag import Tag
from htag.limits import Limits
from htag.observer import Observer
from tests.browser import ServerError


class Failing(Tag.App):
    def init(self):
        self <= Tag.button(_id="fail", _onclick=self.fail)
        self <= Tag.button(_id="ok", _onclick=lambda event: "ok")

    def fail(self, event):
        raise RuntimeError


class Watching(Observer):
    """Keeps what it hears."""

    def __init__(self):
        self.heard = []

    def event_handled(self, outcome, seconds):
        self.heard.append(("event", outcome))

    def component_failed(self, kind):
        self.heard.append(("failed", kind))

    def handler_blocked(self, name, seconds):
        self.heard.append(("blocked", name, seconds > 0.05))


async def test_every_event_is_counted_by_its_outcome(visit):
    watching = Watching()
    tab = await visit(Failing, observer=watching)
    await tab.click("ok")
    with pytest.raises(ServerError):
        await tab.click("fail")
    await tab.event("ok", "keyup")
    await tab.event("nobody", "click")
    outcomes = [what[1] for what in watching.heard if what[0] == "event"]
    assert outcomes == ["ok", "error", "no_handler", "no_target"]
    assert ("failed", "handler") in watching.heard


@pytest.mark.parametrize("kind", ["render", "hook"])
async def test_other_failures_are_counted_and_logged_with_the_components_name(visit, caplog, kind):
    class Broken(Tag.p):
        def init(self):
            if kind == "render":
                self <= (lambda: 1 / 0)

        async def on_mount(self):
            if kind == "hook":
                raise ZeroDivisionError

    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=lambda event: self.add(Broken()) and None)

    watching = Watching()
    tab = await visit(Page, observer=watching)
    await tab.send({"id": "b", "event": "click", "data": {"callback_id": "c"}})
    await tab.until(lambda: ("failed", kind) in watching.heard)
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    assert "Broken" in caplog.text


async def test_a_sync_handler_that_blocks_is_announced_by_name(visit, caplog):
    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=self.dawdle)

        def dawdle(self, event):
            time.sleep(0.06)

    watching = Watching()
    tab = await visit(Page, observer=watching, limits=Limits(blocked_seconds=0.05))
    await tab.click("b")
    ((_, name, long),) = [what for what in watching.heard if what[0] == "blocked"]
    assert name.endswith("dawdle")
    assert long
    assert "dawdle" in caplog.text
