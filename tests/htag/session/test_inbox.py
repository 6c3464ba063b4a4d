"""The messages of one tab are handled one after the other, and whoever waits for one is always told."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from htag import State, Tag
from htag.limits import Limits
from htag.session.inbox import MAX_WAITING, Inbox
from htag.session.session import Session
from htag.wire.codec import Codec
from htag.wire.messages import Message
from tests.support.channels import RecordingChannel
from tests.support.observers import RecordingObserver


class Tab(RecordingChannel):
    """A channel that is asked what it answered."""

    @property
    def shown(self) -> list[Any]:
        return [json.loads(frame) for frame in self.frames]

    @property
    def answered(self) -> list[str]:
        return [frame["callback_id"] for frame in self.shown if frame.get("callback_id")]


class Desk(Tag.App):
    """Handlers of every kind; the slow ones wait at a gate."""

    def init(self) -> None:
        self.gate = asyncio.Event()
        self.log: list[str] = []
        self.step = State(0)
        Tag.p(self.step, _id="shown")
        for name in ("fast", "slow", "stepwise", "failing", "failing_later"):
            Tag.button(name, _id=name, _onclick=getattr(self, name))

    def fast(self, event: Any) -> str:
        self.log.append(f"fast {event.n}")
        return "fast"

    async def slow(self, event: Any) -> str:
        self.log.append(f"slow {event.n} begins")
        await self.gate.wait()
        self.log.append(f"slow {event.n} ends")
        return "slow"

    def stepwise(self, event: Any) -> Iterator[None]:
        for number in range(3):
            self.step.value = number + 1
            self.log.append(f"step {number}")
            yield

    def failing(self, event: Any) -> None:
        raise RuntimeError("no luck")

    async def failing_later(self, event: Any) -> None:
        await self.gate.wait()
        raise RuntimeError("no luck")


class Scene:
    """An app with one tab and its inbox."""

    def __init__(self) -> None:
        self.app = Desk()
        self.observer = RecordingObserver()
        self.session = Session("id", self.app, Codec(), self.observer, Limits())
        self.session.start()
        self.session.page()
        self.tab = Tab()
        self.session.attach(self.tab, self.session.revision)
        self.tab.frames.clear()
        self.inbox = Inbox(self.session)

    def click(self, name: str, number: int = 0) -> asyncio.Future[None] | None:
        message = Message(id=name, event="click", data={"callback_id": f"c{number}", "n": number})
        return self.inbox.submit(message, self.tab)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    scene.session.close()
    await scene.session.finished()


async def within(future: asyncio.Future[None] | None) -> None:
    assert future is not None
    await asyncio.wait_for(future, 5)


async def test_what_takes_no_time_is_done_when_submit_returns(scene: Scene) -> None:
    assert scene.click("fast", 1) is None
    assert scene.tab.answered == ["c1"]
    assert scene.inbox.idle


async def test_a_fast_message_waits_behind_a_slow_one(scene: Scene) -> None:
    slow, fast = scene.click("slow", 1), scene.click("fast", 2)
    for _ in range(5):
        await asyncio.sleep(0)
    assert scene.app.log == ["slow 1 begins"]
    assert not scene.inbox.idle
    scene.app.gate.set()
    await within(fast)
    assert slow is not None
    assert slow.done()
    assert scene.app.log == ["slow 1 begins", "slow 1 ends", "fast 2"]
    assert scene.tab.answered == ["c1", "c2"]


async def test_any_mixture_of_handlers_keeps_its_order(scene: Scene) -> None:
    scene.app.gate.set()
    names = ["fast", "slow", "stepwise", "failing", "fast", "failing_later", "slow", "fast"]
    futures = [scene.click(name, number) for number, name in enumerate(names)]
    await within(futures[-1])
    assert scene.tab.answered == [f"c{number}" for number in range(len(names))]
    numbers = [line.split()[1] for line in scene.app.log if line.startswith(("fast", "slow"))]
    assert numbers == ["0", "1", "1", "4", "6", "6", "7"]


async def test_the_inbox_is_idle_again_when_all_is_done(scene: Scene) -> None:
    scene.app.gate.set()
    await within(scene.click("slow", 1))
    async with asyncio.timeout(5):
        while not scene.inbox.idle:  # noqa: ASYNC110  # a inbox has no event for it
            await asyncio.sleep(0)
    assert scene.click("fast", 2) is None


async def test_each_step_of_a_generator_reaches_the_tab(scene: Scene) -> None:
    await within(scene.click("stepwise", 1))
    shown = [frame["updates"]["shown"] for frame in scene.tab.shown if frame["updates"]]
    assert [html[-5:-4] for html in shown] == ["1", "2", "3"]
    assert scene.tab.woken >= 4  # nobody who holds the channel is about to send what a task puts in it


async def test_an_exception_is_told_to_the_tab_and_the_next_message_is_handled(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    failing, fast = scene.click("failing_later", 1), scene.click("fast", 2)
    scene.app.gate.set()
    await within(fast)
    await within(failing)
    assert [frame["action"] for frame in scene.tab.shown if frame.get("callback_id")] == ["error", "update"]
    assert "no luck" in scene.tab.shown[0]["traceback"]
    assert scene.observer.labels("event_handled") == ["error", "ok"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_two_inboxes_do_not_wait_for_each_other(scene: Scene) -> None:
    scene.click("slow", 1)
    other = Inbox(scene.session)
    assert other.submit(Message(id="fast", event="click", data={"n": 2}), None) is None
    assert "fast 2" in scene.app.log


async def test_a_full_inbox_says_so_and_the_sender_goes_on_when_there_is_room(scene: Scene) -> None:
    scene.click("slow", 0)
    for number in range(MAX_WAITING):
        assert not scene.inbox.full
        scene.click("fast", number)
    assert scene.inbox.full
    waiting = asyncio.ensure_future(scene.inbox.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    scene.app.gate.set()
    await asyncio.wait_for(waiting, 5)
    assert not scene.inbox.full
    assert len(scene.app.log) == MAX_WAITING + 2


async def test_an_idle_inbox_is_not_full_and_has_room_at_once(scene: Scene) -> None:
    assert not scene.inbox.full
    await asyncio.wait_for(scene.inbox.wait_for_room(), 5)


async def test_a_session_that_ends_settles_all_that_waits(scene: Scene) -> None:
    futures = [scene.click("slow", 1), scene.click("fast", 2), scene.click("slow", 3)]
    await asyncio.sleep(0)
    assert scene.app.log == ["slow 1 begins"]
    crowd = asyncio.ensure_future(scene.inbox.wait_for_room())
    scene.session.close()
    for future in futures:
        await within(future)
    await asyncio.wait_for(crowd, 5)
    assert scene.app.log == ["slow 1 begins"]
    assert scene.inbox.idle


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
async def test_a_session_that_ends_before_the_handler_begins_settles_it_as_well(scene: Scene) -> None:
    future = scene.click("slow", 1)
    scene.session.close()
    for _ in range(10):
        await asyncio.sleep(0)
    assert scene.app.log == []
    assert future is not None
    assert future.done()


async def test_a_message_after_the_end_is_answered_and_does_nothing(scene: Scene) -> None:
    scene.session.close()
    assert scene.click("fast", 1) is None
    assert scene.app.log == []


async def test_a_tab_that_left_meanwhile_costs_the_others_nothing(scene: Scene) -> None:
    other = Tab()
    scene.session.attach(other, scene.session.revision)
    future = scene.click("stepwise", 1)
    scene.session.detach(scene.tab)
    await within(future)
    assert sum(bool(frame["updates"]) for frame in other.shown) == 3


async def test_a_question_about_disabled_that_fails_is_answered_with_an_error(scene: Scene) -> None:
    fails = False
    scene.app.add(Tag.button(_id="moody", _disabled=lambda: 1 / 0 if fails else None, _onclick=scene.app.fast))
    scene.session.page()
    fails = True
    assert scene.click("moody", 1) is None
    assert scene.tab.shown[-1]["action"] == "error"
