from pathlib import Path

import pytest
from pydantic import ValidationError

from htag_stack.errors import StartError
from htag_stack.settings import Settings
from tests.app.processes import SECRET


def test_nothing_has_to_be_set() -> None:
    settings = Settings.load()
    assert (settings.app, settings.host, settings.port, settings.workers) == (
        "htag_stack.demo:Demo",
        "127.0.0.1",
        8000,
        2,
    )
    assert not settings.debug
    assert settings.trusted_proxies == ("127.0.0.1",)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTAG_PORT", "HTAG_SECRET", "HTAG_DEBUG", "WEB_CONCURRENCY", "HTAG_ALLOWED_ORIGINS"):
        monkeypatch.setenv(name, "")
    assert Settings.load() == Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings.load().port = 1  # type: ignore[misc]  # it is frozen: that is tried


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("HTAG_APP", "mine:App", "app", "mine:App"),
        ("WEB_CONCURRENCY", "4", "workers", 4),
        ("HTAG_SESSION_GRACE_SECONDS", "0.5", "session_grace_seconds", 0.5),
        ("HTAG_PARANO", "1", "parano", True),
        ("HTAG_DEBUG", "false", "debug", False),
        ("HTAG_ROOT_PATH", "/demo/", "root_path", "/demo"),
        ("HTAG_SECRET_FILE", "/data/secret", "secret_file", Path("/data/secret")),
        (
            "HTAG_ALLOWED_ORIGINS",
            "https://A.example, http://b:81",
            "allowed_origins",
            ("https://a.example", "http://b:81"),
        ),
        ("HTAG_TRUSTED_PROXIES", "10.0.0.0/8,::1", "trusted_proxies", ("10.0.0.0/8", "::1")),
        ("HTAG_TRUSTED_PROXIES", "*", "trusted_proxies", ("*",)),
        ("FORWARDED_ALLOW_IPS", "10.1.2.3", "trusted_proxies", ("10.1.2.3",)),
        ("HTAG_STORE", "valkey://valkey:6379/0", "store", "valkey://valkey:6379/0"),
    ],
)
def test_each_variable_is_read(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, field: str, value: object
) -> None:
    monkeypatch.setenv(variable, text)
    assert getattr(Settings.load(), field) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HTAG_STORE", "valkey://valkey:6379/0"),
        ("HTAG_SECRET", SECRET),
        ("HTAG_SECRET_FILE", "/data/secret"),
        ("HTAG_APP", "mine:App"),
        ("HTAG_HOST", "0.0.0.0"),
        ("HTAG_ROOT_PATH", "/demo"),
        ("HTAG_COOKIE_NAME", "shop"),
        ("HTAG_CSP", "strict"),
        ("HTAG_DEBUG", "1"),
        ("HTAG_HEALTH", "public"),
        ("HTAG_LOG_LEVEL", "debug"),
        ("HTAG_LOG_FORMAT", "json"),
        ("HTAG_MOVE", "always"),
        ("WEB_CONCURRENCY", "4"),
    ],
)
@pytest.mark.parametrize("around", ["{}\r", " {}\r\n", "\t{} "])
def test_a_file_of_settings_may_have_the_line_ends_of_another_system(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, around: str
) -> None:
    monkeypatch.setenv(variable, text)
    plain = Settings.load()
    monkeypatch.setenv(variable, around.format(text))
    assert Settings.load() == plain


@pytest.mark.parametrize("name", ["SESSION_NEW", "SESSION_GRACE", "SESSION_IDLE", "SESSION_STORED", "RECYCLE"])
def test_a_time_without_end_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"HTAG_{name}_SECONDS", "inf")
    with pytest.raises(StartError, match="_SECONDS=inf is not a valid setting: input should be a finite number"):
        Settings.load()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "two"),
        ("HTAG_PORT", "70000"),
        ("HTAG_STORE", "mongodb://x"),
        ("HTAG_STORE", "valkey"),
        ("HTAG_STORE", "valkey:///0"),
        ("HTAG_STORE", "sqlite://data/htag.db"),
        ("HTAG_STORE", "sqlite:///"),
        ("HTAG_ROOT_PATH", "demo"),
        ("HTAG_ALLOWED_ORIGINS", "a.example"),
        ("HTAG_ALLOWED_ORIGINS", "https://a.example/path"),
        ("HTAG_TRUSTED_PROXIES", "nginx"),
        ("HTAG_DEBUG", "perhaps"),
        ("HTAG_LOG_LEVEL", "loud"),
        ("HTAG_LOG_FORMAT", "xml"),
        ("HTAG_SESSION_NEW_SECONDS", "-1"),
        ("HTAG_MEMORY_LIMIT", "512M"),
    ],
)
def test_a_bad_value_is_one_sentence_with_variable_and_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(StartError) as caught:
        Settings.load()
    sentence = str(caught.value)
    assert sentence.startswith(f"{variable}={text} is not a valid setting: ") or variable == "HTAG_ALLOWED_ORIGINS"
    assert variable in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_store_s_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    for store in ("valkey://user:pass/word@host:6379/0", "valkey://user:pass@word@host:port", "redis://:p#word@host"):
        monkeypatch.setenv("HTAG_STORE", store)
        with pytest.raises(StartError) as caught:
            Settings.load()
        assert "word" not in str(caught.value).replace("user name or password", "")


def test_a_short_secret_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTAG_SECRET", "hunter2")
    with pytest.raises(StartError) as caught:
        Settings.load()
    assert str(caught.value) == "HTAG_SECRET is not a valid setting: a secret has at least 32 characters."


def test_a_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTAG_SECRET", SECRET)
    assert SECRET not in repr(Settings.load())


def test_a_given_secret_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTAG_SECRET", SECRET)
    assert Settings.load().signing_secret() == SECRET


def test_without_one_a_secret_is_made_and_kept(tmp_path: Path) -> None:
    settings = Settings(secret_file=tmp_path / "data" / "secret", store="memory://")
    assert settings.signing_secret() == settings.signing_secret()
    assert len(settings.signing_secret()) >= 32


def test_a_shared_store_wants_a_secret_that_all_hosts_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTAG_STORE", "valkey://valkey:6379")
    with pytest.raises(StartError, match="set HTAG_SECRET, or set HTAG_SECRET_FILE"):
        Settings.load().signing_secret()
    monkeypatch.setenv("HTAG_SECRET_FILE", str(tmp_path / "shared" / "secret"))
    assert len(Settings.load().signing_secret()) >= 32


@pytest.mark.parametrize("policy", ["script-src 'self'", "stric"])
def test_a_policy_under_which_no_page_would_run_is_refused(monkeypatch: pytest.MonkeyPatch, policy: str) -> None:
    monkeypatch.setenv("HTAG_CSP", policy)
    with pytest.raises(StartError, match=f"^HTAG_CSP={policy} is not a valid setting: a policy "):
        Settings.load()
