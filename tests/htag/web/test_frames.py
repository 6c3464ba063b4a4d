"""An app in a frame of another site's page: its cookie where that is allowed, and a word to its operator where not."""

from collections.abc import Mapping

import pytest
from starlette.testclient import TestClient

from htag import Tag, WebApp

FRAMED = {"sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}


class Page(Tag.App): ...


def cookie(web: WebApp, scheme: str, headers: Mapping[str, str] = FRAMED, path: str = "/") -> str:
    with TestClient(web.app, base_url=f"{scheme}://testserver") as client:
        return client.get(path, headers=dict(headers)).headers["set-cookie"]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "htag"]


def test_where_it_is_allowed_the_cookie_comes_along(caplog: pytest.LogCaptureFixture) -> None:
    line = cookie(WebApp(Page, embedded=True), "https")
    assert line.endswith("; HttpOnly; SameSite=None; Partitioned; Secure")
    assert lines(caplog) == []


def test_a_renewed_id_comes_in_such_a_cookie_too() -> None:
    class Login(Page):
        def init(self) -> None:
            self <= Tag.button("in", _id="in", _onclick=lambda event: self.root.renew_session_id())

    with TestClient(WebApp(Login, embedded=True).app, base_url="https://testserver") as client:
        page = client.get("/", headers=FRAMED).text
        token = page.split('HTAG_CSRF = "')[1][:32]
        answer = client.post("/renew", headers={"x-htag-token": token})
        assert answer.status_code == 200
        assert answer.headers["set-cookie"].endswith("; HttpOnly; SameSite=None; Partitioned; Secure")


def test_where_it_is_not_allowed_the_log_says_which_setting_does(caplog: pytest.LogCaptureFixture) -> None:
    web = WebApp(Page)
    assert "SameSite=lax" in cookie(web, "https")
    assert "SameSite=lax" in cookie(web, "https")  # one line a minute, whoever asks
    (line,) = lines(caplog)
    assert "HTAG_EMBEDDED=1" in line
    assert "WebApp(embedded=True)" in line


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-dest": "document", "sec-fetch-site": "cross-site"},  # a link
        {"sec-fetch-dest": "iframe", "sec-fetch-site": "same-origin"},
        {"sec-fetch-dest": "iframe", "sec-fetch-site": "same-site"},  # Lax cookies come along
        {"sec-fetch-dest": "image", "sec-fetch-site": "cross-site"},
    ],
)
def test_all_else_is_no_frame_of_another_site(caplog: pytest.LogCaptureFixture, headers: dict[str, str]) -> None:
    cookie(WebApp(Page), "https", headers)
    assert lines(caplog) == []


def test_without_tls_it_cannot_be_allowed_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    line = cookie(WebApp(Page, embedded=True), "http", {})
    assert line.endswith("; HttpOnly; SameSite=lax")
    (said,) = lines(caplog)
    assert "https" in said


def test_another_site_s_frame_does_not_begin_anew_a_session() -> None:
    web = WebApp(Page, embedded=True)
    with TestClient(web.app, base_url="https://testserver") as client:
        client.get("/", headers=FRAMED)
        (before,) = web.instances
        client.get("/?n", headers=FRAMED)
        assert list(web.instances) == [before]
