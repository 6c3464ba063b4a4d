import asyncio

import pytest

from htag.errors import StoreError
from htag.stores.waiting_line import WaitingLine


class Visit:
    """One that goes in and stays until it is told to leave."""

    def __init__(self, line: WaitingLine) -> None:
        self._leave = asyncio.Event()
        self.inside = False
        self.task = asyncio.create_task(self._visit(line))

    async def _visit(self, line: WaitingLine) -> None:
        async with line:
            self.inside = True
            await self._leave.wait()

    async def leave(self) -> None:
        self._leave.set()
        await self.task
        await asyncio.sleep(0)


async def visits(line: WaitingLine, count: int) -> list[Visit]:
    found = [Visit(line) for _ in range(count)]
    await asyncio.sleep(0)
    return found


def who(visits: list[Visit]) -> list[int]:
    return [number for number, visit in enumerate(visits) if visit.inside]


async def test_so_many_are_let_in_and_the_others_in_order() -> None:
    line = WaitingLine(2)
    here = await visits(line, 5)
    assert who(here) == [0, 1]
    await here[1].leave()
    assert who(here) == [0, 1, 2]
    await here[0].leave()
    assert who(here) == [0, 1, 2, 3]
    for each in (here[2], here[3], here[4]):
        await each.leave()
    assert who(await visits(line, 3)) == [0, 1]


async def test_one_that_is_called_off_is_passed_over() -> None:
    line = WaitingLine(1)
    here = await visits(line, 3)
    here[1].task.cancel()
    await asyncio.wait([here[1].task])
    await here[0].leave()
    assert who(here) == [0, 2]
    await here[2].leave()


async def test_one_that_is_called_off_in_the_moment_of_its_turn_gives_it_on() -> None:
    line = WaitingLine(1)
    here = await visits(line, 3)
    here[0]._leave.set()
    await asyncio.sleep(0)  # the first leaves: the second's turn has come, and it has not run yet
    here[1].task.cancel()
    await asyncio.wait([here[1].task])
    await asyncio.sleep(0)
    assert who(here) == [0, 2]
    await here[2].leave()


async def test_all_that_wait_can_be_sent_away_and_those_inside_stay() -> None:
    line = WaitingLine(1)
    here = await visits(line, 3)
    line.send_away("it is silent")
    results = await asyncio.gather(here[1].task, here[2].task, return_exceptions=True)
    assert [str(each) for each in results] == ["it is silent", "it is silent"]
    assert {type(each) for each in results} == {StoreError}
    await here[0].leave()
    (later,) = await visits(line, 1)
    assert later.inside
    await later.leave()


async def test_an_error_inside_frees_the_place() -> None:
    line = WaitingLine(1)
    with pytest.raises(KeyError):
        async with line:
            raise KeyError
    async with line:
        pass
