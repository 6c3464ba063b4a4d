"""Functions, closures and methods as pickle wants them: by name where a name leads to them, else by address."""

import functools
import sys
from collections.abc import Callable
from gc import get_referents
from types import (
    AsyncGeneratorType,
    BuiltinMethodType,
    CellType,
    CodeType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any, cast

from htag.snapshot.addresses import CodeRef, Found, Group, code_ref, named_function
from htag.snapshot.books import held_as, own_mark
from htag.snapshot.errors import Moved, Pinned
from htag.tree.handler_text import js_prefix, set_js_prefix
from htag.tree.node import Node

ATOMS = frozenset((int, str, bool, float, type(None), bytes))

# How many objects a function refers to that has neither variables of functions around, nor defaults, nor attributes of
# its own: only so it is known that there are none. To ask for `__dict__` or `__annotations__` makes a dict that stays.
BARE = len(get_referents(lambda: None))

Reduced = Any  # what `pickle.Pickler.reducer_override` may return: NotImplemented, a str, a tuple of two to six


# -- functions ---------------------------------------------------------------------------------------------------------


def reduce_function(function: FunctionType) -> Reduced:
    """Reduce any function of Python: NotImplemented, where pickle's own way by name does. Raises Pinned."""
    if "<" not in function.__qualname__ and is_named(function):
        prefix = own_mark(function)
        if not prefix:
            return NotImplemented
        return marked, (function.__module__, function.__qualname__, prefix)
    ref = code_ref(function)
    held = held_as(function)
    if held is not None:
        return marked, (*held, own_mark(function))
    cells, defaults = function.__closure__, function.__defaults__
    closure = None if cells is None else _closure(cells, ref.constant)
    if (
        function.__name__ == ref.name
        and function.__qualname__ == ref.qualname
        and function.__module__ == ref.module
        and (defaults is None or _are_simple(defaults))
    ):
        arguments = (ref, closure) if defaults is None else (ref, closure, defaults)
        more = len(get_referents(function)) - BARE - (cells is not None) - (defaults is not None)
        if not more:
            return make_function, arguments
        if more == 1 and js_prefix(function):  # its attributes, then, and nothing else
            return make_function, arguments, function.__dict__
    return _reduce_unusual(function, ref, closure)


def code_module(function: FunctionType, reduced: Reduced) -> str:
    """The module whose code it takes to read what `reduce_function` made of `function`.

    Not the one that `functools.wraps` notes on a wrapper: that is where its name leads.
    """
    if reduced is NotImplemented:
        return function.__module__
    made, arguments = reduced[:2]
    name: str = function.__globals__["__name__"] if made is marked else arguments[0].module
    return name


def is_named(function: Any) -> bool:
    """Whether the module and the qualified name of a function lead to this very function."""
    found = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is function


def _closure(cells: tuple[CellType, ...], constant: tuple[bool, ...]) -> tuple[Any, ...]:
    """The variables of functions around: as cells, or as values where that is the same and takes fewer bytes.

    Only what cannot lead back to the function may stand among its arguments: pickle makes a function after those.
    """
    found: list[Any] = []
    for cell, fixed in zip(cells, constant, strict=True):
        value: Any = cell
        if fixed:
            try:
                content = cell.cell_contents
            except ValueError:
                content = cell  # it is not bound yet
            if type(content) in ATOMS or isinstance(content, Node):
                value = content
        found.append(value)
    return tuple(found)


def _are_simple(values: tuple[Any, ...]) -> bool:
    return all(type(each) in ATOMS or isinstance(each, Node) for each in values)


def _reduce_unusual(function: FunctionType, ref: CodeRef, closure: tuple[Any, ...] | None) -> Reduced:
    """Reduce a function that differs from what the compiler makes of its code: in attributes, names, defaults."""
    plain = FunctionType(function.__code__, function.__globals__, closure=function.__closure__)
    names = ("__defaults__", "__kwdefaults__", "__name__", "__qualname__", "__module__", "__doc__")
    different = {name: value for name in names if (value := getattr(function, name)) != getattr(plain, name)}
    attributes, annotations = own_parts(function)
    kept = plain_annotations(annotations)
    if kept:
        different["__annotations__"] = kept
    return make_function, (ref, closure), (attributes or None, different)


def own_parts(function: FunctionType) -> tuple[dict[str, Any], dict[str, Any]]:
    """The attributes and the annotations of a function, without asking for either: that would give it a dict."""
    attributes: dict[str, Any] = {}
    annotations = _annotations_not_asked_for(function)
    builtins = cast(Any, function).__builtins__  # mypy knows it in a full run, and not in the next one
    named = (function.__globals__, builtins, function.__defaults__, function.__kwdefaults__)
    others = (*named, function.__closure__, getattr(function, "__type_params__", None))
    for part in get_referents(function):
        if part and type(part) in (dict, tuple) and not any(part is each for each in others):
            if type(part) is tuple:  # up to Python 3.13, of names and values by turns, until they are asked for
                annotations = dict(zip(part[::2], part[1::2], strict=True))
            elif all(getattr(function, name, others) is value for name, value in part.items()):
                attributes = part
            else:
                annotations = part
    return attributes, annotations


def _annotations_not_asked_for(function: FunctionType) -> dict[str, Any]:
    """From Python 3.14 on there is a function that works them out. They may name what is not there."""
    annotate = getattr(function, "__annotate__", None)
    try:
        return {} if annotate is None else annotate(1)
    except (AttributeError, NameError, TypeError):
        return {}


def plain_annotations(found: dict[str, Any]) -> dict[str, Any]:
    """The annotations that are texts, None or classes with a name: others are not worth to pin a session for."""
    return {name: value for name, value in found.items() if isinstance(value, str | None) or _is_named_class(value)}


def _is_named_class(value: Any) -> bool:
    return type(value) is type and is_named(value)


def make_function(found: Found, closure: tuple[Any, ...] | None, defaults: tuple[Any, ...] | None = None) -> Any:
    """Read a function. Raises Moved, where a variable is to be shared today and was not stored so."""
    code, names, places, cells = found
    if closure:
        if places is not None:
            closure = tuple([closure[place] for place in places])
        if cells:
            _refuse_unshared(code, closure, cells)
        closure = tuple([each if type(each) is CellType else CellType(each) for each in closure])
    return FunctionType(code, names, None, defaults, closure)


def _refuse_unshared(code: CodeType, closure: tuple[Any, ...], cells: frozenset[str]) -> None:
    for name, value in zip(code.co_freevars, closure, strict=True):
        if name in cells and type(value) is not CellType:
            raise Moved(f"{code.co_qualname}: {name} is bound anew there today, and was not when it was stored")


def marked(module: str, qualname: str, prefix: str) -> Any:
    """Read a function by name, on which `prevent` or `stop` may have put JavaScript: here it may not be there yet."""
    found = named_function(module, qualname)
    if prefix and js_prefix(found) != prefix:
        set_js_prefix(found, prefix)
    return found


# -- cells and methods -------------------------------------------------------------------------------------------------


def reduce_cell(cell: CellType) -> Reduced:
    """Reduce a variable that functions share; what it holds may lead back to it."""
    try:
        content = cell.cell_contents
    except ValueError:
        return empty_cell, ()
    return empty_cell, (), (None, {"cell_contents": content})


def empty_cell() -> CellType:
    """Read a cell; pickle fills it. Not the type itself, which has no name that leads to it."""
    return CellType()


def reduce_method(method: MethodType) -> Reduced:
    """Reduce a bound method as its function and its object.

    Pickle's own way, by `getattr(object, name)`, gets `super().click` wrong, and `self.__private` not at all.
    """
    return bind, (method.__func__, method.__self__)


def bind(function: Callable[..., Any], owner: Any) -> Any:
    """Read a bound method."""
    return MethodType(function, owner)


def reduce_builtin(method: BuiltinMethodType) -> Reduced:
    """Reduce a method of a built-in type, as `items.clear`; NotImplemented for functions, which have a name."""
    owner = method.__self__
    if owner is None or isinstance(owner, ModuleType):
        return NotImplemented
    return builtin_method, (owner, method.__name__)


def builtin_method(owner: Any, name: str) -> Any:
    """Read a method of a built-in type. Raises Moved, where `name` is something else."""
    found = getattr(owner, name, None)
    if type(found) is not BuiltinMethodType or isinstance(owner, ModuleType):
        raise Moved(f"{type(owner).__name__}.{name} is no method of a built-in type")
    return found


# -- the rest ----------------------------------------------------------------------------------------------------------


def reduce_cache(cached: Any) -> Reduced:
    """Reduce what `functools.lru_cache` made: by name, else its function and size. What it remembers is left out."""
    if "<" not in cached.__qualname__ and is_named(cached):
        return NotImplemented
    parameters = cached.cache_parameters()
    return cache, (cached.__wrapped__, parameters["maxsize"], parameters["typed"])


def cache(function: Callable[..., Any], size: int | None, typed: bool) -> Any:
    """Read what `functools.lru_cache` made."""
    return functools.lru_cache(size, typed)(function)


def reduce_partial_method(method: Any) -> Reduced:
    """Reduce a `functools.partialmethod`, which pickle cannot make again from Python 3.14 on."""
    return partial_method, (method.func, method.args, method.keywords)


def partial_method(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Read a `functools.partialmethod`."""
    return functools.partialmethod(function, *arguments, **keywords)


def refuse_under_way(started: Any) -> Reduced:
    """Raise Pinned for a generator or a coroutine: a frame of Python cannot be stored."""
    raise Pinned("", f"the {type(started).__name__} {started.__qualname__} has begun or waits to begin")


def reduce_address(address: CodeRef | Group) -> Reduced:
    """Reduce an address."""
    return address.reduced


SPECIAL: dict[type, Callable[[Any], Reduced]] = {
    FunctionType: reduce_function,
    CellType: reduce_cell,
    MethodType: reduce_method,
    BuiltinMethodType: reduce_builtin,
    type(functools.lru_cache(reduce_cell)): reduce_cache,
    functools.partialmethod: reduce_partial_method,
    GeneratorType: refuse_under_way,
    CoroutineType: refuse_under_way,
    AsyncGeneratorType: refuse_under_way,
    CodeRef: reduce_address,
    Group: reduce_address,
}
"""What `pickle.Pickler.reducer_override` asks by the exact type of an object."""
