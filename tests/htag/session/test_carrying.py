"""A session goes on with another version of its app: a new app has the old one's States, and no event is lost."""

from typing import Any

import pytest

from headless.asgi import Site
from htag import State, Tag
from htag.snapshot.errors import Moved
from tests.htag.session.lasting import Counter, Hooked, Start, only_session, saved
from tests.htag.session.lasting import workers as workers

WORDS: list[str] = []  # of the buttons, which another version has more of


class Worded(Tag.App):
    """Has buttons without ids of their own, and notes which were pressed."""

    def init(self) -> None:
        self.pressed = State("")
        for word in WORDS:
            Tag.button(word, _onclick=lambda event, word=word: self.pressed.set(self.pressed.value + word))


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


@pytest.mark.parametrize("clean", [True, False], ids=["moved", "crashed"])
async def test_an_event_that_waits_hits_no_other_element_of_the_new_app(
    workers: Start, clean: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elements are numbered, and the new app has others."""
    team = workers(Worded)
    WORDS[:] = ["save", "delete"]
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click(tab.button("save"))
    await saved(one)
    await tab.lose()
    number = await tab.post_event(*tab.button("save").call("click"))
    if not clean:
        team.silent.add("one")
    WORDS[:] = ["discard", "save", "delete"]

    def load(*_: Any) -> None:
        raise Moved("a class is gone")

    monkeypatch.setattr("htag.snapshot.api.load", load)
    two = team.start("two")
    tab.site = Site(two.app, cookies=tab.site.cookies)
    await tab.connect()
    await tab.answer(number)
    app: Any = only_session(two).app
    assert app.pressed.value == "save", "as it was carried over"
    await tab.until(lambda: "discard" in tab.text())
    await tab.click(tab.button("save"))
    assert app.pressed.value == "savesave"
