"""A session that lives on random events, here or in another process, and says what it told its tab."""

import asyncio
import importlib
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from htag.app import App
from htag.limits import Limits
from htag.observer import Observer
from htag.session.session import Session
from htag.snapshot.api import load
from htag.tree.access import attribute, handlers_of
from htag.tree.elements import elements
from htag.tree.live import live_tree
from htag.wire.codec import Codec
from htag.wire.messages import Failure, Message
from tests.support.channels import RecordingChannel
from tests.support.source import ROOT
from tests.support.waiting import STACK_SECONDS

PATHS = ("/", "/tasks", "/contact", "/live", "/cart", "/goods/tea", "/goods/coffee", "/orders/2026/7", "/nowhere")
WORDS = ("a", "bb", "3", "milk", "<b>", "tea & toast")


class Life:
    """One session with one tab."""

    def __init__(self, app: App, *, starts: bool = True) -> None:
        self.app = app
        live_tree(app).request = lambda: SimpleNamespace(state=SimpleNamespace())
        self.session = Session("id", app, Codec(), Observer(), Limits())
        if starts:
            self.session.start()
            self.session.page()
        self.channel = RecordingChannel()
        self.session.attach_once(self.channel)
        self._events = 0

    async def live(self, events: int, seed: int) -> list[str]:
        """So many events, the same for equal trees; returns what the tab was told."""
        chance = random.Random(seed)
        random.seed(seed)  # for apps that draw numbers
        before, self._events = len(self.channel.frames), 0
        for _ in range(events):
            choices = self.choices()
            if choices:
                tag, event = chance.choice(choices)
                await self.fire(tag.id, event, data_of(tag, event, chance))
        return self.channel.frames[before:]

    def choices(self) -> list[tuple[Any, str]]:
        """What a person may do now: tags and events, in document order."""
        found = []
        for tag in live_tree(self.app).generated.pre_order(self.app):
            events = [
                event for event, handler in handlers_of(tag) if not (isinstance(handler, str) or is_timed(handler))
            ]
            if tag.tag is not None and elements[tag.tag].reports_value and "input" not in events:
                events.append("input")
            found += [(tag, event) for event in events]
        return found

    async def fire(self, identity: str, event: str, data: dict[str, Any] | None = None) -> None:
        """One event, handled to its end."""
        self._events += 1
        message = Message(id=identity, event=event, data={**(data or {}), "callback_id": f"c{self._events}"})
        replies = self.session.handle(message)
        if isinstance(replies, AsyncIterator):
            async for reply in replies:
                self.tell(reply)
        else:
            for reply in replies:
                self.tell(reply)

    def tell(self, reply: Any) -> None:
        """Send `reply` to the tab. That a handler raised would be the same everywhere, and no proof of anything."""
        assert not isinstance(reply, Failure), reply.traceback
        self.session.delivery.deliver(reply, self.channel)


def is_timed(handler: Any) -> bool:
    """Whether `handler` starts a timer: what that does later is a matter of time."""
    return getattr(handler, "__name__", "") == "plain"


def data_of(tag: Any, event: str, chance: random.Random) -> dict[str, Any]:
    """What a browser may say of `event`."""
    if event == "hashchange":
        return {"newURL": "http://testserver/#" + chance.choice(PATHS), "oldURL": ""}
    if event == "init_route":
        return {"hash": "#" + chance.choice(PATHS)}
    if tag.tag == "form":
        return {"value": {"name": "Ann", "text": chance.choice(WORDS), "email": "a@b", "message": "m"}}
    if tag.tag == "input" and attribute(tag, "type") in ("checkbox", "radio"):
        return {"checked": chance.random() < 0.5}
    return {"value": chance.choice(WORDS)} if tag.tag in ("input", "textarea", "select") else {}


def entity_of(path: str) -> Any:
    """The app class that is called `module:name`."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def elsewhere(path: str, payloads: dict[int, bytes], events: int) -> dict[int, dict[str, Any]]:
    """What `payloads`, by their seeds, are in another process, whose strings hash otherwise: for each the outcome of
    loading, the page, and the frames of so many events more."""
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "app")))
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.support.lives", path, str(events)],
        input=json.dumps({seed: payload.hex() for seed, payload in payloads.items()}).encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "4242"},
        timeout=STACK_SECONDS,
    )
    assert done.returncode == 0, done.stderr.decode()
    return {int(seed): answer for seed, answer in json.loads(done.stdout).items()}


async def go_on(path: str, payload: bytes, events: int, seed: int) -> dict[str, Any]:
    """In the other process: load the payload, and live."""
    app, outcome = load(payload, entity_of(path))
    life = Life(app, starts=False)
    frames = await life.live(events, seed)
    return {"outcome": outcome, "frames": frames, "next": live_tree(app).numbers.next, "page": str(app)}


if __name__ == "__main__":
    asked = {int(seed): bytes.fromhex(payload) for seed, payload in json.load(sys.stdin).items()}
    path, events = sys.argv[1], int(sys.argv[2])
    print(json.dumps({seed: asyncio.run(go_on(path, payload, events, seed)) for seed, payload in asked.items()}))
