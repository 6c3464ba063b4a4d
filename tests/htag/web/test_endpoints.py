"""Whom the transports let in, in which order they hand on what they hear, and what they never do twice."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import pytest

from headless.asgi import Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag import GTag, State, Tag, WebApp
from htag.limits import Limits
from htag.session import rate_limiter, session
from htag.session.rate_limiter import RateLimiter
from htag.web import post
from tests.htag.web.visitor import Open, Scene, click, payloads, scene
from tests.support.clock import Clock
from tests.support.waiting import passed, until

__all__ = ["scene"]  # a fixture


# -- who is let in


@pytest.mark.parametrize(
    "cookie", ["htag_sid=me", "htag_sid=me.forged", "htag_sid=\xff\xfe", "htag_sid=", 'htag_sid="']
)
async def test_a_forged_cookie_is_an_unknown_session_on_every_transport(scene: Open, cookie: str) -> None:
    here = await scene()
    headers = {"cookie": cookie}
    assert (await here.post(click("more", 1), **headers)).status == 404
    assert (await here.site.get("/stream", headers)).status == 404
    socket = await here.site.websocket("/ws", headers)
    with pytest.raises(Disconnected) as refused:
        await socket.receive()
    assert (refused.value.code, refused.value.accepted) == (4404, True)
    assert here.observer.labels("message_refused") == ["no_session"] * 3
    assert here.app.calls == []


async def test_of_two_cookies_the_one_that_is_known_counts(scene: Open) -> None:
    here = await scene()
    known = here.site.cookies["htag_sid"]
    ended = here.web.signer.sign("ended long ago")
    for cookie in (f"htag_sid={ended}; htag_sid={known}", f"htag_sid=forged; htag_sid={known}"):
        assert (await here.post(click("more", 1), cookie=cookie)).status == 200
    assert len(here.app.calls) == 2


@pytest.mark.parametrize("token", ["", "0" * 32, "\xe9", "x" * 10_000])
async def test_a_post_with_another_token_is_refused(scene: Open, token: str) -> None:
    here = await scene()
    here.token = token
    assert (await here.post(click("more", 1))).status == 403
    assert (here.observer.labels("message_refused"), here.app.calls) == (["csrf"], [])


async def test_a_post_with_the_token_of_somebody_else_is_refused(scene: Open) -> None:
    here = await scene()
    stranger = await Tab(Site(here.web.app)).load()
    here.token = stranger.token
    assert (await here.post(click("more", 1))).status == 403
    assert here.app.calls == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example"])
async def test_another_origin_is_refused_on_every_transport(scene: Open, origin: str) -> None:
    here = await scene()
    assert (await here.post(click("more", 1), origin=origin)).status == 403
    assert (await here.site.get("/stream", {"origin": origin})).status == 403
    with pytest.raises(Disconnected) as refused:
        await here.site.websocket("/ws", {"origin": origin})
    assert not refused.value.accepted
    assert here.observer.labels("message_refused") == ["origin"] * 3


# -- what is not understood


@pytest.mark.parametrize("body", ["", "{", "[]", "null", b"\xff", "[" * 50_000])
async def test_what_is_no_message_is_refused_in_a_post_and_skipped_in_a_websocket(scene: Open, body: Any) -> None:
    here = await scene()
    assert (await here.post(body)).status == 400
    socket = await here.site.websocket(f"/ws?rev={here.revision}")
    await socket.receive()
    socket.send_bytes(body) if isinstance(body, bytes) else socket.send(body)
    socket.send(json.dumps(click("more", 1)))
    assert json.loads(await socket.receive())["callback_id"] == "c1"
    await socket.close()
    assert here.observer.labels("message_refused") == ["malformed"] * 2


async def test_what_is_too_large_is_413_in_a_post_and_closes_a_websocket_with_1009(scene: Open) -> None:
    here = await scene(limits=Limits(message_bytes=1000))
    large = json.dumps({"id": "more", "event": "click", "data": {"n": "x" * 1000}})
    assert (await here.post(large)).status == 413
    socket = await here.site.websocket(f"/ws?rev={here.revision}")
    await socket.receive()
    socket.send(large)
    with pytest.raises(Disconnected) as refused:
        await socket.receive()
    assert refused.value.code == 1009
    assert (here.observer.labels("message_refused"), here.app.calls) == (["too_large"] * 2, [])


# -- rate


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What `RateLimiter` asks to wait. Time passes at once, and only then."""
    clock, waits = Clock(), []
    monkeypatch.setattr(rate_limiter, "time", clock)
    delay = RateLimiter.delay

    def noted(bucket: RateLimiter) -> float:
        if (wait := delay(bucket)) > 0:
            waits.append(wait)
            clock.now += wait
        return min(wait, 0.001)

    monkeypatch.setattr(RateLimiter, "delay", noted)
    return waits


