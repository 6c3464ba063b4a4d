"""The code of modules: all functions that a module's file has, by qualified name, as it runs in this process."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from htag.snapshot import digests
from htag.snapshot.errors import Pinned
from htag.snapshot.module_code import file_of, is_younger_than_process, read_code, spec_of
from htag.tree.handler_text import js_prefix

EDITIONS = 4  # of one module that is reloaded again and again: functions of older ones are pinned


class Book:
    """All code of one module as its file has it, by qualified name. Functions of one name are a *group*."""

    def __init__(self, module: ModuleType) -> None:
        """Raises nothing: where the code cannot be read, or is not what runs, `problem` says so."""
        self.name = module.__name__
        self.globals = module.__dict__
        self.file = file_of(module)
        self.problem: str | None = None
        self.top: CodeType | None = None
        self.alignments: dict[tuple[str, bytes], dict[int, int]] = {}  # by `matching`: groups edited since, to theirs
        self.refs: dict[tuple[str, int], Any] = {}  # by `addresses`: what stands for a place in a pickle
        self.written: dict[str, Any] = {}  # by `addresses`: what stands for a group in a pickle
        self._spec = spec_of(module)  # another one after a reload
        self._groups: dict[str, list[CodeType]] = {}  # in the order of the source
        self._makers: dict[str, list[CodeType]] = {}  # qualname → the code that makes the functions of this name
        self._places: dict[CodeType, tuple[str, int]] = {}  # code → qualname, place in the group
        self._digests: dict[int, bytes] = {}  # by the id of code in here
        self._group_digests: dict[str, list[bytes]] = {}
        self._by_digest: dict[bytes, CodeType] | None = None
        self._rebound: dict[str, set[str]] = {}
        try:
            self.top = read_code(module)
        except Pinned as error:
            self.problem = error.reason
            return
        self._walk(self.top)
        if is_younger_than_process(self.file) and not self._is_what_runs(self.top.co_filename):
            self.problem = f"{self.file} was changed after it was imported"

    def _walk(self, maker: CodeType) -> None:
        for code in digests.nested_code(maker):
            group = self._groups.setdefault(code.co_qualname, [])
            makers = self._makers.setdefault(code.co_qualname, [])
            if maker not in makers:
                makers.append(maker)
            self._places.setdefault(code, (code.co_qualname, len(group)))
            group.append(code)
            self._walk(code)

    def _is_what_runs(self, file: str) -> bool:
        """Whether the functions and methods that the module holds by name are those of its file."""
        held = [each for _, space in namespaces(self.name, self.globals) for each in list(space.values())]
        functions = [each for each in held if isinstance(each, FunctionType)]
        return all(each.__code__ in self._places for each in functions if each.__code__.co_filename == file)

    def is_of(self, module: ModuleType) -> bool:
        """Whether this is still the code that `module` was made with: it may have been reloaded, or imported anew."""
        return self._spec is spec_of(module) and self.globals is module.__dict__

    def place(self, code: CodeType) -> tuple[str, int] | None:
        """The qualified name of `code` and its place among those of the same name, or None: it is not in the file."""
        return self._places.get(code)

    def group(self, qualname: str) -> list[CodeType]:
        """The code of this name, in the order of the source."""
        return self._groups.get(qualname, [])

    def digests(self, qualname: str) -> list[bytes]:
        """What each function of this name does, in the order of the source."""
        found = self._group_digests.get(qualname)
        if found is None:
            found = [digests.digest(code, self._digests) for code in self.group(qualname)]
            self._group_digests[qualname] = found
        return found

    def digest(self) -> bytes:
        """What the module does, with all that is in it; empty, where its code cannot be read."""
        return b"" if self.top is None else digests.digest(self.top, self._digests)

    def makers(self, qualname: str) -> bytes:
        """What those do themselves that make the functions of this name."""
        return b"".join(map(digests.own_digest, self._makers.get(qualname, ())))

    def rebound(self, qualname: str) -> set[str]:
        """The names that some code inside the outermost function around binds anew though they are another's."""
        outermost = qualname.partition(".<locals>.")[0]
        if outermost not in self._rebound:
            self._rebound[outermost] = set().union(*map(digests.rebound_names, self.group(outermost)))
        return self._rebound[outermost]

    def anywhere(self, digest: bytes) -> CodeType | None:
        """The first code of the module that does this, whatever its name."""
        if self._by_digest is None:
            self._by_digest = {}
            for qualname, group in self._groups.items():
                for code, each in zip(group, self.digests(qualname), strict=True):
                    self._by_digest.setdefault(each, code)
        return self._by_digest.get(digest)


