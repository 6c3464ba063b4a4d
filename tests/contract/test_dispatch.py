"""Contract, section 14: the event object, forms, value sync, callbacks, exceptions, dispatch."""

import asyncio
import functools
import json
import logging

import pytest

from headless.errors import ServerError
from headless.tab import Tab
from htag import State, Tag, prevent


async def caught(show, data, *, name="click", tag=None):
    """The Event that a callback gets for `data`."""
    events = []
    tag = tag or Tag.div()
    tag.id = "x"
    tag[f"on{name}"] = lambda event: events.append(event)
    tab = await show(tag)
    await tab.send({"id": "x", "event": name, "data": data})
    await tab.event("nobody", "noop")
    (event,) = events
    return event


# -- the event


async def test_target_id_and_name(show):
    tag = Tag.div(_id="x")
    event = await caught(show, {}, tag=tag)
    assert event.target is tag
    assert event.id == "x"
    assert event.name == "click"


async def test_every_key_of_the_data_is_an_attribute(show):
    event = await caught(show, {"value": "v", "key": "Enter", "pageX": 5, "checked": True})
    assert (event.value, event.key, event.pageX, event.checked) == ("v", "Enter", 5, True)


async def test_keys_overwrite_in_order_even_target(show):
    event = await caught(show, {"name": "n", "id": "i", "target": "t"})
    assert (event.name, event.id, event.target) == ("n", "i", "t")


async def test_custom_data_without_value_is_the_value_as_a_whole(show):
    event = await caught(show, {"amount": 5, "callback_id": "c"})
    assert event.value == {"amount": 5, "callback_id": "c"}
    assert event.amount == 5
    assert event.callback_id == "c"


@pytest.mark.parametrize("data", ["text", 5, 1.5, True, None, ["a", 1]])
async def test_primitive_data_is_the_value(show, data):
    assert (await caught(show, data)).value == data


async def test_missing_attributes_are_none(show):
    event = await caught(show, {})
    assert event.nothing is None
    assert hasattr(event, "anything")


async def test_brackets_look_into_the_value_then_the_attributes(show):
    event = await caught(show, {"value": {"name": "Ann", "id": "7"}, "key": "k"})
    assert event["name"] == "Ann"
    assert event["id"] == "7"
    assert event["key"] == "k"
    assert event["nothing"] is None


async def test_repr_names_event_and_tag(show):
    assert repr(await caught(show, {})) == "Event(click on div)"


async def test_custom_data_on_the_tag_is_read_through_the_target(show):
    assert (await caught(show, {}, tag=Tag.div(number=7))).target.number == 7


async def test_a_submitted_form_is_a_dict(show):
    form = Tag.form(Tag.input(_name="who"), Tag.input(_name="mail"))
    event = await caught(show, {"value": {"who": "Ann", "mail": "a@b"}}, name="submit", tag=form)
    assert event.value == {"who": "Ann", "mail": "a@b"}
    assert event["who"] == "Ann"


# -- value sync


async def test_value_is_synced_before_the_callback(show):
    field = Tag.input(_id="f", _onchange=lambda event: event.target["value"])
    tab = await show(field)
    assert await tab.event("f", "change", {"value": "typed"}) == "typed"
    assert field["value"] == "typed"


async def test_checked_is_synced(show):
    box = Tag.input(_id="f", _type="checkbox", _onchange=lambda event: event.target["checked"])
    tab = await show(box)
    assert await tab.event("f", "change", {"value": True, "checked": True}) is True
    assert await tab.event("f", "change", {"value": False, "checked": False}) is False


async def test_sync_happens_without_a_handler(show):
    field = Tag.input(_id="f", _type="text")
    tab = await show(field)
    assert await tab.event("f", "blur", {"value": "x"}) is None
    assert field["value"] == "x"


async def test_a_synced_value_shows_when_rendered_again(show):
    field = Tag.input(_id="f")
    tab = await show(field, Tag.button(_id="b", _onclick=lambda event: field.add_class("x") and None))
    await tab.type("f", 'a "quoted" value')
    await tab.click("b")
    assert tab.element("f").attributes["value"] == 'a "quoted" value'


