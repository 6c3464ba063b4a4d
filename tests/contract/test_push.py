"""Contract, section 12: dirty tracking, pushes, `update(throttle)`."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from htag import State, Tag
from tests.support.markup import without_ids


class Page(Tag.App):
    """A word and a counting State, and buttons that call what the test hangs on them."""

    def init(self):
        self.word = Tag.p("old", _id="word")
        self.count = State(0)
        self.shown = Tag.b(self.count, _id="shown")
        self.act = lambda: None
        self <= Tag.button(_id="act", _onclick=lambda event: self.act())


@pytest.mark.parametrize(
    ("change", "dirty"),
    [
        (lambda tag: tag.add("x"), True),
        (lambda tag: tag.remove("old"), True),
        (lambda tag: tag.clear(), True),
        (lambda tag: setattr(tag, "text", "x"), True),
        (lambda tag: tag.__setitem__("title", "x"), True),
        (lambda tag: tag.__setitem__("onclick", "x()"), True),
        (lambda tag: tag.add_class("x"), True),
        (lambda tag: setattr(tag, "color", "x"), False),
        (lambda tag: tag.childs.append("x"), False),
        (lambda tag: tag.call_js("x()"), False),
        (lambda tag: str(tag), False),
    ],
)
async def test_what_marks_dirty(show, change, dirty):
    tag = Tag.p("old")
    await show(tag)
    assert not tag.is_dirty
    change(tag)
    assert tag.is_dirty is dirty


async def test_a_state_notification_marks_its_reader_dirty(visit):
    tab = await visit(Page)
    assert not tab.app.shown.is_dirty
    tab.app.count.value = 1
    assert tab.app.shown.is_dirty
    assert not tab.app.word.is_dirty


async def test_value_sync_does_not_mark_dirty(show):
    field = Tag.input(_id="f")
    tab = await show(field)
    await tab.type("f", "x")
    assert not field.is_dirty
    assert tab.messages[-1]["updates"] == {}


def test_is_dirty_is_read_only():
    with pytest.raises(AttributeError):
        Tag.p().is_dirty = True


# -- when


async def test_after_an_event_all_changes_in_the_whole_tree_are_pushed(visit):
    tab = await visit(Page)
    tab.app.act = lambda: (tab.app.word.add("!"), tab.app.count.set(5), None)[2]
    await tab.click("act")
    assert tab.messages[-1]["updates"].keys() == {"word", "shown"}
    assert (tab.text("word"), tab.text("shown")) == ("old!", "5")


async def test_nothing_changes_nothing_is_sent_but_the_answer(visit):
    tab = await visit(Page)
    await tab.click("act")
    assert tab.messages[-1]["updates"] == {}


async def test_an_event_without_callback_id_and_change_is_not_answered(visit):
    tab = await visit(Page)
    await tab.send({"id": "act", "event": "click"})
    await tab.quiet()


async def test_a_state_changed_in_the_background_is_pushed(visit):
    tab = await visit(Page)
    tab.app.count.value = 7
    await tab.until(lambda: tab.text("shown") == "7")


async def test_other_changes_in_the_background_wait_for_update(visit):
    tab = await visit(Page)
    tab.app.word.text = "new"
    await tab.quiet()
    tab.app.update()
    await tab.until(lambda: tab.text("word") == "new")


async def test_update_of_a_tag_is_update_of_its_app(visit):
    tab = await visit(Page)
    tab.app.word.text = "new"
    tab.app.shown.update()
    await tab.until(lambda: tab.text("word") == "new")


def test_update_of_a_tag_outside_any_app_does_nothing():
    assert Tag.p().update() is None


def test_update_without_a_loop_does_nothing():
    page = Page()
    page.word.text = "new"
    assert page.update() is None


async def test_state_changes_in_an_async_handler_reach_the_browser_at_each_await(visit):
    class Slow(Tag.App):
        def init(self):
            self.step = State("start")
            self <= Tag.p(self.step, _id="p")
            self.go_on = asyncio.Event()
            self <= Tag.button(_id="b", _onclick=self.work)

        async def work(self, event):
            self.step.value = "working"
            await self.go_on.wait()
            self.step.value = "done"

    tab = await visit(Slow)
    await tab.send({"id": "b", "event": "click", "data": {"callback_id": "c"}})
    await tab.until(lambda: tab.text("p") == "working")
    tab.app.go_on.set()
    await tab.until(lambda: tab.text("p") == "done")


# -- throttle


async def test_a_hundred_changes_at_once_are_one_message(visit):
    tab = await visit(Page)
    before = len(tab.messages)
    for number in range(100):
        tab.app.count.value = number
    await tab.until(lambda: tab.text("shown") == "99")
    await tab.quiet()
    assert len(tab.messages) - before == 1


async def test_calls_coalesce_to_one_push_per_delay(visit):
    tab = await visit(Page)
    before, begun = len(tab.messages), asyncio.get_running_loop().time()
    for number in range(20):
        tab.app.count.value = number
        await asyncio.sleep(0.01)
    await tab.until(lambda: tab.text("shown") == "19")
    delays = (asyncio.get_running_loop().time() - begun) / tab.app.throttle_delay
    assert 2 <= len(tab.messages) - before <= 2 + delays  # twenty, where each is sent


async def test_the_first_push_is_immediate_and_the_next_waits_for_the_delay(visit):
    tab = await visit(Page)
    tab.app.throttle_delay = 600
    tab.app.count.value = 1
    await tab.until(lambda: tab.text("shown") == "1")
    tab.app.throttle_delay = 0.2
    clock = asyncio.get_running_loop().time
    first = clock()
    tab.app.count.value = 2
    await tab.until(lambda: tab.text("shown") == "2")
    assert clock() - first > 0.1


async def test_throttle_zero_means_the_next_turn_of_the_loop(visit):
    tab = await visit(Page)
    tab.app.throttle_delay = 30
    tab.app.count.value = 1
    await tab.until(lambda: tab.text("shown") == "1")
    tab.app.count.value = 2
    tab.app.update(0)
    await tab.until(lambda: tab.text("shown") == "2")


async def test_an_earlier_update_replaces_the_pending_one(visit):
    tab = await visit(Page)
    tab.app.update(0)
    tab.app.word.text = "new"
    tab.app.update(30)
    tab.app.update(0.01)
    await tab.until(lambda: tab.text("word") == "new", seconds=2)


@pytest.mark.mended
async def test_throttle_delay_set_in_init_is_kept(visit):
    class Patient(Tag.App):
        def init(self):
            self.throttle_delay = 1.5
            self.exit_on_disconnect = True

    app = (await visit(Patient, connect=False)).app
    assert app.throttle_delay == 1.5
    assert app.exit_on_disconnect is True
    app.exit_on_disconnect = False


def test_the_default_delay_is_a_twentieth_of_a_second():
    assert Page().throttle_delay == 0.05


# -- what


async def test_a_tag_inside_a_changed_one_is_not_sent_again(visit):
    class Nested(Tag.App):
        def init(self):
            self.inner = Tag.b("x", _id="inner")
            self.outer = Tag.p(self.inner, _id="outer")
            self <= Tag.button(_id="b", _onclick=self.go)

        def go(self, event):
            self.inner.text = "y"
            self.outer["title"] = "t"

    tab = await visit(Nested)
    await tab.click("b")
    assert list(tab.messages[-1]["updates"]) == ["outer"]
    assert tab.text("inner") == "y"


@pytest.mark.mended
async def test_tags_made_by_a_lambda_are_sent_once(visit):
    class Rows(Tag.App):
        def init(self):
            self.rows = State(["a", "b"])
            self <= Tag.ul(lambda: [Tag.li(row) for row in self.rows.value], _id="l")
            self <= Tag.button(_id="b", _onclick=lambda event: self.rows.append("c"))

    tab = await visit(Rows)
    await tab.click("b")
    assert list(tab.messages[-1]["updates"]) == ["l"]
    assert [row.text for row in tab.body.all("li")] == ["a", "b", "c"]


async def test_an_update_is_the_outer_html_of_the_tag(visit):
    tab = await visit(Page)
    tab.app.act = lambda: tab.app.word.add("!") and None
    await tab.click("act")
    assert tab.messages[-1]["updates"] == {"word": '<p id="word">old!</p>'}


async def test_a_tag_added_and_removed_again_is_not_sent(visit):
    tab = await visit(Page)

    def flash():
        passing = Tag.i("x", _id="passing")
        tab.app.word <= passing
        passing.text = "y"
        passing.remove()

    tab.app.act = flash
    await tab.click("act")
    assert "passing" not in tab.messages[-1]["updates"]
    assert tab.text("word") == "old"


# -- mended


@pytest.mark.mended
async def test_a_method_of_a_state_in_a_lambda_does_not_push_for_ever(visit):
    class Shouting(Tag.App):
        def init(self):
            self.name = State("x")
            self <= Tag.p(lambda: self.name.upper(), _id="p")

    tab = await visit(Shouting)
    await tab.quiet(0.3)
    tab.app.name.value = "y"
    await tab.until(lambda: tab.text("p") == "Y")
    await tab.quiet(0.3)


@pytest.mark.mended
async def test_changes_from_a_worker_thread_are_pushed(visit):
    tab = await visit(Page)
    thread = threading.Thread(target=lambda: tab.app.count.set(9))
    thread.start()
    thread.join()
    await tab.until(lambda: tab.text("shown") == "9")


@pytest.mark.mended
async def test_update_from_a_worker_thread_pushes(visit):
    tab = await visit(Page)

    def work():
        tab.app.word.text = "from a thread"
        tab.app.update()

    await asyncio.to_thread(work)
    await tab.until(lambda: tab.text("word") == "from a thread")


@pytest.mark.mended
async def test_a_render_error_costs_no_other_update_and_heals(visit):
    class Fragile(Tag.App):
        def init(self):
            self.good = State(0)
            self.bad = State(1)
            self <= Tag.p(self.good, _id="good")
            self <= Tag.p(lambda: 6 // self.bad.value, _id="bad")
            self <= Tag.button(_id="b", _onclick=self.go)

        def go(self, event):
            self.good.value += 1
            self.bad.value = 0
            self.call_js("kept()")

    tab = await visit(Fragile)
    await tab.send({"id": "b", "event": "click", "data": {"callback_id": "c"}})
    await tab.until(lambda: tab.text("good") == "1")
    await tab.until(lambda: any(message["action"] == "error" for message in tab.messages))
    assert "kept()" in tab.scripts
    tab.app.bad.value = 3
    await tab.until(lambda: tab.text("bad") == "2")


async def test_every_tab_of_a_session_sees_the_pushes(visit):
    from headless.tab import Tab

    tab = await visit(Page)
    second = await Tab(tab.site).load()
    await second.connect()
    tab.app.count.value = 3
    await tab.until(lambda: tab.text("shown") == "3")
    await second.until(lambda: second.text("shown") == "3")
    await second.leave()


async def test_is_dirty_ends_with_the_push(visit):
    tab = await visit(Page)
    seen = SimpleNamespace()
    tab.app.act = lambda: setattr(tab.app.word, "text", "new") or setattr(seen, "dirty", tab.app.word.is_dirty)
    await tab.click("act")
    assert seen.dirty
    assert not tab.app.word.is_dirty
    assert without_ids(tab.app.word) == '<p id="word">new</p>'
