"""Descriptors for what a component may declare: hooks, statics, an element's name.

Each notes an assignment as a flag of the tag, so that no pass over a tree has to look for it in every tag.
"""

from typing import Any

from htag.tree.flags import HAS_STATICS


def no_hook() -> None:
    """What `on_mount` and `on_unmount` are where a component defines none."""


class Hook:
    """`on_mount` and `on_unmount` of the tags whose class does not override them; an assignment sets HAS_HOOKS."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = "_" + name

    def __get__(self, tag: Any, owner: type) -> Any:
        return self if tag is None else tag.__dict__.get(self._key, no_hook)

    def __set__(self, tag: Any, hook: Any) -> None:
        tag.__dict__[self._key] = hook
        tag._set_has_hooks()


class Statics:
    """`statics` of the tags whose class does not define them: `()`, unless assigned; that is flagged HAS_STATICS."""

    def __get__(self, tag: Any, owner: type) -> Any:
        return () if tag is None else tag.__dict__.get("_statics", ())

    def __set__(self, tag: Any, statics: Any) -> None:
        tag.__dict__["_statics"] = statics
        tag._set_flags(HAS_STATICS)


class ElementName:
    """`tag`, the element's name in HTML; None: a fragment. With another name, a tag forgets its start tag."""

    def __init__(self, name: str | None) -> None:
        self._name = name

    def __get__(self, tag: Any, owner: type) -> Any:
        return self._name if tag is None else getattr(tag, "_element_name", self._name)

    def __set__(self, tag: Any, name: Any) -> None:
        tag._element_name = name
        tag._start_tag = None
