"""Any order of clicks, saves, crashes, moves, sleep and a store that fails: no click is lost, none counts twice.

hypothesis plays: one person with a tab that numbers its events, three workers, one store.
"""

import asyncio
import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headless.errors import Disconnected
from headless.tab import Tab
from htag import WebApp
from htag.session.takeover import HeldElsewhere, SessionUnreachable
from tests.htag.session.lasting import Counter, Hooked, Slow, Workers
from tests.htag.session.test_store_trouble import Trouble

NAMES = ("one", "two", "three")
STEPS = st.one_of(
    st.tuples(st.just("click"), st.integers(1, 3)),
    st.tuples(st.just("crash"), st.sampled_from(NAMES)),
    st.tuples(st.just("go"), st.sampled_from(NAMES)),
    st.tuples(st.just("drain"), st.sampled_from(NAMES)),
    st.tuples(st.just("save"), st.just(0)),
    st.tuples(st.just("sleep"), st.just(0)),
    st.tuples(st.just("leave"), st.just(0)),
    st.tuples(st.just("down"), st.just(0)),
    st.tuples(st.just("up"), st.just(0)),
    st.tuples(st.just("slow"), st.just(0)),
    st.tuples(st.just("drain_meanwhile"), st.sampled_from(NAMES)),
    st.tuples(st.just("steal_meanwhile"), st.sampled_from(NAMES)),
    st.tuples(st.just("save_meanwhile"), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.005, 0.02])),
)


class Play:
    """A person who clicks, whatever happens to the workers."""

    def __init__(self, entity: Any) -> None:
        self.store = Trouble()
        self.team = Workers(self.store, entity)
        self.clicks = 0
        self.tab: Tab | None = None
        self.at = "one"
        self.meanwhile: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        for name in NAMES:
            self.team.start(name)
        self.tab = await self.team.tab(self.team.webs["one"])
        self.tab.events.note_lost = lambda: None  # type: ignore[method-assign]  # or it gives up at the third crash
        await self.save(None)  # a session that was never saved ends with its worker

    async def step(self, kind: str, value: Any) -> None:
        await getattr(self, kind)(value)

    async def click(self, times: int) -> None:
        assert self.tab is not None
        for _ in range(times):
            self.clicks += 1
            try:
                await self.tab.post_event("more", "click")
            except Disconnected:
                self.tab.channel = None
            await asyncio.sleep(0)

    async def crash(self, name: str) -> None:
        """The worker is gone, with all that it has not saved: another one takes its place."""
        web = self.team.webs[name]
        await abandon(web)
        self.team.start(name)
        if self.at == name:
            await self.go(name)

    async def go(self, name: str) -> None:
        """The tab's connection breaks, and it comes to worker `name`, in the end."""
        assert self.tab is not None
        self.at = name
        for _ in range(3):
            try:
                self.tab.tries += 1
                await self.team.go(self.tab, self.team.webs[name])
            except (Disconnected, HeldElsewhere, SessionUnreachable):
                self.tab.channel = None
                self.store.down = False
                await asyncio.sleep(0.01)
            else:
                return

    async def drain(self, name: str) -> None:
        web = self.team.webs[name]
        await web.registry.move_out(0.02)
        web.registry.draining = False

    async def save(self, _: Any) -> None:
        for web in self.team.webs.values():
            for session in [*web.registry.sessions.values()]:
                await self.team.persistence(web).saver.save_now([session], self.team.persistence(web).owner)

    async def sleep(self, _: Any) -> None:
        for web in self.team.webs.values():
            await self.team.persistence(web).parker.put_to_sleep([*web.registry.sessions.values()], "idle")

    async def leave(self, _: Any) -> None:
        """The tab's connection breaks, and its session is parked."""
        assert self.tab is not None
        await self.tab.lose()
        web = self.team.webs[self.at]
        for session in [*web.registry.sessions.values()]:
            if not session.channels:
                self.team.persistence(web).parker.park(session, "disconnected")
        await asyncio.sleep(0.01)

    async def down(self, _: Any) -> None:
        self.store.down = True

    async def up(self, _: Any) -> None:
        self.store.down = False

    async def slow(self, _: Any) -> None:
        self.store.seconds = 0.0 if self.store.seconds else 0.01

    async def drain_meanwhile(self, name: str) -> None:
        self.meanwhile.append(asyncio.create_task(self.drain(name)))
        await asyncio.sleep(0)

    async def save_meanwhile(self, _: Any) -> None:
        self.meanwhile.append(asyncio.create_task(self.save(None)))
        await asyncio.sleep(0)

    async def steal_meanwhile(self, name: str) -> None:
        """Another request, at worker `name`, insists on the session."""

        async def steal(session_id: str) -> None:
            with contextlib.suppress(HeldElsewhere, SessionUnreachable):
                await self.team.webs[name].registry.find(session_id, insist=True)

        for session_id in [*self.store._records]:
            self.meanwhile.append(asyncio.create_task(steal(session_id)))
        await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def end(self) -> int:
        """What the session has counted, once all is quiet and the tab is back."""
        assert self.tab is not None
        self.store.down, self.store.seconds = False, 0.0
        await asyncio.gather(*self.meanwhile)
        for _ in range(20):
            await self.go(self.at)
            if self.tab.channel is None:
                continue
            self.clicks += 1
            try:
                number = await self.tab.post_event("more", "click")
                return int(await self.tab.answer(number))
            except Disconnected:
                self.tab.channel = None
                self.clicks -= 1
        raise AssertionError("the tab does not get back")


async def abandon(web: WebApp) -> None:
    """End what `web` does in the background, as when its process is killed."""
    kept = web.registry.persistence
    assert kept is not None
    for task in (kept._keeper, kept.saver._round, kept.parker._work):
        if task is not None:
            task.cancel()
    if kept.saver._timer is not None:
        kept.saver._timer.cancel()
    web.registry.sessions.clear()


async def play(steps: list[tuple[str, Any]], entity: Any) -> None:
    one = Play(entity)
    await one.begin()
    try:
        for kind, value in steps:
            await one.step(kind, value)
        counted = await one.end()
        assert counted == one.clicks
    finally:
        one.store.down = False
        await one.team.close()


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(steps=st.lists(STEPS, max_size=12), entity=st.sampled_from([Counter, Hooked, Slow]))
def test_no_click_is_lost_and_none_counts_twice(steps: list[tuple[str, Any]], entity: Any) -> None:
    asyncio.run(play(steps, entity))
