"""Operations, the morph of whole HTML, and a fresh parse make the same page."""

import json
from pathlib import Path

from playwright.async_api import Page

from tests.e2e.static_page import show

TREES = (Path(__file__).parent / "random_trees.js").read_text()
SEEDS = 400


async def test_operations_and_morph_and_a_fresh_parse_give_the_same_page(page: Page) -> None:
    await show(page, "<body data-htag-id=body-1><div id=by-ops></div></body>")
    await page.add_script_tag(content=TREES)
    wrong = await page.evaluate(
        "async (seeds) => { for (let s = 0; s < seeds; s++) { const w = await tryTree(s, 6); if (w) return w } }", SEEDS
    )
    assert wrong is None, json.dumps(wrong, indent=1)
    assert await page.evaluate("sent.length") == 0
