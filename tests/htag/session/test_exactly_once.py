"""Each event of a tab of wire version 2 counts once, and in its order, whatever happens to connections and workers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headless.asgi import Site, Socket
from headless.errors import Disconnected, ServerError
from headless.protocol import TRANSPORTS
from headless.tab import Tab
from htag import State, Tag, WebApp
from htag.observer import Observer
from htag.session.session import Session
from htag.session.stored import Stored
from htag.snapshot.envelope import TabRecord
from tests.htag.stage import usual
from tests.support.observers import RecordingObserver
from tests.support.visits import shows_everything
from tests.support.waiting import until

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)
streams = pytest.mark.parametrize("transport", ["websocket", "sse"])


class Counter(Tag.App):
    """Notes each event that it hears, and shows how many there were."""

    def init(self, heard: list[Any] | None = None) -> None:
        self.heard = heard or []
        self.keys: list[str | None] = []
        self.gate = asyncio.Event()
        self.count = State(len(self.heard))
        Tag.p(self.count, _id="count")
        for name in ("up", "slow", "fail", "large", "quiet", "script"):
            Tag.button(name, _id=name, _onclick=getattr(self, name))

    def note(self, event: Any) -> int:
        self.heard.append(event.i)
        self.keys.append(event.idempotency_key)
        self.count.value = len(self.heard)
        return len(self.heard)

    def up(self, event: Any) -> int:
        return self.note(event)

    async def slow(self, event: Any) -> int:
        self.note(event)
        await self.gate.wait()
        return len(self.heard)

    def fail(self, event: Any) -> None:
        self.note(event)
        raise ValueError("on purpose")

    def large(self, event: Any) -> str:
        self.note(event)
        return "x" * 5000

    def quiet(self, event: Any) -> int:
        self.heard.append(event.i)
        return len(self.heard)

    def script(self, event: Any) -> None:
        self.note(event)
        self.call_js(f"told({event.i})")


class Unheeding:
    """Takes no note of sessions that have changed: when one is saved, a test says."""

    def note(self, session: object) -> None:
        """Do nothing."""


class Snapshot:
    """What a store has of a session."""

    def __init__(self, session: Session) -> None:
        app: Any = session.app
        self.heard = [*app.heard]
        self.key, self.head = session.key, session.journal.head
        self.records: list[TabRecord] = session.tabs.records()


class World:
    """One visitor, a worker that may be replaced by another, and what the store has."""

    def __init__(self, observer: Observer | None = None, **options: Any) -> None:
        self.observer = observer or Observer()
        self.is_persisted = True  # else its sessions live in one process only
        self.options = options
        self.apps: list[Counter] = []
        self.webs: list[WebApp] = []
        self.tabs: list[Tab] = []
        self._serve()
        self.site = Site(self.web.app)
        self.stored: Snapshot | None = None

    def _serve(self) -> None:
        self.webs.append(
            WebApp(Counter, on_instance=self.apps.append, observer=self.observer, secret="s" * 32, **self.options)
        )

    @property
    def web(self) -> WebApp:
        return self.webs[-1]

    @property
    def app(self) -> Counter:
        return self.apps[-1]

    @property
    def session(self) -> Session:
        (session,) = self.web.registry.sessions.values()
        return session

    async def tab(self, transport: str = "websocket") -> Tab:
        tab = await Tab(self.site, transport, 2).load()
        self._persist()
        self.tabs.append(tab)
        return await tab.connect()

    def _persist(self) -> None:
        if self.is_persisted and self.session.stored is None:
            self.session.stored = Stored(Unheeding(), 1)

    def save(self, *, told: bool = True) -> None:
        """The store has acknowledged a snapshot."""
        self.stored = Snapshot(self.session)
        if told:
            self.session.tabs.confirm({record.name: record.handled for record in self.stored.records})

    async def crash(self, *, clean: bool = False) -> None:
        """The worker is gone, and another one has what the store had. `clean`: it had saved, and let go in order."""
        for tab in self.tabs:
            await tab.lose()
        if clean or self.stored is None:
            self.stored = Snapshot(self.session)
        session_id, stored = self.session.id, self.stored
        self._serve()
        app = Counter(heard=[*stored.heard])
        self.apps.append(app)
        web = self.web
        session = Session(session_id, app, web.codec, self.observer, web.registry.limits)
        web.registry.open(lambda _: session, session_id)
        session.start()
        session.live.render_page()  # a snapshot knows its elements
        session.key, session.journal.head = stored.key, stored.head
        session.tabs.restore(stored.records)
        if not clean:
            session.journal.restart()
        self._persist()
        self.site.app = web.app

    async def end(self) -> None:
        for tab in self.tabs:
            await tab.leave()
        for web in self.webs:
            await web.registry.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(RecordingObserver())
    yield world
    world.app.gate.set()
    await world.end()


def seen(world: World, name: str) -> list[Any]:
    assert isinstance(world.observer, RecordingObserver)
    return world.observer.labels(name)


# -- what takes no accident ------------------------------------------------------------------------------------------


@every_transport
async def test_an_event_is_answered_and_shown(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    assert [await tab.click("up", i=number) for number in range(3)] == [1, 2, 3]
    assert tab.text("count") == "3"
    assert world.app.heard == [0, 1, 2]
    assert tab.revision == str(world.session.revision)


@every_transport
async def test_each_event_has_a_key_of_its_own(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    await tab.click("up", i=1)
    await tab.click("up", i=2)
    assert world.app.keys == [f"{world.session.key}:{tab.name}:{number}" for number in (1, 2)]


async def test_an_event_of_wire_version_1_has_no_key(world: World) -> None:
    tab = await (await Tab(world.site).load()).connect()
    await tab.click("up", i=1, key="Enter")
    assert world.app.keys == [None]
    await tab.leave()


@every_transport
async def test_saved_events_are_dropped_by_the_tab(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    for number in (1, 2):
        await tab.click("up", i=number)
    world.save()
    assert [*tab.events.log] == [1, 2]
    if transport == "http":
        await tab.send({"action": "poll"})
    else:
        assert (await tab.next()) == {"action": "saved", "saved": 2}
    assert [*tab.events.log] == []


@every_transport
async def test_where_nothing_is_saved_a_tab_that_comes_back_drops_what_is_done(world: World, transport: str) -> None:
    world.is_persisted = False
    tab = await world.tab(transport)
    await tab.click("up", i=1)
    await tab.lose()
    await tab.connect()
    assert [*tab.events.log] == []


@streams
async def test_a_tab_is_welcomed_with_what_the_server_knows_of_it(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    assert tab.messages == [{"action": "welcome", "last": 0, "saved": 0, "people": 1}]
    await tab.click("up", i=1)
    await tab.lose()
    await tab.connect()
    assert tab.messages[-1] == {"action": "welcome", "last": 1, "saved": 0, "people": 1}


async def test_where_nothing_is_saved_a_tab_keeps_little(world: World) -> None:
    world.is_persisted = False
    tab = await world.tab()
    for number in range(120):
        await tab.click("up", i=number)
        await tab.send({"action": "got", "got": int(tab.revision or 0)})
    assert len(tab.events.log) <= 51
    assert sum(message["action"] == "saved" for message in tab.messages) == 2


# -- a connection breaks -----------------------------------------------------------------------------------------------


@every_transport
async def test_an_event_that_comes_again_is_answered_and_not_run(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    number = await tab.post_event("quiet", "click", {"i": 1})
    assert await tab.answer(number) == 1
    report = {"n": number, "id": "quiet", "event": "click", "data": {"i": 1, "callback_id": "again"}}
    tab.events.done = 0  # as if the answer had not come
    await tab.send(report)
    assert await tab.answer(number) == 1
    assert world.app.heard == [1]
    assert seen(world, "event_repeated") == ["answered"]


@streams
async def test_an_answer_that_was_lost_follows_the_welcome(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    number = await tab.post_event("up", "click", {"i": 1})
    await until(lambda: world.app.heard)
    await tab.lose()
    await tab.connect()
    assert await tab.answer(number) == 1
    assert (world.app.heard, tab.text("count")) == ([1], "1")


@streams
async def test_what_a_tab_has_missed_is_all_it_gets(world: World, transport: str) -> None:
    tab, other = await world.tab(transport), await world.tab()
    await tab.click("up", i=1)
    await tab.lose()
    for number in (2, 3):
        await other.click("up", i=number)
    await tab.connect()
    await tab.until(lambda: tab.text("count") == "3")
    assert [message.get("seq") for message in tab.messages[-2:]] == [world.session.revision - 1, world.session.revision]
    await tab.quiet()
    assert seen(world, "client_resumed")[-1] == "tail"
    await tab.lose()
    await tab.connect()
    await tab.quiet()
    assert seen(world, "client_resumed")[-1] == "current"


@streams
async def test_one_that_missed_too_much_gets_everything_once(world: World, transport: str) -> None:
    tab, other = await world.tab(transport), await world.tab()
    await tab.lose()
    for number in range(101):
        await other.click("quiet" if number % 2 else "up", i=number)
    world.session.journal.trim()
    await tab.connect()
    await tab.until(lambda: tab.text("count") == other.text("count"))
    assert shows_everything(tab.messages[-1], world.app)
    assert tab.revision == str(world.session.revision)


@streams
async def test_a_slow_handler_answers_the_connection_that_the_tab_has_then(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    number = await tab.post_event("slow", "click", {"i": 1})
    await until(lambda: world.app.heard)
    await tab.lose()
    await tab.connect()
    world.app.gate.set()
    assert await tab.answer(number) == 1
    assert seen(world, "event_handled") == ["ok"]


@streams
async def test_a_slow_handler_s_answer_waits_for_a_tab_that_is_away(world: World, transport: str) -> None:
    tab, other = await world.tab(transport), await world.tab()
    number = await tab.post_event("slow", "click", {"i": 1})
    await until(lambda: world.app.heard)
    await tab.lose()
    world.app.gate.set()
    await other.click("up", i=2)
    assert not [message for message in other.messages if message.get("done") == number and "result" in message][1:]
    await tab.connect()
    assert await tab.answer(number) in (1, 2)


async def test_an_event_that_is_sent_again_while_it_runs_is_not_run_twice(world: World) -> None:
    tab = await world.tab()
    number = await tab.post_event("slow", "click", {"i": 1})
    await until(lambda: world.app.heard)
    await tab.send({"n": number, "id": "slow", "event": "click", "data": {"i": 1}})
    world.app.gate.set()
    assert await tab.answer(number) == 1
    assert (world.app.heard, seen(world, "event_repeated")) == ([1], ["running"])


async def test_two_connections_of_one_tab_do_not_count_twice(world: World) -> None:
    """A page that is changing its transport, or a duplicated tab that sends what the first one kept."""
    tab = await world.tab()
    twin = Tab(world.site, "websocket", 2)
    twin.show(tab.page)
    twin.name = tab.name
    await twin.connect()
    world.tabs.append(twin)
    assert await tab.post_event("up", "click", {"i": 1}) == await twin.post_event("up", "click", {"i": 1}) == 1
    assert await twin.answer(1) == 1
    assert world.app.heard == [1]


# -- an event goes wrong -----------------------------------------------------------------------------------------------


@every_transport
async def test_a_handler_that_raises_raises_the_number_too(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    with pytest.raises(ServerError, match="on purpose"):
        await tab.click("fail", i=1)
    assert (world.session.tabs.records()[0].handled, world.app.heard) == (1, [1])
    await world.crash(clean=True)
    await tab.connect()
    assert await tab.click("up", i=2) == 2


@every_transport
async def test_an_event_for_an_element_that_is_gone_raises_the_number(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    assert await tab.event("nothing", "click", {"i": 1}) is None
    assert await tab.event(None, "click", {"i": 1}) is None
    assert await tab.click("up", i=2) == 1
    assert seen(world, "event_handled")[0] == "no_target"


@streams
async def test_an_event_that_breaks_three_connections_is_skipped_and_named(
    world: World, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    tab = await world.tab(transport)
    number = tab.events.add(tab.report("slow", "click", {"i": 1})[1])
    following = tab.events.add(tab.report("up", "click", {"i": 2})[1])
    for _ in range(3):
        tab.events.note_sent(number)
        tab.events.note_sent(following)
        await tab.lose()
    with caplog.at_level(logging.WARNING):
        await tab.connect()
        with pytest.raises(ServerError, match="three times"):
            await tab.answer(number)
    assert await tab.answer(following) == 1
    assert world.app.heard == [2]
    assert len(seen_calls(world, "event_skipped")) == 1
    assert "Counter.slow" in caplog.text


async def test_what_is_skipped_after_it_was_done_keeps_its_answer(world: World) -> None:
    tab = await world.tab()
    number = await tab.post_event("up", "click", {"i": 1})
    await until(lambda: world.app.heard)
    await tab.lose()
    tab.events.log[number]["action"] = "skip"
    await tab.connect()
    assert await tab.answer(number) == 1


@every_transport
async def test_a_gap_is_an_error_and_the_tab_goes_on(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    await tab.click("up", i=1)
    missing = tab.events.add(tab.report("up", "click", {"i": 2})[1])
    number = await tab.post_event("up", "click", {"i": 3})
    assert await tab.answer(missing) == 2
    assert await tab.answer(number) == 3
    assert world.app.heard == [1, 2, 3]
    assert "gap" in seen(world, "client_resumed")


async def test_a_gap_closes_the_connection_with_a_code_of_its_own(world: World) -> None:
    tab = await world.tab()
    await tab.send({"n": 2, "id": "up", "event": "click", "data": {}})
    with pytest.raises(Disconnected) as closed:
        await tab.next()
    assert closed.value.code == 4400
    tab.channel = None


@pytest.mark.parametrize("number", [0, -1, "1", [1], {}, 2.5, False, 1 << 70])
async def test_what_is_no_number_is_refused(world: World, number: Any) -> None:
    tab = await world.tab()
    assert isinstance(tab.channel, Socket)
    tab.channel.send(tab.encode({"n": number, "id": "up", "event": "click", "data": {"i": 1}}))
    assert await tab.click("up", i=2) == 1
    assert world.app.heard == [2]


@every_transport
async def test_pings_and_acknowledgements_need_no_number(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    await tab.click("up", i=1)
    await tab.send({"action": "got", "got": int(tab.revision or 0)})
    await tab.send({"action": "ping"})
    if transport != "sse":  # where a POST has no connection of its own
        assert tab.messages[-1] == {"action": "pong"} or await tab.next() == {"action": "pong"}
    assert world.session.journal.bytes == 0
    for odd in ("x", None, 1.5, {}):
        await tab.send({"action": "got", "got": odd})
    assert await tab.click("up", i=2) == 2


# -- a worker ends -----------------------------------------------------------------------------------------------------


@every_transport
async def test_events_that_no_snapshot_has_run_again(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    await tab.click("up", i=1)
    world.save()
    await tab.click("up", i=2)
    await world.crash()
    await tab.connect()
    assert await tab.click("up", i=3) == 3
    assert world.app.heard == [1, 2, 3]
    await tab.until(lambda: tab.text("count") == "3")
    assert tab.page_loads == 1


@every_transport
async def test_a_crash_between_save_and_telling_does_not_count_twice(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    numbers = [await tab.post_event("up", "click", {"i": number}) for number in (1, 2)]
    await until(lambda: len(world.app.heard) == 2)
    world.save(told=False)
    await world.crash()
    await tab.connect()
    assert [await tab.answer(number) for number in numbers] == [1, 2]
    assert await tab.click("up", i=3) == 3
    assert world.app.heard == [1, 2, 3]


@every_transport
async def test_who_shows_what_a_clean_move_left_gets_nothing(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    await tab.click("up", i=1)
    await world.crash(clean=True)
    before = len(tab.messages)
    await tab.connect()
    assert [message["action"] for message in tab.messages[before:]] in (["welcome"], [])
    assert await tab.click("up", i=2) == 2


@streams
async def test_after_a_crash_a_tab_first_sends_again_and_is_then_shown_everything(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    await tab.click("up", i=1)
    world.save()
    await tab.click("script", i=2)
    await tab.click("up", i=3)
    await world.crash()
    number = await tab.post_event("script", "click", {"i": 4})
    before = len(tab.messages)
    await tab.connect()
    await tab.answer(number)
    await tab.until(lambda: tab.text("count") == "4")
    came = tab.messages[before:]
    assert [message.get("done") for message in came] == [None, 2, 3, 4, None]
    assert [message["ops"] for message in came[1:4]] == [[], [], []]
    assert shows_everything(came[4], world.app)
    assert came[4]["js"] == ["told(4)"], "what was answered before has run before"
    assert world.app.heard == [1, 2, 3, 4]
    assert seen(world, "client_resumed")[-1] == "full"


async def test_a_tab_that_does_not_send_again_is_shown_everything_after_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("htag.session.joining.CATCH_UP_SECONDS", 0.05)
    tab = await world.tab()
    await tab.click("up", i=1)
    await world.crash()
    monkeypatch.setattr(tab.events, "pending", lambda last, saved: [])
    world.save()
    world.session.tabs.records()
    tab.events.next += 1
    await tab.connect()
    await tab.until(lambda: shows_everything(tab.messages[-1], world.app))


@streams
async def test_who_leaves_while_catching_up_is_gone(world: World, transport: str) -> None:
    tab = await world.tab(transport)
    await tab.click("up", i=1)
    world.save()
    world.app.gate.clear()
    number = await tab.post_event("slow", "click", {"i": 2})
    following = await tab.post_event("up", "click", {"i": 3})
    await until(lambda: len(world.app.heard) == 2)
    await world.crash()
    await tab.connect()
    await until(lambda: len(world.app.heard) == 2)
    await tab.lose()
    assert world.session.channels == []
    world.app.gate.set()
    await tab.connect()
    assert [await tab.answer(number), await tab.answer(following)] == [2, 3]
    assert world.app.heard == [1, 2, 3]


async def test_a_handler_that_had_started_is_not_run_again_after_a_crash(world: World) -> None:
    tab = await world.tab()
    number = await tab.post_event("slow", "click", {"i": 1})
    await until(lambda: world.app.heard)
    world.save()
    await world.crash()
    await tab.connect()
    with pytest.raises(ServerError, match="may have run in part"):
        await tab.answer(number)
    assert world.app.heard == [1]
    assert seen(world, "event_repeated") == ["interrupted"]
    assert await tab.click("up", i=2) == 2


async def test_a_large_result_is_lost_after_a_crash_only(world: World) -> None:
    tab = await world.tab()
    number = await tab.post_event("large", "click", {"i": 1})
    await until(lambda: world.app.heard)
    await tab.lose()
    await tab.connect()
    assert len(await tab.answer(number)) == 5000
    other = await tab.post_event("large", "click", {"i": 2})
    await until(lambda: len(world.app.heard) == 2)
    world.save(told=False)
    await world.crash()
    await tab.connect()
    assert await tab.answer(other) is None
    assert tab.messages[-1]["lost"] is True or any(message.get("lost") for message in tab.messages)


async def test_events_that_the_store_has_lost_are_counted_and_the_tab_goes_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    tab = await world.tab()
    empty = Snapshot(world.session)
    for number in (1, 2, 3):
        await tab.click("up", i=number)
    world.save()
    await tab.next()
    world.stored = empty
    await world.crash()
    await tab.connect()
    assert await tab.click("up", i=4) == 1
    assert seen(world, "events_lost") == [3]
    assert "3 events of a tab are lost" in caplog.text


async def test_the_journal_keeps_what_a_tab_may_have_missed_and_no_more(world: World) -> None:
    tab, other = await world.tab(), await world.tab()
    await tab.click("up", i=1)
    await other.until(lambda: other.text("count") == "1")
    await tab.send({"action": "got", "got": int(tab.revision or 0)})
    await other.click("quiet", i=2)
    assert world.session.journal.bytes > 0, "the other tab has not said what it shows"
    await other.send({"action": "got", "got": int(other.revision or 0)})
    await until(lambda: not world.session.journal.bytes)
    await tab.click("up", i=3)
    await tab.send({"action": "got", "got": int(tab.revision or 0)})
    await tab.click("quiet", i=4)
    assert world.session.journal.bytes > 0, "the other tab shows an earlier one"


async def test_goodbye_forgets_the_numbers(world: World) -> None:
    tab, other = await world.tab(), await world.tab()
    await tab.click("up", i=1)
    await tab.send({"action": "bye"})
    await until(lambda: [record.name for record in world.session.tabs.records()] == [other.name])
    await other.send({"action": "bye"})
    await until(lambda: world.session.journal.tail is None)


async def test_what_comes_again_after_goodbye_is_not_done_again(world: World) -> None:
    """Of a page that was duplicated, each copy sends what the page before it had left, and says goodbye for it."""
    tab = await world.tab()
    for number in (1, 2):
        await tab.click("up", i=number)
    report = tab.report("up", "click", {"i": 2})[1] | {"n": 2}
    await tab.send({"action": "bye"})
    await until(lambda: not world.session.tabs.records())
    await tab.lose()
    tab.events.log[2] = report
    await tab.connect()
    await tab.click("up", i=3)
    assert world.app.heard == [1, 2, 3]


# -- beside version 1 --------------------------------------------------------------------------------------------------


async def test_a_tab_of_version_1_beside_one_of_version_2_sees_no_number(world: World) -> None:
    tab = await world.tab()
    old = await (await Tab(world.site).load()).connect()
    await tab.click("up", i=1)
    await old.click("up", i=2)
    await tab.until(lambda: tab.text("count") == "2")
    assert old.text("count") == "2"
    assert not any({"seq", "done", "lost"} & message.keys() for message in old.messages)
    assert {message["action"] for message in old.messages} == {"update"}
    await old.leave()


async def test_a_tab_too_many_is_served_in_version_1(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htag.session.tab.MOST_LOGS", 0)
    monkeypatch.setattr("htag.session.tab.MAX_TABS", 0)
    tab = await Tab(world.site, "websocket", 2).load()
    world.session.tabs.most = 0
    tab.channel = await world.site.websocket("/ws" + tab.channel_query(tab.revision))
    assert (await tab.next())["action"] == "update"
    tab.version = 1
    assert await tab.click("up", i=1) == 1
    await tab.leave()


async def test_under_parano_all_of_it_is_concealed() -> None:
    world = World(parano=True)
    tab = await world.tab()
    assert isinstance(tab.key, str)
    await tab.click("up", i=1)
    await tab.lose()
    await tab.connect()
    assert await tab.click("up", i=2) == 2
    world.save()
    assert (await tab.next()) == {"action": "saved", "saved": 2}
    await world.end()


def seen_calls(world: World, name: str) -> list[Any]:
    assert isinstance(world.observer, RecordingObserver)
    return world.observer.told(name)


# -- anything, in any order --------------------------------------------------------------------------------------------

CLICKS = ("up", "up", "up", "up", "quiet", "fail", "large", "script")
ACCIDENTS = ("lose", "save", "save silently", "crash", "move")
steps = st.lists(st.tuples(st.sampled_from(CLICKS + ACCIDENTS), st.integers(0, 1)), max_size=25)


async def play(script: list[tuple[str, int]], transports: tuple[str, str]) -> None:
    """Two tabs click while connections break and workers end. In the end each click of each tab has counted once, in
    its order, and both show the same."""
    world = World()
    try:
        tabs = [await world.tab(transport) for transport in transports]
        for tab in tabs:
            tab.events.patience = 1000  # it is not events that break connections
        sent: list[list[int]] = [[], []]
        for verb, who in script:
            tab = tabs[who]
            if verb in ("lose", "crash", "move"):
                await (tab.lose() if verb == "lose" else world.crash(clean=verb == "move"))
                for each in tabs if verb != "lose" else [tab]:
                    await each.connect()
            elif verb.startswith("save"):
                world.save(told=verb == "save")
            else:
                number = await tab.post_event(verb, "click", {"i": [who, len(sent[who])]})
                assert number == len(sent[who]) + 1
                sent[who].append(number)
        for who, tab in enumerate(tabs):
            for number in sent[who]:
                with contextlib.suppress(ServerError):  # of what fails on purpose
                    await tab.answer(number)
        await check(world, tabs, sent)
    finally:
        await world.end()


async def check(world: World, tabs: list[Tab], sent: list[list[int]]) -> None:
    for who in (0, 1):
        heard = [number for teller, number in world.app.heard if teller == who]
        assert heard == list(range(len(sent[who])))
    for tab in tabs:
        await tab.click("up", i=[2, 0])
    shown = str(world.app.count.value)
    for tab in tabs:
        await tab.until(lambda tab=tab: tab.text("count") == shown)
        assert tab.page_loads == 1


@usual
@given(steps, st.tuples(st.sampled_from(TRANSPORTS), st.sampled_from(TRANSPORTS)))
def test_whatever_breaks_each_event_counts_once_and_in_order(
    script: list[tuple[str, int]], transports: tuple[str, str]
) -> None:
    asyncio.run(play(script, transports))


def test_json_is_what_is_kept() -> None:
    """The records of tabs are plain JSON inside: a snapshot's header is readable without the app."""
    record = TabRecord("t", 1, 0, [(1, b'{"action":"update"}')])
    assert json.loads(record.results[0][1]) == {"action": "update"}


# -- many tabs, and tabs of before -------------------------------------------------------------------------------------


async def test_a_page_that_is_loaded_again_and_again_has_numbers_each_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("htag.session.tab.MOST_LOGS", 3)
    monkeypatch.setattr("htag.session.tab.MAX_TABS", 3)
    monkeypatch.setattr("htag.session.event_log.ABSENT_SECONDS", -1.0)
    first = await world.tab()
    world.session.tabs.most = 3
    await first.click("up", i=0)
    await first.lose()
    unsaved = await world.tab()
    await unsaved.click("up", i=1)
    await unsaved.lose()
    world.session.tabs.confirm({first.name: 1})
    for number in range(5):
        tab = await world.tab()
        await tab.click("up", i=number)
        await tab.lose()
        world.session.tabs.confirm({tab.name: 1})
    assert [*unsaved.events.log] == [1]
    await unsaved.connect()
    assert unsaved.messages[-1]["last"] == 1
    heard = len(world.app.heard)
    await first.connect()  # which has not heard that its event is saved: no event of it runs twice
    assert [message["last"] for message in first.messages if message["action"] == "welcome"] == [0, 1]
    assert await first.click("up", i=2) == heard + 1
