"""A browser is who its signed cookie says, or nobody."""

import http.cookies

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag.web.asgi import cookie_values, header, navigated_here, same_origin
from htag.web.signing import COOKIE, READ, Signer

SECRET = "a secret for tests"
B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def cookies(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", "; ".join(values).encode("latin-1"))]


def test_a_signed_id_is_recognised_by_all_who_share_the_secret() -> None:
    signed = Signer(SECRET).sign("me")
    headers = cookies("a=b", f"{COOKIE}={signed}", "c=d")
    assert Signer(SECRET).verified_ids(headers) == ["me"]
    assert Signer("another").verified_ids(headers) == []
    assert Signer().verified_ids(headers) == []


def test_a_cookie_is_signed_as_by_earlier_versions() -> None:
    """While a new version takes over, workers of both share the visitors; so do the cookies of today and tomorrow."""
    session_id = "AAAAbbbbCCCCddddEEEEffff"
    assert Signer(SECRET).sign(session_id) == f"{session_id}.IKc9DRwjA4BjwoFmzNXSiGEXZ8krrkIF"


@pytest.mark.parametrize(
    "value", ["", ".", "me", "me.", ".me", "me.me", "mé.x", "\xff\xfe.\xfd", '"', "%00.a", "a" * 9999]
)
def test_a_forged_cookie_names_no_session(value: str) -> None:
    assert Signer(SECRET).verified_ids(cookies(f"{COOKIE}={value}")) == []


def test_each_character_of_a_signed_id_counts() -> None:
    signer = Signer(SECRET)
    signed = signer.sign("0123456789")
    for index in range(len(signed)):
        for other in ("A", "B", "C", "D", "é"):
            forged = signed[:index] + other + signed[index + 1 :]
            assert signer.verified_ids(cookies(f"{COOKIE}={forged}")) == ([] if forged != signed else ["0123456789"])


def test_of_several_cookies_of_the_name_those_we_signed_count_in_their_order() -> None:
    signer = Signer(SECRET)
    near, far = signer.sign("near"), signer.sign("far")
    headers = [
        *cookies(f"{COOKIE}={near}", f"{COOKIE}=forged.cookie", f'{COOKIE}="{far}"'),
        *cookies(f"{COOKIE}={near}"),
    ]
    assert signer.verified_ids(headers) == ["near", "far", "near"]


@pytest.mark.parametrize("spelling", ["{}=", "{}==", "{}===", "{} ", "{}.", ".{}", "{}A", "\x00{}", "{}!"])
def test_another_spelling_of_a_signature_names_no_session(spelling: str) -> None:
    signer = Signer(SECRET)
    named = [(b"cookie", f"{COOKIE}={spelling.format(signer.sign('me'))};".encode())]
    assert signer.verified_ids(named) == (["me"] if spelling == "{} " else [])  # of blanks around it, a cookie has none


def test_base64_has_several_spellings_and_one_of_them_counts() -> None:
    """The last character of 24 bytes + 8 bits would do; of a shorter digest some bits of it say nothing."""
    signer = Signer(SECRET)
    for number in range(20):
        signed = signer.sign(str(number))
        accepted = [end for end in B64 if signer.verified_ids(cookies(f"{COOKIE}={signed[:-1]}{end}"))]
        assert accepted == [signed[-1]]
        assert signer.verified_ids(cookies(f"{COOKIE}={signed[:-3]}+{signed[-3:]}")) == []
        assert signer.verified_ids(cookies(f"{COOKIE}={signed.replace('-', '+').replace('_', '/')}=")) == []


# -- two installations on one host


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("here", "htag_sid"),
        ("here:8080", "htag_sid_8080"),
        ("127.0.0.1:9000", "htag_sid_9000"),
        ("[::1]:8080", "htag_sid_8080"),
        ("[::1]", "htag_sid"),
        ("::1", "htag_sid_1"),  # no browser says that; whatever it is, it is a name
        ("here:80", "htag_sid"),
        ("here:443", "htag_sid"),
        ("here:", "htag_sid"),
        ("here:80; Path=/", "htag_sid"),
        ("here:٨٠٨٠", "htag_sid"),
        ("here:123456", "htag_sid"),
        (None, "htag_sid"),
    ],
)
def test_the_cookies_name_has_the_port(host: str | None, name: str) -> None:
    headers = [] if host is None else [(b"host", host.encode())]
    assert Signer(SECRET).cookie_name(headers) == name
    assert Signer(SECRET).set_cookie("me", "/", headers, secure=False).startswith(f"{name}=me.")
    assert Signer(SECRET, "shop").cookie_name(headers) == name.replace("htag_sid", "shop")


def test_its_own_name_comes_first_and_other_ports_after_it() -> None:
    signer = Signer(SECRET)
    said = {name: signer.sign(name or "base") for name in ("", "_8080", "_9090", "x", "_")}
    headers = [(b"host", b"here:9090"), *cookies(*(f"{COOKIE}{name}={value}" for name, value in said.items()))]
    assert signer.verified_ids(headers) == ["_9090", "base", "_8080", "_"]
    assert signer.verified_ids(headers[1:]) == ["base", "_8080", "_9090", "_"]
    assert Signer(SECRET, "shop").verified_ids(headers) == []


