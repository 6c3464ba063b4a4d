"""Who is known, who may come in, who is forgotten when."""

import asyncio

import pytest

from headless.asgi import Site
from htag import Tag, WebApp
from htag.app import App
from htag.limits import Limits
from htag.session.closing import CLOSING_SECONDS
from htag.session.registry import SessionRefused
from tests.htag.session.house import Build, House, Page, house
from tests.support.channels import RecordingChannel
from tests.support.observers import RecordingObserver
from tests.support.waiting import passed, until

__all__ = ["house"]


# -- life


async def test_an_end_happens_once_and_frees_the_place_of_that_session_only(house: Build) -> None:
    home = house()
    old = home.open()
    home.registry.end(old, "replaced")
    new = home.open(old.id)
    assert new.id == old.id
    home.registry.release(old)  # its tab leaves only now
    assert home.registry.get(new.id) is new
    assert home.registry.usage.counts() == {"new": 1, "connected": 0, "disconnected": 0, "parked": 0}
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
    assert home.registry.usage.counts() == {"new": 0, "connected": 0, "disconnected": 0, "parked": 0}
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
    assert home.registry.usage.counts() == {"new": 0, "connected": 1, "disconnected": 0, "parked": 0}
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
        while session.tasks:
            await passed(0.001)


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
