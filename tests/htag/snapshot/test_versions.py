"""A module is edited between the snapshot and its reading: which functions are found again, and which are refused."""

from pathlib import Path

import pytest

from tests.support.moved import read_by_versions, written_elsewhere

MODULE = "pages"

BASE = """\
from functools import cache


class Page:
    def build(self, name):
        self.name = name
        first = lambda: ("first", name)
        second = lambda: ("second", name, self.name)
        third = lambda x=1: ("third", x)
        def named(event="E"):
            return "named", event, name
        return first, second, third, named

    def click(self):
        return "click"

    def __secret(self):
        return "secret"

    def secret(self):
        return self.__secret


class Rows:
    size = 2
    made = [lambda: "row 1", lambda: "row 2"]


def twins():
    return [lambda: "twin", lambda: "twin"]


def same_name():
    def step():
        return "step 1"
    first = step
    def step():
        return "step 2"
    return [first, step]


def four():
    return [lambda: 1, lambda: 2, lambda: 3, lambda: 4]


def counters():
    count = 0
    other = 5
    def up():
        nonlocal count
        count += 1
        return count
    def show():
        return "other", other
    return [up, lambda: count, show]


def build_rows(names):
    rows = []
    for name in names:
        def select(event="E"):
            return "select", name
        rows.append(select)
    return rows


def panel():
    class Local:
        def __init__(self):
            self.size = 1

        def show(self):
            return "show", self.size

        handler = lambda self: ("handler", self.size)
    return Local()


TABLE = {"a": lambda: "table a", "b": lambda: "table b"}
"""

ENDING = """

def call(function):
    return function()


CASES = {
    "first": (lambda: Page().build("N")[0], call),
    "second": (lambda: Page().build("N")[1], call),
    "third": (lambda: Page().build("N")[2], call),
    "named": (lambda: Page().build("N")[3], call),
    "click": (lambda: Page().click, call),
    "secret": (lambda: Page().secret(), call),
    "row 1": (lambda: Rows.made[0], call),
    "row 2": (lambda: Rows.made[1], call),
    "twin 1": (lambda: twins()[0], call),
    "twin 2": (lambda: twins()[1], call),
    "step 1": (lambda: same_name()[0], call),
    "step 2": (lambda: same_name()[1], call),
    "two": (lambda: four()[1], call),
    "up": (lambda: counters()[0], call),
    "count": (lambda: counters()[1], call),
    "show": (lambda: counters()[2], call),
    "both": (lambda: counters()[:2], lambda pair: (pair[0](), pair[0](), pair[1]())),
    "select": (lambda: build_rows("xy")[1], call),
    "local": (panel, lambda local: (local.show(), local.handler())),
    "table b": (lambda: TABLE["b"], call),
}
"""

SAME = {
    "first": "same: ('first', 'N')",
    "second": "same: ('second', 'N', 'N')",
    "third": "same: ('third', 1)",
    "named": "same: ('named', 'E', 'N')",
    "click": "by name: 'click'",
    "secret": "by name: 'secret'",
    "row 1": "same: 'row 1'",
    "row 2": "same: 'row 2'",
    "twin 1": "same: 'twin'",
    "twin 2": "same: 'twin'",
    "step 1": "same: 'step 1'",
    "step 2": "same: 'step 2'",
    "two": "same: 2",
    "up": "same: 1",
    "count": "same: 0",
    "show": "same: ('other', 5)",
    "both": "same: (1, 2, 2)",
    "select": "same: ('select', 'y')",
    "local": "same: (('show', 1), ('handler', 1))",
    "table b": "same: 'table b'",
}

FIRST = '        first = lambda: ("first", name)\n'
SECOND = '        second = lambda: ("second", name, self.name)\n'
THIRD = '        third = lambda x=1: ("third", x)\n'
NAMED = '        def named(event="E"):\n            return "named", event, name\n'
NEW = '        new = lambda: "new"\n'
RETURN = "return first, second, third, named"

GONE = "refused: pages: Page.build.<locals>.<lambda> #{} is gone, or cannot be told from its neighbours"

