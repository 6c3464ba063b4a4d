"""Two pytest processes share all tests: `pytest -p tests.support.streams --taken FOLDER --from front`, and `… back`.
Who starts them: whole.py.

Both have the same list of files. One goes through it from the front and the other from the back; each takes the next
file that the other has not taken, until none is left. So they end at about the same time, however long files take.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

# At the front, in this order: what waits for containers, which one process starts once, and much of what has a browser.
# The swarm before the other stacks: an engine that leaves a swarm finds their containers by name no more.
FRONT = (
    "tests/stack/",
    "tests/e2e/test_deploy_swarm",
    "tests/e2e/test_stack",
    "tests/e2e/test_deploy",
    "tests/e2e/test_browser",
    "tests/e2e/test_client_connection",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--taken", type=Path, required=True, help="empty folder, where both note the files they have taken"
    )
    parser.addoption("--failed", type=Path, required=True, help="file to make, with the tests that have failed")
    parser.addoption("--from", choices=("front", "back"), required=True, dest="end", help="end of the list to begin at")


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run what this process gets. As in pytest's own loop each test hears of the next: what both need stays up."""
    if session.testsfailed:
        raise session.Interrupted(f"{session.testsfailed} errors during collection")
    tests = _tests(session)
    test = next(tests, None)
    while test is not None:
        following = next(tests, None)
        session.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        if session.shouldfail or session.shouldstop:
            raise session.Interrupted(str(session.shouldfail or session.shouldstop))
        test = following
    return True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say what has failed: each test once, be it in its body or in a fixture of its."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    reports = [*reporter.stats.get("failed", []), *reporter.stats.get("error", [])]
    failed = dict.fromkeys(report.nodeid for report in reports)
    session.config.getoption("failed").write_text("".join(f"{test}\n" for test in failed))


def _tests(session: pytest.Session) -> Iterator[pytest.Item]:
    """The tests of one file after another. A file is taken when the last test of the one before is about to run."""
    for file, tests in _listed(session):
        try:
            (session.config.getoption("taken") / file.replace("/", ":")).touch(exist_ok=False)
        except FileExistsError:
            continue
        yield from tests


def _listed(session: pytest.Session) -> list[tuple[str, list[pytest.Item]]]:
    """All files with their tests, from this process's end of the list. At its back is what is not FRONT, backwards."""
    files = [(file, list(tests)) for file, tests in groupby(session.items, lambda test: test.nodeid.partition("::")[0])]
    assert len({file for file, _ in files}) == len(files), "the tests of a file do not come in a row"
    front = sorted((each for each in files if _place(each[0]) < len(FRONT)), key=lambda each: _place(each[0]))
    back = [each for each in files if _place(each[0]) == len(FRONT)]
    return [*front, *reversed(back)] if session.config.getoption("end") == "front" else [*back, *reversed(front)]


def _place(file: str) -> int:
    """The place in FRONT of what `file` starts with; the number of places: with none of it."""
    return next((place for place, start in enumerate(FRONT) if file.startswith(start)), len(FRONT))
