"""Contract, section 13: init, on_mount, on_unmount, on_destroy; sync, async and generator forms."""

import asyncio
import gc

import pytest

from headless.asgi import DEADLINE, Site
from headless.errors import ServerError
from headless.tab import Tab
from htag import State, Tag, WebApp
from tests.support.waiting import until


def logging_tag(log):
    """A component class that notes what happens to it."""

    class Noting(Tag.div):
        def init(self, name, *children):
            self.name = name
            self <= children

        def on_mount(self):
            log.append(f"+{self.name}")

        def on_unmount(self):
            assert self.root is not None
            log.append(f"-{self.name}")

    return Noting


async def page_of(show, *children):
    host = Tag.div(*children)
    tab = await show(host)
    return tab, host


# -- mount


def test_nothing_mounts_outside_an_app():
    log = []
    noting = logging_tag(log)
    host = Tag.div(noting("a", noting("b")))
    host.clear()
    assert log == []


async def test_adding_to_a_rooted_parent_mounts_the_tag_then_its_descendants(show):
    log = []
    noting = logging_tag(log)
    _, host = await page_of(show)
    host <= noting("a", noting("b", noting("c")), noting("d"))
    assert log == ["+a", "+b", "+c", "+d"]


async def test_parent_and_root_are_set_when_on_mount_runs(show):
    seen = []

    class Looking(Tag.b):
        def on_mount(self):
            seen.append((self.parent, self.root))

    tab, host = await page_of(show)
    host <= Looking()
    assert seen == [(host, tab.app)]


@pytest.mark.quirk
async def test_the_tag_is_not_yet_among_its_parents_childs_when_on_mount_runs(show):
    seen = []

    class Looking(Tag.b):
        def on_mount(self):
            seen.append(list(self.parent.childs))

    _, host = await page_of(show)
    host <= Looking()
    assert seen == [[]]


async def test_adding_again_to_the_same_parent_mounts_again_without_unmount(show):
    log = []
    _, host = await page_of(show)
    tag = logging_tag(log)("a")
    host <= tag
    host <= tag
    assert log == ["+a", "+a"]


async def test_hooks_may_be_assigned_on_the_instance(show):
    log = []
    _, host = await page_of(show)
    tag = Tag.b()
    tag.on_mount = lambda: log.append("mounted")
    tag.on_unmount = lambda: log.append("unmounted")
    host <= tag
    tag.remove()
    assert log == ["mounted", "unmounted"]


# -- unmount


@pytest.mark.parametrize(
    "leave",
    [
        lambda host, tag: host.remove(tag),
        lambda host, tag: tag.remove(),
        lambda host, tag: host.clear(),
        lambda host, tag: setattr(host, "text", "x"),
        lambda host, tag: Tag.p() <= tag,
    ],
)
async def test_leaving_a_rooted_parent_unmounts_the_tag_then_its_descendants_before_detaching(show, leave):
    log = []
    noting = logging_tag(log)
    tag = noting("a", noting("b"))
    _, host = await page_of(show, tag)
    log.clear()
    leave(host, tag)
    assert log == ["-a", "-b"]
    assert tag.root is None


async def test_moving_between_rooted_parents_unmounts_and_mounts(show):
    log = []
    tag = logging_tag(log)("a")
    one, other = Tag.p(tag), Tag.p()
    await show(one, other)
    log.clear()
    other <= tag
    assert log == ["-a", "+a"]


# -- during App.init and the first page


def test_during_app_init_children_mount_at_once():
    log = []
    noting = logging_tag(log)

    class Page(Tag.App):
        def init(self):
            self <= noting("a")
            log.append("after")

    Page()
    assert log[0] == "+a"
    assert "after" in log


async def test_the_plain_pattern_mounts_three_times(visit):
    mounts = []

    class Child(Tag.b):
        def on_mount(self):
            mounts.append(self)

    class Page(Tag.App):
        def init(self):
            self.child = Child()
            self <= self.child

    await visit(Page, connect=False)
    assert len(mounts) == 3


