"""`make test` in two processes: each test runs in one of them, a failure in either is seen, and is looked at again."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.source import ROOT
from tests.support.waiting import patience
from tests.support.whole import CRASHED

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
        subprocess.Popen(
            [*command, f"--from={end}", f"--failed=failed-{end}"],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
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


class Whole(NamedTuple):
    """What came of a whole run."""

    code: int
    said: str

    @property
    def repeated(self) -> bool:
        return "Once more, alone" in self.said


def whole(project: Path, tests: dict[str, str]) -> Whole:
    """`make test` of a project with these tests alone."""
    for file in FILES:
        (project / f"tests/{file}.py").unlink()
    for name, body in tests.items():
        (project / f"tests/test_{name}.py").write_text(body)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTEST_ADDOPTS": "-p no:cacheprovider -p no:asyncio --import-mode=importlib",
    }
    command = [sys.executable, "-m", "tests.support.whole"]
    ended = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=patience(60))
    return Whole(ended.returncode, ended.stdout)


GOOD = "def test(): pass\n"
BAD = "def test(): assert not 'as it should be'\n"
# in company, and with parameters as some have: a space, brackets, colons
ONCE = """
import pathlib, pytest

@pytest.mark.parametrize("what", ["https://a::b/c d[e]"])
def test(what):
    been = pathlib.Path("been")
    was = been.exists()
    been.touch()
    assert was, "in company only"
"""
ONCE_BEFORE = """
import pathlib, pytest

@pytest.fixture
def stage():
    if not (been := pathlib.Path("been")).exists():
        been.touch()
        raise OSError("in company only")

def test(stage): pass
"""


@pytest.mark.parametrize("flaky", [ONCE, ONCE_BEFORE])
def test_what_fails_in_company_and_passes_alone_is_told_and_fails_nothing(project: Path, flaky: str) -> None:
    ended = whole(project, {"flaky": flaky, "good": GOOD})
    assert ended.code == 0
    assert "in company only" in ended.said
    assert "FLAKY" in ended.said
    assert "tests/test_flaky.py::test" in ended.said.partition("FLAKY")[2]


def test_a_fault_fails_again(project: Path) -> None:
    ended = whole(project, {"bad": BAD, "good": GOOD, "flaky": ONCE})
    assert ended.repeated
    assert (ended.code, "FLAKY" in ended.said) == (1, False)


def test_many_failures_are_not_looked_at_again(project: Path) -> None:
    ended = whole(project, dict.fromkeys(["a", "b", "c", "d"], BAD))
    assert (ended.code, ended.repeated) == (1, False)


@pytest.mark.parametrize("end", ["os._exit(0)", "os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_a_process_that_ends_before_its_tests_is_a_failure(project: Path, end: str) -> None:
    ended = whole(project, {"flaky": ONCE, "dies": f"import os\ndef test(): {end}\n"})
    assert (ended.code, ended.repeated) == (CRASHED, False)


def test_what_cannot_be_collected_is_not_repeated(project: Path) -> None:
    ended = whole(project, {"good": GOOD, "broken": "import nothing_that_is_there\n"})
    assert (ended.code, ended.repeated) == (2, False)


def test_all_that_pass_pass(project: Path) -> None:
    ended = whole(project, {"good": GOOD, "fine": GOOD})
    assert (ended.code, ended.repeated) == (0, False)