@pytest.mark.mended
@pytest.mark.parametrize("kind", ["radio", "checkbox"])
async def test_radio_and_checkbox_keep_their_own_value(show, kind):
    box = Tag.input(_id="f", _type=kind, _name="n", _value="mine", _onchange=lambda event: None)
    tab = await show(box)
    await tab.event("f", "change", {"value": True, "checked": True})
    assert box["value"] == "mine"
    assert box["checked"] is True


@pytest.mark.mended
async def test_checking_a_radio_unchecks_its_siblings(show):
    radios = [Tag.input(_id=f"r{n}", _type="radio", _name="n", _value=n, _onchange=lambda event: None) for n in "ab"]
    tab = await show(Tag.div(*radios, _id="d"))
    await tab.event("ra", "change", {"value": True, "checked": True})
    await tab.event("rb", "change", {"value": True, "checked": True})
    html = str(radios[0].parent)
    assert html.count(" checked") == 1


@pytest.mark.mended
@pytest.mark.parametrize("name", ["form", "div", "button", "li"])
async def test_only_fields_are_synced(show, name):
    tag = getattr(Tag, name)(_id="x", _onclick=lambda event: None)
    tab = await show(tag)
    await tab.event("x", "click", {"value": "v", "checked": True})
    for attribute in ("value", "checked"):
        with pytest.raises(KeyError):
            tag[attribute]


async def test_custom_elements_are_synced(show):
    tag = Tag.sl_input(_id="x", _onclick=lambda event: None)
    tab = await show(tag)
    await tab.event("x", "click", {"value": "v"})
    assert tag["value"] == "v"


@pytest.mark.mended
async def test_a_password_in_a_submitted_form_is_not_rendered(show):
    form = Tag.form(_id="f", _onsubmit=prevent(lambda event: form.add_class("sent") and None))
    tab = await show(form)
    await tab.submit("f", password="hunter2")
    assert "hunter2" not in str(form)
    assert "hunter2" not in json.dumps(tab.messages)


# -- kinds of callbacks


class Kinds(Tag.App):
    def init(self):
        self <= Tag.p("0", _id="p")
        self.word = self.childs[0]
        kinds = {
            "sync": lambda event: "sync",
            "async": self.later,
            "generator": self.steps,
            "async_generator": self.async_steps,
            "partial": functools.partial(self.with_more, "more"),
            "async_partial": functools.partial(self.later_with_more, "more"),
        }
        for name, callback in kinds.items():
            self <= Tag.button(_id=name, _onclick=callback)

    async def later(self, event):
        await asyncio.sleep(0)
        return "async"

    def steps(self, event):
        for number in "12":
            self.word.text = number
            yield "ignored"
        self.word.text = "3"
        return "generator"

    async def async_steps(self, event):
        for number in "12":
            self.word.text = number
            yield number
        self.word.text = "3"

    def with_more(self, more, event):
        return more + event.name

    async def later_with_more(self, more, event):
        return more + event.name


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("sync", "sync"),
        ("async", "async"),
        ("generator", "generator"),
        ("async_generator", None),
        ("partial", "moreclick"),
        ("async_partial", "moreclick"),
    ],
)
async def test_every_kind_of_callback_answers(visit, transport, kind, result):
    tab = await visit(Kinds, transport=transport)
    assert await tab.click(kind) == result


@pytest.mark.parametrize("kind", ["generator", "async_generator"])
async def test_each_yield_pushes_without_a_result(visit, transport, kind):
    tab = await visit(Kinds, transport=transport)
    before = len(tab.messages)
    await tab.click(kind)
    steps = tab.messages[before:]
    assert [message["updates"].get("p", "") for message in steps] == [f'<p id="p">{number}</p>' for number in "123"]
    assert ["result" in message for message in steps] == [False, False, True]


async def test_a_yield_without_changes_sends_nothing(show):
    def idle(event):
        yield
        yield
        return "done"

    tab = await show(Tag.button(_id="b", _onclick=idle))
    before = len(tab.messages)
    assert await tab.click("b") == "done"
    assert len(tab.messages) - before == 1


