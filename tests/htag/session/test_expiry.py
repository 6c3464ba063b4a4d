"""When a session without a tab ends, and that many ends hold up none of the others."""

import asyncio
import time
from typing import Any

from headless.asgi import Site
from headless.tab import Tab
from htag import Tag, WebApp
from htag.limits import Limits
from tests.htag.session.house import Build, Page, house
from tests.support.channels import RecordingChannel
from tests.support.observers import RecordingObserver
from tests.support.waiting import passed, until

__all__ = ["house"]


async def test_a_page_without_a_connection_is_forgotten(house: Build) -> None:
    home = house(new_seconds=0.02)
    session = home.open()
    assert home.registry.usage.counts() == {"new": 1, "connected": 0, "disconnected": 0, "parked": 0}
    await until(lambda: session.closed)
    assert home.diary.labels("session_closed") == ["abandoned"]
    assert home.registry.get(session.id) is None
    assert home.registry.usage.counts() == {"new": 0, "connected": 0, "disconnected": 0, "parked": 0}


async def test_a_session_whose_last_tab_left_is_forgotten_after_its_grace(house: Build) -> None:
    home = house(new_seconds=0.01, grace_seconds=0.05)
    session, first, second = home.open(), RecordingChannel(), RecordingChannel("sse")
    home.registry.connect(session, first, None)
    home.registry.connect(session, second, None)
    await passed(0.03)  # longer than a new one may wait: it is not new any more
    home.registry.disconnect(session, first, 1.5)
    assert home.registry.usage.counts() == {"new": 0, "connected": 1, "disconnected": 0, "parked": 0}
    home.registry.disconnect(session, second, 2.5)
    assert home.registry.usage.counts() == {"new": 0, "connected": 0, "disconnected": 1, "parked": 0}
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
    home = house(new_seconds=0.5)  # on a busy machine as long may pass between two turns of this loop as 0.05 s
    touched, forgotten = home.open(), home.open()
    while not forgotten.closed:
        home.registry.release(touched)
        await passed(0.001)
    assert not touched.closed
    assert home.diary.labels("session_closed") == ["abandoned"]


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
    most, before = 0, len(home.registry.sessions)
    while home.registry.sessions:
        await asyncio.sleep(0)
        most, before = max(most, before - len(home.registry.sessions)), len(home.registry.sessions)
    assert most < 10  # in one turn of the loop: each takes 2 ms
    assert home.diary.labels("session_closed") == ["abandoned"] * 200


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
