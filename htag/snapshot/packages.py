"""Which of the imported packages are the app's: its own, and those that its modules import by name."""

import sys
import sysconfig
from collections.abc import Iterable, Iterator, Set
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

OURS = "htag"


def top(name: str) -> str:
    """The top-level package of the module `name`."""
    return name.partition(".")[0]


def modules_of(packages: Iterable[str]) -> Iterator[ModuleType]:
    """The imported modules of `packages`."""
    tops = frozenset(packages)
    for name, module in list(sys.modules.items()):
        if module is not None and top(name) in tops:
            yield module


@lru_cache(maxsize=1024)
def is_local(package: str) -> bool:
    """Whether the top-level `package` is the author's own: its source lies neither where Python's nor where installed
    packages lie, and it is not this library."""
    if package == OURS or package in sys.stdlib_module_names:
        return False
    place = location(package)
    if place is None or {"site-packages", "dist-packages"} & {*Path(place).parts}:
        return False
    return not any(place.startswith(f"{each}/") for each in installed())


@lru_cache(maxsize=1)
def installed() -> tuple[str, ...]:
    """The folders of Python's own modules, and of installed ones."""
    return tuple(str(Path(sysconfig.get_paths()[key]).resolve()) for key in ("stdlib", "purelib", "platlib"))


def location(package: str) -> str | None:
    """The folder or file of a top-level package; None: it has none, or there is no such package."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # `__main__` has no spec
        spec = None
    if spec is None:
        file = getattr(sys.modules.get(package), "__file__", None)
        return str(Path(file).resolve()) if file else None
    places = [spec.origin] if spec.has_location and spec.origin else [*(spec.submodule_search_locations or ())]
    return str(Path(places[0]).resolve()) if places else None


def own_packages(entity: type) -> frozenset[str]:
    """The top-level packages of the app's author: that of `entity`, and all that are local and imported."""
    return _own_packages(top(entity.__module__), len(sys.modules))


@lru_cache(maxsize=64)
def _own_packages(package: str, imported: int) -> frozenset[str]:
    return frozenset({package} | {each for each in map(top, list(sys.modules)) if is_local(each)} - {OURS})


def imported_packages(own: Set[str]) -> set[str]:
    """The installed packages, not Python's, that modules of `own` have among their names."""
    found = {top(origin(value)) for module in modules_of(own) for value in list(vars(module).values())}
    return {each for each in found if each and each not in sys.stdlib_module_names} - own - {OURS}


def origin(value: Any) -> str:
    """The module that `value` is, or comes from; "" for what is neither a module, nor a class, nor a function."""
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, type | FunctionType | BuiltinFunctionType):
        return value.__module__ or ""
    return ""
