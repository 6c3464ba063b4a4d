"""A page that shows what others change is told of it for as long as it is open."""

import time

import pytest

from htag import WebApp
from htag.session.parker import is_idle
from tests.htag.session import shared
from tests.htag.session.lasting import Start, Workers, only_session, saved
from tests.htag.session.lasting import workers as workers
from tests.support.waiting import until

APPS = [shared.InTag, shared.InApp, shared.InStates, shared.Beside, shared.Held, shared.Guest]
SHOWING_MODULES = [app for app in APPS if app not in (shared.Guest, shared.Held)]


@pytest.fixture(autouse=True)
def nothing_new() -> None:
    shared.NEWS.value = shared.BOARD.news.value = shared.TELLERS[0].news.value = 0
    shared.ROOM.clear()


async def try_to_sleep(team: Workers, web: WebApp) -> None:
    session = only_session(web)
    await until(lambda: is_idle(session, time.monotonic()))
    await team.persistence(web).parker.put_to_sleep([session], "idle")


@pytest.mark.parametrize("app", APPS)
async def test_nothing_puts_it_to_sleep(workers: Start, app: type[shared.Showing]) -> None:
    team = workers(app)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    await try_to_sleep(team, one)
    assert not only_session(one).asleep
    shared.change(app)
    await tab.until(lambda: "news 1" in tab.text())
    assert await tab.click("more") == 2
    await tab.until(lambda: "own 2" in tab.text())


async def test_one_that_shows_only_what_is_its_own_falls_asleep(workers: Start) -> None:
    team = workers(shared.Showing)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    await try_to_sleep(team, one)
    assert only_session(one).asleep


@pytest.mark.parametrize("app", SHOWING_MODULES)
async def test_where_it_goes_on_it_is_told_again(workers: Start, app: type[shared.Showing]) -> None:
    team = workers(app)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    two = team.start("two")
    await team.persistence(one).move_out(5)
    await team.go(tab, two)
    shared.change(app)
    await tab.until(lambda: "news 1" in tab.text())
