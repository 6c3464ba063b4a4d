"""The README keeps its promises: its code runs, its links lead somewhere, its commands exist."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def test_the_embedding_example_serves_the_app_and_the_route_beside_it() -> None:
    names: dict[str, Any] = {}
    (example,) = blocks("python")
    exec(example, names)
    client = TestClient(names["app"])
    assert client.get("/health").json() == {"status": "ok"}
    page = client.get("/htag")
    assert "Production App" in page.text
    assert "Path=/htag/" in page.headers["set-cookie"]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_a_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^    .*\bmake (\w+)", README, flags=re.MULTILINE))))
def test_a_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_the_numbers_are_there() -> None:
    assert "@@" not in README
