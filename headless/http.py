"""The HTTP of one visitor: requests with cookies, and the slots that answered them."""

import os
from http.cookies import SimpleCookie

import requests

from headless.errors import Refused
from headless.protocol import ClientProtocol
from headless.wire import Message

SERVED_BY = "X-Htag-Served-By"
LIMIT = "X-Htag-Limit"  # with a 429: which limit was met
LIMITS = {
    "newcomers": "the app's limit on new sessions from one address (HTAG_NEWCOMERS_PER_SECOND, HTAG_NEWCOMERS_BURST)",
    "pages": "nginx's limit on pages from one address (NGINX_VISITOR_RATE, NGINX_VISITOR_BURST)",
    "connections": "nginx's limit on connections from one address (NGINX_CONNECTIONS_PER_ADDRESS)",
}


class HttpClient(ClientProtocol):
    """What a client over a network can do by plain requests, and what it keeps between them."""

    def __init__(self, url: str, *, seconds: float, trusted: str | None) -> None:
        """`url`: where the app is mounted. `seconds`: how long anything is waited for.

        `trusted`: a file with the certificates to trust over https, instead of the usual ones. Without it the file
        that the environment names in REQUESTS_CA_BUNDLE, if it does.
        """
        super().__init__(strict=False)
        self.url = url.rstrip("/") + "/"
        self.seconds = seconds
        self.connect_seconds = seconds  # for a connection to open
        self.served_by: str | None = None  # the slot that served the first page
        self.moves: list[str] = []  # each slot that took over since: empty while stickiness holds
        self.trusted = trusted or os.environ.get("REQUESTS_CA_BUNDLE")
        self.http = requests.Session()
        self.http.verify = self.trusted or True
        self.http.trust_env = not trusted  # or the environment's file would win over the one that was asked for

    def get_page(self, query: str) -> None:
        """Load the page and show it. Raises `Refused`, for example with status 503 when the server is full."""
        response = self.http.get(self.url + query, timeout=self.seconds)
        self.check("the page", response)
        self.show(response.text)

    def post(self, message: Message) -> str:
        """POST a message; the answer's body."""
        headers = {**self.post_headers(), "Origin": self.origin}
        body = self.encode(message).encode()
        query = "" if self.version == 1 else self.channel_query(self.revision)
        response = self.http.post(self.url + "event" + query, body, headers=headers, timeout=self.seconds)
        self.check("an event", response)
        return response.text

    def check(self, what: str, response: requests.Response) -> None:
        """Note which slot served an answer. Raises `Refused` unless all went well."""
        self.served(response.headers.get(SERVED_BY))
        if response.status_code != 200:
            limit = LIMITS.get(response.headers.get(LIMIT, ""), "") if response.status_code == 429 else ""
            raise Refused(what, response.status_code, limit or response.text)

    @property
    def origin(self) -> str:
        """Scheme and host, as a browser names itself."""
        return "/".join(self.url.split("/", 3)[:3])

    @property
    def cookies(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)

    def keep_cookies(self, header: str) -> None:
        """Take over the cookies of a WebSocket's handshake, which `requests` does not see."""
        known = {cookie.name: cookie for cookie in self.http.cookies}
        for name, morsel in SimpleCookie(header).items():
            if name in known:
                known[name].value = morsel.value
            else:
                self.http.cookies.set(name, morsel.value, path="/")

    def served(self, name: str | None) -> None:
        """An answer came from the slot `name`."""
        if name is None:
            return
        if self.served_by is None:
            self.served_by = name
        elif name != (self.moves[-1] if self.moves else self.served_by):
            self.moves.append(name)
