"""A tab that comes to another worker sends again what no snapshot has, and ids are what they were: real snapshots."""

from typing import Any

import pytest

from headless.tab import Tab
from htag import WebApp
from tests.htag.session.lasting import Start, Workers, only_session, saved, workers
from tests.htag.session.rows import Rows

__all__ = ["workers"]  # a fixture


async def add(tab: Tab, name: str) -> Any:
    return await tab.click("add", name=name)


def app(web: WebApp) -> Rows:
    found = only_session(web).app
    assert isinstance(found, Rows)
    return found


async def lost(here: Workers, tab: Tab, name: str) -> WebApp:
    """The worker that `tab` is on dies, with what it has not saved; another one, called `name`, takes over."""
    await tab.lose()
    here.silent |= here.webs.keys()
    return here.start(name)


@pytest.mark.parametrize("generated", [False, True])
async def test_a_click_on_a_row_that_no_snapshot_has_hits_that_row(workers: Start, generated: bool) -> None:
    here = workers(Rows)
    first = here.start("one")
    tab = await here.tab(first)
    await add(tab, "a")
    await saved(first)
    stored = only_session(first).stored
    assert stored is not None
    stored.not_before = float("inf")  # nothing more is saved
    for name in "bc":
        await add(tab, name)
    listed = tab.body.one("ol" if generated else "ul")
    await tab.click(listed.one("button", "b"))
    assert app(first).ticked == ["b"]
    second = await lost(here, tab, "two")
    tab = await here.go(tab, second)
    await tab.until(lambda: app(second).ticked == ["b"])
    assert [row.childs[0].text for row in app(second).rows.childs] == ["a", "b", "c"]
    assert tab.page_loads == 1
