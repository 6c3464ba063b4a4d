import subprocess
import sys
from pathlib import Path

import pytest

from htag_stack.errors import StartError
from htag_stack.secret import read_or_make
from tests.app.processes import SECRET
from tests.support.source import ROOT

RACER = """
import pathlib, sys
from htag_stack.secret import read_or_make
input()
print(read_or_make(pathlib.Path(sys.argv[1])))
"""


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret"
    made = read_or_make(path)
    assert len(made) >= 32
    assert read_or_make(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert [file.name for file in path.parent.iterdir()] == ["secret"]


def test_no_two_secrets_are_the_same(tmp_path: Path) -> None:
    assert read_or_make(tmp_path / "1") != read_or_make(tmp_path / "2")


def test_a_secret_that_is_there_is_read(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    assert read_or_make(path) == SECRET


def test_processes_that_race_for_it_all_get_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path / "data" / "secret")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    racers = [subprocess.Popen(command, **pipes) for _ in range(8)]  # type: ignore[call-overload]
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    made = {racer.communicate()[0] for racer in racers}
    assert len(made) == 1
    assert len(made.pop()) > 32
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["secret"]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"short\n", "too short"), (b"", "too short"), (b"\xff" * 40, "not text")]
)
def test_a_file_with_no_good_secret_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(StartError, match=reason):
        read_or_make(tmp_path / "secret")


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"cannot be read or made: .*; set HTAG_SECRET or HTAG_SECRET_FILE"):
        read_or_make(tmp_path / "file" / "secret")
