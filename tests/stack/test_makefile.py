"""The Makefile: the few commands that people and CI share."""

import json
import os
import re
import shutil
from pathlib import Path

from tests.support.engine import run
from tests.support.source import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def test_it_prints_a_help_that_names_every_target() -> None:
    printed = run("make").stdout
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    listed = re.findall(r"^  make (\w+) +\S", printed, re.MULTILINE)
    assert sorted(listed) == sorted(phony[1].split())
    assert {"run", "up", "down", "logs", "test", "check", "load", "bench", "lock"} <= set(listed)


def test_the_quick_tests_need_neither_an_engine_nor_a_browser() -> None:
    recipe = run("make", "--dry-run", "quick").stdout
    left_out = [ROOT / name for name in re.findall(r"--ignore (\S+)", recipe)]
    assert left_out
    assert all(folder.is_dir() for folder in left_out)
    left_out += [ROOT / "tests/support"]  # no tests
    left_out += [ROOT / "tests/htag/stores"]  # which skip Valkey where there is no engine
    for path in (ROOT / "tests").rglob("*.py"):
        if not any(path.is_relative_to(folder) for folder in left_out):
            assert not re.search(r"\bneed_engine\b|\bplaywright\b|\bdocker\(", path.read_text()), path


def test_a_target_is_a_few_lines() -> None:
    for target, recipe in re.findall(r"^([\w./]+):.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE):
        assert recipe.count("\n") <= 4, target


def test_a_machine_without_python_is_told_so_in_one_sentence(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = run("make", "--silent", ".venv/bin/pip", "PYTHON=", cwd=tmp_path)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith("No Python 3.11 or later was found")


def test_a_python_that_cannot_make_environments_is_told_so_in_one_sentence(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / "python-without-venv"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    done = run("make", "--silent", ".venv/bin/pip", f"PYTHON={python}", cwd=tmp_path)
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stderr.splitlines()[0]


def test_whom_nginx_sees_is_counted_from_its_log(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    lines = "\n".join(
        json.dumps({"time": "x", "client": client, "peer": "172.18.0.1", "scheme": "http"}, separators=(",", ":"))
        for client in ("203.0.113.9", "198.51.100.1", "203.0.113.9")
    )
    docker.write_text(f"#!/bin/sh\ncat <<'LOG'\nnginx: no request\n{lines}\nLOG\n")
    docker.chmod(0o755)
    done = run("make", "--silent", "address", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["2", "client", "203.0.113.9", "peer", "172.18.0.1"],
        ["1", "client", "198.51.100.1", "peer", "172.18.0.1"],
    ]
