"""A browser is who its signed cookie says, or nobody."""

import http.cookies

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag.identity import COOKIE, Identity, cookie_values, header, same_origin

SECRET = "a secret for tests"


def cookies(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", "; ".join(values).encode("latin-1"))]


def test_who_was_signed_is_recognised_by_all_who_share_the_secret() -> None:
    signed = Identity(SECRET).sign("me")
    headers = cookies("a=b", f"{COOKIE}={signed}", "c=d")
    assert Identity(SECRET).claimed(headers) == ["me"]
    assert Identity("another").claimed(headers) == []
    assert Identity().claimed(headers) == []


@pytest.mark.parametrize(
    "value", ["", ".", "me", "me.", ".me", "me.me", "mé.x", "\xff\xfe.\xfd", '"', "%00.a", "a" * 9999]
)
def test_a_forged_cookie_is_nobodys(value: str) -> None:
    assert Identity(SECRET).claimed(cookies(f"{COOKIE}={value}")) == []


def test_each_character_of_a_signed_id_counts() -> None:
    identity = Identity(SECRET)
    signed = identity.sign("0123456789")
    for index in range(len(signed) - 1):  # of the last one, Base64 drops some bits
        for other in ("A", "B", "é"):
            forged = signed[:index] + other + signed[index + 1 :]
            assert identity.claimed(cookies(f"{COOKIE}={forged}")) == ([] if forged != signed else ["0123456789"])


def test_of_several_cookies_of_the_name_those_we_signed_count_in_their_order() -> None:
    identity = Identity(SECRET)
    near, far = identity.sign("near"), identity.sign("far")
    headers = [
        *cookies(f"{COOKIE}={near}", f"{COOKIE}=forged.cookie", f'{COOKIE}="{far}"'),
        *cookies(f"{COOKIE}={near}"),
    ]
    assert identity.claimed(headers) == ["near", "far", "near"]


def test_a_cookie_whose_name_only_contains_ours_is_not_ours() -> None:
    identity = Identity(SECRET)
    signed = identity.sign("me")
    assert identity.claimed(cookies(f"x{COOKIE}={signed}", f"{COOKIE}x={signed}", f"x={COOKIE}={signed}")) == []


@given(st.binary(max_size=80))
def test_no_header_breaks_the_reading_of_cookies(raw: bytes) -> None:
    headers = [(b"cookie", raw), (b"cookie", COOKIE.encode() + b"=" + raw)]
    assert Identity(SECRET).claimed(headers) == []
    assert all(isinstance(value, str) for value in cookie_values(headers, COOKIE))


def test_the_token_of_each_session_is_its_own_and_needs_the_secret() -> None:
    identity = Identity(SECRET)
    tokens = {identity.csrf(f"session {number}") for number in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)
    assert identity.csrf("me") == Identity(SECRET).csrf("me")
    assert identity.csrf("me") != Identity("another").csrf("me")
    assert identity.csrf("é🙂") != identity.csrf("é")


def test_the_parano_key_is_the_same_in_all_workers_and_says_nothing_of_the_tokens() -> None:
    key = Identity(SECRET).parano_key()
    assert key == Identity(SECRET).parano_key()
    assert key != Identity("another").parano_key()
    assert (len(key), int(key, 16) >= 0) == (16, True)
    assert not Identity(SECRET).csrf("parano").startswith(key)


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_for_http_only_and_for_its_path(secure: bool) -> None:
    line = Identity(SECRET).set_cookie("me", "/app/", secure=secure)
    morsel = http.cookies.SimpleCookie(line)[COOKIE]
    assert (morsel["path"], morsel["httponly"], morsel["samesite"]) == ("/app/", True, "lax")
    assert bool(morsel["secure"]) is secure
    assert Identity(SECRET).claimed(cookies(f"{COOKIE}={morsel.value}")) == ["me"]


def test_the_first_header_of_a_name_counts() -> None:
    headers = [(b"host", b"a"), (b"x", b"\xe9"), (b"host", b"b")]
    assert (header(headers, b"host"), header(headers, b"x"), header(headers, b"y")) == ("a", "é", None)


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        (None, True),
        (b"http://here:8080", True),
        (b"https://here:8080", True),
        (b"https://friend.example", True),
        (b"http://here", False),
        (b"http://here:80801", False),
        (b"http://friend.example", False),
        (b"https://friend.example.evil.example", False),
        (b"https://evil.example/here:8080", False),
        (b"null", False),
        (b"", False),
        (b"here:8080", False),
        (b"http://here:8080 http://evil.example", False),
    ],
)
def test_an_origin_is_ours_if_it_is_this_host_or_allowed(origin: bytes | None, same: bool) -> None:
    headers = [(b"host", b"here:8080"), *([(b"origin", origin)] if origin is not None else [])]
    assert same_origin(headers, ["https://friend.example"]) is same


def test_an_origin_without_any_host_is_not_ours() -> None:
    assert not same_origin([(b"origin", b"http://here")], [])
