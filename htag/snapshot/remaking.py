"""Objects that pickle writes, and of which it would be known too late that it cannot make them again: when the session
comes back. So each class is tried once, when an instance is written first."""

from collections.abc import Callable
from enum import Enum, Flag
from functools import reduce
from operator import or_
from time import perf_counter
from types import MemberDescriptorType
from typing import Any

from htag.log.redaction import in_full, in_short
from htag.snapshot.errors import Pinned
from htag.snapshot.tag_classes import HowToWrite, is_python_s_way

PROTOCOL = 5
SLOW = 0.05  # seconds

Reduced = tuple[Any, ...]


def timed(method: Callable[..., Any], *arguments: Any) -> Any:
    """What an author's `method` returns, unless it takes longer than SLOW, twice: all other sessions wait meanwhile."""
    for _ in range(2):
        start = perf_counter()
        found = method(*arguments)
        if (seconds := perf_counter() - start) <= SLOW:
            return found
    raise Pinned("", f"its {method.__name__} takes {seconds * 1000:.0f} ms, for which all other sessions wait")


def reduce_object(found: Any, how: HowToWrite) -> Any:
    """How `found` is written, which is of a class that is written in this way. Raises Pinned."""
    reduced = timed(found.__reduce_ex__, PROTOCOL)
    if not how.tried:
        try_out(type(found), reduced)
        how.tried = True
    return with_setter(reduced) if how.intercepts else reduced


def try_out(cls: type, reduced: Any) -> None:
    """Raise Pinned, where an instance of `cls` cannot be made again as it is `reduced`: its class wants arguments that
    pickle does not know of. An author's own way is not tried: it may open a file."""
    makes: Any = cls.__new__  # an `object` is made in any case
    if makes is not object.__new__ and is_python_s_way(cls) and type(reduced) is tuple:
        try:
            reduced[0](*reduced[1])
        except Exception as error:
            said = in_full(error) if is_of_the_call(error) else in_short(error)
            raise Pinned("", f"it cannot be made again without a __reduce__ of its own: {said}") from error


def is_of_the_call(error: Exception) -> bool:
    """Whether `error` says that the arguments do not fit: it names them, where others may quote what was typed."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    caller = "" if frames is None else frames.tb_frame.f_globals.get("__name__")
    return type(error) is TypeError and caller in (__name__, "copyreg")


# -- attributes --------------------------------------------------------------------------------------------------------


def with_setter(reduced: Any) -> Any:
    """`reduced`, with a way to set the state that calls none of the object's methods."""
    if type(reduced) is not tuple or len(reduced) < 3 or reduced[2] is None:
        return reduced
    return *(*reduced, None, None)[:5], set_attributes


def set_attributes(found: Any, state: Any) -> None:
    """Give `found`, which was just made, its attributes."""
    own_way: Callable[[Any, Any], None] | None = getattr(type(found), "__setstate__", None)  # has one by now
    if own_way is not None:
        own_way(found, state)
        return
    attributes, slots = state if type(state) is tuple else (state, None)
    if attributes:
        object.__getattribute__(found, "__dict__").update(attributes)
    for name, value in (slots or {}).items():
        slot_of(type(found), name).__set__(found, value)


def slot_of(cls: type, name: str) -> Any:
    """The slot `name` of `cls`. Raises AttributeError, where it is gone."""
    for each in cls.__mro__:
        if isinstance(found := vars(each).get(name), MemberDescriptorType):
            return found
    raise AttributeError(f"{cls.__qualname__} has no slot {name}")


# -- members of an enumeration -----------------------------------------------------------------------------------------


def reduce_member(member: Enum) -> Reduced | None:
    """A member of an enumeration, or flags together, by name: `auto()` may give another version other values, and of a
    value that is a function there is no equal one elsewhere. None: it has no name."""
    cls, name = type(member), member.name
    parts: list[Any] = [*member] if isinstance(member, Flag) and name not in cls.__members__ else [member]
    names = [each.name for each in parts]
    if not names or any(cls.__members__.get(each.name) is not each for each in parts):
        return None
    return (enum_member, (cls, *names)) if enum_member(cls, *names) is member else None


def enum_member(cls: Any, *names: str) -> Any:
    """Read a member of the enumeration `cls`, or flags together."""
    return reduce(or_, [cls[name] for name in names])
