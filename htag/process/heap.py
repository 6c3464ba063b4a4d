"""Measurements of the heap: how much memory this process has, and how much of it is in use.

The kernel counts what a process has. When sessions end, their memory is free within the process and mostly stays with
it. What is in use is told by the two allocators: blocks of up to 512 bytes are Python's own, larger ones the C
library's.
"""

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

BLOCK_BYTES = 68  # of Python's allocator, on average: measured with trees of 65 and 3 000 tags and all that is imported

_STATM = "/proc/self/statm"
_ROLLUP = "/proc/self/smaps_rollup"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0  # Windows has neither this nor that file
_FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class _MallInfo2(ctypes.Structure):
    """Holds glibc's `struct mallinfo2`: `uordblks` bytes in use in its heaps, `hblkhd` in blocks of their own."""

    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS.split()]
    hblkhd: int
    uordblks: int


def in_use() -> int:
    """Estimate the bytes that objects take, in 0.1 ms for each million of objects.

    Without a C library that tells (glibc does from 2.33 on), objects above 512 bytes are left out.
    """
    return sys.getallocatedblocks() * BLOCK_BYTES + large_blocks()


def large_blocks() -> int:
    """The bytes of all objects above 512 bytes; 0 where the C library does not tell."""
    ask = _of_libc("mallinfo2", _MallInfo2)
    if ask is None:
        return 0
    info: _MallInfo2 = ask()
    return info.uordblks + info.hblkhd


def resident() -> int:
    """The bytes that this process has in RAM; pages shared with others count in each. 0 where that is not known."""
    return _statm()[1]


def anonymous() -> int:
    """The bytes in RAM that are no file's: what was allocated, in use or not."""
    _, all_of_it, of_files = _statm()
    return all_of_it - of_files


def shared() -> int:
    """Return the bytes that this process shares with the one that it was forked from, until either writes to them.

    The garbage collector writes to every object that it sweeps. 0 where the kernel does not tell. Takes a millisecond
    for each 100 MiB that the process has.
    """
    try:
        with open(_ROLLUP) as file:
            lines = file.read().splitlines()
    except OSError:
        return 0  # not on Linux, or a sandbox
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Shared_Dirty:"))


def _statm() -> list[int]:
    """Bytes of the address space, of its part in RAM, and of the part of that which is mapped from files or shared."""
    try:
        with open(_STATM, "rb", buffering=0) as file:  # half the time of read_text: it is asked before each newcomer
            pages = file.read().split()[:3]
    except OSError:
        return [0, 0, 0]  # not on Linux
    return [int(number) * _PAGE_BYTES for number in pages]


def trim() -> None:
    """Have the C library give back what it holds free, where it can do so."""
    if (give_back := _of_libc("malloc_trim", ctypes.c_int)) is not None:
        give_back(0)


@functools.cache
def _of_libc(name: str, result: type) -> Callable[..., Any] | None:
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # another C library; Windows has no process-wide one
        return None
    function.restype = result
    return function  # type: ignore[no-any-return]  # getattr tells no type
