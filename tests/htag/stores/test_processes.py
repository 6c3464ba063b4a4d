"""Several processes, as workers are, with one store."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from htag.stores import open_store
from htag.stores.base import Save
from tests.support.source import ROOT
from tests.support.waiting import PATIENCE

TURNS = 50
WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(params=["sqlite", "valkey"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/sessions.db"
    found: str = request.getfixturevalue("valkey_url")
    return found


async def output(url: str, name: str) -> list[tuple[int, int]]:
    """Run a worker to its end: the generations it was given, and 1 where its save was accepted."""
    command = [sys.executable, str(WORKER), url, name, str(TURNS)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env=environment)
    out, _ = await asyncio.wait_for(process.communicate(), 3 * PATIENCE)
    assert process.returncode == 0
    lines = [line.split() for line in out.decode().splitlines()]
    return [(int(generation), int(saved)) for generation, saved in lines]


async def test_claims_of_several_processes_have_one_order_and_the_last_save_is_the_last_claimant_s(
    url: str, name: str
) -> None:
    store = open_store(url)
    await store.save([Save(name, 1, "", b"")])
    outputs = await asyncio.gather(*(output(url, name) for _ in range(4)))
    everything = sorted(each for lines in outputs for each in lines)
    assert len({generation for generation, _ in everything}) == 4 * TURNS
    for lines in outputs:
        assert len(lines) == TURNS
        assert lines == sorted(lines), "a later claim has a greater generation"
    found = await store.peek(name)
    assert found is not None
    assert (found.generation, 1) == everything[-1], "after the last claim no other worker can save"
    await store.close()
