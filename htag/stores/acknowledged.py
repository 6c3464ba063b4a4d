"""How many writes a store has acknowledged to this worker: by that it is seen that a store has lost some."""


class AcknowledgedWrites:
    """Compares a count that the store keeps, and raises with each write, with what it was before.

    Each worker has a count of its own. Of one that all share, the others would soon make up for what was lost.
    """

    def __init__(self) -> None:
        self._count = 0
        self._told = 0
        self._lost = False

    @property
    def count(self) -> int:
        """The greatest count that the store has answered: what a write asked for from now on must exceed."""
        return self._count

    def note(self, count: int, before: int) -> None:
        """Compare the `count` that a write was answered with what was the count `before` that write was sent.

        Not with the greatest: answers of writes that were under way together may come in another order.
        """
        if count <= before:
            self._lost = True
            self._count = count
        else:
            self._count = max(self._count, count)

    def pulse(self, count: int, before: int) -> int:
        """Note a count too; return a number that is greater than the last one, unless writes have been lost since."""
        self.note(count, before)
        self._told = min(count, self._told) if self._lost else count
        self._lost = False
        return self._told
