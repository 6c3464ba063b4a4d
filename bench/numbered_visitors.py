"""Visitors who speak wire version 2, as our browser does: they number their clicks, and come back after a break."""

import json
import re
from functools import cache
from typing import Self

from bench.visitors import CLICK, TEXT_FRAME, Visitor, frame

CLICK_NUMBERED = b'{"n":%d,' + json.dumps(CLICK, separators=(",", ":")).encode()[1:]
CONFIRMED = 64  # clicks, after which one says what the page shows, as `htag/client/outbox.js` does
SEQUENCE = re.compile(rb'"seq":(\d+)')


class NumberedVisitor(Visitor):
    """One tab: `leave` and `come_back` are the same page on another connection, with all that it remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.tab = ""
        self.cookie = ""
        self.number = 0  # of its latest click
        self._revision: int | None = None  # that it shows, as of its latest connection
        self._shown = b""  # the latest update

    @classmethod
    async def arrive(cls, port: int, cookie: str, tab: str) -> Self:
        """The page that came with `cookie` connects for the first time."""
        return await cls._arrive(port, cookie, tab, 0, None)

    async def come_back(self, port: int) -> Self:
        """The same tab connects again: the page was not loaded anew."""
        return await self._arrive(port, self.cookie, self.tab, self.number, self.revision)

    @classmethod
    async def _arrive(cls, port: int, cookie: str, tab: str, number: int, revision: int | None) -> Self:
        visitor = await cls._dial(port)
        visitor.tab, visitor.cookie, visitor.number, visitor._revision = tab, cookie, number, revision
        shown = "" if revision is None else f"&rev={revision}"
        following = number + 1
        query = f"?v=2&tab={tab}&from={following}&next={following}{shown}"
        await visitor._open(port, cookie, greeted=True, query=query)
        return visitor

    def _click_frame(self) -> bytes:
        self.number += 1
        if self.number % CONFIRMED:
            return numbered_click(self.number)
        return frame(TEXT_FRAME, b'%s,"got":%d}' % ((CLICK_NUMBERED % self.number)[:-1], self.revision or 0))

    @property
    def revision(self) -> int | None:
        """The number of what the tab shows, if it knows."""
        sequence = SEQUENCE.search(self._shown)
        return int(sequence[1]) if sequence else self._revision

    def _text_arrived(self, payload: bytes) -> None:
        if b'"seq":' in payload:
            self._shown = payload  # not looked into: a slow visitor has the server wait, and waiting costs it CPU time
        if b'"done":' in payload if self.answers else self._ends_greeting(payload):
            Visitor._text_arrived(self, payload)

    def _ends_greeting(self, payload: bytes) -> bool:
        """Whether this is the last of what comes before any click: of a new page that is the whole body."""
        if b'"action":"welcome"' in payload:
            return self.revision is not None
        return b'"action":"saved"' not in payload


@cache
def numbered_click(number: int) -> bytes:
    """The frame of a click that says no more. Made once: what a visitor of version 1 sends is made already."""
    return frame(TEXT_FRAME, CLICK_NUMBERED % number)
