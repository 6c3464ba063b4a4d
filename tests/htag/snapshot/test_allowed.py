"""The second wall: bytes with our seal may still name only what snapshots of this app name."""

import os
import pickle
import subprocess
from typing import Any

import pytest

from htag import Tag
from htag.snapshot import allowed, packages
from htag.snapshot.allowed import allow, allowed_of
from htag.snapshot.api import dump, load
from htag.snapshot.errors import Moved, Pinned
from htag.snapshot.writer import FORMAT, PYTHON
from tests.apps.todo import Todo
from tests.htag.snapshot import values


class Call:
    """What pickle will call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


def named(module: str, name: str) -> bytes:
    """A pickle that asks for a name, and calls what it finds with a text."""
    return b"\x80\x04" + b"".join(
        b"\x8c" + bytes([len(each)]) + each.encode() for each in (module, name)
    ) + b"\x93\x8c\x01x\x85R."  # fmt: skip


NAMES = [
    *(("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr")),
    *(("builtins", "__import__"), ("builtins", "open"), ("builtins", "compile"), ("builtins", "type")),
    *(("subprocess", "Popen"), ("importlib", "import_module"), ("operator", "attrgetter"), ("functools", "reduce")),
    *(("operator", "methodcaller"), ("operator", "call"), ("operator", "setitem"), ("urllib.request", "urlopen")),
    *(("types", "CodeType"), ("types", "FunctionType"), ("pickle", "loads"), ("pathlib", "Path.unlink")),
    *(("typing", "get_type_hints"), ("collections", "namedtuple"), ("shutil", "rmtree"), ("socket", "socket")),
    *(("htag.snapshot.allowed", "allow"), ("htag.snapshot.reader", "load"), ("htag.snapshot.addresses", "look_up")),
    *(("htag.session.session", "Session"), ("htag.web.webapp", "WebApp"), ("htag.stores", "os.system")),
    *(("htag.router", "inspect.os.system"), ("tests.htag.snapshot.values", "os.system")),
    *(("tests.htag.snapshot.values", "subprocess.Popen"), ("tests.htag.snapshot.values", "os")),
    *(("gunicorn.util", "import_app"), ("no_such_module", "name"), ("tests.apps.todo", "Gone")),
]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_name_that_no_snapshot_has_is_refused(module: str, name: str) -> None:
    with pytest.raises(Moved):
        load(named(module, name), Todo)


@pytest.mark.parametrize(
    "call", [Call(os.system, "true"), Call(eval, "1"), Call(getattr, "text", "upper"), Call(subprocess.Popen, ["true"])]
)
def test_a_call_of_what_runs_things_is_refused(call: Call) -> None:
    with pytest.raises(Moved):
        load(pickle.dumps((FORMAT, PYTHON, [call])), Todo)


def asked_for(module: str, name: str, *arguments: Any) -> bytes:
    """What pickle would write of a call of that name. An argument that is bytes is written already."""
    found = b"".join(b"\x8c" + bytes([len(each)]) + each.encode() for each in (module, name)) + b"\x93("
    return found + b"".join(each if type(each) is bytes else pickle.dumps(each, 2)[2:-1] for each in arguments) + b"tR"


VALUES = "tests.htag.snapshot.values"
OUR_WAYS = [
    *(("singletons", "singleton", VALUES, "os.system"), ("singletons", "singleton", VALUES, "os")),
    *(("singletons", "singleton", "os", "environ"), ("singletons", "singleton", VALUES, "os.environ")),
    *(("functions", "marked", "os", "system", ""), ("functions", "marked", VALUES, "os.system", "")),
    *(("functions", "builtin_method", "text", "__class__"), ("reducers", "type_method", 0, "__class__")),
    *(("writer", "the_module", "os"), ("writer", "the_module", "htag.snapshot.allowed")),
    ("functions", "builtin_method", asked_for("htag.snapshot.writer", "the_module", "math"), "sqrt"),
]


@pytest.mark.parametrize("call", OUR_WAYS, ids=lambda call: f"{call[1]} {call[2]!r:.20} {call[-1]}")
def test_our_own_ways_to_make_things_lead_nowhere_else(call: tuple[Any, ...]) -> None:
    module, name, *arguments = call
    with pytest.raises(Moved):
        load(b"\x80\x04" + asked_for(f"htag.snapshot.{module}", name, *arguments) + b".", Todo)


def test_they_lead_where_they_should() -> None:
    """So that the test above does not pass for another reason: this one fails later, at what is no snapshot."""
    for call in (("writer", "the_module", "math"), ("functions", "builtin_method", "text", "upper")):
        with pytest.raises(Moved, match=r"unpack|subscriptable|values"):
            load(b"\x80\x04" + asked_for(f"htag.snapshot.{call[0]}", *call[1:]) + b".", Todo)


@pytest.mark.parametrize("payload", [b"", b"\x80", b"garbage", b"\x80\x05N.", pickle.dumps((99, PYTHON, []))])
def test_whatever_else_is_wrong_is_moved(payload: bytes) -> None:
    with pytest.raises(Moved):
        load(payload, Todo)


def test_another_python_is_another_world() -> None:
    payload = dump(Todo())
    assert PYTHON.encode() in payload
    with pytest.raises(Moved, match=r"Python 2\.77?"):
        load(payload.replace(PYTHON.encode(), b"2." + b"7" * (len(PYTHON) - 2), 1), Todo)


def test_a_payload_cut_anywhere_is_moved() -> None:
    payload = dump(Todo())
    for length in range(0, len(payload), 7):
        with pytest.raises(Moved):
            load(payload[:length], Todo)


def test_what_the_app_imports_by_name_is_allowed_and_what_it_does_not_is_not() -> None:
    import h11  # of a package that no test has among its names

    app: Any = values.Page()
    app.held = h11.Request
    with pytest.raises(Pinned, match="nothing that a snapshot may name"):
        dump(app)
    values.h11 = h11  # type: ignore[attr-defined]
    allowed._allowed.cache_clear()
    try:
        assert load(dump(app), values.Page).app.held is app.held  # type: ignore[attr-defined]
    finally:
        del values.h11  # type: ignore[attr-defined]
        allowed._allowed.cache_clear()


def test_a_deployer_may_allow_more() -> None:
    names = [("itsdangerous", "Signer"), ("html.parser", "HTMLParser"), ("statistics", "variance")]
    assert not any(allowed_of(Todo).permits(*each) for each in names)
    allow("itsdangerous", "html.parser", "statistics")
    try:
        assert all(allowed_of(Todo).permits(*each) for each in names)
        assert not allowed_of(Todo).permits("html", "parser")
    finally:
        allowed._more.clear()


@pytest.mark.parametrize(
    ("package", "local"),
    [("tests", True), ("htag_stack", True), ("htag", False), ("os", False), ("json", False), ("msgspec", False)],
)
def test_which_packages_are_the_author_s(package: str, local: bool) -> None:
    assert packages.is_local(package) is local


def test_the_class_of_the_app_may_be_made_in_a_function() -> None:
    def make() -> Any:
        class Local(Tag.App):
            pass

        return Local

    cls = make()
    app = load(dump(cls()), cls).app
    assert type(app) is cls
