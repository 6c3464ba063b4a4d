"""The architecture as a test: `docs/architecture.md` says it, and the code is held to that page."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.source import ROOT, modules, package_of

PAGE = ROOT / "docs" / "architecture.md"
PROMETHEUS = {
    f"htag_stack.{name}" for name in ("metrics", "client_metrics", "survival_metrics", "tallies", "worker_state")
}


def imports(path: Path, known: set[str]) -> set[str]:
    """What a module imports, as names out of `known` where it is ours, else as the top-level package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            assert node.module is not None
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & known) or {node.module}
    return {name if name.split(".")[0] in ("htag", "htag_stack") else name.partition(".")[0] for name in found}


def table(heading: str) -> list[list[str]]:
    """The cells of the table under `heading`, without its head."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def level_of() -> dict[str, int]:
    rows = [quoted(row[0]) for row in table("The ladder")]
    levels = {f"htag.{name}": level for level, row in enumerate(rows) for name in row}
    assert len(levels) == sum(map(len, rows)), "a module stands in the ladder twice"
    return levels


def test_every_module_of_htag_has_its_place() -> None:
    packages = {f"htag.{name}" for row in table("Packages") for name in quoted(row[0])}
    bare = {name for name in packages if not imports(modules("htag")[name], set())}  # nothing but a docstring
    assert set(modules("htag")) - {"htag"} - bare == set(level_of())


@pytest.mark.parametrize("name", sorted(level_of()))
def test_a_module_imports_only_from_rows_above(name: str) -> None:
    levels = level_of()
    known = set(modules("htag"))
    for imported in imports(modules("htag")[name], known):
        if imported.split(".")[0] == "htag":
            assert imported in levels, f"{name} imports {imported}, which has no place"
            assert levels[imported] < levels[name], f"{name} imports {imported}, which stands above it"


def test_the_library_knows_nothing_of_the_application() -> None:
    for name, path in modules("htag").items():
        tops = {each.split(".")[0] for each in imports(path, set())}
        assert not tops & {"htag_stack", "prometheus_client"}, name


@pytest.mark.parametrize("package", [quoted(row[0])[0] for row in table("Packages")])
def test_a_package_never_imports_what_it_should_know_nothing_of(package: str) -> None:
    (refused,) = (quoted(row[2]) for row in table("Packages") if quoted(row[0]) == [package])
    for name, path in modules("htag").items():
        if name == f"htag.{package}" or name.startswith(f"htag.{package}."):
            found = imports(path, set(modules("htag")))
            rooms = {each.split(".")[1] for each in found if each.startswith("htag.")} | found
            assert not rooms & set(refused), name


def test_the_page_has_every_module_of_the_deployed_program() -> None:
    listed = [f"htag_stack.{name}" for row in table("The deployed program") for name in quoted(row[0])]
    assert sorted(listed) == sorted(set(modules("htag_stack")) - {"htag_stack"})


def test_a_package_imports_only_from_those_before_it_in_the_table() -> None:
    order = [f"htag.{name}" for row in table("Packages") for name in quoted(row[0])]
    known = set(modules("htag"))
    for name, path in modules("htag").items():
        if (own := package_of(name)) in order:
            later = set(order[order.index(own) + 1 :])
            assert not {package_of(each) for each in imports(path, known) & known} & later, name


def test_starlette_is_known_only_where_http_is_spoken() -> None:
    using = {name for name, path in modules("htag").items() if "starlette" in imports(path, set())}
    assert {package_of(name) for name in using} == {"htag.web"}


def test_only_what_makes_the_metrics_imports_prometheus() -> None:
    using = {name for name, path in modules("htag_stack").items() if "prometheus_client" in imports(path, set())}
    assert using == PROMETHEUS


def test_there_is_no_import_cycle_in_the_application() -> None:
    known = set(modules("htag_stack"))
    left = {name: imports(path, known) & known - {name, "htag_stack"} for name, path in modules("htag_stack").items()}
    while left:
        free = {name for name, needs in left.items() if not needs & set(left)}
        assert free, f"these import each other: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in free}
