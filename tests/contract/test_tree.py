"""Contract, section 7: children, `with` blocks, lookup, call_js."""

import asyncio

import pytest

from htag import HTML, State, Tag
from tests.support.markup import without_ids

# -- what a child may be


@pytest.mark.parametrize(
    ("child", "html"),
    [
        ("<x>", "&lt;x&gt;"),
        (HTML("<x>"), "<x>"),
        (Tag.b("x"), "<b>x</b>"),
        (State("<x>"), "&lt;x&gt;"),
        (State(["x", 1])[0], "x"),
        (lambda: "x", "x"),
        (lambda: Tag.b("x"), "<b>x</b>"),
        (0, "0"),
        (1.5, "1.5"),
        (True, "True"),
        ({"a": 1}, "{&#x27;a&#x27;: 1}"),
        (["a", ("b", ["c", None])], "abc"),
        (None, ""),
        ({"one"}, "{&#x27;one&#x27;}"),
        (range(3), "range(0, 3)"),
    ],
)
def test_what_a_child_may_be(child, html):
    assert without_ids(Tag.div(child)) == f"<div>{html}</div>"


@pytest.mark.quirk
def test_a_tag_class_is_a_callable_child():
    assert without_ids(Tag.p("a") <= Tag.br) == "<p>a<br/></p>"


@pytest.mark.quirk
def test_a_tag_that_can_be_called_is_a_callable_child():
    class Calling(Tag.b):
        def __call__(self):
            return "called"

    assert without_ids(Tag.div(Calling())) == "<div>called</div>"


# -- add


def test_add_returns_the_tag_and_takes_many():
    tag = Tag.div()
    assert tag.add("a", Tag.b("b"), ["c", "d"]) is tag
    assert without_ids(tag) == "<div>a<b>b</b>cd</div>"


def test_plus_equals_and_less_or_equal_add_one():
    tag = same = Tag.div()
    tag += "a"
    assert tag is same
    assert (tag <= "b") is same
    assert without_ids(tag) == "<div>ab</div>"


def test_operators_call_add_with_one_argument_and_evaluate_to_its_result():
    class Composite(Tag.div):
        def init(self):
            self.inner = Tag.section()

        def add(self, o):
            if o is getattr(self, "inner", None) or not hasattr(self, "inner"):
                return super().add(o)
            self.inner.add(o)
            return self

    composite = Composite()
    composite += "a"
    composite <= Tag.b("b")
    with composite:
        Tag.i("c")
    assert without_ids(composite) == "<div><section>a<b>b</b><i>c</i></section></div>"


def test_the_base_add_bypasses_an_override():
    class Deaf(Tag.div):
        def add(self, o):
            return self

    deaf = Deaf()
    deaf <= "lost"
    Tag.div.add(deaf, "kept")
    assert without_ids(deaf) == "<div>kept</div>"


@pytest.mark.quirk
def test_a_chain_nests():
    outer, middle = Tag.div(), Tag.p()
    outer <= middle <= "text"
    assert without_ids(outer) == "<div><p>text</p></div>"


@pytest.mark.quirk
def test_greater_or_equal_adds_by_reflection():
    child, parent = Tag.b("x"), Tag.div()
    parent <= "text"
    child >= parent
    assert without_ids(parent) == "<div>text<b>x</b></div>"


def test_shift_is_refused_with_the_known_words():
    with pytest.raises(TypeError, match="L'opérateur '<<' n'est pas supporté"):
        Tag.div() << "x"


def test_plus_builds_lists():
    one, other = Tag.b("1"), Tag.b("2")
    assert one + other == [one, other]
    assert one + "x" == [one, "x"]
    assert "x" + one == ["x", one]
    others = [other, "x"]
    assert one + others == [one, other, "x"]
    assert others + one == [other, "x", one]


def test_plus_lists_can_be_added():
    assert without_ids(Tag.div(Tag.b("1") + " " + Tag.b("2"))) == "<div><b>1</b> <b>2</b></div>"


def test_adding_a_tag_that_is_elsewhere_moves_it():
    child = Tag.b("x")
    old, new = Tag.div(child), Tag.p()
    new <= child
    assert without_ids(old) == "<div></div>"
    assert without_ids(new) == "<p><b>x</b></p>"
    assert child.parent is new


def test_adding_a_child_again_moves_it_to_the_end():
    first, last = Tag.b("1"), Tag.b("2")
    parent = Tag.div(first, last)
    parent <= first
    assert without_ids(parent) == "<div><b>2</b><b>1</b></div>"


# -- remove, clear, text


def test_remove_an_item():
    child = Tag.b("x")
    parent = Tag.div("a", child, "c")
    assert parent.remove(child) is parent
    assert child.parent is None
    assert without_ids(parent) == "<div>ac</div>"


def test_remove_oneself():
    child = Tag.b("x")
    parent = Tag.div(child)
    child.remove()
    assert child.parent is None
    assert parent.childs == []


