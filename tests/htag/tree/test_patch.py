"""`htag.tree.patch`: what a change costs on the wire. That operations lead to the right document in any case, random
trees show (`test_patch_properties`)."""

import itertools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from htag import HTML, State, Tag
from htag.tree.live import live_tree
from htag.wire.codec import Codec
from htag.wire.codec2 import Codec2
from htag.wire.messages import Update
from tests.support.stage import Stage, clicked

CODEC = Codec2(Codec())


class Operations(NamedTuple):
    """What tabs of wire version 2 want."""

    html: bool = False
    ops: bool = True


def told(app: Any) -> list[Any]:
    """The operations for what changed, all of which can be rendered."""
    update = Update({}, [], [])
    live = live_tree(app)
    if not live.drain_single_text(update, Operations()):
        assert live.drain_changes(update, Operations()) == []
    return list(update.ops or ())


def shown(*children: Any) -> Any:
    """An app with these children, as its tabs show it."""
    app = Stage()
    app.add(*children)
    live_tree(app).render_page(inline=False)
    return app


def rows(count: int) -> list[Any]:
    return [Tag.li(str(number)) for number in range(count)]


def test_a_text_is_its_id_and_the_text() -> None:
    app = shown(first := Tag.p("a"), second := Tag.p("b", _id="own"), State("c"))
    first.text = "<1>"
    assert told(app) == [(first.id, "<1>")]
    second.text = "2"
    assert told(app) == [("own", "2")]
    assert told(app) == []


@pytest.mark.parametrize(
    "child", [lambda value: value, lambda value: lambda: value.value, lambda value: lambda: [value]]
)
def test_a_text_that_a_state_gives_is_told_as_a_text(child: Callable[[Any], Any]) -> None:
    state = State("a")
    app = shown(shown_there := Tag.p("so: ", child(state)), Tag.p("other"))
    state.set("b")
    assert told(app) == [(shown_there.id, "so: b")]


def test_attributes_and_handlers_are_a_start_tag() -> None:
    app = shown(tag := Tag.p(Tag.b("child"), _class="a"))
    tag["class"] = "b"
    tag["onclick"] = clicked
    assert told(app) == [("a", tag.id, f'<p class="b" data-htag-on="click" id="{tag.id}">')]
    state = State("x")
    tag["title"] = state
    told(app)
    state.set("y")
    assert told(app) == [("a", tag.id, f'<p class="b" title="y" data-htag-on="click" id="{tag.id}">')]


def test_an_attribute_of_a_select_brings_its_options_along() -> None:
    app = shown(select := Tag.select(Tag.option("a", _selected=True), Tag.option("b")))
    select["value"] = ""
    ((kind, told_of, html),) = told(app)
    assert (kind, told_of, html.count("<option")) == ("h", select.id, 2)


def test_attributes_and_a_text_are_two_operations() -> None:
    app = shown(tag := Tag.p("a"))
    tag.text = "b"
    tag["title"] = "c"
    assert sorted(map(len, told(app))) == [2, 3]


def test_children_that_come_are_inserted_where_they_stand() -> None:
    app = shown(box := Tag.ul(*rows(3)))
    new = Tag.li("new")
    box.add(new)
    assert told(app) == [("i", box.id, None, f'<li id="{new.id}">new</li>')]
    empty = Tag.ul()
    app.add(empty)
    told(app)
    empty.add(Tag.li("a"), Tag.li("b"))
    ((kind, parent, before, html),) = told(app)
    assert (kind, parent, before, html.count("<li")) == ("i", empty.id, None, 2)


def test_children_that_go_are_named_and_the_last_leave_no_text() -> None:
    app = shown(box := Tag.ul(*(all_of := rows(4))))
    all_of[1].remove()
    all_of[2].remove()
    assert told(app) == [("r", all_of[1].id, all_of[2].id)]
    box.clear()
    assert told(app) == [(box.id, "")]


def test_what_is_told_as_a_whole_brings_along_what_is_in_it() -> None:
    app = shown(Tag.div(inner := Tag.p("a"), outer := Tag.div("text", within := Tag.b("b"))))
    outer.add("more")
    within.text = "c"
    inner.text = "d"
    ops = told(app)
    assert [operation[:2] for operation in ops] == [("h", outer.id), (inner.id, "d")]
    assert "c</b>more</div>" in ops[0][2]


def test_what_changes_in_a_child_that_comes_comes_with_it() -> None:
    app = shown(box := Tag.ul(*rows(2)))
    box.add(child := Tag.li(inner := Tag.b("a")))
    inner.text = "b"
    child["class"] = "x"
    assert [operation[0] for operation in told(app)] == ["i"]


def test_what_changes_beside_it_is_told_by_itself() -> None:
    app = shown(box := Tag.ul(*(all_of := rows(3))))
    box.add(Tag.li("new"))
    box["class"] = "x"
    all_of[0].text = "changed"
    assert [operation[0] for operation in told(app)] == ["a", all_of[0].id, "i"]


