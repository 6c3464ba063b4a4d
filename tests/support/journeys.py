"""The journeys of `docs/architecture.md`, read from the page, and what really runs, recorded."""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from types import FrameType
from typing import Any, NamedTuple, Self

from tests.support.source import ROOT

HOME = ROOT / "htag"


class Step(NamedTuple):
    """A function of htag: its file below `htag/`, and its qualified name in there."""

    file: str
    function: str


class Journey(NamedTuple):
    """One list of the page: its steps, and the files or packages that are only asked something on the way."""

    title: str
    steps: list[Step]
    asked: list[str]
    most_changes: int  # of file, from one call to the next


# -- the page ----------------------------------------------------------------------------------------------------------


def journeys(page: str) -> Iterator[Journey]:
    """The lists below the heading `## Journeys`, one below each `###`."""
    section = page.split("\n## Journeys\n")[1].split("\n## ")[0]
    for part in section.split("\n### ")[1:]:
        title, _, text = part.partition("\n")
        steps = [Step(*found) for found in re.findall(r"^\d+\. `([\w/]+\.py):([\w.]+)`", text, flags=re.MULTILINE)]
        asked = re.findall(r"^Asked or told on the way: (.*)$", text, flags=re.MULTILINE)
        changes = re.findall(r"^At most (\d+) changes of file\b", text, flags=re.MULTILINE)
        yield Journey(title, steps, re.findall(r"`([^`]+)`", " ".join(asked)), *map(int, changes))


def returns_to_files(steps: Sequence[Step]) -> dict[str, int]:
    """How often a list comes back to each file that it has left."""
    entered = Counter(file for file, _ in groupby(step.file for step in steps))
    return {file: times - 1 for file, times in entered.items() if times > 1}


def functions_of(source: str) -> set[str]:
    """The functions of a module by qualified name, methods of its classes included."""
    return set(_functions(ast.parse(source), ""))


def _functions(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


# -- what runs ---------------------------------------------------------------------------------------------------------


class CallRecorder:
    """Records, inside `with`, the calls of htag's functions in this thread, in their order."""

    def __init__(self) -> None:
        self.calls: list[Step] = []

    def __enter__(self) -> Self:
        sys.setprofile(self._record)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _record(self, frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(f"{HOME}/"):
            self.calls.append(Step(file.removeprefix(f"{HOME}/"), frame.f_code.co_qualname))


def changes_of_file(calls: Sequence[Step]) -> int:
    """How often a call is in another file than the call before. `snapshot/` counts as one: it looks at the modules that
    the process has imported, and these are more with each test."""
    return sum(one != other for one, other in pairwise(place(call.file) for call in calls))


def place(file: str) -> str:
    """Where a call is, as changes are counted."""
    return "snapshot/" if file.startswith("snapshot/") else file


def first_missing(steps: Sequence[Step], calls: Sequence[Step]) -> Step | None:
    """The first of `steps` that does not follow those before it in `calls`; None: all are called, in this order."""
    following = iter(calls)
    return next((step for step in steps if step not in following), None)


def files_not_told(journey: Journey, calls: Sequence[Step]) -> set[str]:
    """The files with calls that the page names neither in a step nor as asked, by themselves or by their package."""
    told = {step.file for step in journey.steps} | set(journey.asked)
    return {step.file for step in calls if not told & {step.file, f"{step.file.rpartition('/')[0]}/"}}
