"""Contract, section 6: events, server side."""

import functools

import pytest

from headless.document import parse
from htag import State, Tag, prevent, stop


def handler(tag, event="click"):
    (element,) = parse(str(tag)).children
    return element.attributes[f"on{event}"]


# -- registration


def test_a_script_is_rendered_as_the_escaped_attribute():
    assert 'onclick="alert(&quot;1 &lt; 2&quot;)"' in str(Tag.button(_onclick='alert("1 < 2")'))


def test_a_callable_is_rendered_as_a_call_of_htag_event():
    assert "htag_event" in handler(Tag.button(_id="b", _onclick=lambda event: None))
    (element,) = parse(str(Tag.button(_id="b", _onclick=lambda event: None))).children
    assert element.call("click") == ("b", "click")


def test_the_call_carries_the_internal_id():
    tag = Tag.button(_onclick=lambda event: None)
    (element,) = parse(str(tag)).children
    assert element.call("click") == (tag.id, "click")


async def test_a_script_event_sent_all_the_same_is_answered_null(show):
    tab = await show(Tag.button("x", _id="b", _onclick="alert(1)"))
    assert await tab.event("b", "click") is None


@pytest.mark.parametrize("name", ["click", "expire", "my_evt", "sl-change"])
async def test_any_event_name_is_allowed(show, name):
    tag = Tag.div(_id="x")
    tag[f"on{name}"] = lambda event: f"got {event.name}"
    tab = await show(tag)
    assert await tab.event("x", name) == f"got {name}"


async def test_a_callback_gets_exactly_the_event(show):
    received = []
    tab = await show(Tag.button(_id="b", _onclick=lambda *args: received.append(args)))
    await tab.click("b")
    ((event,),) = received
    assert event.id == "b"


async def test_an_event_may_be_set_replaced_and_removed_later(show):
    tag = Tag.button(_id="b", _onclick=lambda event: "first")
    tab = await show(tag)
    assert await tab.event("b", "click") == "first"
    tag["onclick"] = lambda event: "second"
    assert await tab.event("b", "click") == "second"
    del tag["onclick"]
    assert await tab.event("b", "click") is None


# -- prevent and stop


def in_order(script):
    words = ("stopPropagation", "preventDefault", "htag_event")
    return sorted((word for word in words if word in script), key=script.index)


def test_prevent_calls_prevent_default_first():
    assert in_order(handler(Tag.a(_onclick=prevent(lambda event: None)))) == ["preventDefault", "htag_event"]


def test_stop_calls_stop_propagation_first():
    assert in_order(handler(Tag.a(_onclick=stop(lambda event: None)))) == ["stopPropagation", "htag_event"]


@pytest.mark.parametrize("both", [lambda callback: prevent(stop(callback)), lambda callback: stop(prevent(callback))])
def test_both_in_the_one_order(both):
    tag = Tag.a(_onclick=both(lambda event: None))
    assert in_order(handler(tag)) == ["stopPropagation", "preventDefault", "htag_event"]


def test_a_plain_function_is_marked_and_returned():
    def callback(event):
        return None

    assert prevent(callback) is callback
    assert stop(callback) is callback


class Decorated(Tag.App):
    def init(self):
        self <= Tag.form(_id="f", _onsubmit=self.save)
        self <= Tag.a(_id="a", _onclick=prevent(self.plain))
        self <= Tag.a(_id="b", _onclick=stop(prevent(self.slow)))
        self <= Tag.a(_id="c", _onclick=prevent(functools.partial(self.slow)))
        self <= Tag.a(_id="d", _onclick=self.later)
        self <= Tag.a(_id="e", _onclick=prevent(self.steps))

    @prevent
    def save(self, event):
        return "saved"

    def plain(self, event):
        return "plain"

    async def slow(self, event):
        return "slow"

    @stop
    async def later(self, event):
        return "later"

    def steps(self, event):
        yield
        return "stepped"


