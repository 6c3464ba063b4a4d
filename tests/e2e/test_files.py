"""docs/files.md: its example, in a real browser."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page
from starlette.testclient import TestClient

from tests.e2e.serving import Serving
from tests.support.source import ROOT
from tests.support.visits import shut_down


@pytest.fixture
def example() -> dict[str, Any]:
    names: dict[str, Any] = {}
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/files.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    exec(code, names)
    return names


@pytest_asyncio.fixture(loop_scope="session")
async def url(example: dict[str, Any]) -> AsyncIterator[str]:
    serving = Serving(example["app"])
    await serving.start()
    yield serving.url
    await serving.stop()
    await shut_down(example["web"])


async def test_a_file_comes_by_a_request_of_its_own(page: Page, url: str) -> None:
    await page.goto(url)
    content = b"x" * 100_000
    await page.set_input_files("[type=file]", {"name": "me.png", "mimeType": "image/png", "buffer": content})
    await page.click("button")
    await page.locator("p", has_text="me.png: 100000 bytes").wait_for()
    assert await page.evaluate("document.querySelector('[type=file]').files[0].name") == "me.png", "it stays chosen"


def test_what_is_too_large_or_of_another_site_is_not_taken(example: dict[str, Any]) -> None:
    client = TestClient(example["app"])
    headers = {"x-htag-token": "t"}
    assert client.post("/upload", content=b"x" * (example["MOST"] + 1), headers=headers).status_code == 413
    assert client.post("/upload", content=b"x").status_code == 403
