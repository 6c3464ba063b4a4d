"""The walls between packages, and the measure of what stands between them, as `docs/architecture.md` describes them.

Which module may import which is `test_layers.py`'s. Here: who uses whose private names, what is put into another
module at its import, how long modules and functions are, and how they are described.
"""

import ast
from collections import Counter
from textwrap import dedent

import pytest

from tests.support.prose import documented_methods, files_named, function_lengths, riddles, undocumented
from tests.support.source import ROOT, modules, package_of
from tests.support.walls import Names, Use, patches

MODULES = modules("htag") | modules("htag_stack")
SOURCES = {name: path.read_text() for name, path in MODULES.items()}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
NAMES = Names(TREES, {name: package_of(name) for name in MODULES})

LONGEST_MODULE = 400  # lines
LONGEST_FUNCTION = 60  # lines

# Private by name and defined by none of our modules, with the reason for using it.
THIRD_PARTY = {
    ("htag_stack.trial", "_exit"),  # os: documented, the way to end a forked child without its parent's clean-up
    ("htag_stack.stacks", "_current_frames"),  # sys: documented, the only way to see what another thread does
}

# Public, and without a docstring: what an app's author writes needs none (the demo is an app), nor does a method whose
# base class in a library of others says what it is.
SPEAKS_FOR_ITSELF = {
    *(f"htag_stack.demo.Tasks.{name}" for name in ("row", "add_task", "tick", "delete", "summary")),
    *(f"htag_stack.demo.{name}" for name in ("Home.click", "Whereabouts.line", "Demo.link")),
    *(f"htag_stack.logs.{name}" for name in ("PlainFormatter.formatException", "JsonFormatter.format")),
    *(f"htag_stack.tallies.{name}.collect" for name in ("Tally", "Distributions")),
    *(f"htag_stack.{name}.collect" for name in ("survival_metrics.Seconds", "worker_state.WorkerStateCollector")),
}


def told(uses: list[Use]) -> str:
    """The uses as lines that say where to look."""
    return "".join(f"\n  {use.module}, line {use.line}: {use.name}" for use in uses)


# -- the walls ---------------------------------------------------------------------------------------------------------


def test_no_package_uses_private_names_of_another() -> None:
    found = NAMES.foreign()
    assert not found, f"private names of other packages; the owner needs a public verb for it:{told(found)}"


def test_the_private_names_of_others_that_we_use_are_those_with_a_reason() -> None:
    assert {(use.module, use.name) for use in NAMES.third_party()} == THIRD_PARTY


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_module_puts_anything_into_another_when_it_is_imported(name: str) -> None:
    assert not list(patches(TREES[name]))


