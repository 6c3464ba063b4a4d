"""The words of the `class` attribute: plain text, a State, or a callable whose every result is changed."""

from collections.abc import Callable
from typing import Any, Self

from htag.state import State
from htag.tree import pairs
from htag.tree.pairs import MISSING, Pairs

WordChange = Callable[[list[str]], list[str]]


class ClassNames:
    """A tag's methods for its class names. A subclass has the attributes, and `__setitem__`."""

    __slots__ = ()

    _attributes: Pairs

    def __setitem__(self, name: str, value: Any) -> None:
        """Set an attribute: by the subclass."""
        raise NotImplementedError  # GTag has it

    def has_class(self, name: str) -> bool:
        """Whether `name` (one word, or several) is in the `class` attribute."""
        words = _words(_current(pairs.get(self._attributes, "class")))
        return all(word in words for word in name.split())

    def add_class(self, name: str) -> Self:
        """Add `name` (one word, or several) to the `class` attribute."""
        return self._change_class(lambda words: words + [word for word in name.split() if word not in words])

    def remove_class(self, name: str) -> Self:
        """Remove `name` (one word, or several) from the `class` attribute."""
        return self._change_class(lambda words: [word for word in words if word not in name.split()])

    def toggle_class(self, name: str) -> Self:
        """Remove `name` from the `class` attribute if it is there, add it if not."""
        return self._change_class(
            lambda words: [word for word in words if word != name] if name in words else [*words, name]
        )

    def _change_class(self, change: WordChange) -> Self:
        value = pairs.get(self._attributes, "class")
        if isinstance(value, State):
            before = _words(value.value)
            if (after := change(before)) != before:
                value.set(" ".join(after))
        elif callable(value):
            self["class"] = _ChangedClass(value, change)
        else:
            before = _words(value)
            if (after := change(before)) != before:
                self["class"] = " ".join(after)
        return self


class _ChangedClass:
    """A callable `class` attribute with later changes applied to each result, without wrapping wrappers."""

    def __init__(self, source: Callable[[], Any], change: WordChange) -> None:
        earlier = source if isinstance(source, _ChangedClass) else None
        self._source: Callable[[], Any] = earlier._source if earlier else source
        self._changes: tuple[WordChange, ...] = (*(earlier._changes if earlier else ()), change)

    def __call__(self) -> str:
        words = _words(_current(self._source))
        for change in self._changes:
            words = change(words)
        return " ".join(words)


def _words(value: Any) -> list[str]:
    return str(value).split() if value not in (None, True, False, MISSING) else []


def _current(value: Any) -> Any:
    while callable(value):
        value = value()
    return value
