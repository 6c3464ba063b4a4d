"""What waits for all tabs of a session has a bound, and a tab that does not read goes when another needs the room."""

import asyncio
import json

import pytest

from htag.limits import Limits
from htag.observer import Observer
from htag.session import room
from htag.session.room import IN_USE, LISTENING, REFUSED, Room
from htag.web.elsewhere import TRY_LATER
from htag.web.event_stream import StreamChannel
from htag.web.outbox import LARGE_FRAME
from tests.htag.web.slow_browser import Browser, Listener, Scene, scene, turns
from tests.support.channels import Frame
from tests.support.observers import RecordingObserver
from tests.support.waiting import passed, until

__all__ = ["scene"]  # a fixture

MIB = 1 << 20


class Tab:
    def __init__(self) -> None:
        self.given_up = 0

    def give_up(self) -> None:
        self.given_up += 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "STALLED", 0.05)


async def test_a_single_frame_always_has_room() -> None:
    assert Room(Observer(), 10).has(1000)


async def test_a_tab_in_use_has_more_room_than_a_listener_and_a_refused_one_least() -> None:
    bounds = RecordingObserver()
    here = Room(bounds, 100)
    here.take(Tab(), 20)
    assert [here.has(30, share) for share in (IN_USE, LISTENING, REFUSED)] == [True, True, False]
    assert [here.has(80, share) for share in (IN_USE, LISTENING, REFUSED)] == [True, False, False]
    assert bounds.labels("session_limited") == ["waiting"] * 3


async def test_where_a_used_tab_had_to_wait_those_that_were_refused_take_nothing() -> None:
    here = Room(Observer(), 100)
    tab = Tab()
    here.take(tab, 90)
    assert not here.has(20, IN_USE)
    here.give_back(tab, 90)
    assert not here.has(1, REFUSED)
    assert here.has(20, IN_USE)


@pytest.mark.usefixtures("quick")
async def test_a_tab_that_holds_the_room_is_given_up_once_when_another_waits() -> None:
    here = Room(Observer(), 100)
    slow, later = Tab(), Tab()
    here.take(slow, 90)
    await passed(0.1)
    assert not slow.given_up  # nobody waits
    assert not here.has(20)
    await until(lambda: slow.given_up)
    here.give_back(slow, 90)
    here.take(later, 90)
    assert not here.has(20)
    await until(lambda: later.given_up)
    assert (slow.given_up, later.given_up) == (1, 1)


# -- frames that are large


def widen(scene: Scene, size: int) -> None:
    scene.session.room.limit = size


