"""The watchdog of the event loop: a thread that looks at what the loop does while it does not turn, and names it.

What blocks in a handler, a hook, a render, a page or in anything else that is `async def` holds up every session of
the worker. Nothing is added to an event for it: a timer of the loop says twenty times a second that it turns, and the
thread looks at the loop's stack when that is late. Files, lines and functions are logged, never a value.
"""

import asyncio
import logging
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Self

import htag
import htag_stack
from htag.tree.tag import GTag

# Seconds. A person feels a delay of 0.1; what takes between that and 0.15 may be missed, because the loop says only
# every 0.05 that it turns. Together with the thread's looks this costs less than two thousandths of a core.
BLOCKED_SECONDS = 0.1
BEAT_SECONDS = 0.05
# While it goes on. The last one is for a worker that gunicorn is about to kill, after 30.
STILL_SECONDS = (1.0, 5.0, 25.0)
QUIET_SECONDS = (
    10.0  # between two lines about the same place that took less than STILL_SECONDS[1]: one visitor can click
)
QUIET_BELOW = 5.0
DEEPEST = 60  # frames in a line; a recursion has thousands

_DEMO = str(Path(htag_stack.__file__).parent / "demo.py")  # the demo: an app like a user's
_OURS = tuple(str(Path(package.__file__).parent) + "/" for package in (htag, htag_stack) if package.__file__)
_INSTALLED = tuple({f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_WAITING = ("/asyncio/runners.py", "/asyncio/base_events.py", "/selectors.py")  # where the loop's own stack ends

logger = logging.getLogger("htag_stack")


class Turn:
    """Collects what the thread saw of one turn of the loop that takes too long."""

    def __init__(self, due: float) -> None:
        """`due`: when it should have been over, by time.monotonic()."""
        self.due = due
        self.said = 0  # how many of STILL_SECONDS
        self._looks: dict[str, int] = {}
        self._stacks: dict[str, str] = {}

    def see(self, name: str, stack: str) -> None:
        """Count that the loop is in the function `name` now, with this stack."""
        self._stacks[name] = stack
        self._looks[name] = self._looks.get(name, 0) + 1

    def longest(self) -> tuple[str, str] | None:
        """The function in which the loop was seen most often, and a stack of it. None: it was never seen."""
        looks = dict(self._looks)  # the thread may be adding one
        name = max(looks, key=lambda name: looks[name], default=None)
        return None if name is None else (name, self._stacks[name])


class Watchdog:
    """Watches the loop in which `with` enters it.

    `blocked` is called, on the loop, for each turn that took too long: with the function's name, and the seconds.
    """

    def __init__(self, blocked: Callable[[str, float], None], limit: float = BLOCKED_SECONDS) -> None:
        self._blocked = blocked
        self._limit = limit
        self._due = 0.0  # when the loop is to say next that it turns, by time.monotonic()
        self._turn = Turn(0.0)  # the last one that was late
        self._said_at: dict[str, float] = {}  # by name
        self._unsaid: dict[str, int] = {}
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._await_beat()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._stopped.set()
        self._thread.join()

    # -- on the loop ---------------------------------------------------------------------------------------------------

    def _await_beat(self) -> None:
        self._due = time.monotonic() + BEAT_SECONDS
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        late, turn = time.monotonic() - self._due, self._turn
        if late > self._limit and turn.due == self._due and (found := turn.longest()) is not None:
            name, stack = found
            self._blocked(name, late)
            self._say(name, f"held up all sessions of this worker for {late:.2f} s", stack, late)
        self._await_beat()

    # -- in the thread -------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            due = self._due
            late = time.monotonic() - due
            if late > self._limit / 2:  # at the limit, it might be over before it has been looked at
                self._look(due, late)

    def _look(self, due: float, late: float) -> None:
        found = seen(self._watched)
        if found is None or self._due != due:
            return
        if self._turn.due != due:
            self._turn = Turn(due)
        turn = self._turn
        turn.see(*found)
        if turn.said < len(STILL_SECONDS) and late > STILL_SECONDS[turn.said]:
            turn.said += 1
            name, stack = found
            self._say(name, f"has held up all sessions of this worker for {late:.0f} s so far", stack, late)

    # -- in either -----------------------------------------------------------------------------------------------------

    def _say(self, name: str, what: str, stack: str, late: float) -> None:
        now = time.monotonic()
        if late < QUIET_BELOW and now - self._said_at.get(name, float("-inf")) < QUIET_SECONDS:
            self._unsaid[name] = self._unsaid.get(name, 0) + 1
            return
        self._said_at[name] = now
        more = self._unsaid.pop(name, 0)
        times = f" (and {more} more times since this was last said)" if more else ""
        logger.warning("%s %s%s: make it async, or use a thread; %s", name, what, times, stack)


# -- stacks ------------------------------------------------------------------------------------------------------------


def seen(thread: int) -> tuple[str, str] | None:
    """What the loop of `thread` does now, as name and stack; None where it waits, late only because the machine is.

    Keeps no frame: dropping the last reference to one ends the life of what is in it, which only the loop's thread may.
    """
    frames = stack_of(sys._current_frames().get(thread))
    if not frames or frames[0].f_code.co_filename.endswith(_WAITING):
        return None
    return name_of(frames), shown(frames)


def stack_of(frame: FrameType | None) -> list[FrameType]:
    """List `frame` and its callers, from the innermost to the outermost."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames


def name_of(frames: Sequence[FrameType]) -> str:
    """Name the function of the app that is to be looked at: the method of a component, or what is nearest to one."""
    start = next((n for n, frame in enumerate(frames) if _is_app(frame.f_code)), None)
    if start is None:  # an app that is installed like a library
        start = next((n for n, frame in enumerate(frames) if component_of(frame)), 0)
    for frame in frames[start:]:
        if _is_ours(frame.f_code):
            break  # what lies beyond has only led here
        if (component := component_of(frame)) is not None:
            return _qualified(frame.f_code, component)
    return frames[start].f_code.co_qualname


def _qualified(code: CodeType, component: str) -> str:
    """Name `code`, with its component where its own name lacks it: inherited methods, and lambdas."""
    name = code.co_qualname
    return name if component in name.split(".") else f"{name} of {component}"


def component_of(frame: FrameType) -> str | None:
    """The class of the component whose method, or lambda in one, `frame` runs. Looks at the type of `self` alone."""
    code = frame.f_code
    if "self" not in code.co_varnames and "self" not in code.co_freevars:
        return None
    kind = type(frame.f_locals.get("self"))
    is_own = issubclass(kind, GTag) and not kind.__module__.startswith("htag.")
    return kind.__qualname__.rpartition(".")[2] if is_own else None


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_OURS) and code.co_filename != _DEMO


def _is_app(code: CodeType) -> bool:
    """Whether `code` is the app's own: neither ours nor Python's nor installed."""
    return not _is_ours(code) and not code.co_filename.startswith((*_INSTALLED, "<"))


def shown(frames: Sequence[FrameType]) -> str:
    """Write a stack in one line, the innermost frame first: file:line:function."""
    parts = [f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}:{frame.f_code.co_qualname}" for frame in frames]
    if len(parts) > DEEPEST:
        half = DEEPEST // 2
        parts[half:-half] = [f"… {len(parts) - DEEPEST} more …"]
    return " < ".join(parts)


def _short(file: str) -> str:
    """The path of `file` below the nearest folder of `sys.path`."""
    folders = [folder for folder in sys.path if folder and file.startswith(folder + "/")]
    return file[len(max(folders, key=len, default="")) :].lstrip("/") if folders else file
