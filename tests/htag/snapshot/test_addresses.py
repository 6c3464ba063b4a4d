"""Modules as they are found: scripts, packages, archives, reloaded ones, and files changed under a process."""

import asyncio
import importlib
import importlib.util
import json.scanner as json_scanner
import linecache
import os
import subprocess
import sys
import types
import zipfile
from collections import Counter
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import text

from htag import stop
from htag.snapshot import api
from htag.snapshot.addresses import Resolution, fingerprint, named_function, prepare, resolving
from htag.snapshot.books import EDITIONS, Book, book, editions, held_as
from htag.snapshot.digests import SIZE, call_shape, digest, own_digest, rebound_names
from htag.snapshot.errors import Moved, Pinned
from htag.snapshot.matching import align
from htag.snapshot.module_code import is_younger_than_process
from htag.tree.handler_text import js_prefix
from tests.support.moved import dumps, loads, moved
from tests.support.source import ROOT

MODULE = """
def make(n):
    return lambda: ("one", n)


def named():
    return "named"


class Page:
    handler = lambda self: "of the class"

    def click(self):
        return lambda: "click"


given_a_name = make(5)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to import from; what is imported from there is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions may be written within one second
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def written(folder: Path, name: str, text: str = MODULE) -> Path:
    path = folder / f"{name}.py"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    importlib.invalidate_caches()
    linecache.clearcache()
    return path


# -- where code comes from ---------------------------------------------------------------------------------------------


def test_the_init_of_a_package(folder):
    written(folder, "inited/__init__")
    module = importlib.import_module("inited")
    assert moved(module.make(1))() == ("one", 1)


def test_a_module_in_a_package_that_imports_relatively(folder):
    written(folder, "related/__init__", "SHARED = []")
    written(folder, "related/inner", "from . import SHARED\n\n\ndef make():\n    return lambda: SHARED")
    module = importlib.import_module("related.inner")
    assert moved(module.make())() is sys.modules["related"].SHARED


def test_a_package_without_init(folder):
    written(folder, "spaced/inner")
    assert moved(importlib.import_module("spaced.inner").make(1))() == ("one", 1)


def test_a_module_in_an_archive(folder, monkeypatch):
    archive = folder / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped/__init__.py", "")
        file.writestr("zipped/inner.py", MODULE)
    monkeypatch.syspath_prepend(archive)
    module = importlib.import_module("zipped.inner")
    assert moved(module.make(1))() == ("one", 1)
    assert book(module).file == str(archive)


def test_only_compiled_code_is_there(folder):
    """No source, as some images are built."""
    import py_compile

    source = written(folder, "compiled_only")
    py_compile.compile(str(source), str(folder / "compiled_only.pyc"))
    source.unlink()
    module = importlib.import_module("compiled_only")
    assert module.__file__.endswith(".pyc")
    assert moved(module.make(1))() == ("one", 1)


SCRIPT = """
import sys
from tests.support.moved import dumps, loads

def make(n):
    return lambda: ("main", n, __name__)

def local():
    class Local:
        def show(self):
            return "local"
    return Local()

if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        print(dumps([make(1), local()]).hex())
    else:
        first, second = loads(bytes.fromhex(sys.argv[1]))
        print(first(), second.show())
"""


def python(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "app"), str(folder)])}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, cwd=folder, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("file", "arguments"),
    [
        ("script", ["script.py"]),
        ("script", ["-m", "script"]),
        ("inside/script", ["-m", "inside.script"]),
        ("inside/__main__", ["-m", "inside"]),
        ("folder/__main__", ["folder"]),
    ],
)
def test_a_program_is_found_when_it_runs_again(file, arguments, tmp_path):
    written(tmp_path, file, SCRIPT)
    data = python(tmp_path, *arguments, "write")
    assert python(tmp_path, *arguments, data) == "('main', 1, '__main__') local"


SPAWNING = """
import multiprocessing
import sys
from htag.snapshot.errors import Pinned
from tests.support.moved import dumps, loads

