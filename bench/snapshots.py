"""What a snapshot takes: bytes, and milliseconds to make and to load, for each 1 000 tags. In this process."""

import asyncio
import gc
import time
from collections.abc import Callable
from operator import le
from statistics import median
from typing import Any

from bench.measured_app import Large, Small
from bench.readings import ROWS
from bench.table import Line
from htag.snapshot import api
from htag.snapshot.envelope import FORMAT, Header
from htag.tree.live import live_tree

REPEATS = {65: 1000, 3000: 200}
WAKE_MS = {65: 3.0, 3000: 20.0}
ENTITIES = {65: Small, 3000: Large}
KEY = b"k" * 32
SESSION = "of the bench"
DUMP_MS, LOAD_MS, STORED_KIB = 4.0, 4.0, 18.0  # for 1 000 tags; a small page has some of it that is the same for all


def snapshot_lines(tags: int) -> list[Line]:
    """Medians, for a page of that many tags."""
    return asyncio.run(_lines(tags))


async def _lines(tags: int) -> list[Line]:
    entity = ENTITIES[tags]
    api.prepare(entity)
    app = entity()
    live_tree(app).render_page()
    count = (3 * ROWS[tags] + 5) / 1000
    payload, dumping = timed(lambda: api.dump(app), REPEATS[tags])
    header = Header(
        format=FORMAT,
        app=api.entity_path(entity),
        python="",
        fingerprint="",
        key="",
        owner="",
        head=1,
        opened_at=0.0,
        saved_at=0.0,
        size=0,
        tabs=[],
    )
    data, sealing = timed(lambda: api.seal(header, payload, SESSION, KEY), REPEATS[tags])
    opening = times_of(lambda: api.load(api.unseal(data, SESSION, KEY).payload(), entity), REPEATS[tags])
    loading, p99 = median(opening), sorted(opening)[len(opening) * 99 // 100] * 1e3
    stored, dumped = len(data) / 1024 / count, (dumping + sealing) * 1e3 / count
    loaded = loading * 1e3 / count
    return [
        Line("stored KiB per 1 000 tags", stored, None, None, stored, "KiB", STORED_KIB, le),
        Line("… uncompressed KiB", len(payload) / 1024 / count),
        Line("ms to dump and seal, per 1 000 tags", dumped, None, None, dumped, "ms", DUMP_MS, le),
        Line("… of it to dump", dumping * 1e3 / count),
        Line("ms to verify and load, per 1 000 tags", loaded, None, None, loaded, "ms", LOAD_MS, le),
        Line("… for all of this page, p99", p99, None, None, p99, "ms", WAKE_MS[tags], le),
    ]


def timed(work: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """What `work` returns, and the median of the CPU seconds that it takes."""
    return work(), median(times_of(work, repeats))


def times_of(work: Callable[[], Any], repeats: int) -> list[float]:
    """The CPU seconds of each call, with the garbage collector off, as it is while a session wakes."""
    seconds = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            started = time.process_time()
            work()
            seconds.append(time.process_time() - started)
    finally:
        gc.enable()
    return seconds
