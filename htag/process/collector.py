"""The one owner of Python's garbage collector, in a process whose objects mostly stay: the trees of its sessions.

The collector looks for circles of objects that nothing outside refers to any more. By itself it looks at everything
again whenever the process has grown by a quarter: at some thousand sessions that stops the process for a second, and
finds nothing, because a session's tree is no garbage while it lives and is taken apart when it ends.

So each object is looked at once, while it is young, and then set aside (`gc.freeze`). Of pages, whose objects nearly
all stay, only some are looked at, but all as long as something is found there. What becomes garbage after it was set
aside (an app's own circle, in a session that has ended) is found by a sweep of everything. A sweep is made when it
takes a moment only, or when it pays: when the process holds twice as much as its sessions explain.
"""

import gc
import logging
import sys
import time

from htag.process import heap

logger = logging.getLogger("htag")

# New objects between two looks at them, where CPython has 700 or 2 000: a look at that many takes 2 ms, and they take a
# few MiB.
YOUNG_OBJECTS = 20_000
NEVER = 1_000_000_000  # looks at the young before a look at the older ones

# What CPython 3.11 to 3.14 begin with. Other numbers are a host's decision.
DEFAULTS = frozenset({(700, 10, 10), (2000, 10, 10), (2000, 10, 0)})

# A look at a page takes a twentieth (of 65 tags) to a fifth (of 3 000 tags) of its time.
IN_A_ROW = 8  # pages without garbage, after which only one of …
SAMPLED = 32  # … so many is looked at

MUCH = 700  # objects that came between two pages; CPython itself looks at so many. A connection has some hundred

PAGES = 128  # between two thoughts about a sweep: one takes 0.1 to 0.5 ms
ENDED = 100  # sessions that ended since the last sweep: before, there is hardly anything to find
MOMENT = 0.03  # seconds that a sweep may take at any time: below what a person feels
APART = 10.0  # seconds between such sweeps at first, so that fewer than one click in a hundred meets one; twice that …
FAR_APART = 640.0  # … after each that was in vain, up to here
HELD = 2.0  # what the process holds, in units of what its sessions explain, from which a sweep is worth its time …
SLACK = 64 * 2**20  # … and bytes on top, because an app has other things to keep as well
FEW = 50  # sessions: what so few hold tells nothing about what one does
GROWN = 1.25  # times as many sessions: what each holds is measured anew
FRUITFUL = 0.05  # of what was held; a sweep that finds less was in vain
SHARE = 0.01  # of the time for which newcomers were refused for memory: so long a sweep may take
DESERTED = 10  # sessions that have ended since the last sweep for each that is there: nearly all have gone
# Of the time, for which the C library may look for what it can give back: through all that is free, which takes from
# 2 µs (nothing) to 24 ms (650 MiB here and there among 80 that are in use).
TRIMMING = 0.01
# What a sweep takes for each block of memory that came into use since the start, until one was measured: 0.25 ms for
# the 640 blocks of a small session with its connection.
SECONDS_A_BLOCK = 4e-7
TELLING = 100_000  # blocks, from which a sweep tells that


