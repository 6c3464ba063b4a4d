"""What a forge runs: the same commands as a person, with actions that cannot change under us, and without rights."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.source import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
PINNED = re.compile(r"^[\w.-]+/[\w.-]+(/[\w./-]+)?@[0-9a-f]{40} # v\d+(\.\d+)*$")
TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def parsed(path: Path) -> dict[str, Any]:
    workflow = yaml.safe_load(path.read_text())
    assert isinstance(workflow, dict)
    return workflow


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in parsed(path)["jobs"].values() for step in job["steps"]]


def commands(path: Path) -> list[str]:
    return [step["run"] for step in steps(path) if "run" in step]


def test_there_is_one() -> None:
    assert WORKFLOWS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is(path: Path) -> None:
    written = re.findall(r"^\s*(?:- )?uses: (.*)$", path.read_text(), flags=re.MULTILINE)
    assert len(written) == sum("uses" in step for step in steps(path)) > 0
    assert [action for action in written if not PINNED.match(action)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_ends(path: Path) -> None:
    workflow = parsed(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 90 and "permissions" not in job for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_it_runs_is_there(path: Path) -> None:
    for command in commands(path):
        assert all(target in TARGETS for target in re.findall(r"\bmake (\w+)", command)), command
        assert all((ROOT / script).is_file() for script in re.findall(r"\bbash (\S+)", command)), command


def test_everything_is_run_by_the_script_that_a_person_would_run() -> None:
    assert any("bash .ci/run" in command for path in WORKFLOWS for command in commands(path))
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