async def test_a_tab_that_sends_too_fast_is_slowed_down_and_loses_nothing(scene: Open, waits: list[float]) -> None:
    here = await scene(limits=Limits(messages_per_second=20))
    socket = await here.site.websocket(f"/ws?rev={here.revision}")
    await socket.receive()
    for number in range(50):
        socket.send(json.dumps(click("more", number)))
    answers = [json.loads(await socket.receive())["callback_id"] for _ in range(50)]
    await socket.close()
    assert answers == [f"c{number}" for number in range(50)]
    assert here.app.calls == list(range(50))
    assert len(waits) == 2
    assert here.observer.labels("message_refused") == ["too_fast"] * 2


async def test_the_tabs_of_a_session_share_one_rate_limiter(scene: Open, waits: list[float]) -> None:
    here = await scene(limits=Limits(messages_per_second=20))
    for _ in range(10):
        socket = await here.site.websocket(f"/ws?rev={here.revision}")
        await socket.receive()
        for number in range(10):
            socket.send(json.dumps(click("more", number)))
        for _ in range(10):
            await socket.receive()
        await socket.close()
    assert 4 <= len(waits) <= 5


async def test_what_is_no_message_counts_and_a_large_one_counts_as_several(scene: Open, waits: list[float]) -> None:
    here = await scene(limits=Limits(messages_per_second=20))
    for sent in (["nonsense"] * 25, [json.dumps({"data": "x" * 4096 * 25})]):
        socket = await here.site.websocket(f"/ws?rev={here.revision}")
        await socket.receive()
        for text in sent:
            socket.send(text)
        socket.send(json.dumps(click("more", 1)))
        await socket.receive()
        await socket.close()
    assert len(waits) == 2