def test_removing_what_is_not_there_does_nothing():
    parent = Tag.div("a")
    assert parent.remove(Tag.b()) is parent
    Tag.b().remove()
    assert without_ids(parent) == "<div>a</div>"


def test_remove_a_text_or_a_callable():
    function = lambda: "f"  # noqa: E731
    parent = Tag.div("a", function, "b")
    parent.remove("a")
    parent.remove(function)
    assert without_ids(parent) == "<div>b</div>"


@pytest.mark.mended
async def test_remove_a_text_or_a_callable_from_a_tag_that_is_shown(show):
    function = lambda: "f"  # noqa: E731
    parent = Tag.div("a", function, "b")
    await show(parent)
    parent.remove("a")
    parent.remove(function)
    assert without_ids(parent) == "<div>b</div>"


def test_clear_detaches_all_and_adds_the_new():
    child = Tag.b("x")
    parent = Tag.div(child, "y")
    assert parent.clear("z", Tag.i("i")) is parent
    assert child.parent is None
    assert without_ids(parent) == "<div>z<i>i</i></div>"
    assert without_ids(parent.clear()) == "<div></div>"


def test_text_joins_only_texts():
    assert Tag.div("a", HTML("<b>"), 1, State("s"), Tag.i("i"), "c").text == "a<b>c"


def test_setting_text_replaces_all():
    child = Tag.b()
    parent = Tag.div("a", child)
    parent.text = 5
    assert without_ids(parent) == "<div>5</div>"
    assert child.parent is None
    parent.text = HTML("<b>")
    assert without_ids(parent) == "<div>&lt;b&gt;</div>"


def test_childs_holds_the_children_in_order():
    child = Tag.b()
    parent = Tag.div("a", child, 3)
    assert parent.childs == ["a", child, 3]


def test_parent_and_root():
    class Page(Tag.App):
        def init(self):
            self.inner = Tag.b()
            self.outer = Tag.div(self.inner)

    page = Page()
    assert page.inner.parent is page.outer
    assert page.outer.parent is page
    assert page.inner.root is page
    assert page.root is page
    assert Tag.div(Tag.b()).childs[0].root is None


@pytest.mark.mended
def test_a_cycle_is_refused():
    outer, inner = Tag.div(), Tag.div()
    outer <= inner
    with pytest.raises(ValueError, match="div"):
        inner <= outer
    with pytest.raises(ValueError, match="div"):
        outer <= outer
    assert without_ids(outer) == "<div><div></div></div>"


@pytest.mark.mended
async def test_a_tag_made_by_a_lambda_can_be_moved_out(show):
    made = Tag.b("x")
    host = Tag.div(lambda: made)
    tab = await show(host, Tag.section(_id="s"), Tag.button(_id="b", _onclick=lambda event: move()))

    def move():
        host.clear()
        tab.app.childs[1] <= made

    await tab.click("b")
    assert tab.text("s") == "x"
    assert made.parent.tag == "section"


# -- with


def test_with_gives_the_tag():
    tag = Tag.div()
    with tag as same:
        pass
    assert same is tag


def test_tags_made_in_a_with_block_are_added_to_the_innermost():
    with Tag.div() as outer:
        Tag.h1("a")
        with Tag.p():
            Tag.b("b")
        Tag.i("c")
    assert without_ids(outer) == "<div><h1>a</h1><p><b>b</b></p><i>c</i></div>"


def test_a_component_is_added_after_its_init():
    order = []

    class Listening(Tag.div):
        def add(self, *items):
            order.append("added")
            return super().add(*items)

    class Child(Tag.b):
        def init(self):
            order.append("init")

    with Listening():
        Child()
    assert order == ["init", "added"]


def test_children_given_as_arguments_end_up_in_the_tag_they_are_given_to():
    class Card(Tag.div):
        def init(self):
            Tag.p(Tag.b("x"), "y")

    assert without_ids(Card()) == "<div><p><b>x</b>y</p></div>"


def test_adding_what_was_auto_added_moves_it_to_the_end():
    class Card(Tag.div):
        def init(self):
            self.first = Tag.h1("1")
            Tag.h2("2")
            self <= self.first

    assert without_ids(Card()) == "<div><h2>2</h2><h1>1</h1></div>"


async def test_no_auto_parent_in_handlers_hooks_tasks_and_lambdas(visit):
    loose = {}

    class Page(Tag.App):
        def init(self):
            self.task = None
            self <= Tag.button("x", _id="b", _onclick=self.handle)
            self <= (lambda: self.made("lambda"))

        def made(self, where):
            loose[where] = Tag.b(where)
            return "made"

        def on_mount(self):
            self.made("mount")

        async def later(self):
            self.made("task")

        async def handle(self, event):
            self.made("handler")
            await asyncio.create_task(self.later())

    tab = await visit(Page)
    await tab.click("b")
    assert set(loose) == {"lambda", "mount", "task", "handler"}
    assert all(tag.parent is None for tag in loose.values())


