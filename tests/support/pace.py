"""How many times slower than alone a program runs, because others want its cores at the same time.

    with Pace() as pace:
        …
    assert seconds / pace.slowdown < 3

What the tested programs themselves want counts too, which on two idle cores makes nearly no difference.
"""

import subprocess
import sys
import threading
import time
from typing import Self

from tests.support.source import ROOT

PIECE = 0.03  # seconds of a core: longer than the kernel gives one to a program that has just waited
PAUSE = 0.3  # seconds between two pieces: a tenth of a core is all that this takes


class Pace:
    """Has a process of its own compute a little now and then, and looks how long that takes. Done at its end."""

    def __enter__(self) -> Self:
        self.slowdown = 1.0
        command = [sys.executable, "-m", "tests.support.pace"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, error: object, *_: object) -> None:
        said = self._process.communicate()[0]  # which closes its input: that ends it
        if error is None:  # an interrupt ends both
            self.slowdown = max(1.0, float(said))


def measured(stop: threading.Event) -> float:
    """Seconds for each second of a core, until `stop` is set; at least one piece is measured."""
    passed = had = 0.0
    while True:
        started, used = time.monotonic(), time.process_time()
        while time.process_time() - used < PIECE:
            pass
        passed, had = passed + time.monotonic() - started, had + time.process_time() - used
        if stop.wait(PAUSE):
            return passed / had


def main() -> None:
    """Measure until the input ends, and print it."""
    stop = threading.Event()
    threading.Thread(target=_set_at_the_end_of_input, args=(stop,)).start()
    print(measured(stop))


def _set_at_the_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main()
