"""hypothesis: whatever happens to a tree, the browser shows what a fresh render shows; nothing breaks out or down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headless.asgi import Site
from headless.document import parse
from headless.tab import Tab
from headless.wire import encode
from htag import HTML, GTag, State, Tag, WebApp

# a server and a browser are made for each example: their time is the tests', not hypothesis's business
usual = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=20)  # what HTML can say


class Stage(Tag.App):
    """An app whose tree the test changes, inside an event."""

    def init(self) -> None:
        self.act: Callable[[], object] = lambda: None
        Tag.button("go", _id="go", _onclick=lambda event: self.act() and None)
        self.world = World(Tag.div(_id="stage"))


async def on_stage(play: Callable[[Tab, Stage], Coroutine[Any, Any, None]], transport: str = "websocket") -> None:
    """Plays with a fresh app in a fresh browser."""
    stages: list[Stage] = []
    web = WebApp(Stage, on_instance=stages.append)
    tab = await Tab(Site(web.app), transport).load()
    await tab.connect()
    await play(tab, stages[0])
    await tab.leave()
    await web.registry.close()


async def settle(tab: Tab) -> None:
    """Takes in what the server still has to say; nothing is throttled here, so a pause means that this is all."""
    while True:
        try:
            await tab.next(0.02)
        except TimeoutError:
            return


# -- a tree and what can happen to it


class World:
    """All tags and States there are, attached or not, so that numbers can name them."""

    def __init__(self, top: GTag) -> None:
        self.tags = [top]
        self.states: list[State] = [State(0)]

    def tag(self, number: int) -> GTag:
        return self.tags[number % len(self.tags)]

    def state(self, number: int) -> State:
        return self.states[number % len(self.states)]

    def new(self, tag: GTag) -> GTag:
        self.tags.append(tag)
        return tag

    def move(self, what: int, where: int) -> None:
        child, parent = self.tag(what), self.tag(where)
        if child is not self.tags[0] and not _is_within(parent, child):
            parent.add(child)


def _is_within(tag: GTag | None, ancestor: GTag) -> bool:
    while tag is not None:
        if tag is ancestor:
            return True
        tag = tag.parent
    return False


numbers = st.integers(0, 50)
names = st.sampled_from(["div", "p", "span", "ul", "my_element", "textarea", "select", "input", "br"])
values = st.one_of(texts, st.booleans(), st.none(), st.integers())


def child(world: World, kind: str, name: str, text: str, number: int) -> object:
    """Anything that a tag may hold."""
    state = world.state(number)
    makers: dict[str, Callable[[], object]] = {
        "text": lambda: text,
        "number": lambda: number,
        "html": lambda: HTML("<i>raw</i>"),
        "none": lambda: None,
        "tag": lambda: world.new(getattr(Tag, name)(text)),
        "handler": lambda: world.new(Tag.button(text, _onclick=lambda event: None)),
        "fragment": lambda: world.new(Tag(text, Tag.b(number))),
        "state": lambda: state,
        "shown": lambda: lambda: f"{state.value}:{text}",
        "made": lambda: lambda: [Tag.li(text, state) for _ in range(_size(state))],
        "nested": lambda: lambda: Tag.p(lambda: Tag.b(state) if _size(state) else None, _title=lambda: state.value),
        "kept": lambda: _chosen(Tag.em(text, state), state),
        "held": lambda: State(Tag.u(text, state)),
        "list": lambda: [text, [world.new(Tag.i(state))], None],
    }
    return makers[kind]()


KINDS = ["text", "number", "html", "none", "tag", "handler", "fragment", "list"]
KINDS += ["state", "shown", "made", "nested", "kept", "held"]


def _size(state: State) -> int:
    value = state.value
    return value % 4 if isinstance(value, int) else len(str(value)) % 4


def _chosen(tag: GTag, state: State) -> Callable[[], GTag | None]:
    """A persistent tag, shown or not."""
    return lambda: tag if _size(state) else None


def _forget(tag: GTag, name: str) -> None:
    try:
        del tag[name]
    except KeyError:
        return


def perform(world: World, change: tuple[Any, ...]) -> None:
    """One change, named so that a failing example reads as a story."""
    kind, where, *rest = change
    tag = world.tag(where)
    match kind:
        case "add":
            tag.add(child(world, *rest))
        case "clear":
            tag.clear(child(world, *rest))
        case "move":
            world.move(rest[0], where)
        case "leave" if tag is not world.tags[0]:
            tag.remove()
        case "remove nth" if tag.childs:
            tag.remove(tag.childs[rest[0] % len(tag.childs)])
        case "text":
            tag.text = rest[0]
        case "attribute":
            tag[rest[0]] = rest[1]
        case "computed attribute":
            state = world.state(rest[1])
            tag[rest[0]] = lambda: state.value
        case "no attribute":
            _forget(tag, rest[0])
        case "state":
            world.state(where).value = rest[0]
        case "new state":
            world.states.append(State(rest[0]))


children = (st.sampled_from(KINDS), names, texts, numbers)
attribute_names = st.sampled_from(["title", "class", "data-x"])
changes = st.one_of(
    st.tuples(st.sampled_from(["add", "add", "clear"]), numbers, *children),
    st.tuples(st.sampled_from(["move", "remove nth"]), numbers, numbers),
    st.tuples(st.just("leave"), numbers),
    st.tuples(st.just("text"), numbers, texts),
    st.tuples(st.just("attribute"), numbers, attribute_names, values),
    st.tuples(st.just("computed attribute"), numbers, attribute_names, numbers),
    st.tuples(st.just("no attribute"), numbers, attribute_names),
    st.tuples(st.sampled_from(["state", "new state"]), numbers, values),
)
ANOTHER_TAB = "another tab"  # opens the page, which renders everything once more
steps = st.lists(st.one_of(st.lists(changes, min_size=1, max_size=4), st.just(ANOTHER_TAB)), max_size=12)


@settings(usual, max_examples=150)
@given(steps)
def test_what_the_browser_shows_is_what_a_fresh_render_shows(happening):
    async def play(tab: Tab, stage: Stage) -> None:
        for step in happening:
            if step == ANOTHER_TAB:
                await Tab(tab.site).load()
                continue
            stage.act = lambda step=step: [perform(stage.world, change) for change in step] and None
            await tab.event("go", "click")
        await settle(tab)
        shown = tab.body.shape()
        fresh = await Tab(tab.site).load()
        assert shown == fresh.body.shape()

    asyncio.run(on_stage(play))


@settings(usual, max_examples=60)
@given(st.lists(changes, min_size=1, max_size=8))
def test_changes_outside_events_arrive_by_update(happening):
    async def play(tab: Tab, stage: Stage) -> None:
        for change in happening:
            perform(stage.world, change)
        stage.update(0)
        await settle(tab)
        shown = tab.body.shape()
        assert shown == (await Tab(tab.site).load()).body.shape()

    asyncio.run(on_stage(play))


@settings(usual, max_examples=40)
@given(steps)
def test_every_handler_that_the_browser_shows_is_alive(happening):
    async def play(tab: Tab, stage: Stage) -> None:
        for step in happening:
            if step != ANOTHER_TAB:
                stage.act = lambda step=step: [perform(stage.world, change) for change in step] and None
                await tab.event("go", "click")
        stage.act = lambda: None
        clicked: list[GTag] = []
        for tag in stage.world.tags:
            if tag.tag == "button":
                tag["onclick"] = clicked.append
        await tab.event("go", "click")
        shown = [button for button in tab.body.all("button") if button.attributes.get("id") != "go"]
        for button in shown:
            if "htag_event" in (button.attributes.get("onclick") or ""):
                await tab.click(button)
        assert len(clicked) == len([button for button in shown if "htag_event" in button.attributes["onclick"]])

    asyncio.run(on_stage(play))


# -- escaping


@usual
@given(texts)
def test_any_text_is_the_same_text_in_the_browser(text):
    (element,) = parse(str(Tag.p(text, lambda: text, State(text), [text]))).children
    assert element.text == text * 4
    assert len(list(element)) == 1


@usual
@given(texts)
def test_any_attribute_value_is_the_same_value_in_the_browser(text):
    (element,) = parse(str(Tag.p(_title=text, _class=lambda: text, _lang=State(text), _data_x=[text]))).children
    for name in ("title", "class", "lang", "data-x"):
        assert element.attributes[name] == text
    assert element.attributes.keys() == {"title", "class", "lang", "data-x", "id"}


@usual
@given(st.one_of(texts, st.text("abc<>\"'= /&\t\n-:@.", min_size=1, max_size=5)))
def test_any_attribute_name_is_refused_or_stays_one_attribute(name):
    tag = Tag.p()
    try:
        tag[name] = "v"
    except ValueError:
        return
    (element,) = parse(str(tag)).children
    assert element.attributes.items() >= {name.lower(): "v"}.items()
    assert element.attributes.keys() <= {name.lower(), "id", "data-htag-id"}


@usual
@given(st.one_of(texts, st.text("abc<>\"'= /&\t\n-:@.", min_size=1, max_size=5)))
def test_any_event_name_is_refused_or_stays_one_attribute(name):
    tag = Tag.p(_id="x")
    try:
        tag[f"on{name}"] = lambda event: None
    except ValueError:
        return
    (element,) = parse(str(tag)).children
    assert element.attributes.keys() == {f"on{name}".lower(), "id"}


@usual
@given(texts.filter(bool))
def test_any_id_is_found_again(id):
    async def play(tab: Tab, stage: Stage) -> None:
        stage.act = lambda: stage.add(Tag.button(_id=id, _onclick=lambda event: event.target.id)) and None
        await tab.event("go", "click")
        assert tab.element(id).attributes["id"] == id
        assert "htag_event" in tab.element(id).attributes["onclick"]
        assert await tab.event(id, "click") == id

    if id not in ("go", "stage"):
        asyncio.run(on_stage(play))


@usual
@given(texts)
def test_any_title_is_the_same_title_in_the_browser(text):
    class Titled(Tag.App):
        statics = Tag.title(text)

    async def play() -> None:
        tab = await Tab(Site(WebApp(Titled).app)).load()
        assert tab.title == text
        assert len(tab.document.elements("body")) == 1

    asyncio.run(play())


# -- the wire

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
messages = st.dictionaries(
    st.sampled_from(["id", "event", "data", "action", "error", "fallback", "callback_id", "x"]),
    st.one_of(json_values, st.sampled_from(["go", "stage", "click", "input", "poll", "log_error"])),
)
frames = st.one_of(st.text(), st.binary(), messages.map(json.dumps), json_values.map(json.dumps))


@usual
@given(st.lists(frames, max_size=8))
def test_a_connection_survives_any_frame(rubbish):
    async def play(tab: Tab, stage: Stage) -> None:
        for frame in rubbish:
            if isinstance(frame, bytes):
                tab.channel.send_bytes(frame)
            else:
                tab.channel.send(frame)
        assert await tab.event("go", "click") is None

    asyncio.run(on_stage(play))


@usual
@given(st.lists(frames, max_size=4))
def test_a_session_survives_any_post(rubbish):
    async def play(tab: Tab, stage: Stage) -> None:
        for body in rubbish:
            body = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
            answer = await tab.post(body)
            assert answer.status in (200, 400)
        assert await tab.event("go", "click") is None

    asyncio.run(on_stage(play, "http"))


@usual
@given(st.lists(frames, max_size=4))
def test_parano_survives_anything_too(rubbish):
    async def play() -> None:
        web = WebApp(Stage, parano=True)
        tab = await Tab(Site(web.app)).load()
        await tab.connect()
        for frame in rubbish:
            if isinstance(frame, bytes):
                tab.channel.send_bytes(frame)
            else:
                tab.channel.send(frame)
                tab.channel.send(encode(frame, tab.key))
        assert await tab.event("go", "click") is None
        await tab.leave()
        await web.registry.close()

    asyncio.run(play())