def make(n):
    return lambda: ("main", n)

def child(data):
    print(loads(data)(), flush=True)
    try:
        dumps(make(2))
    except Pinned as error:
        print(error.reason, flush=True)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=child, args=(dumps(make(1)),))
    other.start()
    other.join()
    sys.exit(other.exitcode)
"""


def test_the_script_in_a_child_of_multiprocessing(tmp_path):
    """There its functions run in a copy of its names, which no module has."""
    written(tmp_path, "spawning", SPAWNING)
    read, refused = python(tmp_path, "spawning.py").splitlines()
    assert read == "('main', 1)"
    assert refused.startswith("make.<locals>.<lambda> was made by exec, or by a module '__mp_main__'")


def test_a_prompt_has_no_file(tmp_path):
    text = (
        "from tests.support.moved import dumps\ntry:\n    dumps(lambda: 1)\nexcept Exception as e:\n    print(e.reason)"
    )
    assert python(tmp_path, "-c", text).startswith("<lambda>: the code of the module __main__ cannot be read: ")


def test_a_loader_that_tells_no_code_means_its_file(folder):
    """As that of pytest, which rewrites what tests assert: a function without `assert` is as in the file."""
    assert not hasattr(sys.modules[__name__].__spec__.loader, "get_code")
    n = 3
    assert moved(lambda: n)() == 3


def test_a_function_that_its_loader_has_rewritten_is_refused():
    folder = 1

    def asserting():
        assert folder

    with pytest.raises(Pinned, match=r"asserting is not in .*test_addresses\.py: made at run time, or the file was"):
        dumps(asserting)


def test_a_module_that_is_not_of_python_is_refused(monkeypatch):
    made = types.FunctionType((lambda: 1).__code__, vars(json_scanner), "made")
    monkeypatch.setattr(json_scanner, "__spec__", importlib.util.find_spec("_json"))
    with pytest.raises(Pinned, match=r"the module json\.scanner is not written in Python"):
        dumps(made)


class Failing:
    def get_code(self, name):
        raise ZeroDivisionError("of the loader")


def test_whatever_a_loader_raises_is_the_reason(folder):
    written(folder, "failing")
    module = importlib.import_module("failing")
    module.__spec__.loader = Failing()
    for _ in range(2):
        with pytest.raises(Pinned, match="the code of the module failing cannot be read: of the loader"):
            dumps(module.make(1))


def test_a_module_that_is_not_imported_any_more_is_refused(folder):
    written(folder, "replaced")
    old = importlib.import_module("replaced")
    function, data = old.make(1), dumps(old.make(1))
    del sys.modules["replaced"]
    with pytest.raises(Pinned, match="made by exec, or by a module 'replaced' that is not imported any more"):
        dumps(function)
    new = importlib.import_module("replaced")
    with pytest.raises(Pinned, match="not imported any more"):
        dumps(function)
    assert loads(data).__globals__ is vars(new)
    assert moved(new.make(2))() == ("one", 2)


# -- a file that changes -----------------------------------------------------------------------------------------------


def test_a_module_that_was_reloaded(folder):
    """What was made before is found in the code that runs now; so is what is made now."""
    path = written(folder, "reloaded")
    module = importlib.import_module("reloaded")
    before = module.make(1)
    data = dumps(before)
    path.write_text(MODULE.replace('lambda: ("one", n)', '(lambda: ("new", n)), lambda: ("one", n)'))
    importlib.reload(module)
    for found in (loads(data), moved(before), moved(module.make(1)[1])):
        assert found() == ("one", 1)
    assert moved(module.make(1)[0])() == ("new", 1)
    with resolving() as resolution:
        moved(before)
    assert resolution.outcome == "moved"


def test_a_module_that_is_reloaded_again_and_again_is_not_kept_for_ever(folder):
    written(folder, "again")
    module = importlib.import_module("again")
    for _ in range(EDITIONS + 3):
        assert moved(module.make(1))() == ("one", 1)
        importlib.reload(module)
    assert len(editions(module)) == EDITIONS


def test_a_file_that_was_changed_after_its_import_and_before_its_code_was_read(folder):
    path = written(folder, "changed")
    module = importlib.import_module("changed")
    path.write_text(MODULE.replace('"named"', '"NAMED"'))
    with pytest.raises(Pinned) as caught:
        dumps(module.make(1))
    assert caught.value.reason == f"make.<locals>.<lambda>: {path} was changed after it was imported"
    assert moved(module.named) is module.named
    importlib.reload(module)
    assert moved(module.make(1))() == ("one", 1)


def test_a_snapshot_is_not_read_with_code_that_does_not_run(folder):
    """The file is of the new version already, the process of the old one: half of either would run."""
    path = written(folder, "half")
    data = dumps(importlib.import_module("half").make(1))
    del sys.modules["half"]
    importlib.import_module("half")
    path.write_text(MODULE.replace('"named"', '"NAMED"'))
    with pytest.raises(Moved, match=f"{path} was changed after it was imported"):
        loads(data)


def test_code_that_was_read_at_boot_is_what_runs_whatever_the_file_says(folder):
    path = written(folder, "booted")
    module = importlib.import_module("booted")
    prepare(["booted"])
    path.write_text("def make(n): return lambda: 'other'")
    assert moved(module.make(1))() == ("one", 1)
    path.unlink()
    assert moved(module.Page().click())() == "click"


def test_the_code_of_an_app_is_read_at_boot_not_at_its_first_snapshot(folder):
    """A file that changes between the two, as in a roll that copies files into place, pins no session."""
    text = "from htag import Tag\n\n\nclass Page(Tag.App):\n    def init(self):\n        self.see = lambda: 'seen'\n"
    path = written(folder, "booted_app", text)
    entity = importlib.import_module("booted_app").Page
    api.prepare(entity)
    path.write_text(text.replace("seen", "changed"))
    app: Any = api.load(api.dump(entity()), entity).app
    assert app.see() == "seen"


def test_a_module_that_says_little_of_itself(folder):
    """As those that libraries put together: no spec, no file."""
    made: Any = types.ModuleType("put_together")
    del made.__spec__
    sys.modules["put_together"] = made
    made.make = types.FunctionType((lambda: 1).__code__, vars(made), "make")
    with pytest.raises(Pinned, match="the code of the module put_together cannot be read: it has no file"):
        dumps(made.make)
    assert len(fingerprint(["put_together"])) == 16


def test_a_file_that_only_looks_younger_is_taken(folder):
    """It was written just before its import, or touched since."""
    path = written(folder, "touched")
    module = importlib.import_module("touched")
    path.touch()
    assert is_younger_than_process(str(path))
    assert moved(module.make(1))() == ("one", 1)


def test_a_file_that_is_gone_is_the_reason(folder):
    path = written(folder, "gone")
    module = importlib.import_module("gone")
    path.unlink()
    with pytest.raises(Pinned, match="the code of the module gone cannot be read"):
        dumps(module.make(1))
    assert not is_younger_than_process(str(path))


def test_what_a_tool_put_in_the_place_of_a_method_does_not_spoil_its_module(folder):
    """As type checkers at run time do: the file is older than this process, and was not changed."""
    path = written(folder, "tooled")
    module = importlib.import_module("tooled")
    module.named.__code__ = module.named.__code__.replace(co_consts=(None, "tooled"))
    long_ago = Book.__init__.__globals__["is_younger_than_process"]
    Book.__init__.__globals__["is_younger_than_process"] = lambda file: False
    try:
        assert moved(module.make(1))() == ("one", 1)
    finally:
        Book.__init__.__globals__["is_younger_than_process"] = long_ago
    assert path.exists()


# -- names -------------------------------------------------------------------------------------------------------------


def test_functions_that_a_module_holds_under_other_names_are_not_copied(folder):
    written(folder, "holding")
    module: Any = importlib.import_module("holding")
    prepare(["holding"])
    assert held_as(module.given_a_name) == ("holding", "given_a_name")
    assert held_as(module.Page.handler) == ("holding", "Page.handler")
    assert held_as(module.make(5)) is None
    assert moved(module.given_a_name) is module.given_a_name
    assert moved(module.Page.handler) is module.Page.handler
    kept = module.given_a_name
    module.given_a_name = None
    assert held_as(kept) is None
    assert moved(kept)() == ("one", 5)


MARKED = """
from htag import prevent


