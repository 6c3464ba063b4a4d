"""nginx in front of the real app: what reaches it, by whatever spelling, with a path prefix and without."""

from collections.abc import Iterator

import pytest

from tests.stack.fleet import Fleet

METRICS = (
    "/metrics", "/metrics/", "/metrics?x=1", "/metrics?", "/metrics#x", "/metrics//", "/metrics/x", "//metrics",
    "///metrics", "/./metrics", "/a/../metrics", "/../metrics", "/metrics/.", "/metrics/../metrics", "/metrics/x/..",
    "/%6detrics", "/%6Detrics", "/metric%73", "/%6d%65%74%72%69%63%73", "/metrics%2f", "/%2fmetrics", "/%2e/metrics",
    "/a/%2e%2e/metrics", "/metrics%0a", "/metrics%0A", "/metrics%0d", "/metrics%0d%0a", "/metrics%0a?x", "/%0ametrics",
    "/metrics%0a/", "/metrics%09", "/metrics%20", "/metrics%3f", "/metrics%23", "/metrics;x", "/metrics%3b",
    "/metrics\\", "/metrics%5c", "/METRICS", "/metrics%7f", "/%256detrics", "/metrics%250a", "/x/metrics",
    "/x//metrics%0a", "http://localhost/metrics", "http://localhost/metrics%0a", "/metrics/%2e%2e/metrics",
    "/metrics%2f%2e",
)  # fmt: skip

HANDOVER = [
    "/handover", "/handover/", "/handover?x=1", "//handover", "/./handover", "/a/../handover", "/handover/.",
    "/%68andover", "/%68%61%6e%64%6f%76%65%72", "/handover%2f", "/%2fhandover", "/a/%2e%2e/handover", "/handover%0a",
    "/handover%0d%0a", "/handover;x", "/handover%20", "/x/handover", "http://localhost/handover",
]  # fmt: skip


@pytest.fixture(scope="module", params=["", "/demo"])
def fleet(request: pytest.FixtureRequest, app_image: str) -> Iterator[Fleet]:
    """The demo, without a prefix and under one."""
    with Fleet(app_image, root_path=request.param) as fleet:
        host = fleet.add()
        fleet.open(NGINX_VISITOR_RATE="1000r/s")
        assert "htag_sessions" in fleet.inside(host, "/metrics").text  # else nothing here could fail
        yield fleet


def test_the_spellings_are_many() -> None:
    assert len(set(METRICS)) >= 44


@pytest.mark.parametrize("prefix", ["", "/demo", "//demo", "/demo/", "/%64emo", "/demo/demo"])
@pytest.mark.parametrize("path", METRICS)
def test_no_spelling_shows_the_metrics(fleet: Fleet, prefix: str, path: str) -> None:
    spelled = path.replace("localhost/", f"localhost{prefix}/") if path.startswith("http") else prefix + path
    answer = fleet.get(spelled)
    assert "htag_sessions" not in answer.text
    above_the_root = path.startswith("/../") and not prefix  # which is no path at all
    assert answer.status == (400 if above_the_root else 404)


@pytest.mark.parametrize("prefix", ["", "/demo", "//demo", "/%64emo"])
@pytest.mark.parametrize("path", HANDOVER)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_spelling_asks_a_worker_to_let_a_session_go(fleet: Fleet, method: str, prefix: str, path: str) -> None:
    spelled = path.replace("localhost/", f"localhost{prefix}/") if path.startswith("http") else prefix + path
    assert fleet.get(spelled, method=method).status == 404  # the worker itself would say 405 or 403


@pytest.mark.parametrize("path", ["/%0a", "/demo/%0a", "/demo%0a", "/%0a/", "/ws%0a", "/%0d%0a", "/%00x/"])
def test_a_path_with_a_line_break_leads_nowhere(fleet: Fleet, path: str) -> None:
    answer = fleet.get(path)
    assert answer.status in (404, 400)
    assert not answer.cookies


def test_the_prefix_leads_to_the_page_wherever_the_browser_called_it(
    fleet: Fleet, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.params["fleet"] != "/demo":
        assert fleet.get("/demo").status == 404
        return
    answer = fleet.get("/demo?x=1&y=%20")
    assert (answer.status, answer.headers["location"]) == (307, "/demo/?x=1&y=%20")
    for page in ("/demo/", "/"):  # kept or stripped by a proxy in front
        shown = fleet.get(page)
        assert shown.status == 200
        assert "window.HTAG_CSRF" in shown.text
        assert {cookie.partition("=")[0].split("_")[1] for cookie in shown.cookies} == {"route", "sid"}
        assert all("path=/demo/" in cookie.lower() for cookie in shown.cookies)


def test_public_files_and_health_are_there_under_the_prefix_too(fleet: Fleet, request: pytest.FixtureRequest) -> None:
    prefix = request.node.callspec.params["fleet"]
    for file in (
        "/htag.js",
        "/errors.js",
        "/later.js",
        "/logo.png",
        "/favicon.ico",
        "/health",
        "/health/live",
        "/health/ready",
    ):
        for spelled in {file, prefix + file}:
            answer = fleet.get(spelled)
            assert (answer.status, answer.cookies) == (200, []), spelled
