"""What belongs to this process, or to the world outside: no snapshot can hold it, and the log says what it is."""

import asyncio
import concurrent.futures
import contextvars
import io
import mmap
import multiprocessing.process
import selectors
import socket
import sqlite3
import ssl
import subprocess
import threading
import types
from typing import Any

from htag.snapshot.errors import Pinned

# In the order in which they are asked: the first that fits names it.
KINDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((io.IOBase,), "a file is open"),
    ((socket.socket, ssl.SSLSocket, selectors.BaseSelector), "a socket is open"),
    ((sqlite3.Connection, sqlite3.Cursor), "a database connection is open"),
    ((types.GeneratorType, types.AsyncGeneratorType), "a generator is under way"),
    ((types.CoroutineType,), "a coroutine is under way"),
    ((threading.Thread,), "a thread belongs to this process"),
    ((subprocess.Popen, multiprocessing.process.BaseProcess), "another process was started by this one"),
    ((concurrent.futures.Executor, concurrent.futures.Future), "an executor belongs to this process"),
    ((asyncio.AbstractEventLoop,), "an event loop belongs to this process"),
    ((asyncio.Handle,), "a timer belongs to this process's event loop"),
    ((asyncio.BaseTransport, asyncio.StreamReader, asyncio.StreamWriter), "a connection is open"),
    ((contextvars.ContextVar, contextvars.Context, contextvars.Token), "a context variable belongs to this process"),
    ((types.FrameType, types.TracebackType), "a frame of this process's stack"),
    ((mmap.mmap, memoryview), "a view of this process's memory"),
)
TYPES = tuple(kind for kinds, _ in KINDS for kind in kinds)


def refuse(found: Any) -> None:
    """Raise Pinned if `found` belongs to this process."""
    if isinstance(found, TYPES):
        reason = next(reason for kinds, reason in KINDS if isinstance(found, kinds))
        raise Pinned("", f"{reason} ({type(found).__module__}.{type(found).__qualname__})")