# -- the measure -------------------------------------------------------------------------------------------------------


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    lengths = {name: len(source.splitlines()) for name, source in SOURCES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_function_is_too_long_to_be_read_at_once() -> None:
    lengths = {f"{name}:{each}": lines for name in TREES for each, lines in function_lengths(TREES[name]).items()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_what_is_public_is_described() -> None:
    said = documented_methods(TREES.values())
    missing = {each for name in TREES for each in undocumented(name, TREES[name])}
    assert {each for each in missing - SPEAKS_FOR_ITSELF if each.rpartition(".")[2] not in said} == set()
    assert SPEAKS_FOR_ITSELF - missing == set(), "these are described by now: take them off the list"


def test_parts_are_named_rather_than_told_by_a_pronoun() -> None:
    """The session, the tab, the caller, the visitor: one that reads it need not find out which of them is meant."""
    assert {name: words for name in SOURCES if (words := riddles(SOURCES[name]))} == {}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_file_that_a_comment_names_is_there(name: str) -> None:
    assert {file for file in files_named(SOURCES[name]) if not (ROOT / file).exists()} == set()


# -- the counters can fail ---------------------------------------------------------------------------------------------

TREE = (
    "class Tag:\n    __slots__ = ('_slot',)\n    _shared = 1\n    def __init__(self):\n        self._x = self._shared\n"
)


def foreign_in(user: str) -> list[str]:
    """The foreign names in `user`, a module of `web`, beside the module TREE of `tree`."""
    sources = {"tree": ast.parse(TREE), "web": ast.parse(dedent(user))}
    return sorted(use.name for use in Names(sources, {name: name for name in sources}).foreign())


@pytest.mark.parametrize(
    "user",
    [
        "tag._x",
        "tag._x = 1",
        "del tag._x",
        "a.b().tag._x += 1",
        "from tree import _x",
        "tag.__dict__['_x']",
        "vars(tag)['_x'] = 1",
        "'_x' in tag.__dict__",
        "tag.__dict__.get('_x', None)",
        "getattr(tag, '_x', None)",
        "setattr(tag, '_x', 1)",
        "object.__setattr__(tag, '_x', 1)",
        "operator.attrgetter('_x')",
        "class Sub(Tag):\n    def f(self):\n        return self._x",
    ],
)
def test_a_foreign_use_is_counted(user: str) -> None:
    assert foreign_in(user) == ["_x"]


@pytest.mark.parametrize(
    "user",
    [
        "tag.x",
        "tag.__class__",
        "tag['_x']",  # an HTML attribute
        "_unknown = 1\nother._unknown",
        "class Own:\n    _x = 1\nown._x",
        "class Own:\n    def f(self, other):\n        self._x = other._x",
        "def _x(): ...\nmodule._x()",
    ],
)
def test_what_is_one_s_own_or_no_attribute_is_not_counted(user: str) -> None:
    assert foreign_in(user) == []


@pytest.mark.parametrize(
    "user",
    [
        "def f(tag: Tag):\n    tag._x = 1",
        "def f(*, tag: 'Tag | None' = None):\n    tag._x()",
        "class B:\n    def __init__(self, tag: Tag):\n        self.tag = tag\n    def f(self):\n        self.tag._x",
        "class B:\n    tag: Tag\n    def f(self):\n        self.tag._x",
    ],
)
def test_a_name_of_one_s_own_is_foreign_on_what_is_annotated_as_another_s(user: str) -> None:
    own = "from tree import Tag\nclass Own:\n    _x = 1\n    def g(self, own: Own):\n        own._x = self._x\n"
    assert foreign_in(own) == []
    assert foreign_in(own + user) == ["_x"]


def test_slots_and_class_attributes_are_definitions() -> None:
    assert foreign_in("tag._slot + tag._shared") == ["_shared", "_slot"]


def test_a_name_that_one_package_puts_on_objects_is_foreign_to_the_others() -> None:
    sources = {"tree": ast.parse("error._host = 1"), "web": ast.parse("getattr(error, '_host')")}
    assert [use.module for use in Names(sources, {"tree": "tree", "web": "web"}).foreign()] == ["web"]


def test_what_no_package_of_ours_has_is_a_third_party_s() -> None:
    sources = {"web": ast.parse("import os\nos._exit(0)\nclass A(B):\n    def f(self):\n        self._theirs()")}
    assert [use.name for use in Names(sources, {"web": "web"}).third_party()] == ["_exit", "_theirs"]


@pytest.mark.parametrize(
    "source",
    [
        "from a import B\nB.x = 1",
        "import a\na.b.C.x = 1",
        "from a import B as C\nif True:\n    C.x: int = 1",
        "from a import TABLE\nTABLE['x'] = 1",
        "from a import B\nsetattr(B, 'x', 1)",
        "import a\nclass Own:\n    a.x = 1",
    ],
)
def test_a_patch_at_import_is_found(source: str) -> None:
    assert len(list(patches(ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source", ["class Own: ...\nOwn.x = 1", "from a import B\ndef f():\n    B.x = 1", "import a\nx = a.b['c']"]
)
def test_what_stays_in_the_module_is_no_patch(source: str) -> None:
    assert not list(patches(ast.parse(source)))


def test_riddles_are_found_in_docstrings_and_comments_only() -> None:
    source = '''
        """Whoever calls this."""
        LIMIT = 1
        """Nobody may exceed it, and no one tries."""
        x = "somebody"  # for everyone, but anyone of them, and
        # somebody else
        def f():
            """Any one of them, whatever it is."""
    '''
    assert Counter(riddles(dedent(source))) == Counter(["whoever", "nobody", "no one", "everyone", "somebody"])


def test_files_that_are_named_are_found() -> None:
    source = '"""See docs/x.md and the htag/app.py."""\nx = "tests/a.py"  # (tests/b/c.py), example.org/docs/no.md\n'
    assert files_named(source) == {"docs/x.md", "htag/app.py", "tests/b/c.py"}


def test_what_is_public_and_not_described_is_found() -> None:
    source = '''
        def f(): ...
        def _private(): ...
        class A:
            """A."""
            def g(self):
                """G."""
            async def h(self): ...
    '''
    tree = ast.parse(dedent(source))
    assert list(undocumented("m", tree)) == ["m", "m.f", "m.A.h"]
    assert documented_methods([tree]) == {"g"}
    assert list(undocumented("empty", ast.parse(""))) == []


def test_the_longest_function_of_a_name_counts() -> None:
    source = "def f():\n    a\n\nclass A:\n    async def f():\n        a\n        b\n        c\n"
    assert function_lengths(ast.parse(source)) == {"f": 4}