def test_so_many_cookies_are_looked_at_and_no_more() -> None:
    signer = Signer(SECRET)
    headers = cookies(*(f"{COOKIE}_{number}={signer.sign(str(number))}" for number in range(5000)))
    assert len(signer.verified_ids(headers)) == READ
    assert signer.verified_ids([(b"host", b"here:4711"), *headers])[0] == "4711"


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "é", "a\n", 'a"b', "a,b"])
def test_a_name_that_no_cookie_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Signer(SECRET, name)


def test_a_cookie_whose_name_only_contains_ours_is_not_ours() -> None:
    signer = Signer(SECRET)
    signed = signer.sign("me")
    assert signer.verified_ids(cookies(f"x{COOKIE}={signed}", f"{COOKIE}x={signed}", f"x={COOKIE}={signed}")) == []


@given(st.binary(max_size=80))
def test_no_header_breaks_the_reading_of_cookies(raw: bytes) -> None:
    headers = [(b"cookie", raw), (b"cookie", COOKIE.encode() + b"=" + raw)]
    assert Signer(SECRET).verified_ids(headers) == []
    assert all(isinstance(value, str) for value in cookie_values(headers, COOKIE))


def test_the_token_of_each_session_is_its_own_and_needs_the_secret() -> None:
    signer = Signer(SECRET)
    tokens = {signer.csrf(f"session {number}") for number in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)
    assert signer.csrf("me") == Signer(SECRET).csrf("me")
    assert signer.csrf("me") != Signer("another").csrf("me")
    assert signer.csrf("é🙂") != signer.csrf("é")


def test_the_parano_key_is_the_same_in_all_workers_and_says_nothing_of_the_tokens() -> None:
    key = Signer(SECRET).parano_key()
    assert key == Signer(SECRET).parano_key()
    assert key != Signer("another").parano_key()
    assert (len(key), int(key, 16) >= 0) == (16, True)
    assert not Signer(SECRET).csrf("parano").startswith(key)


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_for_http_only_and_for_its_path(secure: bool) -> None:
    line = Signer(SECRET).set_cookie("me", "/app/", [], secure=secure)
    morsel = http.cookies.SimpleCookie(line)[COOKIE]
    assert (morsel["path"], morsel["httponly"], morsel["samesite"]) == ("/app/", True, "lax")
    assert bool(morsel["secure"]) is secure
    assert Signer(SECRET).verified_ids(cookies(f"{COOKIE}={morsel.value}")) == ["me"]


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("secure", [True, False])
def test_frames_of_other_sites_get_a_cookie_of_their_own_where_browsers_keep_it(secure: bool, embedded: bool) -> None:
    line = Signer(SECRET).set_cookie("me", "/", [], secure=secure, embedded=embedded)
    assert (
        line.split("; ")[1:]
        == {
            (True, True): ["Path=/", "HttpOnly", "SameSite=None", "Partitioned", "Secure"],
            (True, False): ["Path=/", "HttpOnly", "SameSite=lax", "Secure"],
            (False, True): ["Path=/", "HttpOnly", "SameSite=lax"],  # a browser would drop the other
            (False, False): ["Path=/", "HttpOnly", "SameSite=lax"],
        }[secure, embedded]
    )


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


@pytest.mark.parametrize(
    ("scheme", "origin", "same"),
    [
        ("https", "https://here", True),
        ("wss", "https://here", True),
        ("https", "http://here", False),  # written by somebody on the way
        ("wss", "http://here", False),
        ("http", "https://here", True),  # a proxy ends TLS and does not say so
        ("ws", "https://here", True),
        ("http", "http://here", True),
        ("https", "http://friend.example", True),  # allowed by name
    ],
)
def test_a_page_that_came_over_http_is_not_ours_over_https(scheme: str, origin: str, same: bool) -> None:
    headers = [(b"host", b"here"), (b"origin", origin.encode())]
    assert same_origin(headers, ["http://friend.example"], scheme) is same


def sent(**headers: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"host", b"here:8080"),
        *((name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()),
    ]


NAVIGATION = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        (sent(sec_fetch_site="same-origin", **NAVIGATION), True),
        (sent(sec_fetch_site="none", **NAVIGATION), True),  # typed, or a bookmark
        (sent(sec_fetch_site="same-origin", sec_fetch_mode="navigate", sec_fetch_dest="iframe"), True),
        (sent(sec_fetch_site="same-origin"), True),
        (sent(sec_fetch_site="cross-site", **NAVIGATION), False),
        (sent(sec_fetch_site="cross-site", referer="http://here:8080/", **NAVIGATION), False),
        (sent(sec_fetch_site="same-site", **NAVIGATION), False),  # another port or another subdomain
        (sent(sec_fetch_site="same-origin", sec_fetch_mode="no-cors", sec_fetch_dest="image"), False),
        (sent(sec_fetch_site="same-origin", sec_fetch_mode="cors", sec_fetch_dest="empty"), False),
        (sent(sec_fetch_site="same-origin", sec_fetch_mode="navigate", sec_fetch_dest="object"), False),
        (sent(sec_fetch_site="", **NAVIGATION), False),
        (sent(referer="http://here:8080/page?x"), True),  # plain HTTP: no Sec-Fetch-*
        (sent(referer="http://here:8080"), True),
        (sent(referer="http://here:8081/"), False),
        (sent(referer="http://evil.example/here:8080/"), False),
        (sent(referer="http://evil.example/", origin="http://here:8080"), True),
        (sent(origin="null"), False),
        (sent(), True),
    ],
)
def test_who_leads_the_browser_here(headers: list[tuple[bytes, bytes]], ours: bool) -> None:
    assert navigated_here(headers) is ours
