"""What one session makes its worker keep, besides frames: answers, messages, tasks, tabs, its tree."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from headless.asgi import Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag import State, Tag, WebApp
from htag.limits import Limits
from htag.session.delivery import KEPT_BYTES
from htag.session.inbox import MAX_WAITING
from htag.session.registry import SessionRegistry
from htag.session.session import SESSION_TOO_LARGE, Session
from htag.wire.codec import Codec
from tests.htag.web.visitor import Open, click, payloads, scene
from tests.support.channels import RecordingChannel
from tests.support.observers import RecordingObserver
from tests.support.waiting import passed, until

__all__ = ["scene"]  # a fixture

MIB = 1 << 20


def session_of(each: Any) -> Session:
    (session,) = each.web.registry.sessions.values()
    assert isinstance(session, Session)
    return session


# -- answers that are kept


async def test_large_answers_to_posts_are_not_kept_and_their_repetition_shows_how_everything_is(scene: Open) -> None:
    here = await scene()
    here.app.add(Tag.p("x" * MIB))
    for number in range(8):
        await here.post(click("more", number), tab=f"t{number}", query="?rev=1")
    session = session_of(here)
    assert session.tabs.kept_bytes <= KEPT_BYTES
    again = await here.post(click("more", 7), tab="t7", query="?rev=1")
    (frame,) = payloads(again)
    assert ">8</p>" in next(iter(frame["updates"].values()))
    assert here.app.calls == list(range(8))  # it did not run again
    assert again.json["revision"] == session.revision


async def test_a_small_answer_is_kept_beside_a_large_one_of_another_tab(scene: Open) -> None:
    here = await scene()
    first = await here.post(click("more", 1), tab="small", query=f"?rev={here.revision}")
    here.app.add(Tag.p("x" * MIB))
    second = await here.post(click("more", 2), tab="small", query=f"?rev={here.revision}")
    await here.post(click("more", 3), tab="large", query="?rev=1")
    third = await here.post(click("more", 4), tab="small", query=f"?rev={here.revision}")
    assert (await here.post(click("more", 4), tab="small")).json == third.json
    assert first.status == second.status == 200


# -- messages that are not done


async def test_messages_that_wait_are_bounded_by_their_bytes_over_all_tabs_of_a_session(scene: Open) -> None:
    here = await scene(limits=Limits(session_waiting_bytes=100_000))
    slow = [asyncio.ensure_future(here.post({**click("slow", n), "padding": "x" * 30_000})) for n in range(4)]
    session = session_of(here)
    await until(lambda: session.unfinished > 100_000)
    refused = await here.post(click("more", 9), tab="another")
    assert refused.status == 429
    assert refused.headers["retry-after"] == "1"
    here.app.gate.set()
    await asyncio.gather(*slow)
    assert session.unfinished == 0
    assert (await here.post(click("more", 10), tab="another")).status == 200


async def test_a_socket_whose_messages_wait_is_not_read_on(scene: Open) -> None:
    here = await scene(limits=Limits(session_waiting_bytes=100_000))
    socket = await here.site.websocket("/ws")
    await socket.receive()
    for number in range(20):
        socket.send(json.dumps({**click("slow", number), "padding": "x" * 30_000}))
    session = session_of(here)
    await until(lambda: session.unfinished > 100_000)
    await passed(0.05)
    assert session.unfinished < 160_000  # the one that is under way, and few behind it
    here.app.gate.set()
    await until(lambda: len(here.app.calls) == 20)
    await until(lambda: session.unfinished == 0)
    await socket.close()


async def test_little_messages_count_with_their_objects_as_well(scene: Open) -> None:
    """A hundred may wait in each of 32 tabs."""
    here = await scene(limits=Limits(session_waiting_bytes=MIB))
    session = session_of(here)
    data = {"callback_id": "c", "objects": [{"a": 1}] * 400}  # 3 KB, and 130
    socket = await here.site.websocket("/ws")
    for _ in range(50):
        socket.send(json.dumps({"id": "slow", "event": "click", "data": data}, separators=(",", ":")))
    await until(lambda: session.unfinished > MIB)
    await passed(0.1)
    assert session.unfinished < 2 * MIB
    here.app.gate.set()
    await until(lambda: len(here.app.calls) == 50)
    await socket.close()


@pytest.mark.parametrize("way", ["websocket", "post"])
async def test_messages_that_wait_count_with_the_objects_that_they_are(scene: Open, way: str) -> None:
    """The JSON of 100 000 little objects has less than a megabyte, and they take twenty."""
    here = await scene(limits=Limits(session_waiting_bytes=MIB))
    session = session_of(here)
    data = {"callback_id": "c", "objects": [{"a": 1}] * 9000}  # 72 KB, and 2 MB
    message = json.dumps({"id": "slow", "event": "click", "data": data}, separators=(",", ":"))
    socket = await here.site.websocket("/ws") if way == "websocket" else None
    for number in range(5):
        if socket is not None:
            socket.send(message)
        else:
            assert (await here.post(message, tab="t")).status == (429 if number else 200)
    await until(lambda: session.unfinished > 2 * MIB)
    await passed(0.1)
    assert session.unfinished < 7 * MIB  # the one that is under way, and one behind it
    here.app.gate.set()
    await until(lambda: session.unfinished == 0)
    if socket is not None:
        await until(lambda: len(here.app.calls) == 5)
        await socket.close()


async def test_bodies_that_are_being_read_count(scene: Open) -> None:
    here = await scene(limits=Limits(session_waiting_bytes=100_000))
    session = session_of(here)
    headers = {"x-htag-token": here.token}
    exchanges = []
    for _ in range(3):
        from headless.asgi import Exchange

        exchange = Exchange(here.site.app, here.site.scope("http", "/event", headers, method="POST"))
        exchange.say("http.request", body=b" " * 40_000, more_body=True)
        exchanges.append(exchange)
    await until(lambda: session.unfinished == 120_000)
    assert (await here.post(click("more", 1))).status == 429
    for exchange in exchanges:
        exchange.say("http.disconnect")
        await exchange.end()
    assert session.unfinished == 0


async def test_endless_names_of_tabs_run_no_more_handlers_than_one(scene: Open) -> None:
    here = await scene()
    posts = [asyncio.ensure_future(here.post(click("slow", n), tab=f"t{n}")) for n in range(MAX_WAITING + 20)]
    await until(lambda: sum(post.done() for post in posts) >= 19)
    here.app.gate.set()
    statuses = [answer.status for answer in await asyncio.gather(*posts)]
    assert statuses.count(429) >= 19
    await here.post(click("more", 0), tab="another")  # those that wait no longer are forgotten for it
    assert len(session_of(here).tabs) <= 8


# -- tabs


async def test_tabs_beyond_the_limit_are_refused_before_they_are_accepted(scene: Open) -> None:
    here = await scene(limits=Limits(session_tabs=2))
    tabs = [await Tab(here.site).connect() for _ in range(2)]
    with pytest.raises(Disconnected) as caught:
        await Tab(here.site).connect()
    assert not caught.value.accepted  # after it, a page would try again for ever instead of using plain HTTP
    assert (await here.site.get("/stream")).status == 429
    assert (await here.post(click("more", 1), tab="third")).status == 200
    await tabs[0].leave()
    again = await Tab(here.site).connect()
    for tab in (tabs[1], again):
        await tab.leave()


# -- the tree


class Store(Tag.App):
    def init(self) -> None:
        self.rows = State([])
        self.shown = Tag.p(_id="shown")


class House:
    def __init__(self, **limits: Any) -> None:
        self.bounds = RecordingObserver()
        self.registry = SessionRegistry(limits=Limits(**limits), observer=self.bounds)

    def open(self) -> Session:
        return self.registry.open(
            lambda identity: Session(identity, Store(), Codec(), self.bounds, self.registry.limits)
        )


def connected(house: House) -> tuple[Session, RecordingChannel]:
    session, far = house.open(), RecordingChannel()
    house.registry.connect(session, far, None)
    return session, far


async def test_a_session_that_grows_too_large_is_told_and_ends() -> None:
    house = House(session_bytes=MIB)
    session, far = connected(house)
    session.app.rows.append({"text": "x" * 2 * MIB})  # type: ignore[attr-defined]
    house.registry.usage.note_message(session, 2 * MIB)
    assert "This page was closed" in far.frames[-1]
    assert not far.ended  # it is to be told first
    assert session.close_code == SESSION_TOO_LARGE
    house.registry.usage.note_message(session, 2 * MIB)
    await until(lambda: far.ended)
    assert house.bounds.labels("session_limited") == ["size"]
    assert not house.registry.sessions
    await house.registry.close()


async def test_a_connected_session_is_measured_again_after_it_changed() -> None:
    house = House()
    sessions = [connected(house) for _ in range(3)]
    for _ in range(2):
        house.registry.usage.measure()
    session = sessions[1][0]
    before = session.size
    session.app.shown.text = "x" * 100_000  # type: ignore[attr-defined]
    session.push()
    for _ in range(3):
        house.registry.usage.measure()
    assert session.size > before + 90_000
    await house.registry.close()


async def test_a_session_that_ended_in_the_meantime_does_not_end_twice() -> None:
    house = House(session_bytes=MIB)
    session, far = connected(house)
    session.app.shown.text = "x" * 2 * MIB  # type: ignore[attr-defined]
    house.registry.usage.note_message(session, 2 * MIB)
    house.registry.end(session, "replaced")
    assert far.ended
    await passed(0.3)
    await house.registry.close()


async def test_little_messages_cost_no_measuring() -> None:
    house = House()
    session, _ = connected(house)
    house.registry.usage.measure()
    size = session.size
    session.app.shown.text = "x" * 100_000  # type: ignore[attr-defined]
    house.registry.usage.note_message(session, 5000)
    assert session.size == size
    house.registry.usage.measure()
    assert session.size > size
    await house.registry.close()


RECORDS: list[Callable[[Store], Any]] = [
    lambda app: app.rows.append({"text": "x" * MIB}),
    lambda app: app.rows.set([["x" * MIB]]),
    lambda app: setattr(app, "found", {"a": ["x" * MIB]}),
    lambda app: setattr(app, "found", {"x" * MIB: True}),
    lambda app: setattr(app, "found", {"a": {"x" * MIB: True}}),
    lambda app: setattr(app, "found", deque(["x" * MIB])),
    lambda app: setattr(app, "found", [deque(["x" * MIB])]),
    lambda app: app.call_js("x" * MIB),
]


@pytest.mark.parametrize("grow", RECORDS)
async def test_records_and_scripts_that_wait_are_part_of_the_size(grow: Callable[[Store], Any]) -> None:
    house = House()
    session = house.open()
    assert isinstance(session.app, Store)
    grow(session.app)
    house.registry.usage.measure()
    assert session.size > MIB
    await house.registry.close()


async def test_a_message_of_the_browser_is_measured_where_it_comes_in(scene: Open) -> None:
    here = await scene(limits=Limits(session_bytes=MIB))
    session = session_of(here)
    session.app.add(Tag.p("x" * 2 * MIB))
    await here.post({"id": "more", "event": "click", "data": {"n": 1}, "padding": "x" * 300_000})
    await until(lambda: session.closed)


class Hoarder(Tag.App):
    """Keeps what it is told, and shows nothing of it."""

    def init(self) -> None:
        self.said: list[str] = []
        Tag.button("keep", _id="keep", _onclick=lambda event: self.said.append(event.value))


@pytest.mark.parametrize("way", ["websocket", "post"])
async def test_many_small_messages_of_which_nothing_is_shown_grow_a_session_no_further(way: str) -> None:
    """Such a session has no new revision, and none of its messages is large."""
    bounds = RecordingObserver()
    web = WebApp(Hoarder, observer=bounds, limits=Limits(session_bytes=MIB))
    tab = await Tab(Site(web.app), "websocket" if way == "websocket" else "http").load()
    socket = await tab.site.websocket("/ws") if way == "websocket" else None
    (session,) = web.registry.sessions.values()

    async def say(number: int) -> None:
        message = json.dumps({"id": "keep", "event": "click", "data": {"value": f"{number} ".ljust(3900, "x")}})
        if socket is not None:
            socket.send(message)
        else:
            await tab.site.post("/event", message, {"x-htag-token": tab.token, "x-htag-tab": "t"})

    for number in range(2 * MIB // 3900):
        if not session.closed:
            await say(number)
    await until(lambda: session.closed)
    assert bounds.labels("session_limited") == ["size"]
    await web.registry.close()


@pytest.mark.parametrize("button", ["more", "nothing"])
async def test_the_names_of_answers_that_are_kept_are_short(scene: Open, button: str) -> None:
    """Each of the last 500 answers of each of 64 tabs is kept under its name: those could be gigabytes."""
    here = await scene()
    session = session_of(here)
    sockets = [await here.site.websocket(f"/ws?v=2&tab={name}") for name in ("one", "other")]
    for number in range(1, 51):
        data = {"callback_id": "x" * 100_000, "n": number}
        sockets[0].send(json.dumps({"id": button, "event": "click", "n": number, "data": data}))
    log = session.tabs.log("one")
    assert log is not None
    await until(lambda: log.handled == 50)
    kept = sum(len(frame) for record in session.tabs.records() for _, frame in record.results)
    assert kept < 50 * 1000
    for socket in sockets:
        await socket.close()