async def test_a_plain_callable_that_returns_a_coroutine_is_refused(show, recwarn):
    async def later(event):
        raise AssertionError("never runs")

    tab = await show(Tag.button(_id="b", _onclick=lambda event: later(event)))
    with pytest.raises(ServerError, match="returned a coroutine"):
        await tab.click("b")
    assert not [warning for warning in recwarn.list if "never awaited" in str(warning.message)]


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (5, 5),
        ("text", "text"),
        ([1, {"a": None}], [1, {"a": None}]),
        ((1, 2), [1, 2]),
        (None, None),
        (False, False),
        ({"k": [True, 1.5]}, {"k": [True, 1.5]}),
    ],
)
async def test_the_result_resolves_the_promise(show, result, answer):
    tab = await show(Tag.button(_id="b", _onclick=lambda event: result))
    assert await tab.click("b") == answer


async def test_a_tag_as_a_result_is_true(show):
    tab = await show(Tag.button(_id="b", _onclick=lambda event: event.target))
    assert await tab.click("b") is True


async def test_the_value_of_state_set_is_the_result(show):
    state = State(0)
    tab = await show(Tag.button(_id="b", _onclick=lambda event: state.set([1])))
    assert await tab.click("b") == [1]


@pytest.mark.mended
@pytest.mark.parametrize(
    "result", [{1, 2}, object(), b"\xff", float("nan"), float("inf"), 10**400, {(1,): 2}, lambda: 1]
)
async def test_a_result_that_is_not_json_costs_no_update(visit, transport, result):
    class Page(Tag.App):
        def init(self):
            self.word = Tag.p("old", _id="p")
            self <= Tag.button(_id="b", _onclick=self.go)

        def go(self, event):
            self.word.text = "new"
            return result

    tab = await visit(Page, transport=transport)
    await tab.click("b")
    assert tab.text("p") == "new"


@pytest.mark.mended
async def test_an_object_as_a_result_is_null(show):
    tab = await show(Tag.button(_id="b", _onclick=lambda event: object()))
    assert await tab.click("b") is None


# -- exceptions


class Failing(Tag.App):
    def init(self):
        self.word = Tag.p("old", _id="p")
        self <= Tag.button(_id="fail", _onclick=self.fail)
        self <= Tag.button(_id="ok", _onclick=lambda event: "ok")

    def fail(self, event):
        self.word.text = "half done"
        raise RuntimeError("secret detail")


async def test_with_debug_the_caller_gets_the_traceback(visit, transport):
    tab = await visit(Failing, transport=transport, debug=True)
    with pytest.raises(ServerError, match=r"(?s)Traceback.*secret detail"):
        await tab.click("fail")


async def test_without_debug_the_caller_gets_a_fixed_text(visit, transport):
    tab = await visit(Failing, transport=transport, debug=False)
    with pytest.raises(ServerError) as caught:
        await tab.click("fail")
    assert str(caught.value) == "Internal Server Error"
    assert "secret detail" not in json.dumps(tab.messages)


async def test_an_error_message_is_an_error_action_with_a_null_result(visit):
    tab = await visit(Failing)
    with pytest.raises(ServerError):
        await tab.click("fail")
    message = tab.messages[-1]
    assert message["action"] == "error"
    assert message["result"] is None
    assert message["callback_id"]


async def test_the_session_goes_on_and_changes_made_before_the_exception_go_out(visit, transport):
    tab = await visit(Failing, transport=transport)
    with pytest.raises(ServerError):
        await tab.click("fail")
    assert await tab.click("ok") == "ok"
    assert tab.text("p") == "half done"


async def test_an_exception_is_logged_by_the_htag_logger(visit, caplog):
    tab = await visit(Failing)
    with caplog.at_level(logging.ERROR, "htag"), pytest.raises(ServerError):
        await tab.click("fail")
    assert any(record.name.startswith("htag") and record.levelno == logging.ERROR for record in caplog.records)


async def test_an_exception_is_printed(visit, capsys, caplog):
    tab = await visit(Failing)
    with pytest.raises(ServerError):
        await tab.click("fail")
    captured = capsys.readouterr()
    assert "secret detail" in captured.out + captured.err + caplog.text


async def test_over_a_websocket_only_the_tab_that_fired_gets_the_error(visit):
    tab = await visit(Failing)
    second = await Tab(tab.site).load()
    await second.connect()
    with pytest.raises(ServerError):
        await tab.click("fail")
    await second.event("ok", "click")
    assert not [message for message in second.messages if message["action"] == "error"]
    await second.leave()


