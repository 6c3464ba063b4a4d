"""A session goes from state to state as the field says, whatever happens to it."""

import itertools
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headless.asgi import Site
from headless.errors import Disconnected
from htag import Tag, WebApp
from htag.limits import Limits
from htag.observer import Observer
from htag.session.session import UNKNOWN_SESSION, Session
from htag.session.status import ImpossibleTransition, SessionState, transition
from htag.wire.codec import Codec
from tests.support.channels import RecordingChannel
from tests.support.visits import shut_down

NEW, CONNECTED, DISCONNECTED, CLOSED = SessionState
POSSIBLE = {
    (NEW, CONNECTED),
    (CONNECTED, DISCONNECTED),
    (DISCONNECTED, CONNECTED),
    (NEW, CLOSED),
    (CONNECTED, CLOSED),
    (DISCONNECTED, CLOSED),
}


@pytest.mark.parametrize(("current", "following"), [*itertools.product(SessionState, repeat=2)])
def test_only_some_states_follow_each_other(current: SessionState, following: SessionState) -> None:
    if (current, following) in POSSIBLE:
        assert transition(current, following) is following
    else:
        with pytest.raises(ImpossibleTransition, match=f"{current.value} cannot become {following.value}"):
            transition(current, following)


def session() -> Session:
    session = Session("id", Tag.App("hello"), Codec(), Observer(), Limits())
    session.start()
    return session


async def test_a_session_is_connected_from_its_first_channel_to_its_last() -> None:
    here, first, second = session(), RecordingChannel(), RecordingChannel()
    states = [here.state]
    for step in (
        lambda: here.page(),
        lambda: here.attach(first),
        lambda: here.attach_once(second),
        lambda: here.detach(first),
        lambda: here.detach(first),  # gone already
        lambda: here.detach(second),
        lambda: here.attach(first),
        lambda: here.close(),
        lambda: here.close(),
        lambda: here.detach(first),
    ):
        step()
        states.append(here.state)
    connected, closed = [CONNECTED], [CLOSED]
    assert states == [NEW, NEW, *connected * 4, DISCONNECTED, CONNECTED, *closed * 3]


@pytest.mark.parametrize("seed", range(20))
async def test_nothing_that_can_happen_is_an_impossible_transition(seed: int) -> None:
    chance, here = random.Random(seed), session()
    channels = [RecordingChannel() for _ in range(3)]
    here.page()
    for _ in range(30):
        channel = chance.choice(channels)
        if channel in here.channels:
            here.detach(channel)
        else:
            chance.choice((here.attach, here.attach_once))(channel)
        if chance.random() < 0.03:
            here.close()
        assert (here.state is CONNECTED) is bool(here.channels) or here.state is CLOSED
        assert here.state is not NEW
    await here.finished()


async def test_a_channel_that_comes_too_late_is_ended_and_not_attached() -> None:
    """Between looking up a session and attaching to it, a transport waits for the server."""
    here, late = session(), RecordingChannel()
    here.close()
    here.attach(late)
    assert (late.ended, late.frames, here.channels) == (True, [], [])
    await here.finished()


@pytest.fixture
async def ending(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A browser whose session ends between being found and being connected to."""
    web = WebApp(Tag.App)
    site = Site(web.app)
    await site.get()
    connect = web.registry.connect

    def connect_late(session: Session, *tab: Any) -> None:
        web.registry.end(session, "expired")
        connect(session, *tab)

    monkeypatch.setattr(web.registry, "connect", connect_late)
    yield site
    await shut_down(web)


async def test_a_websocket_that_comes_too_late_is_closed_as_one_of_an_unknown_session(ending: Site) -> None:
    socket = await ending.websocket("/ws")
    with pytest.raises(Disconnected) as refused:
        await socket.receive()
    assert refused.value.code == UNKNOWN_SESSION


async def test_a_stream_that_comes_too_late_ends(ending: Site) -> None:
    answer = await ending.get("/stream")
    assert (answer.status, answer.body) == (200, b"")
