"""What belongs to this process, or to the world outside: no snapshot can hold it, and the log says what it is.

Known by the names of classes: few programs import all of their modules, and the Python of a browser lacks some.
"""

from typing import Any

from htag.snapshot.errors import Pinned

REASONS = {
    "a file is open": ("_io._IOBase", "io.IOBase", "tempfile._TemporaryFileWrapper"),
    "a socket is open": ("socket.socket", "_socket.socket", "selectors.BaseSelector"),
    "a database connection is open": ("sqlite3.Connection", "sqlite3.Cursor"),
    "a request, or a connection, of this process": ("starlette.requests.HTTPConnection",),
    "a generator is under way": ("builtins.generator", "builtins.async_generator"),
    "a coroutine is under way": ("builtins.coroutine",),
    "a thread belongs to this process": ("threading.Thread",),
    "another process was started by this one": ("subprocess.Popen", "multiprocessing.process.BaseProcess"),
    "an executor belongs to this process": ("concurrent.futures._base.Executor", "concurrent.futures._base.Future"),
    "an event loop belongs to this process": ("asyncio.events.AbstractEventLoop",),
    "a timer belongs to this process's event loop": ("asyncio.events.Handle", "uvloop.loop.Handle"),
    "a connection is open": (
        *("asyncio.transports.BaseTransport", "asyncio.streams.StreamReader", "asyncio.streams.StreamWriter"),
    ),
    "a context variable belongs to this process": (
        *("_contextvars.ContextVar", "_contextvars.Context", "_contextvars.Token"),
        *("builtins.ContextVar", "builtins.Context", "builtins.Token"),
    ),
    "a frame of this process's stack": ("builtins.frame", "builtins.traceback"),
    "a view of this process's memory": ("mmap.mmap", "builtins.memoryview"),
}
REASON_OF = {name: reason for reason, names in REASONS.items() for name in names} | {
    "uvloop.loop.TimerHandle": "a timer belongs to this process's event loop"
}


def reason_of(kind: type) -> str | None:
    """Why an instance of `kind` belongs to this process; None: it does not."""
    for each in kind.__mro__:
        reason = REASON_OF.get(f"{each.__module__}.{each.__qualname__}")
        if reason is not None:
            return reason
    return None


def refuse(found: Any) -> None:
    """Raise Pinned if `found` belongs to this process."""
    kind = type(found)
    reason = reason_of(kind)
    if reason is not None:
        raise Pinned("", f"{reason} ({kind.__module__}.{kind.__qualname__})")
