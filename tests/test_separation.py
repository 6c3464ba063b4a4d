"""Who may know whom among what stands around the product: the contract, the headless browser, the load, the bench."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import htag
from tests.support.source import ROOT

# what an author of apps or an embedder imports
PUBLIC = {"htag", "htag.core", "htag.errors", "htag.limits", "htag.observer"}
OURS = {"htag", "htag_stack", "headless", "loadtest", "bench", "tests"}
SUPPORT = ROOT / "tests" / "support"
# modules of it whose names mean one thing only
ONCE = ("channels", "clock", "engine", "machine", "markup", "observers", "ports", "readers", "servers", "waiting")


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each module that a file imports from, with the name that it takes; None: the module itself."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            yield from ((node.module or "", alias.name) for alias in node.names)


def modules_of(path: Path, *packages: str) -> set[str]:
    """Return what a file imports from `packages`, as modules."""
    return {module for module, _ in imported(path) if module.split(".")[0] in packages}


def reached(path: Path) -> Iterator[Path]:
    """Yield a file of tests/ and what it imports from tests/support, and so on."""
    known, left = set(), [path]
    while left:
        file = left.pop()
        known.add(file)
        yield file
        helpers = [module for module in modules_of(file, "tests") if module.startswith("tests.support.")]
        left += {SUPPORT / f"{module.split('.')[2]}.py" for module in helpers} - known


@pytest.mark.parametrize("path", files("tests/contract"), ids=lambda path: path.stem)
def test_the_contract_knows_public_names_only(path: Path) -> None:
    for file in reached(path):
        for module, name in imported(file):
            if module.split(".")[0] in OURS:
                assert module in PUBLIC or module.startswith(("headless.", "tests.support.")), f"{file}: {module}"
            if module == "htag" and name is not None:
                assert name in htag.__all__ or f"htag.{name}" in PUBLIC, f"{file}: htag.{name}"


@pytest.mark.parametrize("path", files("headless"), ids=lambda path: path.stem)
def test_the_headless_browser_is_independent_of_what_it_tests(path: Path) -> None:
    known = sys.stdlib_module_names | {"headless", "requests", "websocket"}
    assert {module.split(".")[0] for module, _ in imported(path)} <= known


def test_the_headless_browser_has_no_import_cycles() -> None:
    left = {f"headless.{path.stem}": modules_of(path, "headless") for path in files("headless")}
    while ready := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in ready:
            del left[module]
    assert not left


@pytest.mark.parametrize("path", files("loadtest"), ids=lambda path: path.stem)
def test_the_load_comes_from_outside(path: Path) -> None:
    assert not modules_of(path, "htag", "htag_stack", "tests", "bench")


@pytest.mark.parametrize("path", files("bench"), ids=lambda path: path.stem)
def test_the_bench_runs_without_the_tests(path: Path) -> None:
    """It is run beside old versions of the code, whose tests are others."""
    assert not modules_of(path, "tests", "headless", "loadtest")


def test_a_helper_of_the_tests_is_written_once() -> None:
    helpers = {name for stem in ONCE for name in defined(SUPPORT / f"{stem}.py")}
    copies = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files("tests")
        if SUPPORT not in path.parents
        for name in sorted(defined(path) & helpers)
    ]
    assert not copies


def defined(path: Path) -> set[str]:
    """Return the functions and classes of a module, without its fixtures, of which a folder may have its own."""
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


def test_no_test_file_is_a_store_of_helpers() -> None:
    """What several files need stands in a module that says so, and runs no tests."""
    taken = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files("tests")
        for module in sorted(modules_of(path, "tests"))
        if module.split(".")[-1].startswith("test_") or module.endswith(".conftest")
    ]
    assert not taken


def test_only_one_observer_records() -> None:
    """Others than `RecordingObserver` may look at what it kept."""
    heirs = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files("tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and "Observer" in map(ast.unparse, node.bases)
    ]
    assert heirs == ["tests/support/observers.py: RecordingObserver"]
