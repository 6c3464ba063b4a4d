"""The names that a snapshot may refer to: the second wall, behind the seal. No name in here runs what it is given."""

import builtins
import cmath
import math
import sys
from functools import lru_cache
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from htag.snapshot.packages import imported_packages, is_local, own_packages, top

# of htag: what apps are made of, not what runs them
OURS = ("htag", "htag.app", "htag.core", "htag.events", "htag.factory", "htag.router", "htag.state")
OUR_PACKAGE = "htag.tree."

RUNS_WHAT_IT_IS_GIVEN = frozenset(
    {
        *("breakpoint", "classmethod", "compile", "delattr", "eval", "exec", "exit", "filter", "getattr", "globals"),
        *("help", "input", "locals", "map", "memoryview", "open", "quit", "setattr", "staticmethod", "super", "type"),
        "vars",
    }
)

# Of `operator`: what neither changes what it is given, nor finds a method or an attribute by its name.
COMPUTES = (
    "abs add and_ concat contains countOf eq floordiv ge getitem gt index indexOf inv invert is_ is_not itemgetter le "
    "lshift lt matmul mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor"
)

# Of Python's own modules: values, and functions that only compute. Nothing that reads a file, starts a program, finds
# an attribute by its name, or compiles a text.
VALUES: dict[str, frozenset[str]] = {
    module: frozenset(names.split())
    for module, names in {
        "_codecs": "encode",
        "_collections": "OrderedDict defaultdict deque",
        "_operator": COMPUTES,
        "_random": "Random",
        "array": "array _array_reconstructor",
        "calendar": "Calendar Day HTMLCalendar Month TextCalendar",
        "cmath": " ".join(vars(cmath)),
        "collections": "ChainMap Counter OrderedDict UserDict UserList UserString defaultdict deque",
        "copyreg": "_reconstructor __newobj__ __newobj_ex__",
        "datetime": "date datetime time timedelta timezone tzinfo UTC",
        "decimal": "Context Decimal",
        "enum": "Enum Flag IntEnum IntFlag StrEnum",
        "fractions": "Fraction",
        "functools": "partial partialmethod",
        "html": "escape unescape",
        "http": "HTTPMethod HTTPStatus",
        "ipaddress": "IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network",
        "itertools": "accumulate chain combinations count cycle islice permutations product repeat starmap",
        "json": "dumps loads",
        "logging": "Logger LoggerAdapter RootLogger getLogger",
        "math": " ".join(vars(math)),
        "operator": COMPUTES,
        "pathlib": "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath",
        "pathlib._local": "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath",
        "random": "Random",
        "re": "RegexFlag _compile",
        "statistics": "NormalDist fmean mean median mode stdev",
        "string": "Template",
        "time": "gmtime localtime monotonic perf_counter strftime struct_time time",
        "types": "GenericAlias MappingProxyType SimpleNamespace",
        "typing": "Any Optional Union",
        "urllib.parse": "DefragResult ParseResult SplitResult quote quote_plus unquote unquote_plus urlencode urljoin "
        "urlparse urlsplit",
        "uuid": "SafeUUID UUID uuid4",
        "_weakrefset": "WeakSet",
        "zoneinfo": "ZoneInfo",
        # by which this package makes things again
        "htag.snapshot.addresses": "find_code find_group",
        "htag.snapshot.classes": "Descriptor make_class",
        "htag.snapshot.functions": "bind builtin_method cache empty_cell make_function marked partial_method",
        "htag.snapshot.items": "left_out own_tag the_item",
        "htag.snapshot.reducers": "counting dead_reference ended new_lock new_rlock read_only synchroniser type_method "
        "weak_reference zone",
        "htag.snapshot.remaking": "enum_member set_attributes",
        "htag.snapshot.singletons": "singleton singleton_or_gap",
        "htag.snapshot.writer": "set_value set_value_and_attributes the_entity the_module",
    }.items()
} | {"builtins": frozenset(name for name in vars(builtins) if name[0] != "_") - RUNS_WHAT_IT_IS_GIVEN}

# Of Python's own modules: those whose decorators put a closure of theirs around a function.
DECORATORS = frozenset(("contextlib", "functools"))

_more: set[str] = set()


def allow(*packages: str) -> None:
    """Let snapshots hold objects of these top-level `packages` too, which no module of the app imports by name; and of
    modules of Python's own, as `html.parser`."""
    _more.update(packages)


class Allowed:
    """What snapshots of one app may name."""

    def __init__(self, entity: type) -> None:
        own = own_packages(entity)
        self._packages = own | imported_packages(own)

    def permits(self, module: str, name: str) -> bool:
        """Whether a snapshot may refer to `name` of `module`."""
        if module in OURS or module.startswith(OUR_PACKAGE):
            return True
        if module in _more:
            return True
        if module in VALUES:
            return name in VALUES[module]
        package = top(module)
        if package == "htag" or package in sys.stdlib_module_names:
            return False
        return package in self._packages or package in _more or is_local(package)

    def permits_object(self, found: Any) -> bool:
        """Whether a snapshot may refer to `found`, by whatever name: classes and functions say where they come from."""
        if isinstance(found, ModuleType):
            return False
        if not isinstance(found, type | FunctionType | BuiltinFunctionType):
            return True
        return self.permits(found.__module__ or "builtins", found.__qualname__)

    def permits_builtin(self, found: Any) -> bool:
        """Whether a snapshot may refer to `found`, which is written in C: a function, or a method of a value."""
        owner = found.__self__
        return not (owner is None or isinstance(owner, ModuleType)) or self.permits_object(found)

    def permits_module(self, name: str) -> bool:
        """Whether a snapshot may refer to the module `name` as such."""
        return (name in VALUES and not name.startswith("htag.")) or self.permits_code(name)

    def permits_code(self, module: str) -> bool:
        """Whether a snapshot may refer to any code of `module`."""
        return module in DECORATORS or (module not in VALUES and self.permits(module, ""))


@lru_cache(maxsize=256)
def _allowed(entity: type, imported: int) -> Allowed:
    return Allowed(entity)


def allowed_of(entity: type) -> Allowed:
    """What snapshots of `entity` may name; looked for again when more has been imported."""
    return _allowed(entity, len(sys.modules))
