"""What a component may declare: hooks and statics. Most declare neither, and whoever does is noticed when it happens,
so that no pass over a tree has to look for it in every tag."""

from typing import Any

from htag.tree.flags import HAS_STATICS


def no_hook() -> None:
    """What `on_mount` and `on_unmount` are where a component defines none."""


class Hook:
    """`on_mount` and `on_unmount` where no component overrides them. Noticing an assignment on an instance here is what
    makes it unnecessary to look for hooks in every tag of a tree."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = "_" + name

    def __get__(self, tag: Any, owner: type) -> Any:
        return self if tag is None else tag.__dict__.get(self._key, no_hook)

    def __set__(self, tag: Any, hook: Any) -> None:
        tag.__dict__[self._key] = hook
        tag._set_has_hooks()


class Statics:
    """`statics` where no component defines them; assigning them to an instance is noticed here."""

    def __get__(self, tag: Any, owner: type) -> Any:
        return () if tag is None else tag.__dict__.get("_statics", ())

    def __set__(self, tag: Any, statics: Any) -> None:
        tag.__dict__["_statics"] = statics
        tag._set_flags(HAS_STATICS)


class ElementName:
    """`tag`: what an element is called in HTML. Giving an instance another name is noticed here."""

    def __init__(self, name: str | None) -> None:
        self._name = name

    def __get__(self, tag: Any, owner: type) -> Any:
        return self._name if tag is None else getattr(tag, "_element_name", self._name)

    def __set__(self, tag: Any, name: Any) -> None:
        tag._element_name = name
        tag._start_tag = None
