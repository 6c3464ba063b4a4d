"""Code by address: where a function's code stands in its module, and what stands there today.

An address is a module, a qualified name (`Page.build.<locals>.<lambda>`: a *group*, for several functions may share it)
and the place within the group, in the order of the source. With it go digests of the whole group, so that the function
is found again in a file that was edited in the meantime, or is known not to be there any more.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import SequenceMatcher
from hashlib import blake2b
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from htag.snapshot import digests
from htag.snapshot.errors import Moved, Pinned
from htag.snapshot.module_code import file_of, is_younger_than_process, read_code

SAME, MOVED, EDITED, ELSEWHERE = "same", "moved", "edited", "elsewhere"
EDITIONS = 4  # of one module that is reloaded again and again: functions of older ones are pinned

# -- reading: what was found -------------------------------------------------------------------------------------------


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


# -- the code of a module ----------------------------------------------------------------------------------------------


class Written(NamedTuple):
    """The functions of one qualified name as they were when a snapshot was taken."""

    module: str
    qualname: str
    digests: list[bytes]  # in the order of the source
    makers: bytes  # what those do themselves that make them


class Book:
    """All code of one module as its file has it, by qualified name."""

    def __init__(self, module: ModuleType) -> None:
        """Raises nothing: where the code cannot be read, or is not what runs, `problem` says so."""
        self.name = module.__name__
        self.globals = module.__dict__
        self.file = file_of(module)
        self.problem: str | None = None
        self.top: CodeType | None = None
        self._spec = module.__spec__  # another one after a reload
        self._groups: dict[str, list[CodeType]] = {}
        self._makers: dict[str, list[CodeType]] = {}  # qualname → the code that makes the functions of this name
        self._places: dict[CodeType, tuple[str, int]] = {}  # code → qualname, place in the group
        self._digests: dict[int, bytes] = {}  # by the id of code in here
        self._group_digests: dict[str, list[bytes]] = {}
        self._by_digest: dict[bytes, CodeType] | None = None
        self._rebound: dict[str, set[str]] = {}
        self._refs: dict[tuple[str, int], CodeRef] = {}
        self._written: dict[str, Group] = {}
        self._aligned: dict[tuple[str, bytes], dict[int, int]] = {}
        try:
            self.top = read_code(module)
        except Pinned as error:
            self.problem = error.reason
            return
        self._walk(self.top)
        if is_younger_than_process(self.file) and not self._is_what_runs():
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

    def _is_what_runs(self) -> bool:
        """Whether the functions and methods that the module holds by name are those of its file."""
        held = [*self.globals.values()]
        for each in [*held]:
            if isinstance(each, type) and each.__module__ == self.name:
                held += vars(each).values()
        assert self.top is not None
        return all(
            each.__code__ in self._places
            for each in held
            if isinstance(each, FunctionType) and each.__code__.co_filename == self.top.co_filename
        )

    def is_of(self, module: ModuleType) -> bool:
        """Whether this is still the code that `module` was made with: it may have been reloaded, or imported anew."""
        return self._spec is module.__spec__ and self.globals is module.__dict__

    # -- writing

    def place(self, code: CodeType) -> tuple[str, int] | None:
        """The qualified name of `code` and its place among those of the same name, or None: it is not in the file."""
        return self._places.get(code)

    def ref(self, qualname: str, ordinal: int) -> "CodeRef":
        """The address of the code at that place. The same object each time, so that a pickle holds it once."""
        found = self._refs.get((qualname, ordinal))
        if found is None:
            found = self._refs[qualname, ordinal] = CodeRef(self, self._groups[qualname][ordinal], ordinal)
        return found

    def group(self, qualname: str) -> "Group":
        """The group of this name on its way into a pickle; the same object each time."""
        found = self._written.get(qualname)
        if found is None:
            found = self._written[qualname] = Group(self, qualname)
        return found

    def digests(self, qualname: str) -> list[bytes]:
        """What each function of this name does, in the order of the source."""
        if qualname not in self._group_digests:
            group = self._groups.get(qualname, ())
            self._group_digests[qualname] = [digests.digest(code, self._digests) for code in group]
        return self._group_digests[qualname]

    def makers(self, qualname: str) -> bytes:
        """What those do themselves that make the functions of this name."""
        return b"".join(map(digests.own_digest, self._makers.get(qualname, ())))

    def rebound(self, qualname: str) -> set[str]:
        """The names that some code inside the outermost function around binds anew though they are another's."""
        outermost = qualname.partition(".<locals>.")[0]
        if outermost not in self._rebound:
            group = self._groups.get(outermost, ())
            self._rebound[outermost] = set().union(*map(digests.rebound_names, group))
        return self._rebound[outermost]

    # -- reading

    def resolve(self, written: Written, ordinal: int, freevars: tuple[str, ...], shape: Any) -> tuple[CodeType, str]:
        """The code that is today what stood at `ordinal` of a group, and how it is known. Raises Moved.

        `freevars`: the variables of functions around that are stored with it; `shape`: its `call_shape`.
        """
        group, today = self._groups.get(written.qualname, []), self.digests(written.qualname)
        if today == written.digests:
            return group[ordinal], SAME
        place = self._alignment(written, today).get(ordinal)
        if place is not None:
            return group[place], MOVED
        if self._is_edited(written, today):
            code = group[ordinal]
            self._refuse_unlike(code, written.qualname, freevars, shape)
            return code, EDITED
        elsewhere = self._elsewhere(written.digests[ordinal])
        if elsewhere is not None:
            return elsewhere, ELSEWHERE
        raise Moved(f"{self.name}: {written.qualname} #{ordinal} is gone, or cannot be told from its neighbours")

    def _alignment(self, written: Written, today: list[bytes]) -> dict[int, int]:
        """Where those of the group are now that were not edited: first in order, then wherever there is an equal one.

        Kept, for thousands of snapshots of one version may come; there are as many entries as groups were edited since.
        """
        key = written.qualname, b"".join(written.digests)
        found = self._aligned.get(key)
        if found is None:
            found = self._aligned[key] = align(written.digests, today)
        return found

    def _is_edited(self, written: Written, today: list[bytes]) -> bool:
        """Whether a function's place is enough to know it by, though its code is another.

        An anonymous one: if nothing else changed where it is made. One with a name: if no other has or had that name.
        """
        if len(today) != len(written.digests):
            return False
        if written.qualname.endswith(">"):
            return written.makers == self.makers(written.qualname)
        return len(today) == 1

    def _refuse_unlike(self, code: CodeType, qualname: str, freevars: tuple[str, ...], shape: Any) -> None:
        missing = set(code.co_freevars) - set(freevars)
        if missing:
            raise Moved(f"{self.name}: {qualname} now uses {', '.join(sorted(missing))}, which it did not hold before")
        if digests.call_shape(code) != shape:
            raise Moved(f"{self.name}: {qualname} now has other parameters")

    def _elsewhere(self, wanted: bytes) -> CodeType | None:
        if self._by_digest is None:
            self._by_digest = {}
            for qualname, group in self._groups.items():
                for code, each in zip(group, self.digests(qualname), strict=True):
                    self._by_digest.setdefault(each, code)
        return self._by_digest.get(wanted)


