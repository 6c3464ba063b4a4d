"""Which URLs name a store. What is wrong with one is said without repeating it: it may hold a password."""

from urllib.parse import SplitResult, urlsplit

ENCODING = "in a user name or password / is written %2F, @ %40, # %23, ? %3F and % %25"
SHAPES = "memory://, sqlite:///path, valkey://host:6379/0, valkeys://host:6379/0 or valkey+unix:///path?db=0"


def check_url(url: str) -> None:
    """Raise ValueError if the URL names no store."""
    parts = urlsplit(url)
    match parts.scheme:
        case "memory":
            return
        case "sqlite" | "valkey+unix":
            _check_file(parts)
        case "valkey" | "valkeys":
            _check_server(parts)
        case scheme:
            raise ValueError(f"a store is {SHAPES}, and none that begins with {scheme!r}")


def _check_file(parts: SplitResult) -> None:
    if parts.netloc:  # with two slashes, the first folder would be a host
        raise ValueError(f"{parts.scheme}: takes three slashes before a path, and a fourth where it is an absolute one")
    if len(parts.path) < 2:
        raise ValueError(f"{parts.scheme}: names no file; a store is {SHAPES}")


def _check_server(parts: SplitResult) -> None:
    if not parts.hostname or not _has_port(parts):
        raise ValueError(f"{parts.scheme}: takes a host and a port, as in valkey://host:6379/0; {ENCODING}")
    if parts.path not in ("", "/") and not parts.path[1:].isdecimal():
        raise ValueError(f"a Valkey's database is a number, as in valkey://host:6379/0; {ENCODING}")


def _has_port(parts: SplitResult) -> bool:
    """Whether the port is one, or is left out."""
    try:
        return parts.port != 0
    except ValueError:  # which would say what stands in its place
        return False
