"""The value that an author gives a `select` chooses its options, whenever they come; what is said later wins."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from headless.asgi import Site
from headless.document import Document
from headless.tab import Tab as Browser
from htag import GTag, State, Tag, WebApp
from htag.core import HTML
from htag.session.form_fields import synchronise
from htag.snapshot.api import dump, load
from htag.tree.choice import value_of
from htag.tree.flags import CHOOSES
from htag.tree.live import live_tree
from htag.tree.pairs import MISSING, get
from htag.wire.messages import Update


class Wanted:
    html = False
    ops = True


class AsHtml:
    html = True
    ops = False


def options(names: str = "abc", selected: str = "") -> list[GTag]:
    return [
        Tag.option(name.upper(), _value=name, **({"_selected": True} if name in selected else {})) for name in names
    ]


def shown(*children: Any) -> Any:
    app = Tag.App(*children)
    page(app)
    return app


def page(app: Any) -> str:
    return live_tree(app).render_page(inline=False).body


def chosen(html: Any) -> list[str]:
    """The values, or the texts, of the options that are marked in `html`, the whole of it or an update's."""
    marked = [option for option in Document(html).elements("option") if "selected" in option.attributes]
    return [option.attributes.get("value") or option.inner_text for option in marked]


def said(tag: GTag, *, event: str = "input", **data: Any) -> bool:
    return synchronise(tag, event, data, live_tree(tag.root))


def attribute(tag: GTag, name: str) -> Any:
    return get(tag._attributes, name)


class Tab:
    """A document that follows an app by operations, or by elements as wire version 1 has them."""

    def __init__(self, app: Any, wanted: Any = None) -> None:
        self.live = live_tree(app)
        self.wanted = wanted or Wanted()
        self.load()

    def load(self) -> None:
        """Show what there is now."""
        self.document = Document(self.live.render_page(inline=not self.wanted.ops).body)

    def follow(self) -> list[Any]:
        """Whatever changed is told; the document is then what a fresh one would be. Returns the operations."""
        told: list[Any] = []
        for _ in range(3):
            update = Update({}, [], [])
            assert self.live.drain_changes(update, self.wanted) == []
            self.document.apply_operations(update.ops or ())
            self.document.apply(update.updates)
            told += update.ops or ()
            if not self.live.has_changes():
                break  # a select is told twice where its options were written before it was known which one is chosen
        else:
            raise AssertionError("it never ends")
        assert self.chosen == chosen(self.live.render_shown(inline=False))
        return told

    @property
    def chosen(self) -> list[str]:
        marked = [option for option in self.document.elements("option") if "selected" in option.attributes]
        return [option.attributes.get("value") or option.inner_text for option in marked]


both = pytest.mark.parametrize("wanted", [Wanted(), AsHtml()], ids=["operations", "html"])


# -- where the value comes from ----------------------------------------------------------------------------------------

GIVEN: list[Callable[[], Any]] = [
    lambda: "b",
    lambda: State("b"),
    lambda: lambda: "b",
    lambda: lambda: State("b"),
]


@pytest.mark.parametrize("make", GIVEN)
def test_a_value_given_at_construction_chooses(make: Callable[[], Any]) -> None:
    app = shown(select := Tag.select(options(), _value=make()))
    assert chosen(page(app)) == ["b"]
    assert " value=" not in str(select).split(">")[0]


def test_a_number_chooses_as_its_text_does_and_so_does_a_text_of_an_option() -> None:
    assert chosen(page(shown(Tag.select([Tag.option(str(n), _value=n) for n in range(3)], _value=2)))) == ["2"]
    assert chosen(page(shown(Tag.select(Tag.option(" One  more "), Tag.option("two"), _value="One more")))) == [
        "One more"
    ]
    assert chosen(page(shown(Tag.select(Tag.option(2024), Tag.option(2025), _value=2025)))) == ["2025"]


def test_options_may_stand_anywhere_in_it() -> None:
    app = shown(
        Tag.select(
            Tag.optgroup(options("ab")),
            Tag(None, Tag.optgroup(lambda: options("cd"))),
            lambda: Tag.optgroup(options("ef")),
            Tag(None, lambda: options("gh")),
            _value="b",
        )
    )
    select = live_tree(app).index.app.childs[0]
    tab = Tab(app)
    for name in "bcdefgha":
        select["value"] = name
        tab.follow()
        assert tab.chosen == [name]
        assert chosen(page(app)) == [name]


