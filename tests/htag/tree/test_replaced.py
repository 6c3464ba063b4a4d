"""Tags that a callable has just made anew: found for a while, and then gone from memory."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from htag import GTag, State, Tag
from htag.tree import replaced
from htag.tree.live import live_tree
from tests.support.stage import Stage, clicked, pushed


class TimedHost:
    """A host of an app, whose time the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.revision = 0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        monkeypatch.setattr(replaced, "monotonic", lambda: self.now)

    def request_push(self, seconds: float) -> None:
        """There is no tab."""

    def inside(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    def renew_id(self) -> None:
        """There is no session."""

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        self.timers.append((self.now + seconds, work))

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        due = [work for at, work in self.timers if at <= self.now]
        self.timers = [timer for timer in self.timers if timer[0] > self.now]
        for work in due:
            work()


@pytest.fixture
def clock(app: Stage, monkeypatch: pytest.MonkeyPatch) -> TimedHost:
    clock = TimedHost(monkeypatch)
    live_tree(app).attach_host(clock)
    return clock


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What goes, goes by itself."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def made_anew(app: Stage, make: Callable[[], Any]) -> Callable[[], None]:
    """A host of what `make` yields, and what makes it anew."""
    turn = State(0)
    app.add(Tag.div(lambda: (turn.value, make())[1]))
    live_tree(app).render_page()

    def again() -> None:
        turn.value += 1
        pushed(app)

    return again


def tags_of(app: Stage, name: str) -> list[GTag]:
    return [tag for tag in live_tree(app).generated.pre_order(app) if tag.tag == name]


def found(app: Stage, identity: str) -> tuple[GTag, GTag] | None:
    kept = live_tree(app).replaced
    return None if kept is None else kept.find(identity)


def kept_tags(app: Stage) -> int:
    kept = live_tree(app).replaced
    return 0 if kept is None else len(kept.tags)


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_tag_with_a_key_keeps_its_id(app: Stage, clock: TimedHost) -> None:
    names = ["a", "b", "c"]
    again = made_anew(app, lambda: [Tag.button(each, _onclick=clicked, _data_htag_key=each) for each in names])
    before = {tag.text: (tag.id, tag) for tag in tags_of(app, "button")}
    names[:] = ["c", "new", "a"]
    again()
    after = {tag.text: (tag.id, tag) for tag in tags_of(app, "button")}
    assert list(after) == names
    assert (after["c"][0], after["a"][0]) == (before["c"][0], before["a"][0])
    assert after["new"][0] not in {identity for identity, _ in before.values()}
    for identity, tag in after.values():
        assert live_tree(app).index.find(identity) is tag
    assert live_tree(app).index.find(before["b"][0]) is None


def test_of_two_tags_with_one_key_the_first_keeps_the_id_and_the_other_is_new(app: Stage, clock: TimedHost) -> None:
    again = made_anew(app, lambda: [Tag.button(each, _onclick=clicked, _data_htag_key="k") for each in "ab"])
    first, second = (tag.id for tag in tags_of(app, "button"))
    again()
    one, other = (tag.id for tag in tags_of(app, "button"))
    assert one == first
    assert other not in (first, second)


def test_a_key_counts_for_the_same_element_and_the_same_host_only(app: Stage, clock: TimedHost) -> None:
    kind: list[Any] = [Tag.button]
    again = made_anew(app, lambda: kind[0]("x", _onclick=clicked, _data_htag_key="k"))
    beside = made_anew(app, lambda: Tag.button("x", _onclick=clicked, _data_htag_key="k"))
    first, second = (tag.id for tag in tags_of(app, "button"))
    kind[0] = Tag.a
    again()
    (one,) = (tag.id for tag in tags_of(app, "a"))
    assert one.partition("-")[2] != first.partition("-")[2]
    beside()
    assert [tag.id for tag in tags_of(app, "button")] == [second]


def test_keys_count_within_what_a_callable_makes(app: Stage, clock: TimedHost) -> None:
    names = ["a", "b"]

    def table() -> GTag:
        return Tag.table(*[Tag.tr(Tag.td(each), _onclick=clicked, _data_htag_key=each) for each in names])

    again = made_anew(app, table)
    first, second = (tag.id for tag in tags_of(app, "tr"))
    names.insert(0, "new")
    again()
    assert [tag.id for tag in tags_of(app, "tr")][1:] == [first, second]


def test_keys_count_within_what_callables_within_make(app: Stage, clock: TimedHost) -> None:
    names = ["a", "b"]
    again = made_anew(
        app, lambda: Tag.div(Tag.ul(lambda: [Tag.li(each, _onclick=clicked, _data_htag_key=each) for each in names]))
    )
    before = {tag.text: tag.id for tag in tags_of(app, "li")}
    names.insert(0, "new")
    for _ in range(2):
        again()
        after = {tag.text: tag.id for tag in tags_of(app, "li")}
        assert (after["a"], after["b"]) == (before["a"], before["b"])
        for tag in tags_of(app, "li"):
            assert live_tree(app).index.find(tag.id) is tag


def test_a_tag_that_is_shown_again_takes_no_id_that_another_has(app: Stage, clock: TimedHost) -> None:
    one = Tag.button("one", _onclick=clicked, _data_htag_key="k")
    other = Tag.button("other", _onclick=clicked, _data_htag_key="k")
    shown = [one]
    again = made_anew(app, lambda: list(shown))
    identity = one.id
    shown[:] = [other]
    again()
    assert other.id == identity
    shown[:] = [other, one]
    again()
    assert other.id == identity
    assert one.id != identity
    assert live_tree(app).index.find(one.id) is one


# -- how long, and how many ------------------------------------------------------------------------------------------


def test_time_tabs_and_number_bound_what_is_kept(app: Stage, clock: TimedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    again = made_anew(app, lambda: [Tag.p(Tag.button("x", _onclick=clicked)) for _ in range(10)])
    identity = tags_of(app, "button")[0].id
    again()
    assert kept_tags(app) == 20
    assert found(app, identity) is not None
    clock.pass_by(replaced.SECONDS - 0.1)
    again()
    assert kept_tags(app) == 40
    clock.pass_by(0.2)
    assert kept_tags(app) == 20  # by a timer, without any event
    assert found(app, identity) is None
    clock.pass_by(replaced.SECONDS)
    assert kept_tags(app) == 0
    assert not clock.timers

    clock.revision = 7
    again()
    kept = live_tree(app).replaced
    assert kept is not None
    clock.pass_by(replaced.WAITING_SECONDS + 1)
    kept.acknowledge(7)
    assert kept_tags(app) == 20  # they show it still
    kept.acknowledge(8)
    assert kept_tags(app) == 0

    monkeypatch.setattr(replaced, "MOST", 50)
    for _ in range(5):
        again()
    assert kept_tags(app) == 40


def test_what_no_browser_addresses_is_not_kept(app: Stage, clock: TimedHost) -> None:
    again = made_anew(app, lambda: [Tag.p(Tag.b("x")) for _ in range(10)])
    again()
    assert kept_tags(app) == 0
    assert live_tree(app).replaced is None


# -- memory ------------------------------------------------------------------------------------------------------------


class Line(Tag.li):
    def init(self, word: str) -> None:
        self.word = Tag.b(word)
        self.button = Tag.button("x", _onclick=self.click)
        Tag.button("y", _onclick=lambda event: self.click(event))
        Tag.button("z", _onclick=lambda event, line=self: line.click(event))
        Tag.button("p", _onclick=partial(Line.click, self))
        Tag.i(lambda: self.word.text)
        Tag.div(lambda: Tag.button("w", _onclick=self.click))

    def click(self, event: Any) -> None:
        """Do nothing."""


def test_their_memory_is_free_without_the_garbage_collector(app: Stage, clock: TimedHost, no_collector: None) -> None:
    again = made_anew(app, lambda: [Line("x") for _ in range(3)])
    old = [weakref.ref(tag) for tag in live_tree(app).generated.pre_order(app) if isinstance(tag, Line)]
    again()
    again()
    assert all(each() is not None for each in old)
    clock.pass_by(replaced.SECONDS)
    assert [each() for each in old] == [None] * 3


@pytest.mark.parametrize("hold", ["line", "button", "handler", "list"])
def test_what_something_else_holds_stays_whole(app: Stage, clock: TimedHost, hold: str) -> None:
    again = made_anew(app, lambda: Line("x"))
    (line,) = (tag for tag in live_tree(app).generated.pre_order(app) if isinstance(tag, Line))
    held: Any = {"line": line, "button": line.button, "handler": line.button["onclick"], "list": [line]}[hold]
    shape = re.sub(r"-\d+", "", str(line))
    again()
    del line
    clock.pass_by(replaced.SECONDS)
    assert kept_tags(app) == 0
    back: dict[str, Callable[[], Any]] = {
        "line": lambda: held,
        "button": lambda: held.parent,
        "handler": lambda: held.__self__,
        "list": lambda: held[0],
    }
    assert re.sub(r"-\d+", "", str(back[hold]())) == shape


def test_a_tag_that_comes_back_is_alive(app: Stage, clock: TimedHost) -> None:
    views = [Line("one"), Line("two")]
    shown = [0]
    again = made_anew(app, lambda: views[shown[0]])
    for turn in (1, 0, 1, 0):
        shown[0] = turn
        again()
    clock.pass_by(replaced.SECONDS)
    line = views[0]
    assert live_tree(app).index.find(line.button.id) is line.button
    line.word.text = "changed"
    assert line.word.is_dirty
    assert "changed" in str(pushed(app))


def test_what_has_moved_elsewhere_lives(app: Stage, clock: TimedHost) -> None:
    again = made_anew(app, lambda: Tag.p(Tag.b(Tag.button("x", _onclick=clicked)), Tag.button("y", _onclick=clicked)))
    first, second = tags_of(app, "button")
    place = Tag.div()
    app.add(place)
    again()
    place.add(first)
    del first, second
    pushed(app)
    clock.pass_by(replaced.SECONDS)
    assert kept_tags(app) == 0
    assert place.childs[0].parent is place
    assert "<button" in str(place)
    assert live_tree(app).index.find(place.childs[0].id) is place.childs[0]
    assert place.childs[0]["onclick"] is clicked


def test_what_a_callable_within_has_made_stays_whole_if_it_is_held(app: Stage, clock: TimedHost) -> None:
    again = made_anew(app, lambda: Tag.p(Tag.div(lambda: Tag.button("x", _onclick=clicked))))
    (held,) = tags_of(app, "button")
    again()
    clock.pass_by(replaced.SECONDS)
    assert held["onclick"] is clicked
    assert held.text == "x"
