"""`make check` looks at all there is, and what it runs finds faults. The commands are those of the Makefile."""

import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from htag.web.page import asset
from tests.support.engine import run
from tests.support.source import ROOT

SHELLS = {"sh", "bash", "dash", "ash"}


def files() -> list[Path]:
    """What is committed or will be."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    return [path for name in filter(None, listed.split("\0")) if (path := ROOT / name).is_file()]


def check_command(program: str) -> list[str]:
    """The line of `make check` that runs `program`, which is one of .venv/bin."""
    lines = [shlex.split(line) for line in run("make", "--dry-run", "check").stdout.splitlines()]
    (command,) = [line for line in lines if line and line[0] == f".venv/bin/{program}"]
    return [str(ROOT / command[0]), *command[1:]]


def is_shell_script(path: Path) -> bool:
    first = path.read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    shebang = first.startswith("#!") and bool(SHELLS & set(first[2:].replace("/", " ").split()))
    return shebang or first.startswith("# shellcheck shell=") or path.suffix in {".sh", ".envsh", ".bash"}


def test_shellcheck_looks_at_every_shell_script() -> None:
    looked_at = {argument for argument in check_command("shellcheck")[1:] if not argument.startswith("-")}
    assert looked_at == {str(path.relative_to(ROOT)) for path in files() if is_shell_script(path)}


def test_mypy_looks_at_every_python_file() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert "exclude" not in settings
    assert check_command("mypy")[1:] == [], "it looks at what pyproject.toml names"
    seen = [ROOT / name for name in settings["files"]]
    python = [path for path in files() if path.suffix in {".py", ".pyi"}]
    assert [path for path in python if not any(path.is_relative_to(folder) for folder in seen)] == []


def test_only_tests_are_exempt_from_strict_types() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] is True
    (exempt,) = settings["overrides"]
    assert all(module.startswith("tests.") for module in exempt["module"])
    assert not {"attr-defined", "call-arg", "name-defined"} & set(exempt["disable_error_code"])


def test_oxlint_looks_at_every_script_for_browsers() -> None:
    done = run(*check_command("oxlint"))
    scripts = [path for path in files() if path.suffix in {".js", ".mjs", ".cjs"}]
    assert f" on {len(scripts)} files " in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("planted", "code"), [("", 0), ("function planted() { return neverDeclared; }\n", 1)])
def test_the_client_as_it_is_served_is_without_findings(planted: str, code: int, tmp_path: Path) -> None:
    shutil.copy(ROOT / ".oxlintrc.json", tmp_path)
    (tmp_path / "served.js").write_text(f"{asset('htag.js').decode()}\n{planted}")
    done = run(*check_command("oxlint"), "--allow=no-eval", cwd=tmp_path)
    assert done.returncode == code, done.stdout


def test_the_shell_scripts_are_without_findings() -> None:
    done = run(*check_command("shellcheck"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "fault",
    [
        "rm $1",  # not quoted: a name with a space is two
        'echo "$NGINX_MISSPELT"',  # set by nothing
        "if [ $x == 1 ]; then echo; fi",  # not of sh
    ],
)
def test_shellcheck_ends_the_check_when_a_script_has_a_fault(fault: str, tmp_path: Path) -> None:
    command = check_command("shellcheck")
    script = tmp_path / command[-1]
    script.parent.mkdir(parents=True)
    script.write_text(f"# shellcheck shell=sh\n{fault}\n")
    options = [argument for argument in command[1:] if argument.startswith("-")]
    done = run(command[0], *options, str(script))
    assert done.returncode == 1, done.stdout


@pytest.mark.parametrize(
    "fault",
    [
        "missing();",
        "const a = 1;",  # never used
        "if (window.a == 1) close();",
        "eval(window.name);",
        "var b = 1; window.b = b;",
    ],
)
def test_oxlint_ends_the_check_when_a_script_has_a_fault(fault: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / ".oxlintrc.json", tmp_path)
    (tmp_path / "page.js").write_text("window.sum = (a, b) => a + b;\n")
    command = check_command("oxlint")
    assert run(*command, cwd=tmp_path).returncode == 0
    (tmp_path / "page.js").write_text(f"{fault}\n")
    assert run(*command, cwd=tmp_path).returncode == 1