async def test_the_mount_walk_of_a_new_app_starts_with_the_app(visit):
    log = []
    noting = logging_tag(log)

    class Page(Tag.App):
        def init(self):
            Tag.div(noting("a", noting("b")))
            log.append("init done")

        def on_mount(self):
            log.append("+app")

    await visit(Page, connect=False)
    assert log[log.index("init done") :] == ["init done", "+app", "+a", "+b"]


async def test_reload_unmounts_and_mounts_the_whole_tree_and_keeps_the_state(visit):
    log = []
    noting = logging_tag(log)

    class Page(Tag.App):
        def init(self):
            log.append("init")
            noting("a", noting("b"))
            self.count = State(0)
            self <= Tag.p(self.count, _id="p")

        def on_mount(self):
            log.append("+app")

        def on_unmount(self):
            log.append("-app")

    tab = await visit(Page, connect=False)
    tab.app.count.value = 5
    log.clear()
    await tab.load()
    assert log == ["-app", "-a", "-b", "+app", "+a", "+b"]
    assert tab.text("p") == "5"


async def test_reconnecting_fires_no_hook(visit):
    log = []

    class Page(Tag.App):
        def init(self):
            logging_tag(log)("a")

    tab = await visit(Page)
    log.clear()
    await tab.leave()
    await tab.connect()
    assert log == []


# -- ?n


@pytest.mark.parametrize("query", ["?n", "?n=1"])
async def test_n_destroys_the_old_instance_and_makes_a_new_one_under_the_same_sid(visit, query):
    log = []

    class Page(Tag.App):
        def init(self):
            log.append("init")

        def on_destroy(self):
            log.append("destroy")

    tab = await visit(Page)
    sid = tab.site.cookies["htag_sid"]
    await tab.load(query)
    assert log.count("init") == 2
    assert log.count("destroy") == 1
    assert tab.site.cookies["htag_sid"] == sid


@pytest.mark.mended
async def test_n_runs_the_unmount_walk_then_on_destroy(visit):
    log = []
    noting = logging_tag(log)

    class Page(Tag.App):
        def init(self):
            noting("a")

        def on_unmount(self):
            log.append("-app")

        def on_destroy(self):
            log.append("destroy")

    tab = await visit(Page)
    log.clear()
    await tab.load("?n")
    assert log[:3] == ["-app", "-a", "destroy"]


async def test_on_destroy_may_be_async(visit):
    log = []

    class Page(Tag.App):
        async def on_destroy(self):
            await asyncio.sleep(0)
            log.append("destroyed")

    tab = await visit(Page)
    await tab.load("?n")
    await until(lambda: log)
    assert log == ["destroyed"]


@pytest.mark.mended
async def test_a_session_that_expires_is_unmounted_then_destroyed():
    from htag.limits import Limits

    log = []
    noting = logging_tag(log)

    class Page(Tag.App):
        def init(self):
            noting("a")

        def on_destroy(self):
            log.append("destroy")

    site = Site(WebApp(Page, limits=Limits(new_seconds=0.05, grace_seconds=0.05)).app)
    assert (await site.get()).status == 200
    log.clear()
    await until(lambda: "destroy" in log)
    assert log == ["-a", "destroy"]


# -- lambda-produced tags


async def test_a_tag_made_by_a_lambda_is_mounted(show):
    log = []
    noting = logging_tag(log)
    await show(Tag.p(lambda: noting("a")))
    assert "+a" in log


@pytest.mark.mended
async def test_a_persistent_tag_is_not_mounted_again_by_each_render_that_yields_it(visit):
    log = []

    class Page(Tag.App):
        def init(self):
            self.n = State(0)
            self.kept = logging_tag(log)("kept")
            self.kept.remove()
            self <= Tag.p(lambda: [self.n.value, self.kept])

    tab = await visit(Page)
    log.clear()
    tab.app.n.value = 1
    await tab.next()
    assert log == []


async def test_removing_the_host_unmounts_what_its_lambda_made(show):
    log = []
    noting = logging_tag(log)
    host = Tag.p(lambda: noting("a"))
    await show(host)
    log.clear()
    host.remove()
    assert log == ["-a"]