@pytest.mark.parametrize("value", [None, False, "x", "", "A"])
def test_what_no_option_has_chooses_nothing(value: Any) -> None:
    app = shown(select := Tag.select(options(selected="a"), _value="b"))
    assert chosen(page(app)) == ["a"], "marks that come with the value"
    tab = Tab(app)
    said(select, value="c")
    select["value"] = value
    tab.follow()
    assert tab.chosen == ["c"], "what the person chose stays"
    assert chosen(page(shown(Tag.select(options(), _value=value)))) == []


# -- set later ---------------------------------------------------------------------------------------------------------


@both
def test_a_value_that_is_set_later_chooses(wanted: Any) -> None:
    app = shown(select := Tag.select(options()))
    tab = Tab(app, wanted)
    for value in ("c", "b", "b", "c"):
        select["value"] = value
        tab.follow()
        assert tab.chosen == [value]
        assert select["value"] == value


@both
def test_a_value_that_a_state_or_a_callable_has_is_followed(wanted: Any) -> None:
    state, other = State("a"), State("c")
    app = shown(Tag.select(options(), _value=state), Tag.select(options(), _value=lambda: other.value))
    tab = Tab(app, wanted)
    state.set("b")
    other.set("a")
    tab.follow()
    assert tab.chosen == ["b", "a"]


def test_what_an_unknown_callable_chooses_is_told_with_what_is_around_it() -> None:
    plain = ["a"]
    app = shown(box := Tag.div(Tag.select(options(), _value=lambda: plain[0])))
    tab = Tab(app)
    plain[0] = "c"
    box["title"] = "changed"
    tab.follow()
    assert tab.chosen == ["c"]


@both
@pytest.mark.parametrize("first", ["value", "options"])
def test_a_value_and_its_options_come_together(wanted: Any, first: str) -> None:
    app = shown(select := Tag.select(options(), _value="b"))
    tab = Tab(app, wanted)
    said(select, value="c")
    if first == "value":
        select["value"] = "y"
    select.clear(options("xyz"))
    if first == "options":
        select["value"] = "y"
    tab.follow()
    assert tab.chosen == ["y"]


@both
def test_options_may_come_after_the_value(wanted: Any) -> None:
    app = shown(select := Tag.select(_value="b"))
    tab = Tab(app, wanted)
    for name in "abc":
        select.add(*options(name))
        tab.follow()
    assert tab.chosen == ["b"]
    said(select, value="c")
    select["value"] = "d"
    tab.follow()
    assert tab.chosen == ["c"], "there is none yet"
    select.add(*options("d"))
    tab.follow()
    assert tab.chosen == ["d"]


@both
def test_options_may_come_into_a_group_after_the_value(wanted: Any) -> None:
    app = shown(Tag.select(options("a"), Tag(None, group := Tag.optgroup()), _value="b"))
    tab = Tab(app, wanted)
    group.add(*options("bc"))
    tab.follow()
    assert tab.chosen == ["b"]


@both
def test_options_that_are_made_again_are_chosen_again(wanted: Any) -> None:
    names = State("abc")
    app = shown(
        static := Tag.select(options(), _value="b"),
        Tag.select(lambda: options(names.value), _value="b", _name="lambda"),
    )
    tab = Tab(app, wanted)
    for each in ("cb", "c", "xbc"):
        static.clear(options(each))
        names.set(each)
        tab.follow()
        assert tab.chosen == ["b"] * 2 * ("b" in each)


class Late(Tag.App):
    """Options that come after others were written, and are chosen in their place."""

    def init(self) -> None:
        self.names = State("m")
        group = Tag.optgroup(lambda: options(self.names.value))
        self.select = Tag.select(options("ab", selected="a"), group, _id="s", _multiple=True)
        Tag.button("go", _id="go", _onclick=self.go)

    def go(self, event: Any) -> None:
        self.select["value"] = ["x"]
        self.names.value = "x"


@both
def test_options_that_were_written_before_another_was_chosen_are_told_once_more(wanted: Any) -> None:
    app = Late()
    tab = Tab(app, wanted)
    app.go(None)
    tab.follow()
    assert tab.chosen == ["x"]


