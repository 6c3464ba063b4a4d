import pytest

from tests.apps.chat import Chat, Room


@pytest.fixture(autouse=True)
def a_room_of_its_own(monkeypatch):
    monkeypatch.setattr(Chat, "room", Room())


async def enter(visit, name):
    tab = await visit()
    await tab.submit("welcome", name=name)
    return tab


def lines(tab):
    return [line.text for line in tab.element("lines").all("p")]


async def test_one_enters_with_a_name(serve):
    tab = await serve(Chat)()
    assert tab.body.one("h1").text == "Who are you?"
    assert tab.document.get("talk") is None
    await tab.submit("welcome", name="Ann & co")
    assert tab.body.one("h1").text == "Chat of Ann & co"
    assert tab.document.get("welcome") is None
    assert tab.text("present") == "Ann & co"


async def test_everybody_sees_what_is_said(serve):
    visit = serve(Chat)
    ann, bob = await enter(visit, "Ann"), await enter(visit, "Bob")
    await ann.submit("talk", text="hello <i>all</i>")
    await bob.until(lambda: lines(bob) == ["Ann: hello <i>all</i>"])
    await bob.submit("talk", text="hi")
    for tab in (ann, bob):
        await tab.until(lambda tab=tab: lines(tab) == ["Ann: hello <i>all</i>", "Bob: hi"])


async def test_everybody_sees_who_is_there(serve):
    visit = serve(Chat)
    ann, bob = await enter(visit, "Ann"), await enter(visit, "Bob")
    await ann.until(lambda: ann.text("present") == "Ann, Bob")
    await bob.load("?n")
    await ann.until(lambda: ann.text("present") == "Ann")


async def test_a_latecomer_sees_what_was_said(serve):
    visit = serve(Chat)
    ann = await enter(visit, "Ann")
    for number in range(3):
        await ann.submit("talk", text=str(number))
    assert lines(await enter(visit, "Bob")) == ["Ann: 0", "Ann: 1", "Ann: 2"]


async def test_a_reload_neither_leaves_nor_enters_twice(serve):
    visit = serve(Chat)
    ann = await enter(visit, "Ann")
    bob = await enter(visit, "Bob")
    await ann.load()
    await ann.connect()
    assert sorted(ann.text("present").split(", ")) == ["Ann", "Bob"]
    await ann.submit("talk", text="back")
    await bob.until(lambda: lines(bob) == ["Ann: back"])


async def test_the_styles_of_a_line_arrive_once(serve):
    tab = await enter(serve(Chat), "Ann")
    await tab.submit("talk", text="1")
    await tab.submit("talk", text="2")
    assert len([static for static in tab.statics if "htag-Line" in static]) == 1
    assert all("htag-Line" in line.attributes["class"] for line in tab.element("lines").all("p"))