@pytest.mark.mended
async def test_a_tag_that_a_lambda_no_longer_yields_is_unmounted(visit):
    log = []
    noting = logging_tag(log)

    class Page(Tag.App):
        def init(self):
            self.names = State(["a", "b"])
            self.made = {name: noting(name) for name in "ab"}
            self.clear()
            self <= Tag.p(lambda: [self.made[name] for name in self.names.value])

    tab = await visit(Page)
    log.clear()
    tab.app.names.value = ["b"]
    await tab.next()
    assert "-a" in log
    assert "-b" not in log


@pytest.mark.mended
async def test_clearing_the_host_unmounts_what_its_lambda_made(show):
    log = []
    noting = logging_tag(log)
    host = Tag.p(lambda: noting("a"))
    tab = await show(host)
    log.clear()
    host.clear()
    tab.app.update()
    await tab.next()
    assert log == ["-a"]


@pytest.mark.mended
async def test_hooks_of_a_page_that_nobody_connected_to_are_dropped_quietly(recwarn):
    from htag.limits import Limits

    class Page(Tag.App):
        def init(self):
            ByCoroutine()

        def on_destroy(self):
            destroyed.set()

    destroyed = asyncio.Event()
    site = Site(WebApp(Page, limits=Limits(new_seconds=0.05)).app)
    assert (await site.get()).status == 200
    await asyncio.wait_for(destroyed.wait(), DEADLINE)
    gc.collect()
    assert not [warning for warning in recwarn.list if "never awaited" in str(warning.message)]


# -- async and generator forms


class Loading(Tag.p):
    """Says by steps what it does, in the form that the subclass chooses."""

    def init(self):
        self["id"] = "p"
        self.text = "before"


class ByGenerator(Loading):
    def on_mount(self):
        self.text = "step 1"
        yield
        self.text = "step 2"
        yield "ignored"
        self.text = "step 3"


class ByAsyncGenerator(Loading):
    async def on_mount(self):
        self.text = "step 1"
        yield
        await asyncio.sleep(0)
        self.text = "step 2"
        yield
        self.text = "step 3"


class ByCoroutine(Loading):
    async def on_mount(self):
        await asyncio.sleep(0)
        self.text = "step 3"


LAST_PUSHED = {ByGenerator: "step 2", ByAsyncGenerator: "step 2", ByCoroutine: "step 3"}


@pytest.mark.parametrize("component", LAST_PUSHED)
@pytest.mark.parametrize("channel", ["websocket", "sse"])
async def test_the_page_shows_the_state_before_and_the_updates_follow_in_order(visit, component, channel):
    class Page(Tag.App):
        def init(self):
            self <= component()

    tab = await visit(Page, transport=channel, connect=False)
    assert tab.text("p") == "before"
    await tab.connect()
    seen = [tab.text("p")]
    while seen[-1] != LAST_PUSHED[component]:
        await tab.next()
        seen.append(tab.text("p"))
    assert list(dict.fromkeys(seen)) == sorted(set(seen))


@pytest.mark.parametrize("component", LAST_PUSHED)
async def test_a_component_mounted_in_an_event_runs_after_it(visit, component):
    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=lambda event: self.add(component()) and "handled")

    tab = await visit(Page)
    assert await tab.click("b") == "handled"
    await tab.until(lambda: tab.text("p") == LAST_PUSHED[component])


@pytest.mark.mended
@pytest.mark.parametrize("component", [ByGenerator, ByAsyncGenerator])
async def test_what_a_generator_changes_after_its_last_yield_is_pushed_too(visit, component):
    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=lambda event: self.add(component()) and None)

    tab = await visit(Page)
    await tab.click("b")
    await tab.until(lambda: tab.text("p") == "step 3")


async def test_async_hooks_run_concurrently(visit):
    met = asyncio.Barrier(2)

    class Meeting(Tag.p):
        def init(self, id):
            self["id"] = id

        async def on_mount(self):
            await met.wait()
            self.text = "met"

    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=lambda event: self.add(Meeting("x"), Meeting("y")) and None)

    tab = await visit(Page)
    await tab.click("b")
    await tab.until(lambda: tab.text("x") == tab.text("y") == "met")