async def test_and_that_is_pushed_by_itself() -> None:
    web = WebApp(Late)
    tab = await Browser(Site(web.app), "websocket").load()
    await tab.connect()
    await tab.click("go")

    def marked() -> list[str]:
        found = [option for option in tab.document.elements("option") if "selected" in option.attributes]
        return [option.attributes["value"] or "" for option in found]

    while marked() != ["x"]:
        await tab.next()  # which does not wait for ever
    await tab.leave()
    await web.registry.close()


# -- what else is said of it -------------------------------------------------------------------------------------------


def test_marks_that_come_with_a_value_win_over_it_as_ever() -> None:
    """An app of htag 2 may have both, of which one had no effect."""
    app = shown(select := Tag.select(options(selected="c"), _value="b"))
    tab = Tab(app)
    assert tab.chosen == ["c"]
    select.clear(options("abc", selected="a"))
    tab.follow()
    assert tab.chosen == ["a"]
    app = shown(Tag.select(lambda: options(selected="c"), _value="b"))
    assert chosen(page(app)) == ["c"]


def test_a_mark_that_is_set_later_wins_over_the_value() -> None:
    app = shown(select := Tag.select(all_of := options(), _value="b"))
    tab = Tab(app)
    all_of[0]["selected"] = True
    tab.follow()
    assert tab.chosen == ["a"]
    select["class"] = "wide"
    tab.follow()
    assert tab.chosen == ["a"]
    select["value"] = "b"
    tab.follow()
    assert tab.chosen == ["b"]


def test_a_mark_that_is_a_callable_is_the_author_s_own() -> None:
    live = State("c")
    marked = [Tag.option(name, _value=name, _selected=lambda name=name: live.value == name) for name in "abc"]
    app = shown(select := Tag.select(marked, _value="b"))
    tab = Tab(app)
    select["value"] = "a"
    live.set("b")
    tab.follow()
    assert tab.chosen == ["b"]


def test_what_a_person_chooses_wins_until_the_app_says_something() -> None:
    app = shown(select := Tag.select(options(), _value="b"))
    tab = Tab(app)
    said(select, value="c")
    assert not live_tree(app).changes.dirty, "the browser shows it"
    select["class"] = "wide"
    tab.follow()
    assert (tab.chosen, select["value"]) == (["c"], "c")
    select["value"] = "b"
    tab.follow()
    assert (tab.chosen, select["value"]) == (["b"], "b")


def test_what_a_person_chose_does_not_choose_among_other_options() -> None:
    """As in htag 2: options that are made anew say by their marks which one is chosen, or the first is."""
    app = shown(select := Tag.select(options(), _value="b"))
    tab = Tab(app)
    said(select, value="c")
    select.clear(options("xc", selected="x"))
    tab.follow()
    assert tab.chosen == ["x"]
    select.clear(options("xc"))
    tab.follow()
    assert tab.chosen == []
    assert select["value"] == "c"


def test_what_a_person_chose_is_chosen_among_other_options_where_the_app_says_so() -> None:
    app = shown(select := Tag.select(options()))
    tab = Tab(app)
    said(select, value="c")
    select["value"] = select["value"]
    select.clear(options("xc"))
    tab.follow()
    assert tab.chosen == ["c"]


def test_a_value_that_is_taken_away_says_nothing() -> None:
    app = shown(select := Tag.select(options(), _value="b"))
    tab = Tab(app)
    del select["value"]
    tab.follow()
    assert tab.chosen == ["b"]
    select.clear(options())
    tab.follow()
    assert tab.chosen == []
    select["value"] = "c"
    select["value"] = None
    tab.follow()
    assert tab.chosen == []


# -- several -----------------------------------------------------------------------------------------------------------


def test_several_are_chosen_by_a_list() -> None:
    app = shown(select := Tag.select(options(), _multiple=True, _value=["a", "c"]))
    tab = Tab(app)
    assert tab.chosen == ["a", "c"]
    for values in (["b"], [], ("c", "b", "x"), "a", ["a", "b"], []):
        select["value"] = values
        tab.follow()
        assert tab.chosen == sorted({*values} - {"x"})
        assert select["value"] == values


def test_several_that_a_person_chose_stay_until_the_app_says_something() -> None:
    app = shown(select := Tag.select(options(), _multiple=True, _value=["a"]))
    tab = Tab(app)
    assert said(select, event="change", value=["b", "c"])
    select["class"] = "wide"
    tab.follow()
    assert tab.chosen == ["b", "c"]
    select["value"] = ["a"]
    tab.follow()
    assert tab.chosen == ["a"]


