"""An app whose modules make things for the first visitor who needs them."""

from typing import Any, ClassVar

from htag import Tag


class Service:
    """What a process has once, and no snapshot can hold."""

    only: ClassVar["Service | None"] = None

    def __init__(self) -> None:
        self.calls = 0
        self.handle = (each for each in ())


service: Service | None = None
cache: dict[str, int] | None = None
offers = True  # whether a new app makes them


def of_module() -> Service:
    global service
    if service is None:
        service = Service()
    return service


def of_class() -> Service:
    if Service.only is None:
        Service.only = Service()
    return Service.only


def the_cache() -> dict[str, int]:
    global cache
    if cache is None:
        cache = {"a": 1}
    return cache


def forget() -> None:
    """Be a process that has just started."""
    global service, cache
    service = cache = Service.only = None


class Lazy(Tag.App):
    def init(self) -> None:
        self.clicks = 0
        self.held: Any = None
        if offers:
            self.held = self.make()
        Tag.button("more", _id="more", _onclick=self.more)
        Tag.span(lambda: str(self.clicks), _id="count")

    def make(self) -> Any:
        raise NotImplementedError

    def more(self, event: Any) -> int:
        self.clicks += 1
        self.held = self.held or self.make()
        self.update()
        return self.clicks


class OfModule(Lazy):
    def make(self) -> Any:
        return of_module()


class OfClass(Lazy):
    def make(self) -> Any:
        return of_class()


class Cache(Lazy):
    def make(self) -> Any:
        return the_cache()
