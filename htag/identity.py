"""Who a browser is: a random session id, signed, in a cookie; and the token that its POSTs must carry."""

import secrets
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from itsdangerous import BadSignature, Signer
from itsdangerous.signer import SigningAlgorithm

COOKIE = "htag_sid"

Headers = Iterable[tuple[bytes, bytes]]


class KeyedHash(SigningAlgorithm):
    """BLAKE2b with a key (RFC 7693): a tenth of the time that an HMAC takes, and every page needs two."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """24 bytes, which are 32 characters in a cookie."""
        return blake2b(value, key=key, digest_size=24).digest()


class Identity:
    """Signs and recognises session ids. Workers that share a secret recognise each other's."""

    def __init__(self, secret: str | None = None) -> None:
        """`secret`: a random one, for this process only, where none is given."""
        self._secret = (secret or secrets.token_hex(32)).encode()
        self._signer = Signer(self._key(b"session"), key_derivation="none", algorithm=KeyedHash())
        self._csrf_key = self._key(b"csrf")

    def sign(self, session_id: str) -> str:
        """The cookie's value for `session_id`."""
        return self._signer.sign(session_id).decode()

    def set_cookie(self, session_id: str, path: str, *, secure: bool) -> str:
        """The header `Set-Cookie` that makes a browser say `session_id` from now on, below `path`."""
        flags = "; HttpOnly; SameSite=lax" + ("; Secure" if secure else "")
        return f"{COOKIE}={self.sign(session_id)}; Path={path}{flags}"

    def claimed(self, headers: Headers) -> list[str]:
        """The ids in the request's cookies that we did sign. Mounted apps can leave several; nearest path first."""
        found = []
        for value in cookie_values(headers, COOKIE):
            try:
                found.append(self._signer.unsign(value).decode())
            except (BadSignature, UnicodeDecodeError):
                continue
        return found

    def csrf(self, session_id: str) -> str:
        """The token that a POST of this session carries: 32 hex characters, not stored anywhere."""
        return blake2b(session_id.encode(), key=self._csrf_key, digest_size=16).hexdigest()

    def parano_key(self) -> str:
        """The key of the parano cipher: 16 hex characters, the same in all workers that share the secret."""
        return self._key(b"parano").hex()[:16]

    def _key(self, purpose: bytes) -> bytes:
        return blake2b(self._secret, person=purpose).digest()


def cookie_values(headers: Headers, name: str) -> Iterator[str]:
    """The values of all cookies called `name`, in the order in which the browser sent them."""
    for header, value in headers:
        if header == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, text = part.strip().partition("=")
                if key == name:
                    yield text.strip('"')


def header(headers: Headers, name: bytes) -> str | None:
    """The first value of a header, or None."""
    return next((value.decode("latin-1") for key, value in headers if key == name), None)


def same_origin(headers: Headers, allowed: Iterable[str]) -> bool:
    """Whether the page that makes this request is ours: from this host, or from an origin in `allowed`. Browsers always
    say where a WebSocket or a POST comes from; who says nothing is no browser and carries nobody's cookies."""
    origin = header(headers, b"origin")
    if origin is None or origin in allowed:
        return True
    return origin.partition("://")[2] == header(headers, b"host")