@pytest.mark.mended
async def test_event_data_is_never_logged(visit, caplog):
    with caplog.at_level(logging.DEBUG):
        tab = await visit(Failing)
        with pytest.raises(ServerError):
            await tab.event("fail", "click", {"value": "hunter2"})
        await tab.event("nobody", "click", {"value": "hunter2"})
    assert "hunter2" not in caplog.text


# -- dispatch


async def test_log_error_is_logged_and_not_answered(visit, caplog):
    tab = await visit(Failing)
    with caplog.at_level(logging.ERROR, "htag"):
        await tab.send({"action": "log_error", "error": "TypeError: x is undefined"})
        await tab.quiet()
    assert "x is undefined" in caplog.text


@pytest.mark.parametrize("id", [None, 5, ["ok"], {"a": 1}, True])
async def test_an_id_that_is_no_text_is_ignored(visit, id):
    tab = await visit(Failing)
    await tab.send({"id": id, "event": "click", "data": {}})
    await tab.quiet()
    assert await tab.event("ok", "click") == "ok"


async def test_an_unknown_id_is_answered_null_if_somebody_waits(visit, transport):
    tab = await visit(Failing, transport=transport)
    assert await tab.event("nobody", "click") is None


async def test_an_unknown_id_is_not_answered_if_nobody_waits(visit):
    tab = await visit(Failing)
    await tab.send({"id": "nobody", "event": "click", "data": {}})
    await tab.quiet()


@pytest.mark.parametrize(
    "event", ["keyup", "", None, 5, "__class__", pytest.param(["click"], marks=pytest.mark.mended)]
)
async def test_an_event_the_tag_does_not_have_is_answered_null(visit, event):
    tab = await visit(Failing)
    assert await tab.event("ok", event) is None
    assert await tab.event("ok", "click") == "ok"


@pytest.mark.parametrize(
    "data",
    [
        *(None, 5, "text", [1], {"callback_id": 5}, {"callback_id": None}, {"": 1}),
        pytest.param({"__class__": 1}, marks=pytest.mark.mended),
    ],
)
async def test_any_data_is_survived(visit, data):
    tab = await visit(Failing)
    await tab.send({"id": "ok", "event": "click", "data": data})
    assert await tab.event("ok", "click") == "ok"


async def test_events_of_one_tab_are_handled_in_order(visit):
    handled = []

    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=self.go)

        async def go(self, event):
            await asyncio.sleep(0.01 if event.number % 2 else 0)
            handled.append(event.number)

    tab = await visit(Page)
    for number in range(6):
        await tab.send({"id": "b", "event": "click", "data": {"number": number}})
    await tab.event("b", "click", {"number": 6})
    assert handled == list(range(7))


async def test_a_slow_async_handler_does_not_hold_up_other_tabs_nor_pushes(visit):
    class Page(Tag.App):
        def init(self):
            self.go_on = asyncio.Event()
            self.count = State(0)
            self <= Tag.p(self.count, _id="p")
            self <= Tag.button(_id="slow", _onclick=self.slow)
            self <= Tag.button(_id="quick", _onclick=lambda event: "quick")

        async def slow(self, event):
            await self.go_on.wait()
            return "slow"

    tab = await visit(Page)
    second = await Tab(tab.site).load()
    await second.connect()
    await tab.send({"id": "slow", "event": "click", "data": {"callback_id": "slow"}})
    assert await second.event("quick", "click") == "quick"
    tab.app.count.value = 1
    await tab.until(lambda: tab.text("p") == "1")
    tab.app.go_on.set()
    await tab.until(lambda: tab.messages[-1].get("callback_id") == "slow")
    await second.leave()


async def test_events_reach_tags_made_by_a_lambda_and_deep_in_the_tree(show):
    deep = Tag.button(_id="deep", _onclick=lambda event: "deep")
    made = Tag.button(_id="made", _onclick=lambda event: "made")
    tab = await show(Tag.div(Tag.p(Tag.span(deep))), Tag.div(lambda: [[made]]))
    assert await tab.click("deep") == "deep"
    assert await tab.click("made") == "made"


async def test_events_of_a_removed_tag_find_nothing(show):
    button = Tag.button(_id="b", _onclick=lambda event: "alive")
    tab = await show(Tag.p(button))
    assert await tab.event("b", "click") == "alive"
    button.remove()
    assert await tab.event("b", "click") is None
