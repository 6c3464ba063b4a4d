"""Exceptions as a log may show them: types and places, no messages, because messages quote what people type.

`int("what was typed")` raises an error that repeats it; so do the notes of an exception, the members of a group, and
the exceptions before it in a chain.
"""

from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

FIRST_FRAMES, LAST_FRAMES = 10, 20  # of a traceback; a recursion without end has a thousand between, all alike
CHAINED = 8  # exceptions of one chain or group that are shown: more repeat the story


def without_messages(error: BaseException) -> BaseException:
    """Copy `error` without its text: the same type names, tracebacks, causes and members, shortened.

    The copy is an exception, so that formatters and collectors of log records find what they know.
    """
    return _stand_in(error, CHAINED)


def in_full(error: BaseException) -> str:
    """Name the type of `error`, with its message: an author's `__str__` may fail itself."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # whatever the author made it raise
        text = "<exception str() failed>"  # as Python has it in tracebacks
    return f"{type(error).__name__}: {text}"


def in_short(error: BaseException) -> str:
    """Name the type of `error`, and where it was raised: `ValueError at shop.py:12`."""
    frames, _ = shortened(error.__traceback__)
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    place = "" if frames is None else f" at {Path(frames.tb_frame.f_code.co_filename).name}:{frames.tb_lineno}"
    return f"{type(error).__name__}{place}"


def _stand_in(error: BaseException, left: int) -> BaseException:
    kind: Any = type(error)
    frames, left_out = shortened(error.__traceback__)
    text = (f"{left_out} frames left out",) if left_out else ()
    if isinstance(error, BaseExceptionGroup):
        members = [_stand_in(member, left // 2) for member in error.exceptions[: max(left, 1)]]
        shown: BaseException = _named(kind, BaseExceptionGroup)(*text or ("",), members)
    else:
        shown = _named(kind, Exception)(*text)
    if left > 0:
        cause, context = error.__cause__, error.__context__
        shown.__cause__ = cause and _stand_in(cause, left - 1)
        # mostly the same one, and doubled at each step of the chain it would be 2 ** CHAINED
        shown.__context__ = shown.__cause__ if context is cause else context and _stand_in(context, left - 1)
    shown.__suppress_context__ = error.__suppress_context__
    shown.__traceback__ = frames
    return shown


@lru_cache(maxsize=256)
def _named(kind: Any, base: Any) -> Any:
    """Make a subclass of `base` that has the names of `kind`."""
    return type(kind.__name__, (base,), {"__module__": kind.__module__, "__qualname__": kind.__qualname__})


def shortened(traceback: TracebackType | None) -> tuple[TracebackType | None, int]:
    """Cut `traceback` to its first and last frames; returns it with the number of frames left out between them."""
    steps = []
    while traceback is not None:
        steps.append(traceback)
        traceback = traceback.tb_next
    left_out = max(len(steps) - FIRST_FRAMES - LAST_FRAMES, 0)
    short: TracebackType | None = None
    for step in reversed(steps[:FIRST_FRAMES] + steps[FIRST_FRAMES + left_out :]):
        short = TracebackType(short, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return short, left_out