class Collector:
    """Decides when this process looks for garbage: from its first page on, or from `start`."""

    def __init__(self) -> None:
        self.running = False
        self.sweeps = 0  # that were made
        self._asked = False
        self._paused = False
        self._sessions = 0
        self._ended = 0  # since the last sweep
        self._pages = 0
        self._looking = IN_A_ROW  # pages that are still to be looked at, one after the other
        self._look = False  # whether the page that is being made is looked at
        self._garbage = 0  # objects that were found since it began
        self._settled_seconds, self._settled_blocks = 0.0, 0  # what a sweep took at the start, of how much
        self._seconds_a_block = SECONDS_A_BLOCK
        self._swept_at = self._trimmed_at = time.monotonic()
        self._trim_seconds = 0.0  # that the last one took
        self._share = SHARE
        self._apart = APART
        self._sessions_known = FEW  # that there were when it was measured what they hold
        self._held_empty = 0  # bytes, by a process without sessions
        self._held_by_each = 0.0  # bytes

    def start(self) -> None:
        """Take the process's garbage collector over, unless its host has settings of its own: those stay."""
        if self._asked:
            return
        self._asked = True
        if not gc.isenabled() or gc.get_threshold() not in DEFAULTS:
            logger.info("this process has settings of its own for the garbage collector: they stay")
            return
        self.running = True
        gc.set_threshold(YOUNG_OBJECTS, NEVER, NEVER)
        self.settle()

    def settle(self) -> None:
        """Set all objects aside that exist now: they stay until the process ends."""
        if self.running:
            started = time.perf_counter()
            gc.collect()
            gc.freeze()
            self._settled_seconds, self._settled_blocks = time.perf_counter() - started, sys.getallocatedblocks()
            self._remember(heap.in_use())

    # -- called by the library ----------------------------------------------------------------------------------------

    def session_opened(self) -> None:
        """Count a session that was made."""
        self._sessions += 1

    def session_ended(self) -> None:
        """Count a session that has ended."""
        self._sessions -= 1
        self._ended += 1

    def page_begins(self) -> None:
        """Pause the collector while a page is made: thousands of objects that all live on.

        A look meanwhile would find nothing, slowly. What is young before is set aside together with the page. So it is
        looked at together with the page, if that is to be looked at; or now, if it is much.
        """
        if not self._asked:
            self.start()
        if self.running:
            self._pages += 1
            self._look = self._looking > 0 or not self._pages % SAMPLED
            much = gc.get_count()[0] > MUCH  # since the last page: `freeze` begins the count anew
            self._garbage = gc.collect(0) if much and not self._look else 0
            self._paused = gc.isenabled()
            gc.disable()

    def page_ends(self) -> None:
        """Set the page's objects aside, and let the collector run again."""
        if not self.running:
            return
        if self._look:
            self._garbage += gc.collect(0)
        if self._garbage:
            self._looking = IN_A_ROW
        elif self._looking:
            self._looking -= self._look
        gc.freeze()
        if self._paused:
            gc.enable()
        if not self._pages % PAGES:
            self.consider()

    # -- sweeps ------------------------------------------------------------------------------------------------------

    def consider(self) -> None:
        """Sweep if a sweep is short (MOMENT), or if it pays."""
        held = heap.in_use()
        if self._sessions >= GROWN * self._sessions_known:
            self._remember(held)  # they are new, and so is what they hold
        explained = self._held_empty + self._held_by_each * self._sessions
        due = self._ended >= ENDED and time.monotonic() - self._swept_at >= self._apart
        if held > HELD * explained + SLACK or (due and self._sweep_seconds() <= MOMENT):
            self.sweep()

    def relieve(self, since: float) -> None:
        """Look for memory that can be given back, while newcomers are refused. `since`: when that began (monotonic).

        A sweep holds up every session, so it may take a hundredth of the time that has been waited for it; less after
        sweeps that were in vain, when it is the sessions that fill the memory. Where nearly all sessions have gone, few
        are held up, and what fills the memory is probably garbage: then it is made at once.
        """
        if not self.running:
            return
        gc.collect(1)
        gc.freeze()
        now = time.monotonic()
        if self._is_deserted(self._apart) or self._sweep_seconds() <= self._share * (now - max(since, self._swept_at)):
            self.sweep()
        else:
            self.give_back()

    def tidy(self) -> None:
        """Sessions have left memory: sweep, where few are left that a sweep holds up; else give back what is free.

        What sessions leave behind is little for each, and much when thousands come and go all day.
        """
        if self.running and self._is_deserted(APART):
            self.sweep()
        else:
            self.give_back()

    def _is_deserted(self, apart: float) -> bool:
        """Whether nearly all sessions have gone since the last sweep, which is `apart` seconds ago or more."""
        return self._ended > DESERTED * self._sessions and time.monotonic() - self._swept_at >= apart

    def give_back(self) -> None:
        """Have the C library give back what it holds free, unless it has looked for that a moment ago."""
        if (time.monotonic() - self._trimmed_at) * TRIMMING >= self._trim_seconds:
            self._trim()

    def sweep(self) -> None:
        """Look at all objects, and set aside those that are left."""
        blocks, before, started = sys.getallocatedblocks(), heap.in_use(), time.perf_counter()
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        seconds, held = time.perf_counter() - started, heap.in_use()
        if (added := blocks - self._settled_blocks) > TELLING:
            self._seconds_a_block = max(seconds - self._settled_seconds, 0.0) / added
        if before - held > FRUITFUL * before:
            self._share, self._apart = SHARE, APART
        else:
            self._share, self._apart = self._share / 2, min(2 * self._apart, FAR_APART)
        self._swept_at, self._ended = time.monotonic(), 0
        self.sweeps += 1
        self._remember(held)
        self._trim()
        logger.debug("looked at all objects in %.3f s: %d KiB were garbage", seconds, (before - held) // 1024)

    def _trim(self) -> None:
        started = time.perf_counter()
        heap.trim()
        self._trim_seconds, self._trimmed_at = time.perf_counter() - started, time.monotonic()

    def _sweep_seconds(self) -> float:
        """Estimate how long a sweep would take now."""
        added = max(sys.getallocatedblocks() - self._settled_blocks, 0)
        return self._settled_seconds + self._seconds_a_block * added

    def _remember(self, held: int) -> None:
        """Note that `held` bytes are what the sessions of now need, without garbage."""
        self._sessions_known = max(self._sessions, FEW)
        if self._sessions < FEW:
            self._held_empty = max(held - int(self._held_by_each * self._sessions), 0)
        else:
            self._held_by_each = max(held - self._held_empty, 0) / self._sessions


collector = Collector()  # a process has one garbage collector, and so one owner of it
