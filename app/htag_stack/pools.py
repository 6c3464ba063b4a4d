"""The pools of a worker's WebApps as one: health, metrics and limits are about the worker, however many apps it has."""

from collections import Counter
from collections.abc import Sequence

from htag.session.registry import SessionRegistry


class Pools:
    """Answers like a `htag.session.registry.SessionRegistry`, for all of them together."""

    def __init__(self, pools: Sequence[SessionRegistry]) -> None:
        self._pools = pools

    @property
    def draining(self) -> bool:
        """Whether nobody new is taken in."""
        return any(pool.draining for pool in self._pools)

    def total(self) -> int:
        """Sessions."""
        return sum(len(pool.sessions) for pool in self._pools)

    def counts(self) -> dict[str, int]:
        """Sessions by state."""
        return _sum([pool.counts() for pool in self._pools])

    def connections(self) -> dict[str, int]:
        """Tabs by transport."""
        return _sum([pool.connections() for pool in self._pools])

    def memory(self) -> int:
        """Bytes of all sessions, estimated."""
        return sum(pool.memory() for pool in self._pools)

    def memory_by_session(self) -> list[int]:
        """Bytes of each session, estimated."""
        return [size for pool in self._pools for size in pool.memory_by_session()]

    def measure(self) -> None:
        """Estimate anew the size of some sessions of each pool in which something happened."""
        for pool in self._pools:
            pool.measure()

    def drain(self) -> None:
        """Take nobody new in from now on."""
        for pool in self._pools:
            pool.drain()

    async def close(self) -> None:
        """Every session ends, and its last words are waited for."""
        self.drain()
        for pool in self._pools:
            await pool.close()


def _sum(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)  # unlike +, it keeps zeros
    return dict(total)
