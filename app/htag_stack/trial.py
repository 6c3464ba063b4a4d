"""A trial of HTAG_APP in a process of its own, before any worker has to rely on it.

The arbiter must not import the app itself: a thread, a connection or a client that a module makes would be dead or
shared in every worker. So a child imports it, says in one sentence what is wrong, and is gone. A module that does
something when it is imported thus does it once more at each start and each reload than there are workers.
"""

import contextlib
import os
import signal
import sys
import time
import traceback
from typing import NoReturn

from htag_stack.brought_app import load_app
from htag_stack.errors import StartError

# For a module, in the trial and in a worker. More than any set of libraries takes on a busy machine; an app that loads
# gigabytes does it later, in a thread, or visitors of a replacement worker would wait as long.
IMPORT_SECONDS = 60.0
_LOOK_EVERY = 0.02  # seconds

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def try_app(path: str, seconds: float = IMPORT_SECONDS) -> None:
    """Import the app at `path` in a child process, within `seconds`. Raises `StartError` if it cannot be served."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()  # else the child would say it once more
    if not (pid := os.fork()):
        _import_and_exit(path, writing)
    os.close(writing)
    with open(reading) as said:
        status = _ended(pid, seconds)
        if status is None:
            raise StartError(
                f"HTAG_APP={path}: importing it had not ended after {seconds:g} s; what serves or computes at once "
                'belongs below `if __name__ == "__main__":`.'
            )
        if status != 0:
            os.set_blocking(reading, False)  # a grandchild that lives on may keep the other end open
            raise StartError(_read(said.fileno()) or f"HTAG_APP={path}: importing it ended the process ({status}).")


def _read(descriptor: int) -> str:
    with contextlib.suppress(BlockingIOError):
        return os.read(descriptor, 1 << 16).decode()
    return ""


def _ended(pid: int, seconds: float) -> int | None:
    """The exit code of the child, the negative number of the signal that ended it, or None: it had to be killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_LOOK_EVERY)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _import_and_exit(path: str, writing: int) -> NoReturn:
    """Import the app in the child and end the process, so that the child never returns to the arbiter's code."""
    code = 1
    try:
        for number in _HANDLED:
            signal.signal(number, signal.SIG_DFL)
        load_app(path)
        code = 0
    except StartError as error:
        os.write(writing, str(error).encode(errors="replace"))  # shorter than what a pipe holds
    except BaseException:  # noqa: BLE001 - the process ends below
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # at once: threads that the module has started end with it
