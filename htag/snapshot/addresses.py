"""Code by address: where a function's code stands in its module, as a pickle holds it, and what it is when it is read.

An address is a module, a qualified name (`Page.build.<locals>.<lambda>`: a *group*, for several functions may share it)
and the place within the group, in the order of the source. With it go digests of the whole group, so that the function
is found again in a file that was edited in the meantime, or is known not to be there any more: see `matching`.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from htag.snapshot import digests
from htag.snapshot.books import Book, book, editions, is_read, modules_of, note_marks
from htag.snapshot.errors import Moved, Pinned
from htag.snapshot.matching import EDITED, ELSEWHERE, MOVED, SAME, Written, match


def prepare(packages: Iterable[str]) -> None:
    """Read the code of all modules of `packages` that are imported by now: 1 to 7 ms each, so best at boot.

    It is also the moment at which a file is surely the one that was imported.
    """
    for module in modules_of(packages):
        if not is_read(module):
            book(module)
            note_marks(module)


def fingerprint(packages: Iterable[str]) -> str:
    """Hash the code of all modules of `packages` that are imported by now, in hexadecimal: to tell versions apart."""
    found = blake2b(digest_size=8)
    for module in modules_of(packages):
        found.update(repr((module.__name__, book(module).digest())).encode())
    return found.hexdigest()


# -- writing -----------------------------------------------------------------------------------------------------------


class CodeRef:
    """The address of one code object, on its way into a pickle: one object each, so that a pickle holds it once."""

    __slots__ = ("constant", "kept", "module", "name", "qualname", "reduced")

    def __init__(self, of: Book, qualname: str, ordinal: int) -> None:
        code = of.group(qualname)[ordinal]
        rebound = of.rebound(qualname)
        self.module = of.name
        self.name = code.co_name
        self.qualname = qualname
        # for each variable of functions around: whether it is never bound anew, so that its value says all
        self.constant = tuple(name not in rebound for name in code.co_freevars)
        self.reduced = find_code, (_group(of, qualname), ordinal, code.co_freevars, digests.call_shape(code))
        self.kept: list[CodeType] = []  # the code objects that are known by their id to have this address

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


class Group:
    """The functions of one qualified name, on their way into a pickle: one object each."""

    __slots__ = ("reduced",)

    def __init__(self, of: Book, qualname: str) -> None:
        together = b"".join(of.digests(qualname))
        self.reduced = find_group, (of.name, qualname, together, of.makers(qualname))

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


# The address of each code object that was met in a function, by its id. Right to keep for as long as the process lives:
# it grows with the source, not with the sessions, since code that is in no file has no address. Comparing code takes
# longer than all the rest, hence the id; the address keeps the code object alive, hence no other one gets that id.
_refs: dict[int, CodeRef] = {}


def code_ref(function: FunctionType) -> CodeRef:
    """The address of the code of `function`. Raises Pinned, where it has none."""
    code = function.__code__
    found = _refs.get(id(code))
    if found is None:
        found = _find_ref(function)
        found.kept.append(code)
        _refs[id(code)] = found
    elif getattr(sys.modules.get(found.module), "__dict__", None) is not function.__globals__:
        found = _find_ref(function)  # its code runs in another module, or the module was imported anew
    return found


def _find_ref(function: FunctionType) -> CodeRef:
    code, label = function.__code__, function.__qualname__
    name = function.__globals__.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    if module is None or module.__dict__ is not function.__globals__:
        raise Pinned("", f"{label} was made by exec, or by a module {name!r} that is not imported any more")
    known = editions(module)
    for each in known:
        place = each.place(code)
        if place is not None and each.problem is None:
            return _ref(each, place)
    if known[0].problem is not None:
        raise Pinned("", f"{label}: {known[0].problem}")
    raise Pinned("", f"{label} is not in {known[0].file}: made at run time, or the file was changed")


def _ref(of: Book, place: tuple[str, int]) -> CodeRef:
    found: CodeRef | None = of.refs.get(place)
    if found is None:
        found = of.refs[place] = CodeRef(of, *place)
    return found


def _group(of: Book, qualname: str) -> Group:
    found: Group | None = of.written.get(qualname)
    if found is None:
        found = of.written[qualname] = Group(of, qualname)
    return found


# -- reading -----------------------------------------------------------------------------------------------------------


class Resolution:
    """What became of the addresses in one snapshot: how many are the same, moved, edited or elsewhere in the module."""

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        """`allowed`: whether code of the module of this name may be used."""
        self.allowed = allowed
        self.counts: dict[str, int] = {}

    @property
    def outcome(self) -> str:
        """The worst of them: "same" is better than "moved" (elsewhere is that too), which is better than "edited"."""
        if EDITED in self.counts:
            return EDITED
        return MOVED if MOVED in self.counts or ELSEWHERE in self.counts else SAME

    def note(self, how: str) -> None:
        """Count one more."""
        self.counts[how] = self.counts.get(how, 0) + 1


_resolution: ContextVar[Resolution | None] = ContextVar("resolution", default=None)


@contextmanager
def resolving(allowed: Callable[[str], bool] = lambda name: True) -> Iterator[Resolution]:
    """Collect what becomes of the addresses that are read in this block, and in no other one or other task."""
    found = Resolution(allowed)
    token = _resolution.set(found)
    try:
        yield found
    finally:
        _resolution.reset(token)


def live_module(name: str) -> ModuleType:
    """The module of this name, imported if need be. Raises Moved, where there is none or the reader may not have it."""
    resolution = _resolution.get()
    if resolution is not None and not resolution.allowed(name):
        raise Moved(f"code of the module {name} may not be used")
    try:
        return sys.modules.get(name) or importlib.import_module(name)
    except ImportError as error:
        raise Moved(f"the module {name} cannot be imported: {error}") from None


def look_up(name: str, path: str) -> Any:
    """What the module `name` holds under a dotted `path`. Raises Moved, where there is nothing."""
    found: Any = live_module(name)
    try:
        for part in path.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise Moved(f"{name}.{path} is gone: {error}") from None
    return found


def named_function(name: str, path: str) -> FunctionType:
    """The function that the module `name` holds under a dotted `path`. Raises Moved, where there is none."""
    found = look_up(name, path)
    if not isinstance(found, FunctionType):
        raise Moved(f"{name}.{path} is no function any more")
    live_module(found.__globals__["__name__"])  # a module may hold another one's, which the reader may not have
    return found


class Found(NamedTuple):
    """Code of today, for a function that was read."""

    code: CodeType
    globals: dict[str, Any]
    places: tuple[int, ...] | None  # where each of its variables stands among those stored; None: as they were
    cells: frozenset[str]  # variables that are bound anew today, so that a value without its cell is not enough


def find_group(module: str, qualname: str, together: bytes, makers: bytes) -> Written:
    """Read a group."""
    size = digests.SIZE
    each = [together[start : start + size] for start in range(0, len(together), size)]
    return Written(module, qualname, each, makers)


def find_code(written: Written, ordinal: int, freevars: tuple[str, ...], shape: tuple[Any, ...]) -> Found:
    """Read an address: find the code of today. Raises Moved."""
    its = book(live_module(written.module))
    if its.problem is not None:
        raise Moved(its.problem)
    code, how = match(its, written, ordinal, freevars, shape)
    resolution = _resolution.get()
    if resolution is not None:
        resolution.note(how)
    places = None if code.co_freevars == freevars else tuple(map(freevars.index, code.co_freevars))
    cells = its.rebound(code.co_qualname).intersection(code.co_freevars) if how == EDITED else ()
    return Found(code, its.globals, places, frozenset(cells))
