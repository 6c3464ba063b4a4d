"""Who is known, who may come in, who is forgotten when."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from headless.asgi import Site
from headless.tab import Tab
from htag import Tag, WebApp
from htag.app import App
from htag.limits import Limits
from htag.session.closing import CLOSING_SECONDS
from htag.session.registry import SessionRefused, SessionRegistry
from htag.session.session import Session
from htag.wire.codec import Codec
from tests.support.channels import RecordingChannel
from tests.support.observers import RecordingObserver
from tests.support.waiting import until


class Page(Tag.App):
    def init(self) -> None:
        Tag.p("page", _id="p", _onclick=lambda event: "clicked")


class House:
    """A registry with a diary."""

    def __init__(self, make: Callable[[], App] = Page, pressure: Callable[[], str | None] | None = None, **limits: Any):
        self.diary = RecordingObserver()
        self.registry = SessionRegistry(limits=Limits(**limits), observer=self.diary, pressure=pressure)
        self._make = make

    def build(self, identity: str) -> Session:
        session = Session(identity, self._make(), Codec(), self.diary, self.registry.limits)
        session.start()
        return session

    def open(self, identity: str | None = None) -> Session:
        return self.registry.open(self.build, identity)


Build = Callable[..., House]


@pytest.fixture
async def house() -> AsyncIterator[Build]:
    """`house(new_seconds=1)`: a registry that is closed in the end."""
    houses: list[House] = []

    def build(*args: Any, **options: Any) -> House:
        houses.append(House(*args, **options))
        return houses[-1]

    yield build
    for each in houses:
        await each.registry.close()


# -- life


async def test_a_page_without_a_connection_is_forgotten(house: Build) -> None:
    home = house(new_seconds=0.02)
    session = home.open()
    assert home.registry.usage.counts() == {"new": 1, "connected": 0, "disconnected": 0}
    await until(lambda: session.closed)
    assert home.diary.labels("session_closed") == ["abandoned"]
    assert home.registry.get(session.id) is None
    assert home.registry.usage.counts() == {"new": 0, "connected": 0, "disconnected": 0}


async def test_a_session_whose_last_tab_left_is_forgotten_after_its_grace(house: Build) -> None:
    home = house(new_seconds=0.01, grace_seconds=0.05)
    session, first, second = home.open(), RecordingChannel(), RecordingChannel("sse")
    home.registry.connect(session, first, None)
    home.registry.connect(session, second, None)
    await asyncio.sleep(0.03)  # longer than a new one may wait: it is not new any more
    home.registry.disconnect(session, first, 1.5)
    assert home.registry.usage.counts() == {"new": 0, "connected": 1, "disconnected": 0}
    home.registry.disconnect(session, second, 2.5)
    assert home.registry.usage.counts() == {"new": 0, "connected": 0, "disconnected": 1}
    await until(lambda: session.closed)
    assert home.diary.labels("session_closed") == ["expired"]
    assert home.diary.labels("client_connected") == ["websocket", "sse"]
    assert home.diary.told("client_disconnected") == [("websocket", 1.5), ("sse", 2.5)]


async def test_who_comes_back_within_the_grace_finds_the_session(house: Build) -> None:
    home = house(grace_seconds=0.03)
    session, client = home.open(), RecordingChannel()
    home.registry.connect(session, client, None)
    home.registry.disconnect(session, client, 0)
    home.registry.connect(session, RecordingChannel(), None)
    other = home.open()
    home.registry.connect(other, client, None)
    home.registry.disconnect(other, client, 0)
    await until(lambda: other.closed)  # it left later, so the first one's time was over as well
    assert home.registry.get(session.id) is session
    assert home.diary.labels("session_closed") == ["expired"]


async def test_an_earlier_end_that_is_noted_later_is_kept_as_well(house: Build) -> None:
    home = house(new_seconds=0.02, grace_seconds=60)
    lasting, client = home.open(), RecordingChannel()
    home.registry.connect(lasting, client, None)
    home.registry.disconnect(lasting, client, 0)
    brief = home.open()  # after a timer was set for a minute from now
    await until(lambda: brief.closed)
    assert not lasting.closed
    assert home.diary.labels("session_closed") == ["abandoned"]


async def test_the_timer_goes_on_to_the_next_end(house: Build) -> None:
    home = house(new_seconds=0.02, grace_seconds=0.04)
    gone, client = home.open(), RecordingChannel()
    home.registry.connect(gone, client, None)
    home.registry.disconnect(gone, client, 0)
    sessions = [home.open() for _ in range(3)]
    await until(lambda: gone.closed)
    assert all(session.closed for session in sessions)
    assert home.diary.labels("session_closed") == ["abandoned"] * 3 + ["expired"]


async def test_a_person_who_is_heard_of_is_waited_for_anew(house: Build) -> None:
    home = house(new_seconds=0.05)
    touched, forgotten = home.open(), home.open()
    while not forgotten.closed:
        home.registry.release(touched)
        await asyncio.sleep(0.001)
    assert not touched.closed
    assert home.diary.labels("session_closed") == ["abandoned"]


async def test_an_end_happens_once_and_frees_the_place_of_that_session_only(house: Build) -> None:
    home = house()
    old = home.open()
    home.registry.end(old, "replaced")
    new = home.open(old.id)
    assert new.id == old.id
    home.registry.release(old)  # its tab leaves only now
    assert home.registry.get(new.id) is new
    assert home.registry.usage.counts() == {"new": 1, "connected": 0, "disconnected": 0}
    assert home.diary.labels("session_closed") == ["replaced"]


async def test_a_session_that_is_over_is_held_by_nothing_in_the_registry(house: Build) -> None:
    home = house()
    session, client = home.open(), RecordingChannel()
    home.registry.connect(session, client, None)
    home.registry.end(session, "replaced")
    home.registry.disconnect(session, client, 0)  # as when the socket closes, a moment later
    home.registry.release(session)
    assert client.ended
    assert session not in home.registry.usage._unmeasured
    assert session not in home.registry._expiry


# -- who may come in


async def test_above_the_limit_newcomers_are_refused_until_a_place_is_free(house: Build) -> None:
    home = house(max_sessions=2)
    first, _ = home.open(), home.open()
    with pytest.raises(SessionRefused, match="sessions"):
        home.open()
    home.registry.end(first, "expired")
    home.open()
    assert (len(home.diary.told("session_opened")), home.diary.labels("session_refused")) == (3, ["sessions"])


async def test_under_pressure_newcomers_are_refused_for_its_reason(house: Build) -> None:
    reasons = iter([None, "memory", None])
    home = house(pressure=lambda: next(reasons))
    home.open()
    with pytest.raises(SessionRefused, match="memory"):
        home.open()
    home.open()
    assert home.diary.labels("session_refused") == ["memory"]


class Slow(Page):
    """Ending it takes two milliseconds."""

    def on_destroy(self) -> None:
        until = time.perf_counter() + 0.002
        while time.perf_counter() < until:
            pass


async def test_many_sessions_that_end_at_once_hold_nobody_up(house: Build) -> None:
    """When all lost their connection at the same moment: 6 000 took half a second, in which nobody was answered."""
    home = house(Slow, new_seconds=0.05)
    for _ in range(200):
        home.open()
    longest, before = 0.0, time.perf_counter()
    while home.registry.sessions:
        await asyncio.sleep(0)
        longest, before = max(longest, time.perf_counter() - before), time.perf_counter()
    assert longest < 0.1  # of the 0.4 that they take
    assert home.diary.labels("session_closed") == ["abandoned"] * 200


async def test_without_a_session_no_visitor_is_refused_for_memory(house: Build) -> None:
    home = house(pressure=lambda: "memory")
    home.open()
    with pytest.raises(SessionRefused, match="memory"):
        home.open()
    home = house(pressure=lambda: "maintenance")
    with pytest.raises(SessionRefused, match="maintenance"):
        home.open()


async def test_a_draining_registry_refuses_new_sessions_and_keeps_those_it_has(house: Build) -> None:
    home = house()
    session = home.open()
    home.registry.drain()
    with pytest.raises(SessionRefused, match="draining"):
        home.open()
    assert home.registry.get(session.id) is session
    assert home.diary.labels("session_refused") == ["draining"]


async def test_an_app_that_fails_to_be_built_takes_no_place(house: Build) -> None:
    def fail() -> App:
        raise RuntimeError("no app today")

    home = house(fail)
    with pytest.raises(RuntimeError, match="no app today"):
        home.open()
    assert home.registry.usage.counts() == {"new": 0, "connected": 0, "disconnected": 0}
    assert len(home.diary.told("session_opened")) == 0


@pytest.mark.parametrize("why", ["draining", "memory", "sessions"])
async def test_a_known_visitor_is_never_refused_even_when_asking_for_a_new_session(why: str) -> None:
    pressing = False
    diary = RecordingObserver()
    limits = Limits(max_sessions=1 if why == "sessions" else 9)
    web = WebApp(Page, observer=diary, limits=limits, pressure=lambda: "memory" if pressing else None)
    site = Site(web.app)
    assert (await site.get()).status == 200
    pressing = why == "memory"
    if why == "draining":
        web.registry.drain()
    assert (await site.get()).status == 200
    before = site.cookies["htag_sid"]
    assert (await site.get("/?n")).status == 200
    assert site.cookies["htag_sid"] == before
    assert (await Site(web.app).get()).status == 503
    assert len(diary.told("session_opened")) == 2
    assert diary.labels("session_closed") == ["replaced"]
    assert diary.labels("session_refused") == [why]
    await web.registry.close()


# -- one app for everybody


async def test_a_shared_session_never_expires_and_counts_as_connected(house: Build) -> None:
    home = house(new_seconds=0.01, grace_seconds=0.01)
    home.registry.share(home.build)
    shared, client = home.registry.shared, RecordingChannel()
    assert shared is not None
    home.registry.connect(shared, client, None)
    home.registry.disconnect(shared, client, 0)
    home.registry.release(shared)
    other = home.open()
    await until(lambda: other.closed)
    assert not shared.closed
    assert home.registry.usage.counts() == {"new": 0, "connected": 1, "disconnected": 0}
    await home.registry.close()
    assert shared.closed


# -- the end


async def test_closing_waits_for_async_last_words_and_for_handlers_to_let_go() -> None:
    words: list[str] = []

    class Talking(Tag.App):
        async def on_mount(self) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                words.append("let go")

        async def on_destroy(self) -> None:
            await asyncio.sleep(0.01)
            words.append("goodbye")

    home = House(Talking)
    session = home.open()
    home.registry.connect(session, RecordingChannel(), None)
    await asyncio.sleep(0)
    await home.registry.close()
    assert words == ["let go", "goodbye"]
    assert home.diary.labels("session_closed") == ["shutdown"]


async def test_closing_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < CLOSING_SECONDS < 10  # below what a supervisor grants
    monkeypatch.setattr("htag.session.closing.CLOSING_SECONDS", 0.02)

    class Endless(Tag.App):
        async def on_destroy(self) -> None:
            await asyncio.sleep(60)

    home = House(Endless)
    session = home.open()
    async with asyncio.timeout(5):
        await home.registry.close()
        while session.tasks:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_closing_leaves_no_timer_and_refuses_new_sessions() -> None:
    home = House(new_seconds=0.01)
    home.open()
    await home.registry.close()
    assert home.registry._expiry._timer is None or home.registry._expiry._timer.cancelled()
    with pytest.raises(SessionRefused, match="draining"):
        home.open()


async def test_closing_waits_for_the_last_words_of_who_left_a_moment_ago() -> None:
    words: list[str] = []

    class Talking(Tag.App):
        async def on_destroy(self) -> None:
            await asyncio.sleep(0.01)
            words.append("goodbye")

    home = House(Talking)
    session = home.open()
    home.registry.end(session, "replaced")
    await home.registry.close()
    said = list(words)
    await session.finished()
    assert said == ["goodbye"]


# -- numbers


async def test_connections_are_counted_by_transport(house: Build) -> None:
    home = house()
    session = home.open()
    for transport in ("websocket", "websocket", "sse", "http"):
        home.registry.connect(session, RecordingChannel(transport), None)
    assert home.registry.usage.connections() == {"websocket": 2, "sse": 1, "http": 0}
    session.last_poll_at = asyncio.get_running_loop().time()
    assert home.registry.usage.connections() == {"websocket": 2, "sse": 1, "http": 1}
    session.last_poll_at -= 61
    assert home.registry.usage.connections()["http"] == 0


async def test_only_sessions_in_which_something_happened_are_measured_and_only_so_many_at_a_time(house: Build) -> None:
    home = house()
    sessions = [home.open() for _ in range(5)]
    assert home.registry.usage.memory() == 0
    home.registry.usage.measure(2)
    assert len(home.registry.usage.memory_by_session()) == 2
    for _ in range(5):  # a slow machine may need more than one
        home.registry.usage.measure()
    sizes = home.registry.usage.memory_by_session()
    assert len(sizes) == 5
    assert home.registry.usage.memory() == sum(sizes)
    sessions[0].app.add(*(Tag.p("text") for _ in range(100)))
    home.registry.usage.measure()
    assert home.registry.usage.memory() == sum(sizes)
    home.registry.release(sessions[0])
    home.registry.usage.measure()
    assert home.registry.usage.memory() > sum(sizes)


async def test_what_ended_is_not_counted(house: Build) -> None:
    home = house()
    session = home.open()
    home.registry.usage.measure()
    assert home.registry.usage.memory() > 0
    home.registry.end(session, "expired")
    home.registry.usage.measure()
    assert (home.registry.usage.memory(), home.registry.usage.memory_by_session()) == (0, [])


# -- plain HTTP has no connection that would keep a session


async def test_a_session_does_not_expire_while_a_handler_answers_a_post() -> None:
    class Slow(Tag.App):
        def init(self) -> None:
            Tag.button("x", _id="slow", _onclick=self.wait)

        async def wait(self, event: Any) -> str:
            await asyncio.sleep(0.15)
            return "done"

    diary = RecordingObserver()
    web = WebApp(Slow, observer=diary, limits=Limits(new_seconds=0.05))
    tab = await Tab(Site(web.app), "http").load()
    body = '{"id": "slow", "event": "click", "data": {"callback_id": "c"}, "fallback": true}'
    answer = await tab.post(body)
    await web.registry.close()
    assert diary.labels("session_closed") == ["shutdown"]
    assert any('"done"' in payload for payload in answer.json["payloads"])