def test_of_several_a_mark_that_is_set_later_is_one_more() -> None:
    app = shown(Tag.select(all_of := options(), _multiple=True, _value=["b"]))
    tab = Tab(app)
    all_of[2]["selected"] = True
    tab.follow()
    assert tab.chosen == ["b", "c"]


def test_of_two_options_of_one_value_one_is_chosen() -> None:
    app = shown(Tag.select(options("ab"), options("b"), _value="b"))
    assert chosen(page(app)) == ["b"]


# -- selects that callables make ---------------------------------------------------------------------------------------


class Made(Tag.App):
    """A select that a callable makes anew each time, by its own State."""

    def init(self) -> None:
        self.choice = State("a")
        self.turn = State(0)
        Tag.div(lambda: (self.turn.value, Tag.select(options(), _value=self.choice.value, _name="s"))[1])

    @property
    def select(self) -> GTag:
        (found,) = (tag for tag in live_tree(self).generated.pre_order(self) if tag.tag == "select")
        return found


def test_a_select_that_is_made_anew_goes_on_with_what_the_person_chose_until_it_is_given_something_else() -> None:
    app = Made()
    tab = Tab(app)
    assert tab.chosen == ["a"]
    said(app.select, value="c")
    app.turn += 1
    tab.follow()
    assert (tab.chosen, app.select["value"]) == (["c"], "c")
    app.choice.set("b")
    tab.follow()
    assert (tab.chosen, app.select["value"]) == (["b"], "b")
    said(app.select, value="c")
    app.choice.set("c")
    tab.follow()
    assert (tab.chosen, app.select["value"]) == (["c"], "c")


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_a_select_that_is_made_anew_shows_what_it_is_given_also_long_after_a_person_has_chosen(turns: int) -> None:
    app = Made()
    tab = Tab(app)
    for chosen, others in (("c", "bac"), ("b", "acb")):
        said(app.select, value=chosen)
        for name in (chosen, *others):
            app.choice.set(name)
            tab.follow()
            assert (tab.chosen, app.select["value"]) == ([name], name)
            for _ in range(turns):
                app.turn += 1
                tab.follow()
                assert (tab.chosen, app.select["value"]) == ([name], name)


def test_what_a_person_chose_of_options_that_are_made_anew_goes_on_also_where_the_value_had_chosen_it_before() -> None:
    turn = State(0)
    app = shown(select := Tag.select(lambda: (turn.value, options())[1], _value="b"))
    tab = Tab(app)
    for name in ("c", "b", "a"):
        said(select, value="c")
        said(select, value=name)
        for _ in range(3):
            turn += 1
            tab.follow()
            assert (tab.chosen, select["value"]) == ([name], name)


def test_an_event_that_says_what_the_app_has_said_changes_nothing() -> None:
    app = shown(one := Tag.select(options(), _value="b"), two := Tag.select(options(), _multiple=True, _value=["a"]))
    tab = Tab(app)
    assert said(one, event="click", value="b")
    assert said(two, event="click", value=["a"])
    one.clear(options("xb"))
    two.clear(options("xa"))
    tab.follow()
    assert tab.chosen == ["b", "a"]


# -- a worker's end ----------------------------------------------------------------------------------------------------


class Kept(Tag.App):
    def init(self) -> None:
        self.ours = Tag.select(options(), _value="b")
        self.theirs = Tag.select(options(), _value="b")
        self.waiting = Tag.select(_value="b")
        self.assigned = Tag.select(options(selected="a"))


def test_all_that_is_known_of_it_goes_along_to_another_worker() -> None:
    app: Any = Kept()
    page(app)
    said(app.theirs, value="c")
    app.assigned["value"] = "c"
    moved: Any = load(dump(app), Kept).app
    tab = Tab(moved)
    assert tab.chosen == ["b", "c", "c"]
    for select in (moved.ours, moved.theirs, moved.waiting, moved.assigned):
        select.clear(options())
    tab.follow()
    assert tab.chosen == ["b", "b", "c"], "what the person chose is no word of the app"


def test_a_copy_chooses_by_itself() -> None:
    select = Tag.select(options(), _value="b")
    other = copy.deepcopy(select)
    other["value"] = "c"
    assert (chosen(str(select)), chosen(str(other))) == (["b"], ["c"])


# -- what it costs others ----------------------------------------------------------------------------------------------