async def test_posts_that_come_too_fast_wait_in_order_and_too_many_of_them_are_refused(
    scene: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, go_on, pause = 1234.5, asyncio.Event(), asyncio.sleep

    async def sleep(seconds: float) -> None:
        await (go_on.wait() if seconds == held else pause(seconds))

    delay = RateLimiter.delay
    monkeypatch.setattr(RateLimiter, "delay", lambda bucket: held if delay(bucket) > 0 else 0.0)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(rate_limiter, "time", Clock())  # it stands still
    monkeypatch.setattr(session, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(post, "MAX_WAITING", 20)
    here = await scene(limits=Limits(messages_per_second=50))
    posts = [asyncio.create_task(here.post(click("more", number), tab="a")) for number in range(60)]
    await until(lambda: sum(post.done() for post in posts) == 39)
    assert not any(post.done() for post in posts[19:40])
    go_on.set()
    statuses = [(await post).status for post in posts]
    assert statuses == [200] * 40 + [429] * 20
    assert here.app.calls == sorted(here.app.calls)
    assert "too_fast" in here.observer.labels("message_refused")


@pytest.mark.parametrize("where", ["handler", "failing handler", "render"])
async def test_time_that_a_session_takes_from_others_counts_too(
    scene: Open, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    here = await scene()
    clock, asked = Clock(), []
    monkeypatch.setattr(session, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(RateLimiter, "delay", lambda bucket: asked.append(bucket.left) or 0.0)

    def work() -> str:
        clock.now += 0.3
        return "done"

    def heavy(event: Any) -> None:
        if where == "render":
            box.clear()
            box.add(work)
        else:
            work()
        if where == "failing handler":
            raise ValueError

    here.app.add(Tag.button(_id="heavy", _onclick=heavy), box := Tag.div())
    await here.site.get("/")
    socket = await here.site.websocket("/ws")
    await socket.receive()
    socket.send(json.dumps(click("heavy", 1)))
    await socket.receive()
    await socket.close()
    assert asked == [pytest.approx(100 - 1 - 0.3 * 2 * 1000)]
    for fallback in (True, False):
        await here.post(click("heavy", 2, fallback=fallback))
    # the last one's time is not asked for yet
    assert asked[-1] == pytest.approx(asked[0] - 2 - 0.3 * 2 * 1000, abs=0.1)


# -- a POST that comes twice


async def test_a_post_that_is_repeated_gets_the_same_answer_and_runs_once(scene: Open) -> None:
    here = await scene()
    first = await here.post(click("more", 1), tab="t")
    again = await here.post(click("more", 1), tab="t")
    assert again.json == first.json
    assert payloads(again)[-1]["result"] == 1
    assert here.app.calls == [1]
    await here.post(click("more", 2), tab="t")
    assert here.app.calls == [1, 2]


async def test_a_post_that_is_repeated_while_the_first_still_runs_waits_for_it(scene: Open) -> None:
    here = await scene()
    first = asyncio.ensure_future(here.post(click("slow", 1), tab="t"))
    await until(lambda: here.app.calls)
    again = asyncio.ensure_future(here.post(click("slow", 1), tab="t"))
    await passed(0.01)
    assert not first.done()
    assert not again.done()
    here.app.gate.set()
    answers = await asyncio.wait_for(asyncio.gather(first, again), 5)
    assert answers[0].json == answers[1].json
    assert payloads(answers[1])[-1]["result"] == 1
    assert here.app.calls == [1]


async def test_the_same_callback_id_of_another_tab_or_of_no_tab_is_another_event(scene: Open) -> None:
    here = await scene()
    for tab in ("a", "b", "", ""):
        assert payloads(await here.post(click("more", 1), tab=tab))[-1]["callback_id"] == "c1"
    assert here.app.calls == [1, 1, 1, 1]


async def test_a_message_that_waits_for_no_answer_is_never_taken_for_a_repetition(scene: Open) -> None:
    here = await scene()
    message = {"id": "more", "event": "click", "data": {"n": 1}, "fallback": True}
    for _ in range(3):
        await here.post(message, tab="t")
    assert here.app.calls == [1, 1, 1]


async def test_the_posts_of_one_tab_stay_in_order_and_those_of_others_go_on(scene: Open) -> None:
    here = await scene()
    slow = asyncio.ensure_future(here.post(click("slow", 1), tab="a"))
    await until(lambda: here.app.calls)
    behind = asyncio.ensure_future(here.post(click("more", 2), tab="a"))
    await passed(0.01)
    other = await here.post(click("more", 3), tab="b")
    assert payloads(other)[-1]["callback_id"] == "c3"
    assert here.app.calls == [1, 3]
    here.app.gate.set()
    await asyncio.wait_for(asyncio.gather(slow, behind), 5)
    assert here.app.calls == [1, 3, 2]


async def test_a_repetition_is_answered_although_the_first_request_was_cancelled(scene: Open) -> None:
    here = await scene()
    first = request(here, click("slow", 1))
    await until(lambda: here.app.calls)
    again = request(here, click("slow", 1))
    await passed(0.01)
    first[0].cancel()  # as some servers and middlewares do when a client leaves
    await asyncio.wait((first[0],))
    here.app.gate.set()
    await asyncio.wait((again[0],), timeout=5)
    assert here.app.calls == [1]
    assert not again[0].cancelled()
    assert b'"result\\":1' in b"".join(message.get("body", b"") for message in again[1])


def request(here: Scene, message: dict[str, Any]) -> tuple[asyncio.Task[None], list[Any]]:
    """A POST as a task that may be cancelled, and what it is answered."""
    sent: list[Any] = []
    headers = {"x-htag-token": here.token, "x-htag-tab": "t"}
    scope = here.site.scope("http", "/event", headers, method="POST")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(message).encode(), "more_body": False}

    async def send(part: Any) -> None:
        sent.append(part)

    return asyncio.ensure_future(here.web.app(scope, receive, send)), sent


# -- what an answer carries


async def test_a_tab_that_shows_the_latest_gets_only_what_changed(scene: Open) -> None:
    here = await scene()
    answer = await here.post(click("more", 1), tab="a", query=f"?rev={here.revision}")
    (update,) = payloads(answer)
    assert list(update["updates"]) == ["count"]
    assert answer.json["revision"] == here.revision
    (idle,) = payloads(await here.post({"action": "poll", "fallback": True}, query=f"?rev={here.revision}")) or [None]
    assert idle is None


async def test_a_tab_that_missed_changes_which_another_took_gets_the_whole_body(scene: Open) -> None:
    here = await scene()
    shown = here.revision
    await here.post(click("more", 1), tab="a", query=f"?rev={shown}")
    whole, *_ = payloads(await here.post({"action": "poll", "fallback": True}, tab="b", query=f"?rev={shown}"))
    assert ">1</p>" in whole["updates"][here.app.id]


async def test_without_fallback_the_answer_comes_over_the_channel(scene: Open) -> None:
    here = await scene()
    stream = await here.site.stream(f"/stream?rev={here.revision}")
    await stream.receive()
    answer = await here.post(click("more", 1, fallback=False), tab="t")
    assert answer.json == {"status": "ok"}
    assert json.loads(await stream.receive())["result"] == 1
    await stream.close()


# -- the end of a session


async def test_a_session_that_ends_closes_its_websocket_with_4404_and_its_stream(scene: Open) -> None:
    here = await scene()
    socket = await here.site.websocket(f"/ws?rev={here.revision}")
    stream = await here.site.stream(f"/stream?rev={here.revision}")
    await socket.receive()
    await stream.receive()
    (session,) = here.web.registry.sessions.values()
    here.web.registry.end(session, "expired")
    with pytest.raises(Disconnected) as refused:
        await socket.receive()
    assert refused.value.code == 4404
    await stream.close()
    assert here.web.registry.usage.connections() == {"websocket": 0, "sse": 0, "http": 0}


async def test_a_post_whose_session_ends_meanwhile_is_answered(scene: Open) -> None:
    here = await scene()
    waiting = asyncio.ensure_future(here.post(click("slow", 1), tab="t"))
    await until(lambda: here.app.calls)
    (session,) = here.web.registry.sessions.values()
    here.web.registry.end(session, "expired")
    assert (await asyncio.wait_for(waiting, 5)).status == 200


# -- memory


def tags_alive(kind: type) -> int:
    gc.collect()
    return sum(isinstance(thing, kind) for thing in gc.get_objects())


class Visited(Tag.App):
    """An app with what apps have: components, hooks, States, handlers, things made by callables."""

    def init(self) -> None:
        self.words = State(["a", "b"])
        Row("first")
        Tag.div(lambda: [Row(word) for word in self.words.value])
        Tag.button("go", _id="go", _onclick=self.go)

    async def go(self, event: Any) -> None:
        self.words.value = [*self.words.value, "c"]
        self.call_js("done()")


class Row(Tag.div):
    statics = (Tag.style("row {}"),)

    def init(self, word: str) -> None:
        self.word = State(word)
        Tag.input(_value=self.word, _type="radio", _name="r")
        Tag.p(lambda: self.word.value, _class=lambda: self.word.value, _onclick=lambda event: self.remove())

    async def on_mount(self) -> None:
        await asyncio.sleep(0)
        self.word.value += "!"


@pytest.mark.parametrize("transport", ["websocket", "sse", "http"])
async def test_sessions_that_were_used_and_ended_leave_no_tag_behind(transport: str) -> None:
    web = WebApp(Visited)
    await use(web, transport, 2)  # what stays once per class
    apps, rows, everything = tags_alive(Visited), tags_alive(Row), tags_alive(GTag)
    await use(web, transport, 200 if transport == "websocket" else 20)
    assert (tags_alive(Visited), tags_alive(Row)) == (apps, rows)
    assert tags_alive(GTag) <= everything
    assert not web.registry.sessions
    assert not web.registry.usage._unmeasured
    await web.registry.close()


async def use(web: WebApp, transport: str, count: int) -> None:
    """`count` people come, click, and are forgotten: half of them while they are connected."""
    for number in range(count):
        tab = await Tab(Site(web.app), transport).load()
        await tab.connect()
        await tab.click("go")
        (session,) = web.registry.sessions.values()
        if number % 2:
            web.registry.end(session, "expired")
            await leave(tab)
        else:
            await leave(tab)
            web.registry.end(session, "expired")
        await session.finished()


async def leave(tab: Tab) -> None:
    if tab.channel is not None:
        await tab.channel.close()