@prevent
def handler(event):
    return "handled"


def other(event):
    return "other"


replaced = (lambda: lambda event: 1)()
"""


def test_a_mark_that_an_import_puts_on_is_the_version_s_and_one_put_on_later_the_session_s(folder):
    """Else a `@prevent` that a new version has dropped would come back there, for all its visitors."""
    path = written(folder, "marks", MARKED)
    module = importlib.import_module("marks")
    prepare(["marks"])
    stop(module.other)
    data = dumps([module.handler, module.other, module.replaced])
    del sys.modules["marks"]
    path.write_text(
        MARKED.replace("@prevent", "").replace("replaced =", "replaced = prevent(").replace("1)()", "1)())")
    )
    handler, other, replaced = loads(data)
    assert js_prefix(handler) == ""
    assert js_prefix(other) == "event.stopPropagation(); "
    assert js_prefix(replaced) == "event.preventDefault(); "


def test_a_mark_of_which_it_is_not_known_since_when_is_kept(folder):
    written(folder, "marks", MARKED)
    data = dumps(importlib.import_module("marks").handler)
    module = importlib.import_module("marks")
    del module.handler._htag_js_prefix
    assert js_prefix(loads(data)) == "event.preventDefault(); "


def test_a_name_is_read_only_where_it_leads_to_a_function(folder):
    written(folder, "names", "import os\nimport json\ncall = json.dumps\nvalue = 1\n\n\ndef named(): ...\n")
    module = importlib.import_module("names")
    assert named_function("names", "named") is module.named
    for path in ("value", "gone", "named.gone", "os", "os.system"):
        with pytest.raises(Moved):
            named_function("names", path)
    with pytest.raises(Moved, match="the module no_such_module cannot be imported"):
        named_function("no_such_module", "x")
    with resolving(lambda name: name == "names"):
        assert named_function("names", "named") is module.named
        for name, path in (("names", "call"), ("names", "json.dumps"), ("json", "dumps")):
            with pytest.raises(Moved, match="code of the module json may not be used"):
                named_function(name, path)


def test_code_of_a_module_that_is_not_allowed_is_not_read(folder):
    written(folder, "forbidden")
    data = dumps(importlib.import_module("forbidden").make(1))
    with resolving(lambda name: name != "forbidden"), pytest.raises(Moved, match="forbidden may not be used"):
        loads(data)
    with resolving():
        assert loads(data)() == ("one", 1)


# -- outcomes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noted", "outcome"),
    [
        ([], "same"),
        (["same"], "same"),
        (["same", "elsewhere"], "moved"),
        (["moved", "same"], "moved"),
        (["moved", "edited", "elsewhere"], "edited"),
    ],
)
def test_the_worst_outcome_counts(noted, outcome):
    resolution = Resolution(lambda name: True)
    for each in noted:
        resolution.note(each)
    assert resolution.outcome == outcome


async def test_outcomes_do_not_leak_from_one_load_to_another(folder):
    written(folder, "separate")
    module = importlib.import_module("separate")
    data = dumps(module.make(1))

    async def load(times):
        with resolving() as resolution:
            for _ in range(times):
                await asyncio.sleep(0)
                loads(data)
                with resolving() as inner:
                    loads(data)
                assert inner.counts == {"same": 1}
        return resolution.counts

    assert await asyncio.gather(load(1), load(2), load(3)) == [{"same": 1}, {"same": 2}, {"same": 3}]


def test_functions_that_one_function_makes_have_one_maker(folder):
    written(folder, "made", "def make():\n    return [lambda: 1, lambda: 2]\n\n\ndef make():\n    return lambda: 3\n")
    its = book(importlib.import_module("made"))
    assert len(its.group("make.<locals>.<lambda>")) == 3
    assert len(its.makers("make.<locals>.<lambda>")) == 2 * SIZE


def test_a_function_that_ran_a_thousand_times_is_the_one_of_the_file(folder):
    """CPython rewrites the code of what runs often."""
    written(folder, "warm", "def make(n):\n    return lambda m: [each + n for each in range(m) if each * 2 > 0]\n")
    module = importlib.import_module("warm")
    function = module.make(1)
    for _ in range(1000):
        function(3)
    assert moved(function)(3) == [2, 3]
    assert moved(moved(function))(3) == [2, 3]


if sys.version_info >= (3, 12):  # debuggers and coverage use `sys.monitoring` from that version on

    def test_a_function_that_is_being_watched_is_the_one_of_the_file(folder):
        written(folder, "watched")
        function = importlib.import_module("watched").make(1)
        monitoring: Any = sys.monitoring
        events = monitoring.events
        monitoring.use_tool_id(4, "test")
        try:
            monitoring.register_callback(4, events.LINE, lambda *given: None)
            monitoring.register_callback(4, events.INSTRUCTION, lambda *given: None)
            monitoring.set_local_events(4, function.__code__, events.LINE | events.INSTRUCTION)
            function()
            assert moved(function)() == ("one", 1)
        finally:
            monitoring.free_tool_id(4)


# -- fingerprints ------------------------------------------------------------------------------------------------------


def test_a_fingerprint_tells_versions_apart_and_not_places(folder):
    def of(text):
        sys.modules.pop("printed", None)
        written(folder, "printed", text)
        importlib.import_module("printed")
        return fingerprint(["printed"])

    plain = of(MODULE)
    assert plain == of("# a comment\n\n" + MODULE)
    assert plain != of(MODULE.replace('"named"', '"NAMED"'))
    assert plain != of(MODULE + "value = 1\n")
    assert int(plain, 16) >= 0
    assert len(plain) == 16


def test_a_fingerprint_is_that_of_all_modules(folder):
    written(folder, "whole/__init__", "")
    written(folder, "whole/part")
    importlib.import_module("whole")
    small = fingerprint(["whole"])
    importlib.import_module("whole.part")
    assert fingerprint(["whole"]) != small


# -- digests -----------------------------------------------------------------------------------------------------------


def code_of(text: str) -> types.CodeType:
    """The first function or class of a module of this text."""
    return next(each for each in compile(text, "file", "exec").co_consts if isinstance(each, types.CodeType))


FUNCTION = "def f(x):\n    return [x, lambda: x + 1]\n"
CLASS = "class A:\n    size = 3\n    def f(self):\n        self.x = 1\n        self.y = 2\n"


@pytest.mark.parametrize("text", [FUNCTION, CLASS, "def outer():\n" + indent(CLASS, "    ")])
@pytest.mark.parametrize("lines", [1, 100, 253, 254, 255, 256, 257, 70_000])
def test_a_digest_does_not_know_lines(text, lines):
    """A class body has its line as a constant from Python 3.13 on, and in its instructions from 3.14 on."""
    assert digest(code_of(text), {}) == digest(code_of("\n" * lines + text), {})
    assert own_digest(code_of(text)) == own_digest(code_of("\n" * lines + text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return", "yield"),
        ("[x,", "[f,"),
        ("x + 1", "x + 2"),
        ("x + 1", "x + 1.0"),
        ("x + 1", "x + True"),
        ("x + 1", "x in {1, 2}"),
        ("(x)", "(y)"),
        ("(x)", "(x, *y)"),
        ("(x)", "(*, x)"),
        ("lambda: x", "lambda x: x"),
        ("x + 1", "len(x)"),
    ],
)
def test_a_digest_knows_what_is_done(old, new):
    assert old in FUNCTION
    assert digest(code_of(FUNCTION), {}) != digest(code_of(FUNCTION.replace(old, new)), {})


@pytest.mark.parametrize(("old", "new"), [("size = 3", "size = 4"), ("self.x", "self.z"), ("def f", "def g")])
def test_a_digest_knows_what_a_class_is(old, new):
    assert digest(code_of(CLASS), {}) != digest(code_of(CLASS.replace(old, new)), {})


def test_an_own_digest_leaves_out_what_is_made():
    assert own_digest(code_of(FUNCTION)) == own_digest(code_of(FUNCTION.replace("x + 1", "x + 2")))
    assert own_digest(code_of(FUNCTION)) != own_digest(code_of(FUNCTION.replace("[x,", "[1,")))
    assert own_digest(code_of(CLASS)) == own_digest(code_of(CLASS.replace("self.x", "self.z")))
    assert own_digest(code_of(CLASS)) != own_digest(code_of(CLASS.replace("def f", "def g")))


def test_sets_among_constants_have_no_order():
    text = "def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e'}, (1, {2: 'x'}), ...\n"
    program = f"from tests.htag.snapshot.test_addresses import *; print(digest(code_of({text!r}), {{}}).hex())"
    found = set()
    for seed in "123":
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'app'}", "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


def test_where_an_exception_is_caught_counts():
    before = "def f(x):\n    try:\n        a(x)\n        b(x)\n    except E:\n        pass\n"
    after = "def f(x):\n    try:\n        a(x)\n    except E:\n        pass\n    b(x)\n"
    assert digest(code_of(before), {}) != digest(code_of(after), {})
    code = code_of(before)
    assert own_digest(code) != own_digest(code.replace(co_exceptiontable=b""))


def test_names_that_are_bound_anew():
    text = """
