"""README and the other pages keep their promises: code runs, links lead somewhere, commands and files exist."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.source import ROOT

README = (ROOT / "README.md").read_text()
PAGES = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "bench/README.md", "loadtest/README.md"),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")),
]


def found(pattern: str, page: str) -> list[str]:
    """What the pattern's group catches in the page, each once."""
    return sorted(set(re.findall(pattern, (ROOT / page).read_text(), flags=re.MULTILINE)))


LINKS = [(page, link) for page in PAGES for link in found(r"\]\((?!http)([^)]+)\)", page)]
TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


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


def anchors(page: Path) -> set[str]:
    """Where links into a page may point: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_to_a_file_and_to_a_heading_in_it(page: str, link: str) -> None:
    name, _, anchor = link.partition("#")
    target = (ROOT / page).parent / name if name else ROOT / page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize("page", PAGES)
def test_a_make_target_exists(page: str) -> None:
    assert set(found(r"(?:^    .*\b|`)make (\w+)", page)) <= set(TARGETS)


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_is_named_is_there(page: str) -> None:
    folders = "htag|app|apps|bench|deploy|headless|loadtest|monitoring|nginx|tests|docs"
    for name in found(rf"`((?:{folders})/[\w./-]+\.\w+)`", page):
        assert (ROOT / name).exists(), name


def test_the_readme_lists_every_make_target() -> None:
    (listed,) = re.findall(r"`make` alone lists everything: `([a-z ]+)`", README)
    assert sorted(listed.split()) == sorted(set(TARGETS) - {"help"})


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "bench/README.md", "docs/architecture.md"]
)
def test_the_readme_leads_to_what_those_who_take_over_need(page: str) -> None:
    assert f"]({page})" in README


@pytest.mark.parametrize("page", ["README.md", "bench/README.md"])
def test_the_numbers_are_there(page: str) -> None:
    assert found(r"(events per CPU-second.*\d)", page)
    assert found(r"(@@)", page) == []


def test_the_texts_that_an_app_may_translate_are_those_that_the_page_says() -> None:
    said = re.findall(r"^  (\w+): '(.*)',$", (ROOT / "htag/client/notice.js").read_text(), flags=re.MULTILINE)
    english = {key: text.encode().decode("unicode_escape") for key, text in said}
    assert len(english) > 5
    page = (ROOT / "docs/browser.md").read_text()
    table = page.partition("| key | English |")[2].partition("\n\n")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, flags=re.MULTILINE)) == english


def test_each_part_of_the_browser_client_has_its_place() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    section = text.partition("## The browser's half")[2].partition("\n## ")[0]
    named = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in section.splitlines() if line[:1] == "|"))
    assert sorted(named) == sorted(path.stem for path in (ROOT / "htag/client").glob("*.js"))


def test_pictures_are_small_and_each_is_shown() -> None:
    pictures = {f"images/{path.name}": path.stat().st_size for path in (ROOT / "docs/images").iterdir()}
    assert pictures.keys() == set(found(r"\]\((images/[^)]+)\)", "docs/browser.md"))
    assert max(pictures.values()) <= 60_000


def test_the_changelog_begins_with_what_is_not_released_and_keeps_its_form() -> None:
    headings = found(r"^##+ (.*)$", "CHANGELOG.md")
    versions = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", version) for version in versions[1:])
    assert set(headings) - set(versions) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
