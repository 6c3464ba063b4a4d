"""What can be said of an app's class: its name, and which version of its code there is."""

from functools import lru_cache

from htag.app import App
from htag.snapshot import addresses
from htag.snapshot.packages import own_packages

Entity = type[App] | App


def class_of(entity: Entity) -> type[App]:
    """The class of what a `WebApp` serves: a class, or one instance for all visitors."""
    return entity if isinstance(entity, type) else type(entity)


def entity_path(entity: Entity) -> str:
    """`module:QualName`: a snapshot of another is none of this app."""
    cls = class_of(entity)
    return f"{cls.__module__}:{cls.__qualname__}"


def prepare(entity: Entity) -> None:
    """Read the code of the app's packages: 1 to 7 ms a module, at boot rather than at the first snapshot."""
    addresses.prepare(own_packages(class_of(entity)))


def fingerprint(entity: Entity) -> str:
    """Hash the code of the app's packages, as they are at the first call: it tells versions apart, and decides
    nothing."""
    return _fingerprint(class_of(entity))  # type: ignore[arg-type]  # a class has a hash, whatever its instances have


@lru_cache(maxsize=64)
def _fingerprint(cls: type[App]) -> str:
    return addresses.fingerprint(own_packages(cls))
