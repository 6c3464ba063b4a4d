"""What code does, as a few bytes: the same on whatever line it stands, and whatever it is called."""

import dis
from collections.abc import Callable, Iterator
from hashlib import blake2b
from types import CodeType
from typing import Any

SIZE = 4  # bytes: an edited function passes for its old self once in 2**32 edits

OPTIMIZED = 0x1  # of a code object's flags: a function's, neither a module's nor a class body's
CALL_FLAGS = 0x04 | 0x08 | 0x20 | 0x80 | 0x200  # *args, **kwargs, generator, coroutine, async generator

# What the compiler stores in each class from Python 3.13 on. It tells of the class's place in its file, and of what its
# methods do, not of the body: and 3.13.0 writes the attributes in another order in each process.
PLACE_OF_A_CLASS = frozenset(("__firstlineno__", "__static_attributes__"))


def digest(code: CodeType, known: dict[int, bytes]) -> bytes:
    """Hash what `code` does, with all that the functions and classes do that it makes.

    `known`: digests by the id of a code object, added to; for code objects that live as long as it does.
    """
    found = known.get(id(code))
    if found is None:
        found = known[id(code)] = _hash(code, lambda each: digest(each, known))
    return found


def own_digest(code: CodeType) -> bytes:
    """Hash what `code` does itself: of the functions and classes that it makes only the names."""
    return _hash(code, lambda each: each.co_name.encode())


def call_shape(code: CodeType) -> tuple[Any, ...]:
    """Say how `code` is called and what a call returns: numbers of parameters, names of those by keyword, flags."""
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return code.co_argcount, code.co_posonlyargcount, code.co_flags & CALL_FLAGS, keywords


def rebound_names(code: CodeType) -> set[str]:
    """The names that `code`, or what it makes, binds anew though they are variables of a function around."""
    found = set()
    if code.co_freevars:
        for step in dis.get_instructions(code):
            if step.opname in ("STORE_DEREF", "DELETE_DEREF") and step.argval in code.co_freevars:
                found.add(step.argval)
    return found.union(*map(rebound_names, nested_code(code)))


def nested_code(code: CodeType) -> Iterator[CodeType]:
    """The functions, classes and comprehensions that `code` makes, in the order of the source."""
    return (each for each in code.co_consts if isinstance(each, CodeType))


def _hash(code: CodeType, of_nested: Callable[[CodeType], bytes]) -> bytes:
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    parts = [repr((call_shape(code), code.co_flags, names)).encode(), code.co_exceptiontable]
    if code.co_flags & OPTIMIZED or code.co_name == "<module>":
        parts += [code.co_code, *(_constant(each, of_nested) for each in code.co_consts)]
    else:
        parts += [repr(step).encode() for step in _class_steps(code, of_nested)]
    # the list's repr, not its parts in a row: what one part ends with is not what the next one begins with
    return blake2b(repr(parts).encode(), digest_size=SIZE).digest()


def _constant(value: Any, of_nested: Callable[[CodeType], bytes]) -> bytes:
    if isinstance(value, CodeType):
        return of_nested(value)
    if isinstance(value, tuple):
        return repr([_constant(each, of_nested) for each in value]).encode()
    if isinstance(value, frozenset):  # whose order is the process's
        return repr(sorted(_constant(each, of_nested) for each in value)).encode()
    return f"{type(value).__name__} {value!r}".encode()


def _class_steps(code: CodeType, of_nested: Callable[[CodeType], bytes]) -> Iterator[tuple[Any, ...]]:
    """The instructions of a class body, without those that store its place.

    From Python 3.14 on a small line number is part of the instruction that loads it, so the bytes cannot be compared.
    """
    steps = list(dis.get_instructions(code))
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if _stores_place(step) or (following is not None and _stores_place(following)):
            continue
        argument = _constant(step.argval, of_nested) if step.opcode in dis.hasconst else step.arg
        yield step.opname, argument


def _stores_place(step: dis.Instruction) -> bool:
    return step.opname == "STORE_NAME" and step.argval in PLACE_OF_A_CLASS