def outer(a, b, c, d):
    b = 1
    def inner():
        nonlocal a
        a = 1
        c = 2
        def deeper():
            nonlocal a, c
            c = 3
            print(a, b, d)
            def deepest():
                nonlocal d
                del d
        return [deeper for d in b]
"""
    assert rebound_names(code_of(text)) == {"a", "c", "d"}


def test_how_a_function_is_called():
    def shape(text):
        return call_shape(eval(text).__code__)

    assert shape("lambda a, b=1: a") == shape("lambda x, y: y")
    different = ["lambda: 1", "lambda a: 1", "lambda a, /: 1", "lambda *a: 1", "lambda **a: 1", "lambda *, a: 1"]
    different += ["lambda *, b: 1", "lambda: (yield)"]
    assert len(set(map(shape, different))) == len(different)


@pytest.mark.parametrize(
    ("before", "today", "places"),
    [
        ("abc", "abc", "012"),
        ("abc", "xabc", "123"),
        ("abcd", "bacd", "1023"),
        ("abc", "xbx", " 1 "),
        ("aba", "b", " 0 "),
        ("aab", "aba", "201"),
        ("ab", "xy", "  "),
        ("aa", "aaa", "01"),
    ],
)
def test_which_of_a_group_is_which(before, today, places):
    found = align([each.encode() for each in before], [each.encode() for each in today])
    assert "".join(str(found.get(index, " ")) for index in range(len(before))) == places


@given(text("abc", max_size=8), text("abc", max_size=8))
def test_as_many_of_a_group_are_found_as_there_are_equal_ones(before, today):
    found = align([each.encode() for each in before], [each.encode() for each in today])
    assert all(before[index] == today[place] for index, place in found.items())
    assert len(set(found.values())) == len(found) == (Counter(before) & Counter(today)).total()
