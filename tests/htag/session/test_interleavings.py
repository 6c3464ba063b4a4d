"""Any order of clicks, saves, crashes, moves, sleep and a store that fails: no click is lost, none counts twice.

hypothesis plays: one person with a tab that numbers its events, three workers, one store.
"""

import asyncio
import contextlib
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headless.errors import Disconnected
from headless.tab import Tab
from htag import WebApp
from htag.session.whereabouts import HeldElsewhere, SessionUnreachable
from tests.htag.session.lasting import Counter, Hooked, Slow, Workers
from tests.htag.session.troubled_store import Trouble

NAMES = ("one", "two", "three")
HERE, ELSEWHERE = 0, 1
ACTS = [
    *(("crash", where) for where in (HERE, ELSEWHERE)),
    *(("go", where) for where in (HERE, ELSEWHERE)),
    *(("drain", where) for where in (HERE, ELSEWHERE)),
    *(("drain_meanwhile", where) for where in (HERE,)),
    *(("steal_meanwhile", where) for where in (ELSEWHERE,)),
    *((name, 0) for name in ("save", "save_meanwhile", "sleep", "leave", "down", "up", "slow", "wait")),
]


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

    async def step(self, kind: str, where: int) -> None:
        """A click, and then what befalls the worker that the tab is at, or another one."""
        await self.click(1)
        name = NAMES[(NAMES.index(self.at) + where) % len(NAMES)]
        await getattr(self, kind)(name)
        await self.listen()

    async def listen(self) -> None:
        """The page hears what has come: from what it hears as saved, it keeps nothing."""
        assert self.tab is not None
        with contextlib.suppress(TimeoutError):
            while self.tab.channel is not None:
                try:
                    await self.tab.next(0.001)
                except Disconnected:
                    self.tab.channel = None

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

    async def wait(self, _: Any) -> None:
        await asyncio.sleep(0.01)

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
                counted = int(await self.tab.answer(number))
            except Disconnected:
                self.tab.channel = None
                self.clicks -= 1
                continue
            await self.listen()
            assert self.tab.text("count") == str(counted)
            return counted
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


async def play(acts: list[tuple[str, int]], entity: Any) -> None:
    one = Play(entity)
    await one.begin()
    try:
        for kind, where in acts:
            await one.step(kind, where)
        await one.step("crash", HERE)
        counted = await one.end()
        assert counted == one.clicks
    finally:
        one.store.down = False
        await one.team.close()


@pytest.mark.parametrize("acts", [*itertools.product(ACTS, repeat=2)], ids=str)
async def test_whatever_happens_twice_no_click_is_lost(acts: tuple[tuple[str, int], ...]) -> None:
    await play([*acts], Counter)


quick = settings(max_examples=60)


@quick
@given(acts=st.lists(st.sampled_from(ACTS), max_size=8), entity=st.sampled_from([Counter, Hooked, Slow]))
def test_no_click_is_lost_and_none_counts_twice(acts: list[tuple[str, int]], entity: Any) -> None:
    asyncio.run(play(acts, entity))
