"""The lines that are shown: numbers of each candidate, and how far ours is from its bar."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from operator import ge
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `compared` is the number that the bar is about; None: nothing to compare."""

    what: str
    ours: float
    published: float | None = None
    echo: float | None = None
    compared: float | None = None
    unit: str = ""
    bar: float = 0.0
    meets: Callable[[float, float], bool] = ge
    nicegui: float | None = None  # shown in the column of the echo, which no browser shows

    @property
    def met(self) -> bool | None:
        """Whether the compared number is on the right side of the bar; None where there is no bar."""
        return None if self.compared is None else self.meets(self.compared, self.bar)

    def as_json(self) -> dict[str, Any]:
        """The line for a file."""
        fields = asdict(self)
        fields["meets"] = self._sign
        return {**fields, "met": self.met}

    def as_text(self) -> str:
        """The line in columns, as wide as `HEAD`."""
        third = self.echo if self.nicegui is None else self.nicegui
        numbers = f"{self.what:34}{_number(self.ours):>12}{_number(self.published):>12}{_number(third):>10}"
        if self.compared is None:
            return numbers
        compared, bar = f"{_number(self.compared)} {self.unit}", f"{self._sign} {_number(self.bar)}"
        return f"{numbers}   {compared:<24}{bar:>10}  {'yes' if self.met else 'NO'}"

    @property
    def _sign(self) -> str:
        return "≥" if self.meets is ge else "≤"


HEAD = "{:34}{:>12}{:>12}{:>10}   {:<24}{:>10}  met"


def table(lines: Iterable[Line]) -> str:
    """All lines under their heading."""
    lines = list(lines)
    third = "NiceGUI" if any(line.nicegui is not None for line in lines) else "echo"
    head = HEAD.format("", "ours", "published", third, "compared", "bar")
    return "\n".join([head, *(line.as_text() for line in lines)])


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"
