"""`python -m bench`: everything that is measured, in one run, as a table."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from operator import le
from pathlib import Path
from typing import Any

from bench.asleep import asleep_lines
from bench.bars import KIB, Round, page_lines
from bench.environments import ROOT, Candidate, candidates, shown_candidates
from bench.lifetimes import memory_after_each_cycle
from bench.painted import painted_lines
from bench.parano import parano_seconds
from bench.parked import parked_lines
from bench.readings import ROWS, Effort, read
from bench.snapshots import snapshot_lines
from bench.stalls import stall_lines
from bench.stored import store_urls, stored_lines
from bench.table import Line, table

TREES = ROOT / "bench" / "trees.py"
DEEP_LEVELS = 5_000
SERVED = ("deployed", "embedded")  # the program, and `WebApp(App).app` under uvicorn with no options
PLATEAU_CYCLE = 3  # by then the allocator holds what a full cycle needs; later growth is a leak
STAYS_KIB = 3  # for each visitor who came and went


def main() -> None:
    options = parse_options()
    effort = Effort(pages=0.4, sessions=50, seconds=1.5) if options.quick else Effort()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        everyone = candidates(f"sqlite:///{folder}/sessions.db")  # outside of the process, as in every deployment
        for tags in ROWS:
            rounds = read_rounds(everyone, tags, effort, options.rounds)
            lines += announce(f"page of {tags} tags", page_lines(tags, rounds))
    for tags in ROWS:
        lines += announce(f"in Chromium, {tags} tags", painted_lines(shown_candidates(), tags))
    ours, _, _, published, _ = everyone
    lines += announce("trees", tree_lines(ours, published))
    lines += announce("parano, 1 MB", parano_lines())
    allow_many_connections()
    with store_urls() as urls:
        for name in SERVED:
            candidate = Candidate(name, sys.executable, name)
            lines += announce(f"{name}: lifetimes", lifetime_lines(candidate, 1_000, 5 if options.quick else 10))
            if name == "deployed":
                lines += announce(
                    "deployed: left in memory://", left_lines(candidate, 1_000, 5 if options.quick else 10)
                )
            few, many, seconds = (50, 500, 5.0) if options.quick else (100, 6_000, 20.0)
            store = best_of(urls) if name == "deployed" else ""
            lines += announce(f"{name}: stalls", stall_lines(candidate, (few, many), seconds, store))
        lines += survival_lines(urls, quick=options.quick)
    if options.json:
        options.json.write_text(json.dumps([line.as_json() for line in lines], indent=2))


def survival_lines(urls: dict[str, str], *, quick: bool) -> list[Line]:
    """What it costs that sessions outlive their worker."""
    lines: list[Line] = []
    for tags in ROWS:
        lines += announce(f"snapshot of {tags} tags", snapshot_lines(tags))
    lines += announce("deployed: events per CPU-second, by store", stored_lines(urls, 2 if quick else 5))
    for tags, wave in ((65, 20 if quick else 100), (3000, 5 if quick else 30)):
        lines += announce(f"deployed: asleep, {tags} tags", asleep_lines(best_of(urls), tags, wave))
    sessions, times = (500, 3) if quick else (5_000, 10)
    title = f"deployed: {sessions:,} sessions leave and come back"
    return lines + announce(title, parked_lines(best_of(urls), sessions, times))


def best_of(urls: dict[str, str]) -> str:
    """The store that is outside of the measured process: Valkey, or a file where that is not here."""
    return urls.get("valkey", urls["sqlite"])


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds a candidate; medians are shown (default 3)")
    parser.add_argument("--quick", action="store_true", help="fewer sessions, shorter clicking, for a first look")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    return parser.parse_args()


def read_rounds(everyone: list[Candidate], tags: int, effort: Effort, rounds: int) -> list[Round]:
    """So many rounds, each with everyone."""
    readings: list[Round] = []
    for number in range(1, rounds + 1):
        print(f"page of {tags} tags, round {number} of {rounds}", file=sys.stderr)
        readings.append(read(everyone, tags, effort))
    return readings


def tree_lines(ours: Candidate, published: Candidate) -> list[Line]:
    """Children one by one, and depth. Published htag is quadratic: a fewer of them, to see the growth."""
    mine, theirs = grow(ours, 5_000, 10_000), grow(published, 1_500, 3_000)
    (half, whole), (their_half, their_whole) = mine["children"].values(), theirs["children"].values()
    return [
        Line("10 000 children on and off, s", whole, None, None, whole, "s", 1.0, le),
        Line(
            "… of the time for half as many", whole / half, their_whole / their_half, None, whole / half, "x", 2.5, le
        ),
        Line(f"a tree of {DEEP_LEVELS} levels renders", mine["deep"], theirs["deep"], None, mine["deep"], "", 1),
    ]


def grow(candidate: Candidate, *children: int) -> dict[str, Any]:
    """What `trees.py` prints, under the candidate's Python."""
    command = [candidate.python, str(TREES), "--levels", str(DEEP_LEVELS), "--children", *map(str, children)]
    output = subprocess.run(command, cwd="/", check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def parano_lines() -> list[Line]:
    incoming, outgoing = parano_seconds()
    return [
        Line("ms in", incoming * 1e3, None, None, incoming * 1e3, "ms", 5, le),
        Line("ms out", outgoing * 1e3, None, None, outgoing * 1e3, "ms", 5, le),
    ]


def lifetime_lines(candidate: Candidate, sessions: int, cycles: int) -> list[Line]:
    """Memory before, after the first cycles, and at the end: it stays where it was."""
    memory = memory_after_each_cycle(candidate, sessions, cycles)
    before, *after = (used / KIB**2 for used in memory)
    growth = memory[-1] / memory[PLATEAU_CYCLE]
    stays = (memory[-1] - memory[PLATEAU_CYCLE]) / (cycles - PLATEAU_CYCLE) / sessions / KIB
    return [
        Line("MiB before", before),
        *(Line(f"MiB after {n} x {sessions:,} sessions", used) for n, used in enumerate(after, 1)),
        Line(f"… the last against number {PLATEAU_CYCLE}", growth, None, None, growth, "x", 1.05, le),
        Line("… KiB stay of each visitor since", stays, None, None, stays, "KiB", STAYS_KIB, le),
    ]


def left_lines(candidate: Candidate, sessions: int, cycles: int) -> list[Line]:
    """What the deployed program keeps, for a day, of each visitor who has left, where its store is in its memory."""
    memory = memory_after_each_cycle(candidate, sessions, cycles, forgets=False)
    stays = (memory[-1] - memory[PLATEAU_CYCLE]) / (cycles - PLATEAU_CYCLE) / sessions / KIB
    return [Line("KiB of each visitor who has left", stays, None, None, stays, "KiB", STAYS_KIB, le)]


def allow_many_connections() -> None:
    """Thousands of sockets at both ends, which the servers inherit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def announce(title: str, lines: list[Line]) -> list[Line]:
    """Show a part of the table as soon as it is known."""
    print(f"\n{title}\n{table(lines)}", flush=True)
    return lines


if __name__ == "__main__":
    main()
