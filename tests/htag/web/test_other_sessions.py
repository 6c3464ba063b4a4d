"""A page's events belong to the session that it was loaded from: another one under its cookie gets none of them."""

from __future__ import annotations

from typing import Any

import pytest

from headless.asgi import Site
from headless.errors import Disconnected
from headless.protocol import TRANSPORTS
from headless.tab import Tab
from tests.htag.session.lasting import Start, only_session, saved, workers

__all__ = ["workers"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_was_done_before_a_new_beginning_does_not_count_after_it(workers: Start, transport: str) -> None:
    web = workers().start("one")
    asleep = await (await Tab(Site(web.app), transport, version=2).load()).connect()
    await asleep.click("more")
    await asleep.lose()
    await asleep.post_event("more", "click") if transport != "http" else None
    await Tab(Site(web.app, cookies=asleep.site.cookies), version=2).load("?n")
    with pytest.raises((Disconnected, AssertionError)):  # unknown: a browser loads its page again
        await asleep.connect()
    app: Any = only_session(web).app
    assert app.clicks == 0


async def test_a_page_loaded_again_is_one_of_the_same_session(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    await team.go(tab, two)
    assert await tab.click("more") == 2
    again = await (await Tab(Site(two.app, cookies=tab.site.cookies), version=2).load()).connect()
    assert await again.click("more") == 3
