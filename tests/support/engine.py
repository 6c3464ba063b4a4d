"""The Docker engine, as the tests use it. Locally a machine without one skips; in CI that is a failure."""

import json
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.machine import give_up
from tests.support.source import ROOT
from tests.support.waiting import patience

# Seconds that a single command may take; a slow machine can stretch it. Building the image from nothing is the longest.
DEADLINE = patience(300)


def run(*command: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command and keep what it prints, whatever its exit code."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def docker(*arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What `docker …` prints. A failure fails the test, and says what docker said."""
    done = run("docker", *arguments, env=env)
    assert done.returncode == 0, (
        f"docker {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done.stdout


def composed(*arguments: str, **settings: str) -> dict[str, Any]:
    """What Compose makes of our files, with no setting but these. `arguments`: to Compose, such as `--file=…`."""
    command = ["compose", "--env-file", "/dev/null", *arguments, "config", "--format", "json"]
    configuration: dict[str, Any] = json.loads(docker(*command, env=settings))
    return configuration


@cache
def asks_starting_containers_often() -> bool:
    """Whether the engine knows `start_interval` of health checks: 25 and later, whose API is 1.44."""
    version = docker("version", "--format", "{{.Server.APIVersion}}")
    return tuple(map(int, version.split("."))) >= (1, 44)


def asked_often() -> list[str]:
    """For `docker run`: so that a container which is healthy is soon known to be."""
    return ["--health-start-interval=500ms"] if asks_starting_containers_often() else []


@cache
def _missing() -> str | None:
    try:
        done = run("docker", "info", "--format", "{{.ServerVersion}}")
    except FileNotFoundError:
        return "there is no docker command"
    return None if done.returncode == 0 else "no Docker engine answers"


def need_engine() -> None:
    """Skip the test where there is no engine; in CI, fail."""
    if reason := _missing():
        give_up(f"{reason} on this machine")
