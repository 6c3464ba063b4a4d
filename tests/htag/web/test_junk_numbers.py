"""A visitor with a cookie of their own says what no page of ours says of its numbers: nothing fails, all goes on."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from headless.asgi import Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag.session.tab import MOST_LOST
from tests.htag.session.lasting import Start, only_session, saved, workers

__all__ = ["workers"]

QUERIES = (
    "v=2&tab=a&from=999999999999999&next=999999999999999",
    "v=2&tab=b&from=-1&next=-5&done=-3",
    "v=3&tab=c",
    "v=2&tab=d&from=5&next=1&done=99999",
    "v=2&v=1&tab=e&tab=f",
    "v=2&tab=g&insist=1&rev=abc&session=",
    "v=2&tab=%00%ff",
    "v=2&tab=h&rev=999999999999999",
)
MESSAGES: tuple[Any, ...] = (
    *({"n": number, "id": "none", "event": "click"} for number in (1, 10**30, -1, "1", [1], {}, 1e308, 0, True)),
    *({"got": number} for number in (10**40, -5, "x", None, True)),
    {"action": "skip"},
    {"action": "skip", "n": 2},
    {"action": ["skip"], "n": 3},
    {"action": "bye", "n": 5},
    {"action": "ping", "n": 7},
    {"action": "welcome"},
    {"action": "log_error", "n": 2, "error": {"a": 1}},
    {"n": 3, "id": ["x"], "event": {}},
    {"n": 4, "id": "none", "event": "click", "data": [1]},
)


@pytest.mark.parametrize("query", QUERIES)
async def test_junk_fails_nothing_and_the_session_moves_on(
    workers: Start, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    for message in MESSAGES:
        await sent(tab.site, query, message)
        posted = json.dumps({**message, "fallback": True})
        answer = await tab.site.post(f"{tab.site.base}event?{query}", posted, tab.post_headers())
        assert answer.status in (200, 409), (message, answer.text)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert all("events of a tab are lost" in each.message or "browser reports" in each.message for each in errors)
    assert len(only_session(one).tabs.records()) < 10
    assert all(lost <= MOST_LOST for lost in team.diaries["one"].labels("events_lost"))
    await tab.leave()
    await saved(one)
    page = await (await Tab(Site(two.app, cookies=tab.site.cookies), version=2).load()).connect()
    assert await page.click("more") == 2
    assert team.diaries["two"].labels("session_restored") == ["same"]


async def sent(site: Site, query: str, message: Any) -> None:
    """A connection that says `message` and is closed, by either side."""
    socket = await site.websocket(f"{site.base}ws?{query}")
    socket.send(json.dumps(message))
    try:
        await socket.receive()
        await socket.close()
    except Disconnected:
        pass
