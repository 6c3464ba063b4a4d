"""An observer for tests, which keeps all that it is told."""

from collections.abc import Callable
from typing import Any

from htag.observer import Observer

NAMES = tuple(name for name in vars(Observer) if not name.startswith("_"))


class RecordingObserver(Observer):
    """An observer that keeps every call in `calls`, in order: the method's name and its arguments.

    It takes what `Observer` takes: a call with other arguments raises TypeError, and a negative number fails the test,
    since every number that an observer is told is a duration or a size.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def told(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of each call of the method `name`, in order."""
        assert name in NAMES, f"an observer has no method {name}"
        return [arguments for called, arguments in self.calls if called == name]

    def labels(self, name: str) -> list[Any]:
        """Return the first argument of each call of the method `name`: a reason, an outcome, a transport, a bound."""
        return [arguments[0] for arguments in self.told(name)]


def _recorded(name: str) -> Callable[..., None]:
    def record(self: RecordingObserver, *arguments: Any) -> None:
        getattr(Observer, name)(self, *arguments)
        assert not any(isinstance(each, int | float) and each < 0 for each in arguments), (name, arguments)
        self.calls.append((name, arguments))

    return record


for _name in NAMES:
    setattr(RecordingObserver, _name, _recorded(_name))
