"""`make test` in two processes: each test runs in one of them, and a failure in either is seen."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.source import ROOT
from tests.support.waiting import patience

FILES = (
    "stack/test_long",
    "stack/test_other",
    "e2e/test_any",
    "e2e/test_browser",
    "app/test_a",
    "htag/test_b",
    "test_c",
)
TESTS = 3  # of a file
LONG = FILES[0]
# The long one ends when all files are taken; and whoever is the first to begin, the other has begun then too.
TEXT = """
import pathlib, pytest, time

def until(condition):
    end = time.monotonic() + {seconds}
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)

@pytest.fixture(scope="module", autouse=True)
def of_the_module():
    yield
    print()
    print("left", __name__)

@pytest.mark.parametrize("number", range({tests}))
def test(number):
    taken = pathlib.Path("taken")
    until(lambda: len(list(taken.iterdir())) == {files} if {is_long} else list(taken.glob("*test_long*")))
"""


class Stream(NamedTuple):
    """What came of a process."""

    code: int
    passed: list[str]  # as they came: the file of each
    said: str


def text(file: str) -> str:
    return TEXT.format(tests=TESTS, files=len(FILES), is_long=file == LONG, seconds=patience(40))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Files with tests."""
    for file in FILES:
        (tmp_path / f"tests/{file}.py").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"tests/{file}.py").write_text(text(file))
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "taken").mkdir()
    return tmp_path


def streams(project: Path) -> tuple[Stream, Stream]:
    """From the front and from the back, side by side."""
    command = [
        sys.executable, "-m", "pytest", "-vs", "-p", "no:cacheprovider", "-p", "no:asyncio",
        "-p", "tests.support.streams", "--taken=taken",
        "--import-mode=importlib", "tests",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen([*command, f"--from={end}"], cwd=project, env=environment, stdout=subprocess.PIPE, text=True)
        for end in ("front", "back")
    ]
    front, back = (_result(each) for each in both)
    return front, back


def _result(process: subprocess.Popen[str]) -> Stream:
    said, _ = process.communicate(timeout=patience(60))
    passed = [line.partition(".py::")[0] for line in said.splitlines() if "PASSED" in line]
    return Stream(process.returncode, [file.removeprefix("tests/") for file in passed], said)


def test_each_test_runs_once_and_who_has_time_takes_more(project: Path) -> None:
    front, back = streams(project)
    assert (front.code, back.code) == (0, 0)
    assert sorted(front.passed + back.passed) == sorted(file for file in FILES for _ in range(TESTS))
    assert front.passed == [LONG] * TESTS
    # the other begins with what needs no container, and takes from the end of what does
    free = ["app/test_a", "e2e/test_any", "htag/test_b", "test_c"]
    assert list(dict.fromkeys(back.passed)) == [*free, "e2e/test_browser", "stack/test_other"]


def test_a_module_s_fixtures_end_with_it(project: Path) -> None:
    for stream in streams(project):
        told = [line for line in stream.said.splitlines() if "PASSED" in line or line.startswith("left")]
        assert len([line for line in told if line.startswith("left")]) == len(set(stream.passed))
        assert told[-1].startswith("left")


@pytest.mark.parametrize(("file", "codes"), [(LONG, (1, 0)), (FILES[-1], (0, 1))])
def test_a_failure_in_either_is_seen_and_the_others_run_on(project: Path, file: str, codes: tuple[int, int]) -> None:
    (project / f"tests/{file}.py").write_text(text(file) + "    assert number, 'as it should be'\n")
    front, back = streams(project)
    assert (front.code, back.code) == codes
    assert len(front.passed + back.passed) == len(FILES) * TESTS - 1
    assert "as it should be" in front.said + back.said


def test_what_cannot_be_collected_ends_both(project: Path) -> None:
    (project / "tests/test_broken.py").write_text("import nothing_that_is_there\n")
    assert {stream.code for stream in streams(project)} == {2}
