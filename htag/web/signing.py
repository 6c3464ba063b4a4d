"""Signed session ids, which browsers keep in a cookie, and the token that their POSTs must carry."""

import hmac
import re
import secrets
from functools import lru_cache
from hashlib import blake2b

from htag.session.url_safe import url_safe
from htag.web.asgi import Headers, cookies, header

COOKIE = "htag_sid"
READ = 20  # session cookies of one request that are looked at: each costs a hash, and a header has room for thousands

PORT = re.compile("(?!80$|443$)[0-9]{1,5}")  # not a default one, which browsers leave out and proxies may add


class Signer:
    """Signs and recognises session ids. Workers that share a secret recognise each other's."""

    def __init__(self, secret: str | None = None, cookie_name: str = COOKIE) -> None:
        """`secret`: a random one, for this process only, where none is given. `cookie_name`: what the session cookie's
        name begins with; ValueError if no cookie can be called that."""
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", cookie_name):
            raise ValueError(f"a cookie's name has letters, digits, '_', '-' and '.' only, not {cookie_name!r}")
        self._cookie_name = cookie_name
        self._secret = (secret or secrets.token_hex(32)).encode()
        self._key = self.key(b"session")
        self._csrf_key = self.key(b"csrf")

    def sign(self, session_id: str) -> str:
        """The cookie's value for `session_id`: the id and its signature, BLAKE2b with a key (RFC 7693)."""
        signature = blake2b(session_id.encode(), key=self._key, digest_size=24).digest()
        return f"{session_id}.{url_safe(signature)}"

    def cookie_name(self, headers: Headers) -> str:
        """The session cookie's name at the address that the browser called. Browsers keep the cookies of all ports of a
        host together: with the port in the name, two installations on one host leave each other's alone."""
        return name_at(self._cookie_name, header(headers, b"host") or "")

    def set_cookie(self, session_id: str, path: str, headers: Headers, *, secure: bool, embedded: bool = False) -> str:
        """The header `Set-Cookie` that makes the browser which sent `headers` say `session_id` from now on, below
        `path`. `embedded`: also from frames in pages of other sites, each of which has a cookie of its own; browsers do
        that only over TLS (`secure`)."""
        site = "None; Partitioned" if embedded and secure else "lax"
        flags = f"; HttpOnly; SameSite={site}" + ("; Secure" if secure else "")
        return f"{self.cookie_name(headers)}={self.sign(session_id)}; Path={path}{flags}"

    def values(self, headers: Headers) -> list[str]:
        """The values of the request's session cookies: first those of the name that this address has, nearest path
        first; then those of other ports, because a proxy may show us one `Host` for the page and another for the
        WebSocket. A stranger's among them does no harm: we did not sign it."""
        base, prefix = self._cookie_name, f"{self._cookie_name}_"
        named = [each for each in cookies(headers) if each[0] == base or each[0].startswith(prefix)]
        if len(named) > 1:
            own = self.cookie_name(headers)
            named.sort(key=lambda each: each[0] != own)  # stable: otherwise they stay in the browser's order
        return [value for _, value in named[:READ]]

    def verified_ids(self, headers: Headers) -> list[str]:
        """The ids in the request's cookies that we did sign, in the order of `values`."""
        return [session_id for value in self.values(headers) if (session_id := self._unsigned(value)) is not None]

    def _unsigned(self, value: str) -> str | None:
        """The id in a cookie's value, if that is to the letter what we would have sent: Base64 has several spellings
        of the same bytes, and one session has one cookie."""
        session_id = value.rpartition(".")[0]
        if not session_id or not value.isascii() or not hmac.compare_digest(self.sign(session_id), value):
            return None
        return session_id

    def csrf(self, session_id: str) -> str:
        """The token that a POST of this session carries: 32 hex characters, not stored anywhere."""
        return blake2b(session_id.encode(), key=self._csrf_key, digest_size=16).hexdigest()

    def parano_key(self) -> str:
        """The key of the parano cipher: 16 hex characters, the same in all workers that share the secret."""
        return self.key(b"parano").hex()[:16]

    def key(self, purpose: bytes) -> bytes:
        """A key of 64 bytes for `purpose` (at most 16 bytes), the same in all workers that share the secret. None of
        them tells anything about another."""
        return blake2b(self._secret, person=purpose).digest()


@lru_cache(maxsize=100)
def name_at(name: str, host: str) -> str:
    """What the cookie `name` is called at `host`, which is as a request says it."""
    port = host.rpartition(":")[2]
    return f"{name}_{port}" if PORT.fullmatch(port) else name
