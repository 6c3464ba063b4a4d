"""Sessions and Python's garbage collector.

The collector looks for cycles that nobody uses any more, by looking through all that is young, and now and then through
everything. A session's tree lives for long and is taken apart when it ends, so nothing is ever found in it; but looking
costs a fifth of a page's time, and with thousands of sessions it stops the worker for seconds. So what exists once a
tree is built is set aside, and looked through only when as much again has been set aside.
"""

import gc
from types import TracebackType

SWEEP_OBJECTS = 500_000  # about 50 MB; below, leftovers are not worth a pause


class Collector:
    """`with collector:` around the making of a tree. It is one for the process: what others made is set aside as well,
    and does not stay longer than the sweep."""

    __slots__ = ("_kept", "_on", "_since")

    def __init__(self) -> None:
        self._on = False
        self._kept = 0  # objects that the last sweep has left
        self._since = 0  # objects set aside since then

    def __enter__(self) -> None:
        self._on = gc.isenabled()  # off: whoever runs the process does without, or sees to it himself
        if self._on:
            gc.collect(1)  # young garbage is not to be set aside; little is young, since the last page did the same
            gc.disable()  # making a tree only makes objects that stay

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on:
            self._since += gc.get_count()[0]
            gc.freeze()
            gc.enable()

    @property
    def due(self) -> bool:
        """Whether as much has been set aside as there was at the last sweep."""
        return self._since > max(self._kept, SWEEP_OBJECTS)

    def sweep(self) -> None:
        """Look through everything for once. Takes about 100 ms for a million objects."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._kept, self._since = gc.get_freeze_count(), 0
