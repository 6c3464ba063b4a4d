"""All tests, as `make test` runs them: `python -m tests.support.whole`.

Two processes side by side (streams.py); then what failed in that company once more, alone. Some nine thousand tests
with browsers, containers and kills meet, once in some runs, what is not theirs: a browser's driver that loses an
answer, a machine that stood still. A fault is there again when its test runs alone, and fails the run. What passes then
is named, and its failure stays in the output: it is a flake to be understood, and not hidden.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

MOST_REPEATED = 3  # more have one cause, which is to be seen at once
REPORTS = Path("reports")
PASSED, FAILED = 0, 1  # pytest's exit codes; any other says that it could not do its work
CRASHED = 70  # a process ended without pytest's having finished


class Ended(NamedTuple):
    """How one of the processes ended."""

    code: int
    failed: list[str]


def main() -> int:
    """Run all; returns an exit code."""
    with tempfile.TemporaryDirectory() as folder:
        both = _streams(Path(folder))
    worst = max(each.code for each in both)
    failed = [test for each in both for test in each.failed]
    if worst != FAILED or len(failed) > MOST_REPEATED:
        return worst
    print(f"\nOnce more, alone: {len(failed)} that failed in company (tests/support/whole.py)", flush=True)
    code = subprocess.call([sys.executable, "-m", "pytest", *failed])
    if code == PASSED:
        print("FLAKY, passed alone, failed in company as told above:", *failed, sep="\n  ", flush=True)
    return code


def _streams(folder: Path) -> list[Ended]:
    """Both processes, side by side. What the second one says comes at the end."""
    taken = folder / "taken"
    taken.mkdir()
    stream: list[str | Path] = [
        sys.executable, "-m", "pytest", "-p", "tests.support.streams", "--taken", taken, "tests",
    ]  # fmt: skip
    REPORTS.mkdir(exist_ok=True)
    with (
        (REPORTS / "tests.log").open("w+", errors="replace") as log,
        subprocess.Popen(
            [*stream, "--from=back", "--failed", folder / "back"], stdout=log, stderr=subprocess.STDOUT
        ) as back,
        subprocess.Popen([*stream, "--from=front", "--failed", folder / "front"]) as front,
    ):
        both = [_ended(front.wait(), folder / "front"), _ended(back.wait(), folder / "back")]
        log.seek(0)
        print(log.read(), flush=True)
    return both


def _ended(code: int, told: Path) -> Ended:
    """What a process's exit code and its list of failures say together: a crash says 1, or even 0, and leaves none."""
    failed = told.read_text().splitlines() if told.exists() else None
    if failed is None or code < 0 or (code == FAILED) != bool(failed):
        return Ended(code if code > FAILED else CRASHED, failed or [])
    return Ended(code, failed)


if __name__ == "__main__":
    sys.exit(main())
