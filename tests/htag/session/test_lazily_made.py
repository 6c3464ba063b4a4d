"""A session refers to what a module makes for the first visitor. In a worker that has just started nothing has made it
yet: a new app does, and the session goes on with that."""

from collections.abc import Callable
from typing import Any

import pytest

from htag.testing import AppSession
from htag.testing import htag_session as htag_session
from tests.htag.session import lazy
from tests.htag.session.lasting import Start, only_session, saved
from tests.htag.session.lasting import workers as workers

APPS = [lazy.OfModule, lazy.OfClass, lazy.Cache]


@pytest.fixture(autouse=True)
def just_started() -> None:
    lazy.forget()


@pytest.mark.parametrize("app", APPS)
async def test_the_session_goes_on_with_what_is_made_there(workers: Start, app: type[lazy.Lazy]) -> None:
    team = workers(app)
    one = team.start("one")
    tab = await team.tab(one)
    for _ in range(3):
        await tab.click("more")
    await saved(one)
    team.silent.add("one")
    two = team.start("two")
    lazy.forget()
    await team.go(tab, two)
    assert await tab.click("more") == 4
    found: Any = only_session(two).app
    assert found.held is found.make()
    assert set(team.diaries["two"].labels("session_restored")) == {"same"}


async def test_what_a_new_app_does_not_make_is_carried(workers: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    team = workers(lazy.OfModule)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    team.silent.add("one")
    two = team.start("two")
    monkeypatch.setattr(lazy, "offers", False)
    lazy.forget()
    await team.go(tab, two)
    assert await tab.click("more") == 1
    assert "carried" in team.diaries["two"].labels("session_restored")


@pytest.mark.parametrize("app", APPS)
def test_in_another_process(htag_session: Callable[..., AppSession], app: type[lazy.Lazy]) -> None:
    session = htag_session(app)
    session.click("#more")
    session.move(process=True)
    assert session.click("#more") == 2
