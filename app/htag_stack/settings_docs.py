"""The settings as documentation, in docs/configuration.md and .env.example: `python -m htag_stack.settings_docs`.

A test compares both files with the settings, so neither can say something else than the program does.
"""

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap

from pydantic.fields import FieldInfo

from htag_stack.settings import Settings

BEGIN, END = "(settings: written by python -m htag_stack.settings_docs)", "(end of the settings)"
_FILE_WIDTH = 110


def table() -> str:
    """Render the settings as a Markdown table."""
    rows = [f"| `{variable}` | {_shown(field)} | {field.description} |" for variable, field in _variables()]
    return "\n".join(["| variable | default | what, in which unit, and why |", "|---|---|---|", *rows])


def env_example() -> str:
    """Render the settings as lines of an `.env` file, all of them commented out."""
    return "\n\n".join(f"{_comment(field)}\n#{variable}={_default(field)}" for variable, field in _variables())


def replace_part(text: str, part: str) -> str:
    """Replace what is in `text` between the lines of BEGIN and END by `part`. ValueError: the lines are not there."""
    pattern = re.compile(rf"(^.*{re.escape(BEGIN)}.*\n)(?:.*\n)*?(.*{re.escape(END)})", re.MULTILINE)
    if not pattern.search(text):
        raise ValueError(f"no line holds {BEGIN!r}, or none after it {END!r}")
    return pattern.sub(lambda match: f"{match[1]}\n{part}\n\n{match[2]}", text)


FILES: dict[str, Callable[[], str]] = {"docs/configuration.md": table, ".env.example": env_example}


def _variables() -> list[tuple[str, FieldInfo]]:
    return [(Settings.variable(name), field) for name, field in Settings.model_fields.items()]


def _shown(field: FieldInfo) -> str:
    return f"`{_default(field)}`" if _default(field) else ""


def _default(field: FieldInfo) -> str:
    match field.default:
        case bool(flag):
            return "1" if flag else "0"
        case tuple(words):
            return ",".join(words)
        case None:
            return ""
        case value:
            return str(value)


def _comment(field: FieldInfo) -> str:
    return "\n".join(
        wrap((field.description or "").replace("`", ""), _FILE_WIDTH, initial_indent="# ", subsequent_indent="# ")
    )


if __name__ == "__main__":
    for file, part in FILES.items():
        path = Path(file)
        path.write_text(replace_part(path.read_text(), part()))
        print(f"{file}: {len(Settings.model_fields)} settings")