async def test_with_works_in_a_handler(visit):
    class Page(Tag.App):
        def init(self):
            self.list = Tag.ul(_id="l")
            self <= Tag.button("x", _id="b", _onclick=self.more)

        def more(self, event):
            with self.list:
                Tag.li("one")
                Tag.li("two")

    tab = await visit(Page)
    await tab.click("b")
    assert [item.text for item in tab.element("l").all("li")] == ["one", "two"]


def test_an_exception_leaves_the_block_and_unwinds():
    outer = Tag.div()
    with pytest.raises(RuntimeError), outer, Tag.p():
        raise RuntimeError
    assert Tag.b().parent is None


def test_an_exception_in_init_unwinds():
    class Failing(Tag.div):
        def init(self):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        Failing()
    assert Tag.b().parent is None


@pytest.mark.mended
async def test_with_blocks_are_per_task():
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def one():
        with Tag.div() as mine:
            entered.set()
            await go_on.wait()
            Tag.i("mine")
        return mine

    async def other():
        await entered.wait()
        stray = Tag.b("stray")
        with Tag.p() as own:
            Tag.u("own")
        go_on.set()
        return stray, own

    mine, (stray, own) = await asyncio.gather(one(), other())
    assert without_ids(mine) == "<div><i>mine</i></div>"
    assert stray.parent is None
    assert without_ids(own) == "<p><u>own</u></p>"


def test_threads_do_not_share_with_blocks():
    import threading

    made = []
    with Tag.div() as outer:
        thread = threading.Thread(target=lambda: made.append(Tag.b()))
        thread.start()
        thread.join()
    assert made[0].parent is None
    assert outer.childs == []


# -- lookup


async def test_find_tag_finds_by_internal_or_html_id_in_pre_order(visit):
    class Page(Tag.App):
        def init(self):
            self.first = Tag.div(_id="x")
            self.second = Tag.div(id="y")
            self.third = Tag.div(Tag.b(_id="in"))
            self.made = Tag.i(_id="made")
            self.made.remove()
            self <= (lambda: self.made)

    page = (await visit(Page)).app
    assert page.find_tag(page, "x") is page.first
    assert page.find_tag(page, "y") is page.second
    assert page.find_tag(page, "in") is page.third.childs[0]
    assert page.find_tag(page.third, "in") is page.third.childs[0]
    assert page.find_tag(page.first, "in") is None
    assert page.find_tag(page, "made") is page.made
    assert page.find_tag(page, "nothing") is None


# -- call_js


async def test_call_js_is_queued_and_run_in_tree_order_then_call_order(visit):
    class Page(Tag.App):
        def init(self):
            self.one, self.two = Tag.p(_id="one"), Tag.p(_id="two")
            self <= Tag.button(_id="b", _onclick=self.go)

        def go(self, event):
            self.two.call_js("3")
            self.one.call_js("1").call_js("2")
            self.call_js("0")

    tab = await visit(Page)
    await tab.click("b")
    assert tab.messages[-1]["js"] == ["0", "1", "2", "3"]


async def test_call_js_alone_does_not_push(show):
    tag = Tag.p()
    tab = await show(tag)
    assert tag.call_js("1") is tag
    assert not tag.is_dirty
    await tab.quiet()


async def test_call_js_of_a_tag_that_is_not_attached_waits(visit):
    class Page(Tag.App):
        def init(self):
            self.loose = Tag.p("x")
            self.loose.remove()
            self <= Tag.button(_id="queue", _onclick=lambda event: self.loose.call_js("late()") and None)
            self <= Tag.button(_id="attach", _onclick=lambda event: self.add(self.loose) and None)

    tab = await visit(Page)
    await tab.click("queue")
    assert tab.scripts == []
    await tab.click("attach")
    assert tab.scripts == ["late()"]


async def test_call_js_before_the_page_goes_with_the_first_message(visit):
    class Page(Tag.App):
        def init(self):
            self.call_js("hello()")

    tab = await visit(Page, connect=False)
    assert "hello()" not in tab.page
    await tab.connect()
    assert tab.scripts == ["hello()"]


# -- request


async def test_request_is_none_outside_any_request():
    assert Tag.div().request is None


async def test_request_is_there_from_the_first_get_on(visit):
    seen = {}

    class Page(Tag.App):
        def init(self):
            seen["init"] = self.request
            self <= Tag.button(_id="b", _onclick=self.handle)

        def on_mount(self):
            seen["mount"] = self.request

        def handle(self, event):
            seen["handler"] = self.request
            seen["target"] = event.target.request

    tab = await visit(Page)
    await tab.click("b")
    assert type(seen["init"]).__name__ == type(seen["mount"]).__name__ == "Request"
    assert seen["init"].url.path == "/"
    assert type(seen["handler"]).__name__ == "WebSocket"
    assert seen["target"] is seen["handler"]


async def test_request_in_a_posted_event_is_the_post(visit):
    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=lambda event: self.request.method)

    tab = await visit(Page, transport="http")
    assert await tab.click("b") == "POST"