async def test_an_unmount_generator_runs_detached(show):
    log = []

    class Leaving(Tag.p):
        def on_unmount(self):
            log.append(self.root)
            yield
            log.append("done")

    leaving = Leaving()
    tab = await show(leaving, Tag.button(_id="b", _onclick=lambda event: leaving.remove() and None))
    await tab.click("b")
    await until(lambda: "done" in log)
    assert log == [None, "done"]


async def test_an_async_unmount_runs(visit):
    log = []

    class Leaving(Tag.p):
        async def on_unmount(self):
            await asyncio.sleep(0)
            log.append("left")

    class Page(Tag.App):
        def init(self):
            self.leaving = Leaving()
            self <= Tag.button(_id="b", _onclick=lambda event: self.leaving.remove() and None)

    tab = await visit(Page)
    await tab.click("b")
    await until(lambda: log)
    assert log == ["left"]


@pytest.mark.mended
async def test_a_hook_queued_by_a_background_task_runs_without_an_event(visit):
    class Page(Tag.App):
        pass

    tab = await visit(Page)
    tab.app <= ByCoroutine()
    tab.app.update()
    await tab.until(lambda: tab.document.get("p") is not None and tab.text("p") == "step 3")


@pytest.mark.mended
async def test_a_hook_queued_by_a_handler_that_then_failed_runs(visit):
    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=self.fail)

        def fail(self, event):
            self <= ByCoroutine()
            raise RuntimeError

    tab = await visit(Page)
    with pytest.raises(ServerError):
        await tab.click("b")
    await tab.until(lambda: tab.document.get("p") is not None and tab.text("p") == "step 3")


# -- failures


@pytest.mark.parametrize("where", ["init", "on_mount"])
async def test_a_failing_sync_hook_makes_the_page_answer_500(where):
    class Failing(Tag.App):
        pass

    def fail(self):
        raise RuntimeError("no good")

    setattr(Failing, where, fail)
    try:
        answer = await Site(WebApp(Failing, debug=False).app).get()
    except RuntimeError:  # Starlette's outermost layer answers 500, then lets the server log the exception
        return
    assert answer.status == 500
    assert "no good" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.mended
@pytest.mark.parametrize("where", ["init", "on_mount"])
async def test_a_session_that_failed_to_start_is_not_kept(where):
    attempts = []

    class Flaky(Tag.App):
        pass

    def fail_once(self):
        attempts.append(self)
        if len(attempts) == 1:
            raise RuntimeError
        self.text = "well again"

    setattr(Flaky, where, fail_once)
    site = Site(WebApp(Flaky).app)
    assert (await site.get()).status == 500
    answer = await site.get()
    assert answer.status == 200
    assert "well again" in answer.text


@pytest.mark.parametrize("failing", ["coroutine", "generator"])
async def test_a_failing_queued_hook_is_reported_to_all_tabs_and_the_session_goes_on(visit, failing):
    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=self.go)

        def go(self, event):
            tag = Tag.p()
            tag.on_mount = getattr(self, failing)
            self <= tag

        async def coroutine(self):
            raise RuntimeError("hook failed")

        def generator(self):
            yield
            raise RuntimeError("hook failed")

    tab = await visit(Page)
    second = await Tab(tab.site).load()
    await second.connect()
    await tab.click("b")
    for each in (tab, second):
        await each.until(lambda each=each: any("hook failed" in m.get("traceback", "") for m in each.messages))
    await tab.click("b")
    await second.leave()


async def test_rebuilding_by_clear_and_init_works(show):
    class Rebuilt(Tag.div):
        def init(self):
            self <= Tag.p("built", _id="p")

    tag = Rebuilt()
    tab = await show(tag, Tag.button(_id="b", _onclick=lambda event: rebuild()))

    def rebuild():
        tag.clear()
        tag.init()

    await tab.click("b")
    assert tab.text("p") == "built"
    assert len(tag.childs) == 1
