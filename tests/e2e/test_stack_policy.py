"""The header as it is sent through nginx, and Chromium behind it: the demo and all of tests/apps violate nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.async_api import Page

from tests.e2e.policed import APPS, connected, load, use_all, violations
from tests.e2e.stack import Stack
from tests.support.source import ROOT
from tests.support.waiting import STACK_SECONDS

DEMO = "demo"
# all apps in one application, as an author would bring them
BROUGHT = "\n".join(
    (
        "from starlette.applications import Starlette",
        "from starlette.responses import PlainTextResponse",
        "from starlette.routing import Mount, Route",
        "from htag import WebApp",
        "from htag_stack.demo import Demo",
        *(f"from {name} import {app.__name__}" for name, app in APPS.items()),
        "",
        "own = Route('/own', lambda request: PlainTextResponse('own'))",
        f"apps = {{{', '.join(f'{name!r}: {app.__name__}' for name, app in APPS.items())}, {DEMO!r}: Demo}}",
        "app = Starlette(routes=[own, *(Mount(f'/{name}', WebApp(each).app) for name, each in apps.items())])",
        "",
    )
)


@pytest.fixture(scope="module")
def site(running_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All apps behind nginx, with no setting made. After the other stack, whose images it uses."""
    folder: Path = tmp_path_factory.mktemp("apps")
    folder.chmod(0o755)
    for name in APPS:
        shutil.copy(ROOT / "tests/apps" / f"{name}.py", folder)
    (folder / "brought.py").write_text(BROUGHT)
    stack = Stack("policy", HTAG_APP="brought:app", HTAG_APPS_DIR=str(folder))
    try:
        stack.up(services=("nginx", "app", "valkey"))
        yield stack
    finally:
        stack.down()


def test_the_header_is_sent_beside_that_of_nginx(site: Stack) -> None:
    answer = requests.get(f"{site.url}/{DEMO}/", timeout=STACK_SECONDS)
    ours, of_nginx = answer.headers["Content-Security-Policy"].split(", ")  # two headers, joined; each is enforced
    assert ours.startswith("script-src 'nonce-")
    assert "'unsafe" not in ours
    assert of_nginx == "frame-ancestors 'self'"
    assert ours.split("'")[1].removeprefix("nonce-") in answer.text


def test_pages_of_an_author_s_own_have_none_of_ours(site: Stack) -> None:
    headers = requests.get(f"{site.url}/own", timeout=STACK_SECONDS).headers
    assert headers["Content-Security-Policy"] == "frame-ancestors 'self'"


@pytest.mark.parametrize("name", [*APPS, DEMO])
async def test_no_app_violates_it_behind_nginx(page: Page, site: Stack, name: str) -> None:
    await load(page, f"{site.url}/{name}/")
    await connected(page)
    assert await use_all(page)
    assert await violations(page) == []
