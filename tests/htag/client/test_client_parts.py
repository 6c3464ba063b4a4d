"""The client script is joined from parts: from all of them, once each, and none has a state that others could touch."""

import gzip
import re
from pathlib import Path

import pytest

import htag
from htag.web.page import CLIENT_PARTS, LATER_PARTS, MODES, SCRIPTS, asset

FOLDER = Path(htag.__file__).parent / "client"
OTHER_SCRIPTS = {"pyscript.js", "errors.js", "retry.js"}.union(*MODES.values())
DECLARATION = re.compile(
    r"""(?:async[ ])?function[ ](\w+)\(    # a function
      | class[ ](\w+)[ ]                   # a class
      | const[ ](\w+)[ ]=[ ]\(.*\)[ ]=>    # a function
      | const[ ]([A-Z_]+)[ ]=[ ][\d\[`{/']  # a constant: a number, an array, a text, a table, an expression
    """,
    re.VERBOSE,
)
LIMIT = 12 * 1024  # bytes of the gzipped script: each first visit waits for it
TOTAL = 23_200  # bytes, with what is loaded later and with the first error


def text(name: str) -> str:
    return (FOLDER / name).read_text()


def outermost(part: str) -> list[str]:
    """The lines of `part` that are in no function."""
    return [line for line in part.splitlines() if line and not line.startswith((" ", "}", "//", "/*"))]


def test_every_script_of_the_folder_is_a_part_or_stands_alone() -> None:
    assert sorted([*CLIENT_PARTS, *LATER_PARTS, *OTHER_SCRIPTS]) == sorted(path.name for path in FOLDER.glob("*.js"))


@pytest.mark.parametrize("parts", [CLIENT_PARTS, LATER_PARTS])
def test_a_part_declares_functions_and_constants_only_so_no_other_part_can_touch_its_variables(
    parts: tuple[str, ...],
) -> None:
    names = []
    for part in parts[:-1]:
        for line in outermost(text(part)):
            found = DECLARATION.match(line)
            assert found, f"{part}: {line}"
            names += [name for name in found.groups() if name]
    assert len(names) == len(set(names)), "a second function of a name would silently replace the first"


def test_the_last_part_makes_what_the_others_need_where_they_cannot_see_it() -> None:
    assert outermost(text(CLIENT_PARTS[-1])) == ["const MAKERS = {", "function main() {", "main();"]


# That each part and the whole can be parsed: oxlint, by `make check` and tests/test_checks.py, on any machine.


def test_the_script_is_small() -> None:
    assert len(gzip.compress(asset("htag.js"))) <= LIMIT


def test_all_scripts_together_are_small() -> None:
    assert sum(len(gzip.compress(asset(name))) for name in SCRIPTS) <= TOTAL
