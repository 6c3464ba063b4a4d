"""How much of the event loop saving may take: one account for all sessions of a worker."""

SLACK_SECONDS = 0.3  # that may be spent ahead, in units of the time that pays for it: a tick's worth


class Budget:
    """Allows `share` of the time. All times are of one monotonic clock."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._paid_at = 0.0  # when all that was spent is paid for

    def spend(self, seconds: float, now: float) -> float:
        """Note that `seconds` were spent. Returns when they are paid for by themselves."""
        due = seconds / self._share
        self._paid_at = max(self._paid_at, now) + due
        return now + due

    def allows(self, now: float) -> bool:
        """Whether more may be spent now."""
        return self._paid_at <= now + SLACK_SECONDS
