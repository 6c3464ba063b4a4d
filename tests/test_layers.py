"""The architecture as a test: each module imports only from rows above its own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the bottom up. A module may import those in rows before its own, and no other.
HTAG = (
    "browser_report errors failures hangup heap limits marks markup names newcomers pace pairs paths seldom state"
    " observe store throttle unheard uvicorn_end",
    "blocks children class_names collector css declared elements wire reports room unread",
    "node",
    "tag",
    "render dispatch context",
    "registry",
    "app fields",
    "factory router footprint",
    "session",
    "lane channel pool stores.sqlite stores.valkey",
    "page identity stores answers",
    "transports",
    "web",
    "websocket_protocol",
    "runners.reloader",
    "runners.serving",
    "runners.webapp runners.pyscript",
    "runners.chrome",
    "runners core",
)
STARLETTE = {"htag.web", "htag.transports"}  # and the runners, which serve
PROMETHEUS = {"htag_stack.metrics"}


def modules(package: str) -> dict[str, Path]:
    """Modules of a package by dotted name; a package's own `__init__` goes by the package's name."""
    found = {}
    home = ROOT / "app" if package == "htag_stack" else ROOT
    for path in sorted((home / package).rglob("*.py")):
        parts = path.relative_to(home).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


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


def level_of() -> dict[str, int]:
    return {f"htag.{name}": level for level, row in enumerate(HTAG) for name in row.split()}


def test_every_module_of_htag_has_its_place() -> None:
    here = set(modules("htag")) - {"htag", "htag.client"}
    assert here == set(level_of())


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


def test_only_the_web_imports_starlette() -> None:
    using = {name for name, path in modules("htag").items() if "starlette" in imports(path, set())}
    assert {name for name in using if not name.startswith("htag.runners")} == STARLETTE


def test_only_metrics_imports_prometheus() -> None:
    using = {name for name, path in modules("htag_stack").items() if "prometheus_client" in imports(path, set())}
    assert using == PROMETHEUS


def test_there_is_no_import_cycle_in_the_application() -> None:
    known = set(modules("htag_stack"))
    left = {name: imports(path, known) & known - {name, "htag_stack"} for name, path in modules("htag_stack").items()}
    while left:
        free = {name for name, needs in left.items() if not needs & set(left)}
        assert free, f"these import each other: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in free}