@pytest.mark.parametrize("child", ["text", HTML("<b>raw</b>"), State("x"), lambda: "y", lambda: Tag.i("z")])
def test_children_that_are_no_elements_have_their_parent_told(child: Any) -> None:
    app = shown(box := Tag.div(Tag.p("a"), child, Tag.p("b")))
    box.add(Tag.p("c"))
    assert [operation[:2] for operation in told(app)] == [("h", box.id)]


def test_a_fragment_and_a_style_have_what_is_around_them_told() -> None:
    app = shown(box := Tag.div(fragment := Tag(None, Tag.p("a")), style := Tag.style("a {}")))
    fragment.add(Tag.p("b"))
    assert [operation[:2] for operation in told(app)] == [("h", box.id)]
    style.text = "b {}"
    assert [operation[:2] for operation in told(app)] == [("h", box.id)]


def test_a_list_of_children_that_the_author_changes_is_compared_with_what_is_shown() -> None:
    app = shown(box := Tag.ul(*(all_of := rows(30))))
    children = box.childs
    children.insert(0, first := Tag.li("unseen"))
    box.add(last := Tag.li("seen"))
    ops = told(app)
    assert [operation[:3] for operation in ops] == [("i", box.id, None), ("i", box.id, all_of[0].id)]
    assert (first.id in ops[1][3], last.id in ops[0][3]) == (True, True)
    children.remove(all_of[7])
    children.reverse()
    box.add(Tag.li("again"))
    ops = told(app)
    assert [operation[0] for operation in ops if operation[0] != "m"] == ["r", "i"]
    assert ops[0] == ("r", all_of[7].id)
    live_tree(app).render_body()
    children.pop()
    box.add(Tag.li("after a full render"))
    assert [operation[0] for operation in told(app)] == ["r", "i"]


def test_a_child_that_has_left_and_is_back_comes_as_it_is_now() -> None:
    app = shown(box := Tag.ul(*(all_of := rows(3))))
    all_of[0].text = "changed"
    all_of[0].remove()
    box.add(all_of[0])
    child = all_of[0].id
    assert told(app) == [("r", child), ("i", box.id, None, f'<li id="{child}">changed</li>')]


def test_children_that_left_and_are_back_unchanged_only_move() -> None:
    app = shown(box := Tag.ul(*(all_of := [Tag.li(Tag.button("x", _onclick=clicked)) for _ in range(50)])))
    box.clear(new := Tag.li("new"), *all_of)
    assert [operation[:3] for operation in told(app)] == [("i", box.id, all_of[0].id)]
    box.clear(*all_of[1:], all_of[0], new)
    assert told(app) == [("m", box.id, None, all_of[0].id, new.id)]
    button = all_of[3].childs[0]
    assert live_tree(app).index.find(button.id) is button


@pytest.mark.parametrize("place", ["before", "while away", "below", "a state"])
def test_children_that_left_and_are_back_changed_come_anew(place: str) -> None:
    state = State("a")
    app = shown(box := Tag.ul(*(all_of := [Tag.li(Tag.b(state)) for _ in range(50)])))
    row = all_of[7]
    if place == "before":
        row["class"] = "x"
    row.remove()
    if place == "while away":
        row["class"] = "x"
    elif place == "below":
        row._content.text = "b"
    elif place == "a state":
        state.set("c")
    box.add(row)
    ops = [operation for operation in told(app) if operation[0] in "rim"]
    assert [operation[0] for operation in ops] == ["r", "i"]
    assert str(row).partition(">")[0] in ops[1][3]


def test_from_parent_to_parent_it_goes_before_it_comes() -> None:
    app = shown(one := Tag.ul(*(all_of := rows(3))), other := Tag.ul(*rows(2)))
    other.add(all_of[1])
    assert [operation[:2] for operation in told(app)] == [("r", all_of[1].id), ("i", other.id)]
    assert all_of[1].parent is other
    assert one.childs


def test_rows_that_are_all_made_anew_are_told_as_a_whole_for_the_client_to_pair() -> None:
    app = shown(box := Tag.ul(*rows(5)))
    box.clear(*rows(5))
    assert [operation[:2] for operation in told(app)] == [("h", box.id)]


def test_callables_within_what_changes_are_called_and_told_only_if_they_say_something_else() -> None:
    value, calls = ["a"], itertools.count()
    app = shown(box := Tag.div(line := Tag.p(lambda: (next(calls), value[0])[1]), Tag.p("other")))
    told(app)
    assert next(calls) == 1
    box["class"] = "x"
    assert [operation[0] for operation in told(app)] == ["a"]
    assert next(calls) == 3
    value[0] = "b"
    box.add(Tag.p("new"))
    assert [operation[:2] for operation in told(app)] == [(line.id, "b"), ("i", box.id)]


def test_one_that_cannot_be_rendered_costs_the_others_nothing_and_is_told_as_a_whole_next_time() -> None:
    fails = [False]

    def failing() -> str:
        return str(1 / 0) if fails[0] else "fine"

    app = shown(box := Tag.ul(*rows(3)), line := Tag.p("a"))
    box.add(bad := Tag.li(failing))
    fails[0] = True
    line.text = "b"
    update = Update({}, [], [])
    ((tag, error),) = live_tree(app).drain_changes(update, Operations())
    assert (tag, type(error), update.ops) == (box, ZeroDivisionError, [(line.id, "b")])
    fails[0] = False
    box.add(Tag.li("after"))
    (operation,) = told(app)
    assert operation[:2] == ("h", box.id)
    assert bad.id in operation[2]