Edits = list[tuple[str, str]]

# title → the edits, what is found then that is not as it was
VERSIONS: dict[str, tuple[Edits, dict[str, str]]] = {
    "nothing": ([], {}),
    "lines moved": ([("from functools", "# a comment\n\n\n\nfrom functools")], {}),
    "lines moved by so much that line numbers need more room": (
        [("from functools", "#\n" * 400 + "from functools")],
        {},
    ),
    "a function added above": ([("class Page", "def more():\n    return lambda: 1\n\n\nclass Page")], {}),
    "a lambda added above": (
        [(FIRST, NEW + FIRST)],
        {"first": "moved: ('first', 'N')", "second": "moved: ('second', 'N', 'N')", "third": "moved: ('third', 1)"},
    ),
    "a lambda added above that is like one below": (
        [(FIRST, SECOND.replace("second =", "again =") + FIRST)],
        {"first": "moved: ('first', 'N')", "second": "moved: ('second', 'N', 'N')", "third": "moved: ('third', 1)"},
    ),
    "a lambda added between": (
        [(SECOND, NEW + SECOND)],
        {"first": "moved: ('first', 'N')", "second": "moved: ('second', 'N', 'N')", "third": "moved: ('third', 1)"},
    ),
    "the first lambda removed": (
        [(FIRST, ""), (RETURN, "return second, third, named")],
        {
            "first": GONE.format(0),
            "second": "moved: ('second', 'N', 'N')",
            "third": "moved: ('third', 1)",
        },
    ),
    "two lambdas change places": (
        [(FIRST + SECOND, SECOND + FIRST)],
        {"first": "moved: ('first', 'N')", "second": "moved: ('second', 'N', 'N')", "third": "moved: ('third', 1)"},
    ),
    "the text in one lambda edited": (
        [('"second"', '"SECOND"')],
        {"first": "moved: ('first', 'N')", "second": "edited: ('SECOND', 'N', 'N')", "third": "moved: ('third', 1)"},
    ),
    "the text in two lambdas edited": (
        [('"first"', '"FIRST"'), ('"third"', '"THIRD"')],
        {"first": "edited: ('FIRST', 'N')", "second": "moved: ('second', 'N', 'N')", "third": "edited: ('THIRD', 1)"},
    ),
    "a lambda edited and one added above": (
        [(FIRST, NEW + FIRST.replace('"first"', '"FIRST"'))],
        {
            "first": GONE.format(0),
            "second": "moved: ('second', 'N', 'N')",
            "third": "moved: ('third', 1)",
        },
    ),
    "a lambda edited and what is beside it too: a button's label and its handler": (
        [(FIRST, '        first = lambda: ("deleted", name)\n'), ("self.name = name", 'self.name = name + "!"')],
        {
            "first": GONE.format(0),
            "second": "moved: ('second', 'N', 'N')",
            "third": "moved: ('third', 1)",
        },
    ),
    "a lambda uses a variable that it did not": (
        [('("first", name)', '("first", name, self)')],
        {
            "first": GONE.format(0),
            "second": "moved: ('second', 'N', 'N')",
            "third": "moved: ('third', 1)",
        },
    ),
    "a lambda uses one variable less": (
        [('("second", name, self.name)', '("second", self.name)')],
        {"first": "moved: ('first', 'N')", "second": GONE.format(1), "third": "moved: ('third', 1)"},
    ),
    "a lambda's default edited": ([("lambda x=1", "lambda x=2")], {}),
    "a lambda takes one more": (
        [("lambda x=1", "lambda x=1, y=2")],
        {"first": "moved: ('first', 'N')", "second": "moved: ('second', 'N', 'N')", "third": GONE.format(2)},
    ),
    "a lambda takes one more, for which there is no default": (
        [('lambda: ("first"', 'lambda event: ("first"')],
        {
            "first": "refused: pages: Page.build.<locals>.<lambda> now has other parameters",
            "second": "moved: ('second', 'N', 'N')",
            "third": "moved: ('third', 1)",
        },
    ),
    "a named function edited": (
        [('return "named"', 'return "NAMED"')],
        {"named": "edited: ('NAMED', 'E', 'N')"},
    ),
    "a named function uses a new variable": (
        [(FIRST, "        title = name.title()\n" + FIRST), ('"named", event, name', '"named", event, title')],
        {"named": "refused: pages: Page.build.<locals>.named now uses title, which it did not hold before"},
    ),
    "a named function uses no variable any more": (
        [('"named", event, name', '"named", event')],
        {"named": "edited: ('named', 'E')"},
    ),
    "a named function renamed": (
        [("def named", "def renamed"), (RETURN, RETURN.replace("named", "renamed"))],
        {"named": "elsewhere: ('named', 'E', 'N')"},
    ),
    "a named function renamed and edited": (
        [
            ("def named", "def renamed"),
            (RETURN, RETURN.replace("named", "renamed")),
            ('return "named"', 'return "NAMED"'),
        ],
        {"named": "refused: pages: Page.build.<locals>.named #0 is gone, or cannot be told from its neighbours"},
    ),
    "a named function takes one more": (
        [('event="E"', 'event="E", more=None')],
        {"named": "refused: pages: Page.build.<locals>.named now has other parameters"},
    ),
    "a named function becomes a coroutine": (
        [("        def named", "        async def named")],
        {"named": "refused: pages: Page.build.<locals>.named now has other parameters"},
    ),
    "a comment and a docstring": (
        [(NAMED, NAMED.replace(":\n", ':\n            # why\n            """What is said."""\n', 1))],
        {"named": "edited: ('named', 'E', 'N')"},
    ),
    "a second function of that name": (
        [(NAMED, NAMED + NAMED.replace('"named"', '"NAMED"'))],
        {"named": "moved: ('named', 'E', 'N')"},
    ),
    "a second function of that name, and the first one edited": (
        [(NAMED, NAMED.replace('"named"', '"NAMED"') + NAMED.replace('"named"', '"more"'))],
        {"named": "refused: pages: Page.build.<locals>.named #0 is gone, or cannot be told from its neighbours"},
    ),
    "one of two functions of one name edited": (
        [('"step 1"', '"STEP 1"')],
        {
            "step 1": "refused: pages: same_name.<locals>.step #0 is gone, or cannot be told from its neighbours",
            "step 2": "moved: 'step 2'",
        },
    ),
    "the first of two functions of one name removed": (
        [('    def step():\n        return "step 1"\n    first = step\n', "    first = None\n")],
        {
            "step 1": "refused: pages: same_name.<locals>.step #0 is gone, or cannot be told from its neighbours",
            "step 2": "moved: 'step 2'",
        },
    ),
    "the method around renamed": (
        [("def build", "def construct")],
        {
            "first": "elsewhere: ('first', 'N')",
            "second": "elsewhere: ('second', 'N', 'N')",
            "third": "elsewhere: ('third', 1)",
            "named": "elsewhere: ('named', 'E', 'N')",
        },
    ),
    "the function around renamed": ([("def build_rows", "def rows_of")], {"select": "elsewhere: ('select', 'y')"}),
    "the function around gets a decorator": ([("def build_rows", "@cache\ndef build_rows")], {}),
    "the function around is put into a class": (
        [("def build_rows(names)", "class Builder:\n  def build_rows(self, names)")],
        {"select": "elsewhere: ('select', 'y')"},
    ),
    "lambdas put into an if": ([(FIRST + SECOND, f"        if name:\n    {FIRST}    {SECOND}")], {}),
    "a method renamed": (
        [("def click", "def clicked")],
        {"click": "refused: its name leads nowhere"},
    ),
    "a method edited": ([('return "click"', 'return "CLICK"')], {"click": "by name: 'CLICK'"}),
    "a private method edited": ([('return "secret"', 'return "SECRET"')], {"secret": "by name: 'SECRET'"}),
    "the class renamed": (
        [("class Page", "class Sheet")],
        {
            # they hold an object of the class, or are of it
            "second": "refused: its name leads nowhere",
            "click": "refused: its name leads nowhere",
            "secret": "refused: pages.Page._Page__secret is gone: module 'pages' has no attribute 'Page'",
            "first": "elsewhere: ('first', 'N')",
            "third": "elsewhere: ('third', 1)",
            "named": "elsewhere: ('named', 'E', 'N')",
        },
    ),
    "a lambda of a class body edited": (
        [('"row 2"', '"ROW 2"')],
        {"row 1": "moved: 'row 1'", "row 2": "edited: 'ROW 2'"},
    ),
    "a lambda of a class body edited, and the body too": (
        [('"row 2"', '"ROW 2"'), ("size = 2", "size = 3")],
        {
            "row 1": "moved: 'row 1'",
            "row 2": "refused: pages: Rows.<lambda> #1 is gone, or cannot be told from its neighbours",
        },
    ),
    "a lambda of a class body edited, and the class moved": (
        [('"row 2"', '"ROW 2"'), ("class Rows", "\n" * 9 + "class Rows")],
        {"row 1": "moved: 'row 1'", "row 2": "edited: 'ROW 2'"},
    ),
    "one twin edited": (
        [('[lambda: "twin", lambda: "twin"]', '[lambda: "TWIN", lambda: "twin"]')],
        {"twin 1": "moved: 'twin'", "twin 2": "edited: 'twin'"},
    ),
    "twins become one": (
        [('[lambda: "twin", lambda: "twin"]', '[lambda: "twin"]')],
        {"twin 1": "moved: 'twin'", "twin 2": "elsewhere: 'twin'"},
    ),
    "one of four on a line edited": ([("lambda: 2", "lambda: 22")], {"two": "edited: 22"}),
    "one of four on a line removed": ([("lambda: 1, ", "")], {"two": "moved: 2"}),
    "four on a line turned round": (
        [("[lambda: 1, lambda: 2, lambda: 3, lambda: 4]", "[lambda: 4, lambda: 3, lambda: 2, lambda: 1]")],
        {"two": "moved: 2"},
    ),
    "a counter edited": ([("count += 1", "count += 10")], {"up": "edited: 10", "both": "edited+same: (10, 20, 20)"}),
    "a counter that reads only": (
        [("        nonlocal count\n        count += 1\n", "")],
        {"up": "edited: 0", "both": "edited+same: (0, 0, 0)"},
    ),
    "a variable is bound anew that never was": (
        [
            (
                '        return "other", other\n',
                '        nonlocal other\n        other += 1\n        return "other", other\n',
            )
        ],
        {"show": "refused: counters.<locals>.show: other is bound anew there today, and was not when it was stored"},
    ),
    "a lambda of a module's table added": (
        [('TABLE = {"a"', 'TABLE = {"new": lambda: 0, "a"')],
        {"table b": "moved: 'table b'"},
    ),
    "a lambda of a module's table edited": (
        [('"table a"', '"TABLE A"')],
        {"table b": "moved: 'table b'"},
    ),
    "a method of a local class edited": (
        [('return "show"', 'return "SHOW"')],
        {"local": "edited+same: (('SHOW', 1), ('handler', 1))"},
    ),
    "a method of a local class renamed": (
        [("def show(self)", "def shown(self)")],
        {"local": "elsewhere+same: (('show', 1), ('handler', 1))"},
    ),
}


def edited(edits: Edits) -> str:
    text = BASE
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def written_version(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / f"{MODULE}.py").write_text(text + ENDING)
    return folder


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, dict[str, list[str]]]:
    """By title: what each function is and does in a process with that version."""
    top = tmp_path_factory.mktemp("versions")
    data = written_elsewhere(MODULE, written_version(top / "base", BASE))
    folders = [written_version(top / str(number), edited(edits)) for number, (edits, _) in enumerate(VERSIONS.values())]
    return dict(zip(VERSIONS, read_by_versions(MODULE, data, folders), strict=True))


@pytest.mark.parametrize("title", VERSIONS)
def test_what_is_found_in_another_version(title, found):
    expected = SAME | VERSIONS[title][1]
    assert {name: ": ".join(each) for name, each in found[title].items()} == expected
