import re

import pytest

from htag_stack.settings import Settings
from htag_stack.settings_docs import FILES, replace_part
from tests.support.source import ROOT


@pytest.mark.parametrize("file", FILES)
def test_the_files_say_what_the_settings_are(file: str) -> None:
    text = (ROOT / file).read_text()
    assert replace_part(text, FILES[file]()) == text, "run: python -m htag_stack.settings_docs"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_is_described(name: str) -> None:
    description = Settings.model_fields[name].description or ""
    assert description.endswith(".")
    assert "|" not in description  # it stands in a table


@pytest.mark.parametrize(
    "name", [name for name in Settings.model_fields if name.endswith(("seconds", "bytes", "limit"))]
)
def test_the_description_of_a_quantity_begins_with_its_unit(name: str) -> None:
    assert re.match("Bytes|Seconds", Settings.model_fields[name].description or "")


@pytest.mark.parametrize("file", FILES)
def test_whatever_compose_lets_one_choose_is_told(file: str) -> None:
    chosen = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert {name for name in chosen if name not in (ROOT / file).read_text()} == set()


def test_every_setting_can_be_chosen_in_compose_or_is_fixed_there() -> None:
    compose = (ROOT / "docker-compose.yml").read_text() + (ROOT / "Dockerfile").read_text()
    missing = {variable for name in Settings.model_fields if (variable := Settings.variable(name)) not in compose}
    assert missing == set()


def test_a_file_without_its_marks_is_noticed() -> None:
    with pytest.raises(ValueError, match="no line holds"):
        replace_part("nothing", "x")
