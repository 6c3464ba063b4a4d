"""The session registries of a worker's WebApps as one: health, metrics and limits are about the worker."""

from collections import Counter
from collections.abc import Sequence

from htag.session.registry import SessionRegistry


class SessionRegistries:
    """Answers like a `htag.session.registry.SessionRegistry`, for all of them together."""

    def __init__(self, registries: Sequence[SessionRegistry]) -> None:
        self._registries = registries

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

    def drain(self) -> None:
        """Refuse newcomers from now on."""
        for registry in self._registries:
            registry.drain()

    async def move_out(self, seconds: float) -> None:
        """Refuse newcomers. A registry cannot move sessions yet: that comes with their persistence."""
        self.drain()

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
