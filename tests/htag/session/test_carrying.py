"""A session goes on with another version of its app: a new app has the old one's States, and no event is lost."""

from typing import Any

import pytest

from headless.asgi import Site
from htag.snapshot.errors import Moved
from tests.htag.session.lasting import Counter, Hooked, Start, saved
from tests.htag.session.lasting import workers as workers


@pytest.mark.parametrize("app", [Counter, Hooked], ids=["asleep at first", "awake at once"])
async def test_an_event_that_waits_finds_its_element_in_the_new_app(
    workers: Start, app: type[Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the id that its author gave it, before the new app was shown."""
    team = workers(app)
    one = team.start("one")
    tab = await team.tab(one)
    for _ in range(3):
        await tab.click("more")
    await saved(one)

    def load(*_: Any) -> None:
        raise Moved("a class is gone")

    monkeypatch.setattr("htag.snapshot.api.load", load)
    await tab.lose()
    number = await tab.post_event("more", "click")  # clicked while there is no connection
    team.silent.add("one")
    two = team.start("two")
    tab.site = Site(two.app, cookies=tab.site.cookies)
    await tab.connect()
    await tab.answer(number)
    await tab.until(lambda: tab.text("count") == "4")
