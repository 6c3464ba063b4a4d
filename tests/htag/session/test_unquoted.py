"""What a person has typed is in no line of the log about snapshots either, at no level, without debug mode."""

import logging

import pytest

from headless.asgi import Site
from headless.tab import Tab
from htag import WebApp
from htag.stores.memory import MemoryStore
from tests.htag.session.lasting import Noted, only_session
from tests.support.waiting import until

TYPED = "correct horse battery staple"


async def lines(caplog: pytest.LogCaptureFixture, button: str, *, debug: bool) -> str:
    """What is logged where `button` was clicked, the session saved, and opened by another worker."""
    caplog.set_level(logging.DEBUG, "htag")
    webs = [WebApp(Noted, debug=debug, secret="s" * 32, store=store) for store in [MemoryStore()] * 2]
    tab = await (await Tab(Site(webs[0].app), version=2).load()).connect()
    await tab.click(button, value=TYPED)
    persistence = webs[0].registry.persistence
    assert persistence is not None
    await until(lambda: only_session(webs[0]) not in persistence.saver.dirty)
    await webs[0].registry.move_out(0.1)
    await tab.lose()
    tab.site = Site(webs[1].app, cookies=tab.site.cookies)
    if button in ("read", "mutely"):
        await tab.connect()
        assert await tab.click("more") == 1
    await tab.leave()
    for web in webs:
        await web.registry.close()
    return "\n".join(caplog.handler.format(record) for record in caplog.records if record.name.startswith("htag"))


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ("keyed", "Noted.notes[…]: the generator"),
        ("written", "Noted.notes[…]: ValueError at lasting.py"),
        ("read", "(ValueError at lasting.py"),
        ("mutely", "(Mute at lasting.py"),
    ],
)
async def test_no_line_about_a_snapshot_quotes_what_was_typed(
    caplog: pytest.LogCaptureFixture, button: str, said: str
) -> None:
    logged = await lines(caplog, button, debug=False)
    assert said in logged
    assert "horse" not in logged


async def test_an_error_that_cannot_be_said_costs_no_session_more_than_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert "(Mute: <exception str() failed>)" in await lines(caplog, "mutely", debug=True)


@pytest.mark.parametrize("button", ["keyed", "written", "read"])
async def test_with_debug_on_it_does(caplog: pytest.LogCaptureFixture, button: str) -> None:
    assert TYPED in await lines(caplog, button, debug=True)
