"""Functions of every kind, to be moved to another process; and what is said of them here and there.

Also of the kinds that lint and types advise against: people write them, so their exemptions need no reason each.
"""

import asyncio
import contextlib
import functools
import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any

import htag
from tests.support.moved import Case

GUESTS: list[str] = []


# -- closures ----------------------------------------------------------------------------------------------------------


def counters():
    count = 0

    def up():
        nonlocal count
        count += 1
        return count

    return up, lambda: count


def factorial():
    def of(n):
        return 1 if n == 0 else n * of(n - 1)

    return of


def even_and_odd():
    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n != 0 and even(n - 1)

    return even, odd


def in_comprehensions():
    late = [lambda: each for each in range(3)]  # noqa: B023
    early = [lambda each=each: each for each in range(3)]
    nested = [[lambda: (outer, inner) for inner in range(2)] for outer in range(2)]  # noqa: B023
    by_name = {name: (lambda: name) for name in "ab"}  # noqa: B023
    generated = list((lambda: each) for each in range(2))  # noqa: B023, C400
    return late, early, nested, by_name, generated


def told_of(found):
    late, early, nested, by_name, generated = found
    rows = [[each() for each in row] for row in nested]
    names = {name: each() for name, each in by_name.items()}
    return [each() for each in late], [each() for each in early], rows, names, [each() for each in generated]


def not_bound_yet():
    def read():
        return later

    if GUESTS:
        later = 1
    return read


def three_levels():
    a = "a"

    def second():
        b = a + "b"

        def third():
            return a, b, lambda: (a, b)

        return third

    return second()


def holds_itself_in_a_list():
    handlers: list[Callable[[], int]] = []
    handlers.append(lambda: len(handlers))
    return handlers


# -- arguments ---------------------------------------------------------------------------------------------------------


def with_defaults(key=lambda x: x * 2, *, other=lambda x: x + 1):
    def inner(a, f=lambda x: x - 1, *, g=lambda x: -x, text="t"):
        return key(a), other(a), f(a), g(a), text

    return inner


def default_of_itself():
    def call(n, again=None):
        return n if n == 0 else again(n - 1)

    call.__defaults__ = (call,)
    return call


def by_position_only():
    return lambda a, b=2, /, *more, c, **named: (a, b, more, c, named)


# -- decorators --------------------------------------------------------------------------------------------------------


def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args):
        return "wrapped", function(*args)

    return wrapper


def hiding(function):
    def replacement(*args):
        replacement.calls += 1  # type: ignore[attr-defined]
        return "hidden", function(*args)

    replacement.calls = 0  # type: ignore[attr-defined]
    return replacement


class Remembering:
    def __init__(self, function):
        self.function = function

    def __call__(self, *args):
        return "remembered", self.function(*args)


@wrapping
def wrapped(x):
    return x


@hiding
def hidden(x):
    return x


@Remembering
def remembered(x):
    return x


@wrapping
@hiding
def wrapped_twice(x):
    return x


@contextlib.contextmanager
def managed() -> Iterator[str]:
    yield "managed"


def local_managed():
    @contextlib.contextmanager
    def managed(value):
        yield value

    return managed


def entered(managed, *arguments):
    with managed(*arguments) as value:
        return value


@functools.lru_cache
def cached(x):
    return x


@htag.prevent
def marked_at_import(event):
    return "marked", event


def local_cache():
    calls = []

    @functools.lru_cache(maxsize=2)
    def square(x):
        calls.append(x)
        return x * x

    square(3)
    return square, calls


# -- methods -----------------------------------------------------------------------------------------------------------


class Base:
    table = {"a": lambda self: "of a table in a class body"}  # noqa: RUF012
    handler = lambda self, x=1: ("of a class body", x)  # noqa: E731

    def click(self):
        return "base"

    @staticmethod
    def static(x=0):
        return "static", x

    @classmethod
    def of_class(cls, x=0):
        return cls.__name__, x


class Derived(Base):
    def click(self):
        return "derived"

    def __secret(self):
        return "secret"

    def handlers(self):
        return super().click, self.click, self.__secret, self.static, self.of_class, self.handler, super().of_class

    def closures(self):
        return lambda: super(Derived, self).click(), lambda: __class__.__name__  # type: ignore[name-defined]


