"""`htag_stack.wear`: a worker whose memory is mostly free is replaced, when that disturbs nobody."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from htag_stack import wear as module
from htag_stack.wear import LEAST, Wear
from tests.app.processes import GUNICORN, Start
from tests.app.visiting import Visitor, click, get, health, is_live, pid_of
from tests.support.clock import Clock
from tests.support.waiting import STACK_SECONDS, eventually


class Memory:
    resident = 300 << 20
    reusable = 200 << 20


class Registries:
    """Those of a calm worker."""

    def __init__(self) -> None:
        self.saved = {"saved": 50, "dirty": 0, "pinned": 0, "asleep": 10}
        self.states = {"new": 0, "connected": 3, "disconnected": 0}
        self.tabs = {"websocket": 3, "sse": 0, "http": 0}

    def snapshot_counts(self) -> dict[str, int]:
        return self.saved

    def counts(self) -> dict[str, int]:
        return self.states

    def connections(self) -> dict[str, int]:
        return self.tabs


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    return clock


def worn_after(clock: Clock, memory: Any, registries: Any, patience: float, seconds: float) -> bool:
    wear = Wear(memory, registries, patience)
    wear.look()
    clock.now += seconds
    wear.look()
    return wear.is_worn


def test_a_calm_worker_that_stays_empty_is_worn_after_its_patience(clock: Clock) -> None:
    assert not worn_after(clock, Memory(), Registries(), 600, 899)
    assert worn_after(clock, Memory(), Registries(), 600, 900)


def test_without_patience_no_worker_is_worn(clock: Clock) -> None:
    assert not worn_after(clock, Memory(), Registries(), 0, 10_000)


@pytest.mark.parametrize(
    ("what", "name", "number"),
    [("saved", "pinned", 1), ("saved", "dirty", 1), ("states", "new", 1), ("tabs", "sse", 18)],
)
def test_whoever_would_notice_is_waited_for(clock: Clock, what: str, name: str, number: int) -> None:
    registries = Registries()
    getattr(registries, what)[name] = number
    assert not worn_after(clock, Memory(), registries, 600, 1000)


@pytest.mark.parametrize(("resident", "reusable"), [(300 << 20, 149 << 20), (LEAST + 1, LEAST)])
def test_memory_that_is_used_or_little_is_no_reason(clock: Clock, resident: int, reusable: int) -> None:
    memory = Memory()
    memory.resident, memory.reusable = resident, reusable
    assert not worn_after(clock, memory, Registries(), 600, 1000)


def test_a_moment_s_use_begins_the_time_anew(clock: Clock) -> None:
    registries = Registries()
    wear = Wear(Memory(), registries, 600)  # type: ignore[arg-type]  # what it asks of both
    wear.look()
    clock.now += 899
    registries.tabs["websocket"] = 30
    wear.look()
    registries.tabs["websocket"] = 3
    clock.now += 1
    wear.look()
    assert not wear.is_worn


APP = """
from htag import Tag


class Large(Tag.App):
    def init(self):
        self.number = 0
        self.shown = Tag.span("0")
        Tag.button("+", _id="more", _onclick=self.more)
        for n in range(3000):
            Tag.div(str(n), _class="row")

    def more(self, event):
        self.number += 1
        self.shown.text = str(self.number)
"""


def test_memory_that_a_crowd_has_left_behind_goes_back_to_the_system(
    start: Start, free_base: int, tmp_path: Path
) -> None:
    """One person stays; their count goes on in the worker that follows."""
    (tmp_path / "large.py").write_text(APP)
    settings = {"HTAG_APP": "large:Large", "HTAG_PORT": str(free_base), "WEB_CONCURRENCY": "1"}
    times = {"HTAG_SESSION_NEW_SECONDS": "15", "HTAG_SESSION_GRACE_SECONDS": "1", "HTAG_RECYCLE_SECONDS": "2"}
    server = start(*GUNICORN, HTAG_STORE=f"sqlite:///{tmp_path}/htag.db", **settings, **times)
    port = free_base + 1
    eventually(lambda: is_live(port), "the worker serves")
    before, first = psutil.Process(pid_of(port)).memory_info().rss, pid_of(port)
    stays = Visitor(port)
    with stays.socket() as websocket:
        stays.fire(websocket, "more", "")
        eventually(lambda: health(port)["snapshots"]["saved"] == 1, "the one who stays to be saved")
        most = before
        begun = time.monotonic()
        while most < before + 3 * LEAST:  # pages are over after 15 s: with 5 a busy machine never had so many at once
            assert get(port).status == 200
            most = psutil.Process(first).memory_info().rss
            assert time.monotonic() - begun < 2 * STACK_SECONDS, f"{(most - before) >> 20} MiB of {3 * LEAST >> 20}"
        eventually(lambda: pid_of(port) != first, "a fresh worker", 2 * STACK_SECONDS)
    with stays.socket() as websocket:
        assert ">2<" in json.dumps(click(websocket))
    assert psutil.Process(pid_of(port)).memory_info().rss < before * 1.15
    server.send(signal.SIGTERM)
    server.ended()
    assert "a fresh one takes its place" in server.stdout() + server.stderr()
