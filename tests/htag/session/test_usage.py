"""What is counted and estimated of all sessions together."""

import asyncio

from htag import Tag
from htag.tree.footprint import TASK
from tests.htag.session.house import Build, house
from tests.support.channels import RecordingChannel

__all__ = ["house"]


async def test_connections_are_counted_by_transport(house: Build) -> None:
    home = house()
    session = home.open()
    for transport in ("websocket", "websocket", "sse", "http"):
        home.registry.connect(session, RecordingChannel(transport), None)
    assert home.registry.usage.connections() == {"websocket": 2, "sse": 1, "http": 0}
    session.last_poll_at = asyncio.get_running_loop().time()
    assert home.registry.usage.connections() == {"websocket": 2, "sse": 1, "http": 1}
    session.last_poll_at -= 61
    assert home.registry.usage.connections()["http"] == 0


async def test_only_sessions_in_which_something_happened_are_measured_and_only_so_many_at_a_time(house: Build) -> None:
    home = house()
    sessions = [home.open() for _ in range(5)]
    assert home.registry.usage.memory() == 0
    home.registry.usage.measure(2)
    assert len(home.registry.usage.memory_by_session()) == 2
    for _ in range(5):  # a slow machine may need more than one
        home.registry.usage.measure()
    sizes = home.registry.usage.memory_by_session()
    assert len(sizes) == 5
    assert home.registry.usage.memory() == sum(sizes)
    sessions[0].app.add(*(Tag.p("text") for _ in range(100)))
    home.registry.usage.measure()
    assert home.registry.usage.memory() == sum(sizes)
    home.registry.release(sessions[0])
    home.registry.usage.measure()
    assert home.registry.usage.memory() > sum(sizes)


async def test_tasks_of_a_session_count(house: Build) -> None:
    home = house()
    session = home.open()
    home.registry.usage.measure()
    before = home.registry.usage.memory()
    for _ in range(10):
        session.tasks.spawn(asyncio.sleep(3600))
    home.registry.usage.note_activity(session)
    home.registry.usage.measure()
    assert home.registry.usage.memory() - before == 10 * TASK


async def test_what_ended_is_not_counted(house: Build) -> None:
    home = house()
    session = home.open()
    home.registry.usage.measure()
    assert home.registry.usage.memory() > 0
    home.registry.end(session, "expired")
    home.registry.usage.measure()
    assert (home.registry.usage.memory(), home.registry.usage.memory_by_session()) == (0, [])