def namespaces(name: str, names: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The names of a module and those of its classes, each after what stands before them: "", "Page."."""
    yield "", names
    for key, value in list(names.items()):
        if isinstance(value, type) and value.__module__ == name and isinstance(key, str):
            yield f"{key}.", vars(value)


# The books of the modules that functions of this process come from, newest edition first. Right to keep for as long as
# the process lives: a module's code is no session's, there are as many as modules, and reading one takes milliseconds.
# Functions that were made before a reload are found in an older edition.
_editions: dict[str, list[Book]] = {}


def editions(module: ModuleType) -> list[Book]:
    """The books of `module`, the one that new code comes from first."""
    name = module.__name__
    known = _editions.get(name, [])
    if known and known[0].is_of(module):
        return known
    earlier = [each for each in known if each.globals is module.__dict__]  # reloaded; else it was imported anew
    found = _editions[name] = [Book(module), *earlier][:EDITIONS]
    _held.update(_held_functions(module))
    return found


def is_read(module: ModuleType) -> bool:
    """Whether there is a book of what `module` runs now."""
    known = _editions.get(module.__name__)
    return known is not None and known[0].is_of(module)


def book(module: ModuleType) -> Book:
    """The book of what `module` runs now. Its `problem` says why, where it cannot be used."""
    return editions(module)[0]


def modules_of(packages: Iterable[str]) -> list[ModuleType]:
    """The modules of `packages` (top-level names) that are imported by now, by name."""
    tops = frozenset(packages)
    names = sorted(name for name in sys.modules if name.partition(".")[0] in tops)
    return [module for name in names if isinstance(module := sys.modules[name], ModuleType)]


# What `prevent` and `stop` had put on the functions of a module when it had just been imported, by the function's id;
# and the function, whose id it so remains. Right to keep for as long as the process lives: it belongs to its code.
_imported_marks: dict[int, tuple[FunctionType, str]] = {}


def note_marks(module: ModuleType) -> None:
    """Note what is put on the functions of `module` by now: that is not a session's to keep."""
    for _, space in namespaces(module.__name__, vars(module)):
        for each in list(space.values()):
            if isinstance(each, FunctionType) and js_prefix(each):
                _imported_marks[id(each)] = each, js_prefix(each)


def own_mark(function: FunctionType) -> str:
    """What `prevent` and `stop` have put on a function of a module since its import; "", if there is nothing new."""
    prefix = js_prefix(function)
    return "" if prefix and _imported_marks.get(id(function)) == (function, prefix) else prefix


# Functions that a module, or a class in it, holds under another name than their own, by their id: module, path. A
# lambda that was given a name; what a decorator put in the place of a function. Right to keep for as long as the
# process lives: there are as many as such names. An entry is believed only if it leads to the function asked for.
_held: dict[int, tuple[str, str]] = {}


def held_as(function: FunctionType) -> tuple[str, str] | None:
    """The module and the path under which one of the modules read so far holds `function`, or None."""
    found = _held.get(id(function))
    if found is not None:
        name, path = found
        holder: Any = sys.modules.get(name)
        for part in path.split("."):
            holder = getattr(holder, part, None)
        if holder is function:
            return found
    return None


def _held_functions(module: ModuleType) -> Iterator[tuple[int, tuple[str, str]]]:
    for prefix, space in namespaces(module.__name__, vars(module)):
        for name, each in list(space.items()):
            if isinstance(each, FunctionType) and isinstance(name, str) and each.__qualname__ != prefix + name:
                yield id(each), (module.__name__, prefix + name)
