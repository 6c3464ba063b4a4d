"""axe-core, the accessibility checker, in a page under test."""

from functools import cache
from importlib.resources import files

from playwright.async_api import Page

# All rules, those of best practice too, and one that is off by itself: what is pressed is 24 px large (WCAG 2.2).
RUN = """() => axe.run(document, {resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})
    .then(({violations, passes}) => [passes.length, violations.flatMap(({id, nodes}) => nodes.map(
        (node) => `${id}: ${node.html} (${node.failureSummary.replace(/\\s+/g, ' ')})`))])"""


@cache
def script() -> str:
    """The checker, which a package for Python brings along."""
    return (files("axe_playwright_python") / "axe.min.js").read_text()


async def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is now, an element each: the rule, the element, what would mend it.

    Shadow trees are looked into. A page in which no rule applied at all is an error: it was not there yet.
    """
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(script())
    passed, found = await page.evaluate(RUN)
    assert passed, "no rule of axe-core applied to this page"
    return [str(each) for each in found]
