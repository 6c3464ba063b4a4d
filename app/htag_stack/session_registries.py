"""The session registries of a worker's WebApps as one: health, metrics and limits are about the worker."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from htag.session.registry import SessionRegistry
from htag.session.takeover import Ask


class SessionRegistries:
    """Answers like a `htag.session.registry.SessionRegistry`, for all of them together."""

    def __init__(self, registries: Sequence[SessionRegistry]) -> None:
        self._registries = registries
        self._is_worn: Callable[[], bool] = lambda: False

    @property
    def draining(self) -> bool:
        """Whether newcomers are refused because the worker ends."""
        return any(registry.draining for registry in self._registries)

    def total(self) -> int:
        """The number of sessions."""
        return sum(len(registry.sessions) for registry in self._registries)

    def counts(self) -> dict[str, int]:
        """The number of sessions by state."""
        return _sum([registry.usage.counts() for registry in self._registries])

    def snapshot_counts(self) -> dict[str, int]:
        """The number of sessions by how the store's copy of them stands: saved, dirty, pinned; and those asleep."""
        return _sum([registry.snapshot_counts() for registry in self._registries])

    def unsaved_seconds(self) -> float:
        """For how long the session that waits longest for its save has waited; 0 where none waits."""
        return max((registry.unsaved_seconds() for registry in self._registries), default=0.0)

    def connections(self) -> dict[str, int]:
        """The number of connected tabs by transport."""
        return _sum([registry.usage.connections() for registry in self._registries])

    def memory(self) -> int:
        """The estimated bytes of all sessions together."""
        return sum(registry.usage.memory() for registry in self._registries)

    def memory_by_session(self) -> list[int]:
        """The estimated bytes of each session."""
        return [size for registry in self._registries for size in registry.usage.memory_by_session()]

    def measure(self) -> None:
        """Estimate anew the size of some sessions of each registry in which something happened."""
        for registry in self._registries:
            registry.usage.measure()

    def relieve(self, wanted: int) -> None:
        """Have sessions that are not used let go of about `wanted` bytes: those of each registry by its share."""
        total = max(self.total(), 1)
        for registry in self._registries:
            if registry.sessions:
                registry.relieve(wanted * len(registry.sessions) // total)

    def drain(self) -> None:
        """Refuse newcomers from now on."""
        for registry in self._registries:
            registry.drain()

    async def move_out(self, seconds: float) -> None:
        """Refuse newcomers, and move all sessions to where other workers find them, within `seconds`."""
        await asyncio.gather(*(registry.move_out(seconds) for registry in self._registries))

    def ask_by(self, ask: Ask) -> None:
        """Other workers are asked by `ask` to let a session go."""
        for registry in self._registries:
            if registry.persistence is not None:
                registry.persistence.ask_by(ask)

    def wear_by(self, is_worn: Callable[[], bool]) -> None:
        """`is_worn` says whether this process should end, so that a fresh one takes its place."""
        self._is_worn = is_worn

    def is_worn(self) -> bool:
        """Whether this process should end, so that a fresh one takes its place: it knows where its sessions move."""
        return self._is_worn() and not self.draining

    async def handed_over(self, session_id: str, boot: str, insist: bool) -> str:
        """Another worker asks for a session: released (it is not ours any more), kept, or unknown."""
        for registry in self._registries:
            answer = await registry.handed_over(session_id, boot, insist=insist)
            if answer != "unknown":
                return answer
        return "unknown"

    async def close(self) -> None:
        """End every session, and wait for the hooks that run at its end."""
        self.drain()
        for registry in self._registries:
            await registry.close()


def _sum(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)  # unlike +, it keeps zeros
    return dict(total)