def test_an_element_that_is_called_like_the_removal_is_told_as_a_whole() -> None:
    app = shown(tag := Tag.p("a", _id="r"), other := Tag.p(State("b"), _id="h"))
    tag.text = "b"
    assert told(app) == [("h", "r", '<p id="r">b</p>')]
    other.text = "c"
    assert told(app) == [("h", "c")]


# -- bytes, and moves -----------------------------------------------------------------------------------------------


def test_a_changed_number_takes_60_bytes_with_its_answer() -> None:
    app = shown(*rows(1200), number := Tag.button("56"))
    number.text = "57"
    answer = Update({}, [], [], "c", None, seq=(1 << 32) - 1, done=57, ops=told(app))
    assert len(CODEC.encode(answer)) <= 60, CODEC.encode(answer)


def test_an_inserted_row_takes_60_bytes_more_than_its_html() -> None:
    def row() -> Any:
        return Tag.tr(Tag.td("a"), Tag.td(Tag.button("b", _onclick=clicked)))

    table_rows = [row() for _ in range(2000)]
    app = shown(table := Tag.tbody(*table_rows))
    table.add(row())
    for child in table_rows:
        table.add(child)  # which brings `new` to the top
    ops = told(app)
    text = CODEC.encode(Update({}, [], [], seq=(1 << 32) - 1, done=57, ops=ops))
    html = json.dumps(ops[0][3])
    assert ops[0][:3] == ("i", table.id, table_rows[0].id)
    assert len(text) <= len(html) + 60, text


@pytest.mark.parametrize(("order", "moves"), [("reversed", 199), ("last first", 1), ("first last", 1), ("same", 0)])
def test_what_moves_are_as_few_as_can_be(order: str, moves: int) -> None:
    all_of = rows(200)
    app = shown(box := Tag.ul(*all_of))
    orders = {
        "reversed": all_of[::-1],
        "last first": [all_of[-1], *all_of[:-1]],
        "first last": [*all_of[1:], all_of[0]],
        "same": all_of,
    }
    for child in orders[order]:
        box.add(child)
    ops = told(app)
    assert {operation[0] for operation in ops} <= {"m"}
    assert sum(len(operation) - 3 for operation in ops) == moves


# -- what a browser puts beside the element that it was put into


@pytest.mark.parametrize(
    "make",
    [
        lambda inner: Tag.p(inner, Tag.ul(Tag.li("a"))),
        lambda inner: Tag.p(inner, lambda: Tag.div("made")),
        lambda inner: Tag.p(inner, HTML("<table></table>")),
        lambda inner: Tag.p(Tag.span(inner, Tag.div("deep"))),
        lambda inner: Tag.a(inner, Tag.b(Tag.a("link"))),
        lambda inner: Tag.button(inner, Tag.button("within")),
        lambda inner: Tag.h1(inner, Tag.h2("within")),
        lambda inner: Tag.form(inner, Tag.div(Tag.form())),
    ],
)
def test_what_is_told_as_a_whole_and_ends_in_a_browser_too_early_has_what_is_around_it_told(make: Any) -> None:
    state = State("a")
    app = shown(around := Tag.section(make(state), "text"), Tag.p("other"))
    state.set("b")
    ((name, place, html),) = told(app)
    assert (name, place) == ("h", around.id)
    assert "b" in html
    assert html.endswith("text</section>")


@pytest.mark.parametrize(
    "inside", [lambda: Tag.b("x"), lambda: Tag.button(Tag.img()), lambda: Tag.a("x"), lambda: HTML("<br><pi>x<preen>")]
)
def test_a_paragraph_of_phrases_is_told_by_itself(inside: Any) -> None:
    state = State("a")
    app = shown(tag := Tag.p(state, inside()), Tag.div("other"))
    state.set("b")
    assert [operation[:2] for operation in told(app)] == [("h", tag.id)]


def test_a_block_in_a_paragraph_is_told_by_itself() -> None:
    state = State("a")
    app = shown(Tag.p("text", block := Tag.div(state, Tag.p("x"))))
    state.set("b")
    assert [operation[:2] for operation in told(app)] == [("h", block.id)]


def test_a_paragraph_that_goes_or_moves_takes_along_what_stands_beside_it() -> None:
    first, second = Tag.p("a", Tag.ul()), Tag.p("b", Tag.b())
    app = shown(around := Tag.div(first, second, Tag.p("c"), Tag.p("d"), Tag.p("e")))
    second.remove()
    assert told(app) == [("r", second.id)]
    around.add(first)
    assert [operation[:2] for operation in told(app)] == [("h", around.id)]
    first.remove()
    assert [operation[:2] for operation in told(app)] == [("h", around.id)]
