"""Every setting of the deployed program in one frozen object: the only reader of the environment.

Each field's description is its line in `docs/configuration.md` and `.env.example` (written by `python -m
htag_stack.settings_docs`).
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from htag.stores.urls import check_url
from htag.web.policy import ContentPolicy
from htag_stack.errors import StartError
from htag_stack.secret import SECRET_LENGTH, read_or_make

_PASSWORD = re.compile(r"//.*@")  # with the user's name before it
SHARED_STORES = ("valkey", "valkeys")  # reached over a network, so other hosts may serve the same sessions


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _origin(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname or url.path or url.query:
        raise ValueError(f"an origin looks like https://example.org, not like {value!r}")
    return value.lower()


def _network(value: str) -> str:
    if value != "*":
        ipaddress.ip_network(value, strict=False)
    return value


def _store(value: str) -> str:
    check_url(value)
    return value


def _policy(value: str) -> str:
    return ContentPolicy(value).choice


def _root_path(value: str) -> str:
    if value and not value.startswith("/"):
        raise ValueError("a path prefix starts with a slash")
    return value.rstrip("/")


def _secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value()) < SECRET_LENGTH:
        raise ValueError(f"a secret has at least {SECRET_LENGTH} characters")
    return value


class Settings(BaseSettings):
    """Holds what an operator can choose. `Settings.load()` reads it, or raises `StartError` with a single sentence."""

    model_config = SettingsConfigDict(
        env_prefix="HTAG_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        allow_inf_nan=False,
    )

    app: str = Field(
        default="htag_stack.demo:Demo",
        description=(
            "The app to serve, as `package.module:name`: a subclass of `htag.Tag.App`, a `WebApp`, or an ASGI "
            "application (Starlette, FastAPI) that has a `WebApp` mounted, such as `app:app`."
        ),
    )
    workers: int = Field(
        default=2,
        ge=1,
        le=64,
        validation_alias="WEB_CONCURRENCY",
        description=(
            "Worker processes of a container, each with a slot (a port) of its own. One per core: a worker is "
            "one event loop."
        ),
    )
    host: str = Field(
        default="127.0.0.1",
        description=(
            "The address to listen on. Loopback, so that nothing is public by accident; a container listens on "
            "`0.0.0.0`."
        ),
    )
    port: int = Field(
        default=8000,
        ge=1,
        le=65_000,
        description="`make run` listens on this port; under gunicorn slot k (1, 2, …) listens on this port + k.",
    )
    store: Annotated[str, AfterValidator(_store)] = Field(
        default="sqlite:///data/htag.db",
        description=(
            "Where sessions are to outlive a worker: `memory://`, `sqlite:///relative/path`, "
            "`sqlite:////absolute/path` or `valkey://host:6379/0`. A file needs no server and serves one host; "
            "several hosts share a Valkey: docs/stores.md."
        ),
    )
    secret: Annotated[SecretStr | None, AfterValidator(_secret)] = Field(
        default=None,
        description=(
            f"Signs session ids; at least {SECRET_LENGTH} characters, the same for all workers. Empty: it is "
            "read from HTAG_SECRET_FILE."
        ),
    )
    secret_file: Path = Field(
        default=Path("data/secret"),
        description=(
            "The file that holds the secret. Made (mode 0600) if it is not there, by whichever worker or "
            "container comes first. With a Valkey store it must be named, because all hosts must be able to "
            "read it."
        ),
    )
    parano: bool = Field(
        default=False,
        description=(
            "Obfuscate messages between page and server. It protects nothing: the key is in the page; TLS protects."
        ),
    )
    debug: bool = Field(
        default=False, description="Show tracebacks to visitors: source code and values. For development only."
    )
    root_path: Annotated[str, AfterValidator(_root_path)] = Field(
        default="",
        description=(
            "The path prefix under which a proxy publishes the app, for example `/demo`. The proxy may strip it or not."
        ),
    )
    cookie_name: str = Field(
        default="htag_sid",
        pattern=r"^[A-Za-z0-9_.-]+$",
        description=(
            "What the session cookie's name begins with. The port of the app's public address follows where it is not "
            "80 or 443, and the cookie is for the path HTAG_ROOT_PATH only, so this needs to differ only between two "
            "apps that share both, which a proxy may do whose prefix an app is not told."
        ),
    )
    allowed_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_words)
    ] = Field(
        default=(),
        description=(
            "Origins, besides the page's own host, whose pages may talk to the app: "
            "`https://a.example,https://b.example`."
        ),
    )
    csp: Annotated[str, AfterValidator(_policy)] = Field(
        default="",
        description=(
            "The Content-Security-Policy of the app's pages: `default` (scripts of the page only, no `eval`, no "
            "`onclick=` in raw HTML), `strict` (also everything else from the page's own origin only), `off`, or a "
            "policy of your own, in which `{nonce}` stands for the page's nonce. Empty: what the app's author chose "
            "(`WebApp(csp=…)`), else `default`. docs/security.md says when to loosen it."
        ),
    )
    embedded: bool = Field(
        default=False,
        description=(
            "Other sites may show the app in a frame: its cookies are `SameSite=None; Secure; Partitioned`. It works "
            "over HTTPS only, and `NGINX_FRAME_ANCESTORS` must name those sites."
        ),
    )
    input_delay: int = Field(
        default=0,
        ge=0,
        le=60_000,
        description=(
            "What is typed is sent when nothing was typed for so many milliseconds, instead of letter by letter: fewer "
            "events, and lists that are filtered while one types change later. 0: what the app's author chose "
            "(`WebApp(input_delay=…)`), else each letter at once. An element may say otherwise (docs/browser.md)."
        ),
    )
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_words)
    ] = Field(
        default=("127.0.0.1",),
        validation_alias=AliasChoices("HTAG_TRUSTED_PROXIES", "FORWARDED_ALLOW_IPS"),
        description=(
            "Addresses or networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, separated by "
            "commas; `*` believes everybody, which is right only where nobody but the proxy can reach the "
            "workers."
        ),
    )
    health: Literal["private", "public"] = Field(
        default="private",
        description=(
            "Who gets the whole of `/health`: `private`, callers on this machine and in private networks, while the "
            "internet is told the status alone; or `public`, everybody. A proxy that is not in the trusted ones hides "
            "whose address it is."
        ),
    )
    session_new_seconds: float = Field(
        default=60,
        gt=0,
        description=(
            "Seconds after which a page that nobody connected to is forgotten. Crawlers never connect; a "
            "browser needs one or two seconds."
        ),
    )
    session_grace_seconds: float = Field(
        default=60,
        gt=0,
        description=(
            "Seconds for which a session stays in memory after its last tab has left; then it is parked in the store, "
            "and whoever comes back finds it there. One that cannot be stored waits ten "
            "minutes at least, and ends then."
        ),
    )
    session_idle_seconds: float = Field(
        default=300,
        ge=0,
        description=(
            "Seconds without an event or a running task of its own after which a session that is still connected is "
            "parked: its page stays as it is, and the next event wakes it within milliseconds. 0: never."
        ),
    )
    session_stored_seconds: float = Field(
        default=86_400,
        ge=60,
        description=(
            "Seconds for which the store keeps a session that is not in use: a page that was left open overnight still "
            "finds its session."
        ),
    )
    max_sessions: int = Field(
        default=10_000,
        ge=1,
        description=(
            "Sessions of one worker; further visitors get the busy page, known sessions never do. Memory is "
            "usually used up first."
        ),
    )
    newcomers_per_second: float = Field(
        default=50,
        ge=0,
        description=(
            "New sessions a second that one address (of IPv6: one /64) may open on one worker in the long run; who "
            "exceeds it gets a page that tries again by itself (429). Somebody whose session lives is never counted, "
            "nor is this machine itself. 0: no limit."
        ),
    )
    newcomers_burst: int = Field(
        default=500,
        ge=1,
        description="New sessions that one address may open on one worker at once: an office at nine o'clock.",
    )
    session_tabs: int = Field(
        default=32,
        ge=1,
        description=(
            "Tabs of one session that are connected at a time; a further one works over plain HTTP (it asks once a "
            "second) until a place is free."
        ),
    )
    session_waiting_bytes: int = Field(
        default=16 << 20,
        ge=1 << 16,
        description=(
            "Bytes that wait for all tabs of one session together, and as much again that they sent and that is not "
            "done yet. Tabs beyond it get a full render later; their messages are read more slowly."
        ),
    )
    session_bytes: int = Field(
        default=64 << 20,
        ge=1 << 20,
        description=(
            "Bytes of one session, as estimated (`htag_session_size_bytes`); one that grows beyond is ended, and its "
            "page says so. Keep it well below a worker's share of the memory."
        ),
    )
    snapshot_bytes: int = Field(
        default=8 << 20,
        ge=1 << 10,
        description=(
            "Bytes of one session in the store. One that takes more is not stored: it lives in its worker's memory "
            "only, and ends with it. A page of 3000 tags takes 22 kB; what takes megabytes are data that an app could "
            "load again."
        ),
    )
    save_share: float = Field(
        default=0.1,
        gt=0,
        le=0.5,
        description=(
            "The part of a worker's time that goes into saving sessions, at most. Where more would be needed, each "
            "session is saved less often; nothing is lost by that, since browsers keep what is not saved yet. The "
            "first save of a session, until which it ends with its worker, does not wait for that."
        ),
    )
    move: Literal["", "always"] = Field(
        default="",
        description=(
            "`always`: every event is followed by a move of its session, into a snapshot and back, as if its "
            "worker had been replaced. For trying whether an app survives that; slow, so not for production."
        ),
    )
    drain_seconds: float = Field(
        default=8,
        ge=0,
        le=600,
        description=(
            "Seconds over which a worker that is told to end (a new version, fewer containers, a reload) moves its "
            "sessions to others, some at a time, so that not all browsers come back at once. Containers that are "
            "stopped must be given 12 s more (`HTAG_STOP_SECONDS`)."
        ),
    )
    recycle_seconds: float = Field(
        default=600,
        ge=0,
        description=(
            "Seconds after which a worker is replaced by a fresh one if more than half of its memory is free within "
            "it, at least 64 MiB, and no more than 20 tabs are connected to it: Python gives such memory back only at "
            "its end. Its sessions move as at a reload. `0`: never. Under gunicorn only, and not with `memory://`."
        ),
    )
    memory_limit: int = Field(
        default=0,
        ge=0,
        description=(
            "Bytes that all workers of a container may use together, each an equal part; new visitors are refused "
            "from 90 % of it on. The container's own limit (cgroup), if it has one, counts as well."
        ),
    )
    message_bytes: int = Field(
        default=1 << 20,
        ge=1 << 10,
        description=(
            "Bytes of one message from a browser. A form with long texts fits; a file does not belong in a message."
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description=(
            "How much is logged: `debug`, `info`, `warning` or `error`. What visitors type is logged at no level."
        ),
    )
    log_format: Literal["plain", "json"] = Field(
        default="plain", description="`plain` for people, `json` (one object a line) for log collectors."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _strip(cls, value: object) -> object:
        """Read a value without the space around it: a file of settings with the line ends of Windows leaves a
        carriage return behind each, which is in no name and no address."""
        return value.strip() if isinstance(value, str) else value

    @classmethod
    def load(cls) -> Self:
        """Read and check the settings of this process's environment. Raises `StartError`."""
        try:
            return cls()
        except ValidationError as error:
            raise StartError(_sentence(error)) from None

    @classmethod
    def variable(cls, name: str) -> str:
        """The environment variable that sets the field `name`."""
        alias = cls.model_fields[name].validation_alias
        first = alias.choices[0] if isinstance(alias, AliasChoices) else alias
        return first if isinstance(first, str) else f"HTAG_{name.upper()}"

    @property
    def shared_store(self) -> bool:
        """Whether workers on other hosts may serve the same sessions."""
        return urlsplit(self.store).scheme in SHARED_STORES

    def signing_secret(self) -> str:
        """Return the secret that signs session ids: given, read from the file, or made there. Raises `StartError`."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        if self.shared_store and "secret_file" not in self.model_fields_set:
            raise StartError(
                "HTAG_STORE is shared between hosts, so all of them need the same secret: "
                "set HTAG_SECRET, or set HTAG_SECRET_FILE to a file that all of them can read."
            )
        return read_or_make(self.secret_file)


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])  # the field, or the variable where the field names its own
    variable = Settings.variable(name) if name in Settings.model_fields else name
    reason = first["msg"].removeprefix("Value error, ")
    given = "" if name == "secret" else f"={_PASSWORD.sub('//…@', str(first['input']))}"
    return f"{variable}{given} is not a valid setting: {reason[0].lower()}{reason[1:]}."
