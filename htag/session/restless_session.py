"""A session that moves after each of its events, into its snapshot and back: to try whether an app survives that."""

import asyncio
from collections.abc import Callable
from typing import Any, overload

from htag.session.inbox import EventKey, Replies
from htag.session.session import Session
from htag.wire.messages import Message, Text


class RestlessSession(Session):
    """What it holds beside its snapshot is gone with the next event, as when its worker is replaced."""

    __slots__ = ("turn",)

    def __init__(self, *arguments: Any) -> None:
        """As `Session`."""
        super().__init__(*arguments)
        self.turn: Callable[[Session], None] | None = None
        """Begins a move into the snapshot and back; None: nothing persists it."""

    @overload
    def handle(self, message: Message, key: EventKey | None = None) -> Replies: ...
    @overload
    def handle(self, message: Message, key: EventKey, brief: bool) -> Replies | Text: ...
    def handle(self, message: Message, key: EventKey | None = None, brief: bool = False) -> Replies | Text:
        """Do what `message` asks, and move once it is done."""
        if self.turn is not None and type(message.id) is str:
            asyncio.get_running_loop().call_soon(self.turn, self)
        return super().handle(message, key) if key is None else super().handle(message, key, brief)
