"""The source code of this repository as data: modules by dotted name, and the package that each belongs to."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def modules(package: str) -> dict[str, Path]:
    """Modules of a package by dotted name; a package's own `__init__` goes by the package's name."""
    found = {}
    home = ROOT / "app" if package == "htag_stack" else ROOT
    for path in sorted((home / package).rglob("*.py")):
        parts = path.relative_to(home).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def package_of(module: str) -> str:
    """The package whose modules share private names with `module`: `htag.tree`, `htag.web`, …, `htag_stack`.

    The modules at the top of htag/ are one package, called `htag`.
    """
    folders = {name for name, path in modules("htag").items() if path.name == "__init__.py"}
    parts = module.split(".")
    return next(
        (".".join(parts[:end]) for end in range(len(parts), 1, -1) if ".".join(parts[:end]) in folders), parts[0]
    )