def test_a_select_without_a_value_is_left_as_it_is() -> None:
    app = shown(select := Tag.select(all_of := options()))
    tab = Tab(app)
    select.add(*options("d"))
    ((kind, *_),) = tab.follow()
    assert kind == "i", "no more is told than the option that comes"
    said(select, value="b")
    assert [attribute(option, "selected") for option in all_of] == [MISSING, True, MISSING]


def test_markup_is_not_looked_into() -> None:
    """What it shows is not known here: the app marks it itself."""
    app = shown(Tag.select(HTML("<option selected>a</option>"), Tag.option("b"), _value="x"))
    assert chosen(page(app)) == ["a"]


# -- any order of it ---------------------------------------------------------------------------------------------------


class World:
    """A select with options of its own, in a group and of callables, and random changes of it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = State("ab")
        self.group = Tag.optgroup(self.some())
        pieces: list[Any] = [self.some(), self.group, Tag(None, self.some()), lambda: options(self.names.value)]
        pieces += [Tag.optgroup(lambda: options(self.names.value.upper()))]
        self.random.shuffle(pieces)
        given = {"_value": self.random.choice(["a", "b", State("c"), "x"])} if self.random.random() < 0.6 else {}
        self.select = Tag.select(pieces[: self.random.randrange(6)], **given)
        self.app = Tag.App(Tag.p(self.select))

    def some(self) -> list[GTag]:
        names = "".join(self.random.choices("abcABC", k=self.random.randrange(3)))
        return options(names, selected=self.random.choice(["", "", "", "a"]))

    def all_of(self) -> list[GTag]:
        return [tag for tag in live_tree(self.app).generated.pre_order(self.select) if tag.tag == "option"]

    def change(self) -> None:
        self.random.choice([
            self.assign, self.assign, self.assign, self.mark, self.add, self.add_to_group,
            self.clear, self.remove, self.yield_others, self.touch,
        ])()  # fmt: skip

    def assign(self) -> None:
        self.select["value"] = self.random.choice([*"abcABC", None, "x", State("b"), lambda: self.names.value[:1]])

    def report(self) -> None:
        if names := [option["value"] for option in self.all_of()]:
            assert said(self.select, value=self.random.choice(names))

    def mark(self) -> None:
        if found := self.all_of():
            self.random.choice(found)["selected"] = self.random.choice([True, False])

    def add(self) -> None:
        self.select.add(*self.some())

    def add_to_group(self) -> None:
        self.group.add(*self.some())

    def clear(self) -> None:
        self.select.clear(*self.some(), *([self.group] if self.random.random() < 0.5 else []))

    def remove(self) -> None:
        generated = [tag for tags in live_tree(self.app).generated.by_host.values() for tag in tags]
        if found := [option for option in self.all_of() if option not in generated]:
            self.random.choice(found).remove()

    def yield_others(self) -> None:
        self.names.set("".join(self.random.choices("abc", k=self.random.randrange(3))))

    def touch(self) -> None:
        self.select["class"] = str(self.random.random())


@both
@pytest.mark.parametrize("seed", range(50))
def test_whatever_happens_all_tabs_show_what_a_new_one_would(seed: int, wanted: Any) -> None:
    world = World(seed)
    tab = Tab(world.app, wanted)
    for _ in range(12):
        for _ in range(world.random.randrange(1, 4)):
            world.change()
        tab.follow()
        if world.random.random() < 0.5:
            world.report()
            tab.load()  # a browser shows it by itself
        if type(value := attribute(world.select, "value")) is str and world.select._flags & CHOOSES:
            known = [option["value"] for option in world.all_of()]
            assert value not in known or tab.chosen, "none is marked, and there is one that has the value"


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (Tag.option("text"), "text"),
        (Tag.option(" one", "  two\n"), "one two"),
        (Tag.option(), ""),
        (Tag.option(7), "7"),
        (Tag.option("text", _value="v"), "v"),
        (Tag.option("text", _value=0), "0"),
        (Tag.option("text", _value=None), "text"),
        (Tag.option("text", _value=True), ""),
        (Tag.option("text", _value=lambda: State("s")), "s"),
        (Tag.option(Tag.b()), None),
        (Tag.option(HTML("<b>")), None),
        (Tag.option("text", HTML("")), None),
        (Tag.option(lambda: "text"), None),
    ],
)
def test_the_value_of_an_option(option: GTag, expected: str | None) -> None:
    assert value_of(option) == expected
