"""What the answers of a Valkey or Redis server, and of the network before it, mean for an operator."""

import re

from redis.exceptions import AuthenticationError, RedisError

_RIGHTS = "it does not let this user do what sessions need (docs/stores.md lists it)"
# By what a server's error begins with.
_SENTENCES = {
    "NOAUTH": "it wants a password: put one into the store's URL, as in valkey://user:password@host",
    "WRONGPASS": "it refuses the user name or the password of the store's URL",
    "NOPERM": _RIGHTS,
    "ACL failure in script": _RIGHTS,
    "The user executing the script can't run this command": _RIGHTS,  # Redis 6
    "OOM": "its memory is full (maxmemory), so it keeps nothing more",
    "READONLY": "it is a replica, which cannot be written to: the store's URL must name the primary",
    "MASTERDOWN": "it is a replica that has lost its primary",
    "LOADING": "it is still loading its data",
    "MISCONF": "it refuses to be written to, because it cannot write to its own disk",
    "BUSY": "it is busy with another program's script",
    "MOVED": "it is a cluster of several nodes, of which the store's URL names one that does not hold sessions",
    "CLUSTERDOWN": "it is a cluster that is down",
    "WRONGTYPE": "another program uses a key of ours: give sessions a database of their own, as in valkey://host/1",
}
_CODE = re.compile(
    rf"(?:^|-|: )(?:ERR )?({'|'.join(_SENTENCES)})\b"
)  # after the minus sign or colon: within a script, Redis 6
_ARGUMENTS = re.compile(r",? with args beginning with.*", re.DOTALL)  # which may be a password or a session's id


def sentence(error: RedisError | OSError) -> str:
    """Say in plain words what is wrong, then in the server's."""
    text = _ARGUMENTS.sub("", str(error)) or type(error).__name__
    found = _CODE.search(f"{_code(error)} {text}".strip())
    return f"{_SENTENCES[found[1]]} ({text})" if found else text


def _code(error: RedisError | OSError) -> str:
    """The word that the client has cut off."""
    code = getattr(error, "status_code", None)
    if isinstance(error, AuthenticationError) and code != "NOAUTH":
        return "WRONGPASS"  # how earlier versions call it
    return code or ""
