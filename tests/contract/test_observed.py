"""What ours adds to the contract: the observer hears of every event and failure, the log once and without data."""

import logging
import time

import pytest

from headless.errors import ServerError
from htag import Tag
from htag.limits import Limits
from tests.support.observers import RecordingObserver


class Failing(Tag.App):
    def init(self):
        self <= Tag.button(_id="fail", _onclick=self.fail)
        self <= Tag.button(_id="ok", _onclick=lambda event: "ok")

    def fail(self, event):
        raise RuntimeError


async def test_every_event_is_counted_by_its_outcome(visit):
    watching = RecordingObserver()
    tab = await visit(Failing, observer=watching)
    await tab.click("ok")
    with pytest.raises(ServerError):
        await tab.click("fail")
    await tab.event("ok", "keyup")
    await tab.event("nobody", "click")
    assert watching.labels("event_handled") == ["ok", "error", "no_handler", "no_target"]
    assert "handler" in watching.labels("component_failed")


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

    watching = RecordingObserver()
    tab = await visit(Page, observer=watching)
    await tab.send({"id": "b", "event": "click", "data": {"callback_id": "c"}})
    await tab.until(lambda: kind in watching.labels("component_failed"))
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    assert "Broken" in caplog.text


async def test_a_sync_handler_that_blocks_is_announced_by_name(visit, caplog):
    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=self.dawdle)

        def dawdle(self, event):
            time.sleep(0.06)

    watching = RecordingObserver()
    tab = await visit(Page, observer=watching, limits=Limits(blocked_seconds=0.05))
    await tab.click("b")
    ((name, seconds),) = watching.told("handler_blocked")
    assert name.endswith("dawdle")
    assert seconds > 0.05
    assert "dawdle" in caplog.text