def align(before: list[bytes], today: list[bytes]) -> dict[int, int]:
    """Index in `before` → index in `today` of an equal one: in order as far as may be, else wherever one is free."""
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, before, today, autojunk=False).get_matching_blocks():
        found.update(zip(range(block.a, block.a + block.size), range(block.b, block.b + block.size), strict=True))
    free = [index for index in range(len(today)) if index not in set(found.values())]
    for index, wanted in enumerate(before):
        if index not in found:
            place = next((each for each in free if today[each] == wanted), None)
            if place is not None:
                found[index] = place
                free.remove(place)
    return found


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
    return found


def book(module: ModuleType) -> Book:
    """The book of what `module` runs now. Its `problem` says why, where it cannot be used."""
    return editions(module)[0]


def modules_of(packages: Iterable[str]) -> list[ModuleType]:
    """The modules of `packages` (top-level names) that are imported by now, by name."""
    tops = frozenset(packages)
    names = sorted(name for name in sys.modules if name.partition(".")[0] in tops)
    return [module for name in names if isinstance(module := sys.modules[name], ModuleType)]


def prepare(packages: Iterable[str]) -> None:
    """Read the code of all modules of `packages` that are imported by now: 1 to 7 ms each, so best at boot.

    It is also the moment at which a file is surely the one that was imported.
    """
    for module in modules_of(packages):
        book(module)


def fingerprint(packages: Iterable[str]) -> str:
    """Hash the code of all modules of `packages` that are imported by now, in hexadecimal: to tell versions apart."""
    found = blake2b(digest_size=8)
    for module in modules_of(packages):
        its = book(module)
        code = b"" if its.top is None else digests.digest(its.top, {})
        found.update(repr((its.name, code)).encode())
    return found.hexdigest()


# -- writing: addresses ------------------------------------------------------------------------------------------------


class CodeRef:
    """The address of one code object, on its way into a pickle."""

    __slots__ = ("constant", "globals", "kept", "module", "name", "qualname", "reduced")

    def __init__(self, of: Book, code: CodeType, ordinal: int) -> None:
        self.globals = of.globals
        self.module = of.name
        self.name = code.co_name
        self.qualname = code.co_qualname
        rebound = of.rebound(code.co_qualname)
        # for each variable of functions around: whether it is never bound anew, so that its value says all
        self.constant = tuple(name not in rebound for name in code.co_freevars)
        group = of.group(code.co_qualname)
        self.reduced = find_code, (group, ordinal, code.co_freevars, digests.call_shape(code))
        self.kept: list[CodeType] = []  # the code objects that are known by their id to have this address

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


class Group:
    """The functions of one qualified name, on their way into a pickle."""

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
    elif found.globals is not function.__globals__:
        found = _find_ref(function)  # code of one module, run in another
    return found


def _find_ref(function: FunctionType) -> CodeRef:
    code, label = function.__code__, function.__qualname__
    name = function.__globals__.get("__name__")
    if name == "__mp_main__":
        name = "__main__"  # what `multiprocessing` calls the script in its children, where it goes by both names
    module = sys.modules.get(name) if isinstance(name, str) else None
    if module is None or module.__dict__ is not function.__globals__:
        raise Pinned("", f"{label} was made by exec, or by a module {name!r} that is not imported any more")
    known = editions(module)
    for each in known:
        place = each.place(code)
        if place is not None and each.problem is None:
            return each.ref(*place)
    if known[0].problem is not None:
        raise Pinned("", f"{label}: {known[0].problem}")
    raise Pinned("", f"{label} is not in {known[0].file}: made at run time, or the file was changed")


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


def find_code(written: Written, ordinal: int, freevars: tuple[str, ...], shape: Any) -> Found:
    """Read an address: find the code of today. Raises Moved."""
    its = book(live_module(written.module))
    if its.problem is not None:
        raise Moved(its.problem)
    code, how = its.resolve(written, ordinal, freevars, shape)
    resolution = _resolution.get()
    if resolution is not None:
        resolution.note(how)
    places = None if code.co_freevars == freevars else tuple(map(freevars.index, code.co_freevars))
    cells = its.rebound(code.co_qualname).intersection(code.co_freevars) if how == EDITED else ()
    return Found(code, its.globals, places, frozenset(cells))