async def test_decorating_a_method_in_the_class_body(visit):
    tab = await visit(Decorated)
    assert in_order(tab.element("f").attributes["onsubmit"]) == ["preventDefault", "htag_event"]
    assert await tab.event("f", "submit") == "saved"
    assert await tab.event("d", "click") == "later"


async def test_wrapping_a_bound_method_keeps_its_name(visit):
    tab = await visit(Decorated)
    assert in_order(tab.element("a").attributes["onclick"]) == ["preventDefault", "htag_event"]
    assert await tab.event("a", "click") == "plain"
    assert prevent(tab.app.plain).__name__ == "plain"


async def test_wrapping_a_bound_method_leaves_the_method_unmarked(visit):
    tab = await visit(Decorated)
    prevent(tab.app.plain)
    assert in_order(handler(Tag.a(_onclick=tab.app.plain))) == ["htag_event"]


@pytest.mark.mended
async def test_wrapping_a_bound_async_method_works(visit):
    tab = await visit(Decorated)
    assert in_order(tab.element("b").attributes["onclick"]) == ["stopPropagation", "preventDefault", "htag_event"]
    assert await tab.event("b", "click") == "slow"
    assert await tab.event("c", "click") == "slow"


@pytest.mark.mended
async def test_wrapping_a_bound_generator_method_works(visit):
    assert await (await visit(Decorated)).event("e", "click") == "stepped"


# -- auto-binding


@pytest.mark.parametrize("name", ["input", "textarea", "select"])
async def test_a_field_without_an_input_event_reports_its_value(show, name):
    field = getattr(Tag, name)(_id="f")
    tab = await show(field)
    await tab.type("f", "typed")
    assert field["value"] == "typed"


@pytest.mark.parametrize("name", ["input", "textarea", "select"])
async def test_a_field_with_an_own_input_event_keeps_it(show, name):
    tab = await show(getattr(Tag, name)(_id="f", _oninput=lambda event: f"own {event.value}"))
    assert await tab.type("f", "x") == "own x"


async def test_other_tags_are_not_auto_bound(show):
    tab = await show(Tag.div(_id="d"), Tag.button(_id="b"))
    assert "oninput" not in tab.element("d").attributes
    assert "oninput" not in tab.element("b").attributes


def test_str_of_a_field_is_not_auto_bound():
    assert "oninput" not in str(Tag.input(_value="x"))


@pytest.mark.mended
async def test_auto_binding_leaves_the_tag_as_it_is(show):
    field = Tag.input(_id="f")
    await show(field)
    with pytest.raises(KeyError):
        field["oninput"]


@pytest.mark.mended
async def test_a_field_made_by_a_lambda_is_auto_bound_in_the_page(visit):
    class Page(Tag.App):
        def init(self):
            self.field = Tag.input(_id="f")
            self.more = State(0)
            self.field.remove()
            self <= (lambda: self.field)
            self <= (lambda: [Tag.textarea(_id=f"t{number}") for number in range(self.more.value)])
            self <= Tag.button("more", _onclick=lambda event: self.more.set(1))

    tab = await visit(Page, connect=False)
    assert tab.element("f").call("input") == ("f", "input")
    await tab.connect()
    await tab.click(tab.button("more"))
    assert tab.element("t0").call("input") == ("t0", "input")


@pytest.mark.mended
async def test_a_handler_set_after_the_first_render_replaces_the_auto_binding(show):
    field = Tag.input(_id="f")
    tab = await show(field, Tag.button(_id="b", _onclick=lambda event: None))
    field["oninput"] = prevent(lambda event: "own")
    await tab.click("b")
    assert in_order(tab.element("f").attributes["oninput"]) == ["preventDefault", "htag_event"]
    assert await tab.type("f", "x") == "own"
    assert str(field).count("oninput=") == 1


async def test_a_field_inside_a_component_is_auto_bound(visit):
    class Search(Tag.label):
        def init(self):
            self.entry = Tag.input(_id="q", _type="search")

    class Page(Tag.App):
        def init(self):
            self.search = Search()

    tab = await visit(Page)
    await tab.type("q", "what")
    assert tab.app.search.entry["value"] == "what"