def same_owner():
    owner = Derived()
    owner.own = owner.click  # type: ignore[attr-defined]
    return owner, owner.click, owner.own  # type: ignore[attr-defined]


# -- other kinds -------------------------------------------------------------------------------------------------------


def with_await_and_yield():
    base = 10

    async def coroutine(x):
        return base + x

    async def both(x):
        yield base
        yield x

    def generator(x):
        yield base
        yield x

    return coroutine, both, generator


async def drained(generator):
    return [each async for each in generator]


def four_on_a_line():
    return lambda: 1, lambda: 2, lambda: 1, lambda x=3: x


def equal_twice():
    first = lambda: "same"  # noqa: E731
    second = lambda: "same"  # noqa: E731
    return first, second


NAMED = lambda: "with a name in the module"  # noqa: E731
TABLE = {"x": lambda: "x", "y": lambda: "y", "z": [lambda: "deep"]}
MADE = counters()[0]

if True:

    def conditional():
        return "first"

else:

    def conditional():
        return "second"


def twice():
    def same():
        return 1

    first = same

    def same():  # type: ignore[no-redef]
        return 2

    return first, same


def in_finally():
    try:
        pass
    finally:
        found = lambda: "finally"  # noqa: E731
    return found


def with_attributes():
    def noted() -> "str | None":
        """Say the note."""
        return noted.note  # type: ignore[attr-defined]

    noted.note = "attribute"  # type: ignore[attr-defined]
    noted.__name__ = "renamed"
    noted.__qualname__ = "elsewhere.renamed"
    lambda_with_one: Any = lambda: lambda_with_one.note  # noqa: E731
    lambda_with_one.note = 2
    return noted, lambda_with_one


def renamed():
    first, second, third = [lambda: 0 for _ in range(3)]
    first.__name__ = "first"
    second.__qualname__ = "elsewhere.second"
    third.__module__ = "another"
    return first, second, third


def annotated():
    def handler(event: htag.GTag, name: str = "") -> None: ...

    return handler


def marked_lambda():
    return htag.stop(htag.prevent(lambda event: "marked"))


def marked_at_run_time():
    return htag.stop(even_and_odd)


def marked_method():
    return htag.prevent(Derived().click)


def the_globals():
    return lambda: GUESTS


def partials():
    return (
        functools.partial(lambda a, b, c=0: (a, b, c), 1, c=3),
        functools.partial(Derived().click),
        functools.partialmethod(Base.click),
    )


def of_builtins():
    items = [1, 2]
    return items, items.append, "a-b".split, len


# -- refused -----------------------------------------------------------------------------------------------------------


def of_exec():
    space: dict[str, Any] = {"__name__": __name__}
    exec("def made():\n    return 'made by exec'", space)
    return space["made"]


def of_exec_here():
    exec("def made_by_exec():\n    return lambda: 'here'", globals())
    return globals()["made_by_exec"]()


def replaced_code():
    def code():
        return 1

    code.__code__ = code.__code__.replace(co_consts=(None, 2))
    return code


def prefix_of(function):
    return getattr(function, "_htag_js_prefix", "")


