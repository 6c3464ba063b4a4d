"""A store that tests put into trouble."""

import asyncio
from collections.abc import Sequence
from typing import Any

from htag.errors import StoreError
from htag.stores.base import Record, Save
from htag.stores.memory import MemoryStore


class Trouble(MemoryStore):
    """A memory store that can be made to fail, to hang, and to go back."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.seconds = 0.0
        self.saves: list[list[Save]] = []

    async def _trouble(self) -> None:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.down:
            raise StoreError("down")

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        await self._trouble()
        self.saves.append([*saves])
        return await super().save(saves)

    async def peek(self, session_id: str) -> Record | None:
        await self._trouble()
        return await super().peek(session_id)

    async def claim(self, session_id: str, owner: str) -> Record | None:
        await self._trouble()
        return await super().claim(session_id, owner)

    async def drop(self, session_id: str, generation: int) -> bool:
        await self._trouble()
        return await super().drop(session_id, generation)

    async def pulse(self) -> int:
        await self._trouble()
        return await super().pulse()

    def remember(self) -> tuple[Any, ...]:
        return dict(self._records), dict(self._dropped), self._pulse

    def go_back(self, remembered: tuple[Any, ...]) -> None:
        records, dropped, self._pulse = remembered
        self._records, self._dropped = dict(records), dict(dropped)


class Gated(MemoryStore):
    """A memory store whose saves wait while its gate is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        self.waiting += 1
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1
        return await super().save(saves)
