"""A tab that reads slowly costs a bounded amount of memory and nobody but itself any time."""

import asyncio
import json

import pytest

from htag import Tag
from htag.session.session import UNKNOWN_SESSION
from htag.web import event_stream
from htag.web.event_stream import StreamChannel
from htag.web.post import ResponseChannel
from tests.htag.web.slow_browser import KILOBYTE, Browser, Listener, Scene, scene, turns
from tests.support.channels import Frame
from tests.support.waiting import until

__all__ = ["scene"]  # a fixture


async def test_frames_leave_in_the_order_in_which_they_came(scene: Scene) -> None:
    socket, browser = scene.socket()
    for number in range(5):
        socket.put(Frame(str(number)))
    await socket.flush()
    assert browser.frames == ["0", "1", "2", "3", "4"]
    assert scene.observer.told("update_sent") == [("websocket", 1)] * 5


async def test_what_is_put_while_a_frame_is_on_its_way_follows_it(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.reads.clear()
    socket.put(Frame("a"))
    socket.wake()
    await turns()
    socket.put(Frame("b"))
    socket.wake()
    await socket.flush()  # somebody is at it: returns at once
    assert browser.frames == []
    browser.reads.set()
    await until(lambda: browser.frames == ["a", "b"])


async def test_up_to_the_limit_nothing_is_dropped(scene: Scene) -> None:
    socket, browser = scene.socket()
    for number in range(10):
        socket.put(Frame(str(number) * KILOBYTE))
    await socket.flush()
    assert len(browser.frames) == 10
    assert scene.observer.labels("client_fell_behind") == []


async def test_a_slow_reader_gets_one_full_render_in_place_of_what_it_missed(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.reads.clear()
    scene.session.attach(socket, scene.session.revision)
    socket.wake()
    await turns()
    scene.app.word.value = "latest"
    for _ in range(100):
        socket.put(Frame("x" * KILOBYTE))
    assert scene.observer.labels("client_fell_behind") == ["websocket"]
    assert sum(map(len, socket._frames)) == 0
    browser.reads.set()
    await until(lambda: len(browser.frames) == 2)
    assert not any("xxx" in frame for frame in browser.frames)
    assert ">latest</p>" in json.loads(browser.frames[-1])["updates"][scene.app.id]


async def test_after_the_full_render_frames_flow_as_before_and_it_may_fall_behind_again(scene: Scene) -> None:
    socket, browser = scene.socket()
    for lap in range(1, 4):
        for _ in range(12):
            socket.put(Frame("x" * KILOBYTE))
        assert scene.observer.labels("client_fell_behind") == ["websocket"] * lap
        await socket.flush()
        for _ in range(10):
            socket.put(Frame("y" * KILOBYTE))
        await socket.flush()
        assert browser.frames[-10:] == ["y" * KILOBYTE] * 10
        assert len(browser.frames) == 11 * lap
    assert socket._size == 0


async def test_a_single_frame_above_the_limit_is_sent_and_not_replaced_for_ever(scene: Scene) -> None:
    socket, browser = scene.socket()
    socket.put(Frame("x" * 50 * KILOBYTE))
    await socket.flush()
    assert len(browser.frames[0]) == 50 * KILOBYTE
    assert scene.observer.labels("client_fell_behind") == []


async def test_a_full_render_above_the_limit_is_sent_once(scene: Scene) -> None:
    scene.app.word.value = "w" * 50 * KILOBYTE
    socket, browser = scene.socket()
    for _ in range(20):
        socket.put(Frame("x" * KILOBYTE))
    await socket.flush()
    assert len(browser.frames) == 1
    assert scene.observer.labels("client_fell_behind") == ["websocket"]


async def test_a_slow_reader_holds_up_no_other_tab(scene: Scene) -> None:
    slow, sleeping = scene.socket()
    quick, browser = scene.socket()
    sleeping.reads.clear()
    for each in (slow, quick):
        scene.session.attach(each, scene.session.revision)
        each.wake()
    for number in range(50):
        scene.app.word.value = f"{number}-" + "w" * KILOBYTE
        scene.session.push()
        await until(lambda: f">{number}-" in "".join(browser.frames[-1:]))  # noqa: B023  # awaited right here
    assert sleeping.frames == []
    assert scene.observer.labels("client_fell_behind") == ["websocket"]
    sleeping.reads.set()
    await until(lambda: sleeping.frames and ">49-" in sleeping.frames[-1])
    assert len(sleeping.frames) <= 3


async def test_a_tab_that_is_gone_loses_its_queue_and_raises_nothing(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.gone = True
    for _ in range(3):
        socket.put(Frame("x"))
    await socket.flush()
    assert not socket._frames
    browser.gone = False
    socket.put(Frame("y"))
    await socket.flush()
    assert browser.frames == ["y"]


async def test_what_was_dropped_with_a_lost_connection_is_not_counted_any_more(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.gone = True
    for _ in range(3):
        socket.put(Frame("x" * KILOBYTE))
    await socket.flush()
    assert socket._size == 0


async def test_a_websocket_closes_with_4404_when_its_session_ends(scene: Scene) -> None:
    socket, browser = scene.socket()
    socket.end()
    await until(lambda: browser.messages)
    assert browser.messages == [{"type": "websocket.close", "code": UNKNOWN_SESSION}]


async def test_closing_what_is_gone_already_is_no_error(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.gone = True
    await socket.close(1009)


async def test_nothing_is_sent_after_the_close(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.reads.clear()
    browser.one_by_one = True
    for _ in range(3):
        socket.put(Frame("x"))
    flushing = asyncio.ensure_future(socket.flush())  # as the connection's own task does it
    await turns()
    socket.end()
    while not flushing.done() or not any(message["type"] == "websocket.close" for message in browser.messages):
        browser.reads.set()
        await turns()
    kinds = [message["type"] for message in browser.messages]
    assert kinds[-1] == "websocket.close"
    assert kinds.count("websocket.close") == 1


# -- event stream


async def test_a_stream_sends_what_is_queued_and_ends_when_the_browser_goes(scene: Scene) -> None:
    browser, listener = Browser(), Listener()
    stream = StreamChannel(scene.session, browser.send)
    stream.put(Frame('{"a":1}'))
    running = asyncio.ensure_future(stream.run(listener.receive))
    await until(lambda: browser.stream)
    stream.put(Frame('{"b":2}'))
    stream.wake()
    await until(lambda: browser.stream == 'data: {"a":1}\n\ndata: {"b":2}\n\n')
    assert not running.done()
    listener.leave()
    await asyncio.wait_for(running, 5)
    assert scene.observer.told("update_sent") == [("sse", 7), ("sse", 7)]


async def test_a_silent_stream_says_now_and_then_that_it_is_there(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.01)
    browser, listener = Browser(), Listener()
    running = asyncio.ensure_future(StreamChannel(scene.session, browser.send).run(listener.receive))
    await until(lambda: browser.stream.count("\n\n") >= 3)
    assert set(browser.stream.split("\n\n")[:-1]) == {": still here"}  # a comment: browsers ignore it
    listener.leave()
    await asyncio.wait_for(running, 5)


async def test_no_heartbeat_comes_into_a_frame_that_is_on_its_way(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.01)
    browser, listener = Browser(), Listener()
    stream = StreamChannel(scene.session, browser.send)
    running = asyncio.ensure_future(stream.run(listener.receive))
    await until(lambda: browser.stream)
    browser.reads.clear()
    stream.put(Frame("frame"))
    stream.wake()
    writes = asyncio.all_tasks()
    await until(lambda: stream._sending)
    browser.reads.set()
    await until(lambda: "data: frame\n\n" in browser.stream)
    assert running in writes
    listener.leave()
    await asyncio.wait_for(running, 5)


async def test_a_stream_ends_with_its_session(scene: Scene) -> None:
    browser, listener = Browser(), Listener()
    stream = StreamChannel(scene.session, browser.send)
    scene.session.attach(stream, None)
    running = asyncio.ensure_future(stream.run(listener.receive))
    await until(lambda: browser.stream)
    scene.session.close()
    await asyncio.wait_for(running, 5)


async def test_a_stream_whose_heartbeat_cannot_be_sent_ends(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.01)
    browser, listener = Browser(), Listener()
    browser.gone = True
    await asyncio.wait_for(StreamChannel(scene.session, browser.send).run(listener.receive), 5)


async def test_a_stream_that_ends_leaves_no_task_behind(scene: Scene) -> None:
    before = asyncio.all_tasks()
    browser, listener = Browser(), Listener()
    stream = StreamChannel(scene.session, browser.send)
    running = asyncio.ensure_future(stream.run(listener.receive))
    await turns()
    stream.end()
    await asyncio.wait_for(running, 5)
    await turns()
    assert asyncio.all_tasks() == before


# -- plain HTTP


async def test_an_answer_takes_all_frames_once(scene: Scene) -> None:
    answer = ResponseChannel(scene.session)
    answer.put(Frame("a"))
    answer.put(Frame("b"))
    answer.wake()
    assert answer.drain() == ["a", "b"]
    assert answer.drain() == []
    assert scene.observer.told("update_sent") == [("http", 1), ("http", 1)]


async def test_an_answer_that_grew_too_large_is_one_full_render(scene: Scene) -> None:
    answer = ResponseChannel(scene.session)
    for _ in range(20):
        answer.put(Frame("x" * KILOBYTE))
    (frame,) = answer.drain()
    assert ">first</p>" in json.loads(frame)["updates"][scene.app.id]
    assert scene.observer.labels("client_fell_behind") == ["http"]


# -- what a full render has to bring besides the body


class Late(Tag.div):
    statics = (Tag.style("late {}"),)


async def test_statics_that_were_dropped_come_with_the_full_render(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.reads.clear()
    scene.session.attach(socket, scene.session.revision)
    socket.wake()
    await turns()
    scene.app.add(Late())
    scene.session.push()
    for _ in range(20):
        socket.put(Frame("x" * KILOBYTE))
    browser.reads.set()
    await until(lambda: len(browser.frames) == 2)
    assert any("late {}" in frame for frame in browser.frames)


async def test_statics_that_a_tab_missed_while_it_was_away_come_when_it_is_back(scene: Scene) -> None:
    here, _ = scene.socket()
    away, _ = scene.socket()
    shown = scene.session.revision
    scene.session.attach(here, shown)
    scene.session.attach(away, shown)
    scene.session.detach(away)
    scene.app.add(Late())
    scene.session.push()
    back, browser = scene.socket()
    scene.session.attach(back, shown)
    await back.flush()
    assert any("late {}" in frame for frame in browser.frames)


async def test_a_script_that_waits_while_a_tab_without_revision_connects_reaches_all_tabs(scene: Scene) -> None:
    first, browser = scene.socket()
    scene.session.attach(first, scene.session.revision)
    scene.app.call_js("hello()")
    second, other = scene.socket()
    scene.session.attach(second, None)
    await first.flush()
    await second.flush()
    assert any("hello()" in frame for frame in other.frames)
    assert any("hello()" in frame for frame in browser.frames)
