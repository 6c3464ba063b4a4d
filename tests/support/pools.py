"""Stand-ins for the session registries of a worker, as health and metrics read them."""


class PoolWithSessions:
    """A worker with three sessions."""

    def counts(self) -> dict[str, int]:
        return {"new": 1, "connected": 2, "disconnected": 0}

    def connections(self) -> dict[str, int]:
        return {"websocket": 2, "sse": 0, "http": 0}

    def memory(self) -> int:
        return 160_000

    def memory_by_session(self) -> list[int]:
        return [9_000, 50_000, 101_000]

    def snapshot_counts(self) -> dict[str, int]:
        return {"saved": 1, "dirty": 1, "pinned": 0, "asleep": 1}

    def unsaved_seconds(self) -> float:
        return 0.25