CASES: dict[str, Case] = {
    "counters share a cell": (counters, lambda f: (f[0](), f[0](), f[1]())),
    "recursion": (factorial, lambda f: f(5)),
    "mutual recursion": (even_and_odd, lambda f: (f[0](10), f[1](10), f[0].__closure__[0].cell_contents is f[1])),
    "comprehensions": (in_comprehensions, told_of),
    "a variable that is not bound yet": (not_bound_yet, lambda f: f.__closure__[0] == type(f.__closure__[0])()),
    "three levels": (three_levels, lambda f: (f()[:2], f()[2]())),
    "a list that holds what reads it": (holds_itself_in_a_list, lambda f: (f[0](), f.append(1), f[0]())),
    "lambdas as defaults": (with_defaults, lambda f: f(10)),
    "a lambda that is a default": (lambda: with_defaults.__defaults__[0], lambda f: f(10)),
    "a default that is the function itself": (default_of_itself, lambda f: (f(3), f.__defaults__[0] is f)),
    "all kinds of parameters": (by_position_only, lambda f: (f(1, c=3), f(1, 5, 6, c=7, d=8))),
    "wraps": (lambda: wrapped, lambda f: (f(1), f is wrapped)),
    "what wraps hides": (lambda: wrapped.__wrapped__, lambda f: f(1)),
    "a decorator that hides": (lambda: hidden, lambda f: (f(1), f is hidden)),
    "a class as decorator": (lambda: remembered.function, lambda f: f(1)),
    "two decorators": (lambda: wrapped_twice, lambda f: (f(1), f is wrapped_twice)),
    "decorated at run time": (lambda: wrapping(lambda x: x + 1), lambda f: (f(1), f.__wrapped__(1), f.__name__)),
    "one is named and one is not": (lambda: [wrapping(len), wrapped], lambda f: (f[0]("ab"), f[1] is wrapped)),
    "a context manager": (lambda: managed, lambda f: f is managed),
    "a local context manager": (local_managed, lambda f: (entered(f, 3), f.__name__)),
    "a cache": (lambda: cached, lambda f: f is cached),
    "a local cache": (local_cache, lambda f: (f[0](3), f[0].cache_info().maxsize, f[0].cache_parameters())),
    "bound methods": (lambda: Derived().handlers(), lambda f: [each() for each in f]),
    "methods of one object": (same_owner, lambda f: (f[1].__self__ is f[0], f[2] == f[1], f[0].own())),
    "super() and __class__": (lambda: Derived().closures(), lambda f: [each() for each in f]),
    "of a class body": (
        lambda: (Base.table["a"], Base.handler),
        lambda f: (f[0](0), f[1](0), f[1] is Base.handler),
    ),
    "coroutine function": (
        with_await_and_yield,
        lambda f: (inspect.iscoroutinefunction(f[0]), asyncio.run(f[0](1))),
    ),
    "generator functions": (with_await_and_yield, lambda f: (asyncio.run(drained(f[1](1))), list(f[2](2)))),
    "four on a line": (four_on_a_line, lambda f: [each() for each in f]),
    "equal code twice": (equal_twice, lambda f: [each() for each in f]),
    "a lambda with a name": (lambda: NAMED, lambda f: (f(), f is NAMED)),
    "lambdas of a module's table": (
        lambda: [TABLE["x"], TABLE["y"], *TABLE["z"]],
        lambda f: [each() for each in f],
    ),
    "a module's own closure": (lambda: MADE, lambda f: f is MADE),
    "conditional": (lambda: conditional, lambda f: f()),
    "two of one name": (twice, lambda f: [each() for each in f]),
    "in finally": (in_finally, lambda f: f()),
    "attributes": (
        with_attributes,
        lambda f: (f[0].note, f[0].__name__, f[0].__qualname__, f[0].__doc__, f[0].__annotations__, f[1]()),
    ),
    "renamed": (renamed, lambda f: [(each.__name__, each.__qualname__, each.__module__) for each in f]),
    "annotations": (annotated, lambda f: f.__annotations__),
    "a marked lambda": (marked_lambda, lambda f: (f(0), prefix_of(f))),
    "marked at import": (lambda: marked_at_import, lambda f: (f is marked_at_import, prefix_of(f))),
    "marked at run time": (marked_at_run_time, lambda f: (f is even_and_odd, prefix_of(f))),
    "a marked method": (marked_method, lambda f: (f(), prefix_of(f), f.__name__)),
    "the module's globals": (the_globals, lambda f: (f() is GUESTS, f.__globals__ is globals())),
    "partials": (partials, lambda f: (f[0](2), f[1](), f[2].func(0))),
    "methods of values": (of_builtins, lambda f: (f[1](3), f[0], f[2]("-"), f[3] is len)),
    "a function of a library": (lambda: math.sqrt, lambda f: f is math.sqrt),
}

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "exec": (
        of_exec,
        "made was made by exec, or by a module 'tests.htag.snapshot.kinds' that is not imported any more",
    ),
    "exec into the module": (of_exec_here, "made_by_exec.<locals>.<lambda> is not in "),
    "code put together at run time": (replaced_code, "replaced_code.<locals>.code is not in "),
    "a generator": (lambda: with_await_and_yield()[2](1), "generator"),
    "a coroutine": (lambda: drained(None), "coroutine"),
    "an async generator": (lambda: with_await_and_yield()[1](1), "async_generator"),
}
