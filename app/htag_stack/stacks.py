"""Stacks of a thread: which function of the app it is in, and a line for the log. Names and lines, never a value."""

import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, FrameType

import htag
import htag_stack
from htag.tree.tag import GTag

DEEPEST = 60  # frames in a line; a recursion has thousands

_DEMO = str(Path(htag_stack.__file__).parent / "demo.py")  # the demo: an app like a user's
_OURS = tuple(str(Path(package.__file__).parent) + "/" for package in (htag, htag_stack) if package.__file__)
_INSTALLED = tuple({f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_WAITING = ("/asyncio/runners.py", "/asyncio/base_events.py", "/selectors.py")  # where the loop's own stack ends


def sample(thread: int) -> tuple[str, str] | None:
    """What the loop of `thread` does now, as name and stack; None where it waits, late only because the machine is.

    Keeps no frame: dropping the last reference to one ends the life of what is in it, which only the loop's thread may.
    """
    frames = frames_of(sys._current_frames().get(thread))
    if not frames or frames[0].f_code.co_filename.endswith(_WAITING):
        return None
    return name_of(frames), format_stack(frames)


def frames_of(frame: FrameType | None) -> list[FrameType]:
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


def format_stack(frames: Sequence[FrameType]) -> str:
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