async def test_a_large_frame_counts_until_it_has_left(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.one_by_one = True
    socket.put(Frame("x" * (LARGE_FRAME + 1)))
    await socket.flush()  # whoever reads the tab's messages need not wait
    await until(lambda: browser.frames)
    assert scene.session.room.taken == LARGE_FRAME + 1
    socket.put(Frame("after"))
    browser.reads.set()
    await until(lambda: len(browser.frames) == 2)  # that nothing changed: the server took it, so the first has left
    assert json.loads(browser.frames[1])["updates"] == {}
    browser.one_by_one = False
    browser.reads.set()
    await until(lambda: len(browser.frames) == 3)
    assert browser.frames[2] == "after"
    await until(lambda: scene.session.room.taken == 0)


async def test_tabs_that_do_not_read_share_the_room_and_one_that_is_used_goes_on(scene: Scene) -> None:
    widen(scene, 3 * MIB)
    deaf = [scene.socket() for _ in range(10)]
    used, browser = scene.socket()
    for channel, _ in [*deaf, (used, browser)]:
        scene.session.attach(channel, scene.session.revision)
        await channel.open()
    for _, far in deaf:
        far.reads.clear()
    used.in_use = True
    scene.app.word.value = "w" * 500_000
    for number in range(5):
        scene.app.word.value = f"{number}" + "w" * 500_000
        scene.session.push()
        await until(lambda: any(f">{number}ww" in frame for frame in browser.frames))  # noqa: B023
        assert scene.session.room.taken <= 3 * MIB
    assert scene.observer.labels("client_fell_behind")


async def test_what_waits_behind_a_frame_counts_although_it_is_alone(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.reads.clear()
    socket.put(Frame("a"))
    socket.wake()
    await turns()
    socket.put(Frame("b" * 9000))
    assert scene.session.room.taken == 9000
    socket.put(Frame("c" * 9000))
    assert scene.session.room.taken == 0  # more than `outbox_bytes`: a full render takes its place
    assert scene.observer.labels("client_fell_behind") == ["websocket"]


@pytest.mark.usefixtures("quick")
async def test_a_socket_that_others_wait_for_is_closed(scene: Scene) -> None:
    widen(scene, MIB)
    deaf, far = scene.socket()
    used, browser = scene.socket()
    for channel in (deaf, used):
        scene.session.attach(channel, scene.session.revision)
        await channel.open()
    used.in_use = True
    frame = "x" * (MIB // 2 - 1)
    far.one_by_one = True
    deaf.put(Frame(frame))
    await deaf.flush()
    used.put(Frame("y" * (MIB - 1)))
    await used.flush()
    assert scene.observer.labels("client_fell_behind") == ["websocket"]
    far.one_by_one = False
    await passed(0.1)
    far.gone = True  # as our server does it, where it has to close what is not read
    far.reads.set()
    await until(lambda: len(browser.frames) == 2)
    assert not deaf._frames
    assert scene.session.room.taken == 0


@pytest.mark.usefixtures("quick")
async def test_a_stream_that_others_wait_for_ends(scene: Scene) -> None:
    widen(scene, MIB)
    browser, listener = Browser(), Listener()
    stream = StreamChannel(scene.session, browser.send)
    scene.session.attach(stream, scene.session.revision)
    running = asyncio.ensure_future(stream.run(listener.receive))
    await until(lambda: browser.stream)
    browser.reads.clear()
    stream.put(Frame("x" * (MIB - 1)))
    stream.wake()
    await until(lambda: scene.session.room.taken)
    assert not scene.session.room.has(10)
    await asyncio.wait_for(running, 5)
    assert scene.session.room.taken == 0


async def test_a_large_event_is_written_in_pieces(scene: Scene) -> None:
    browser, listener = Browser(), Listener()
    stream = StreamChannel(scene.session, browser.send)
    text = "é" * (3 * LARGE_FRAME)
    stream.put(Frame(text))
    running = asyncio.ensure_future(stream.run(listener.receive))
    await until(lambda: ": read" in browser.stream)
    assert browser.stream == f"data: {text}\n\n: read\n\n"
    assert max(len(message["body"]) for message in browser.messages) <= 2 * LARGE_FRAME
    listener.leave()
    await asyncio.wait_for(running, 5)


async def test_a_connection_that_is_over_leaves_nothing(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.reads.clear()
    socket.put(Frame("x" * MIB))
    await socket.flush()
    socket.put(Frame("y" * 100))
    assert scene.session.room.taken
    socket.gone()
    await turns()
    assert scene.session.room.taken == 0
    assert not scene.session.room._holders


async def test_a_session_that_ends_closes_a_tab_after_its_large_frame(scene: Scene) -> None:
    socket, browser = scene.socket()
    browser.one_by_one = True
    scene.session.attach(socket, scene.session.revision)
    socket.put(Frame("x" * MIB))
    await socket.flush()
    scene.session.close()
    browser.one_by_one = False
    browser.reads.set()
    await until(lambda: browser.messages[-1]["type"] == "websocket.close")
    assert browser.messages[-1]["code"] == 4404 != TRY_LATER


async def test_what_all_share_has_no_common_room() -> None:
    from htag.session.registry import SessionRegistry
    from htag.session.session import Session
    from htag.wire.codec import Codec
    from tests.htag.web.slow_browser import Board

    registry = SessionRegistry(limits=Limits(session_tabs=2, max_sessions=100), observer=Observer())
    registry.share(lambda identity: Session(identity, Board(), Codec(), Observer(), registry.limits))
    assert registry.shared is not None
    assert registry.shared.room.limit == float("inf")
    assert registry.most_tabs(registry.shared) == 100
    await registry.close()
