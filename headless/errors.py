"""What can go wrong between a client and a server."""


class ClientError(Exception):
    """Base of all of them."""


class Refused(ClientError):
    """The server answered with another status than 200."""

    def __init__(self, what: str, status: int, body: str) -> None:
        super().__init__(f"{what} was answered with {status}: {body[:200]}")
        self.status = status
        self.body = body


class Disconnected(ClientError):
    """The channel is closed. `code` is the WebSocket's close code, `accepted` whether it had been open first, `reason`
    what the server said of it."""

    def __init__(self, code: int, accepted: bool = True, reason: str = "") -> None:
        super().__init__(f"the channel is closed ({code})" if accepted else f"closed with {code} before it was open")
        self.code = code
        self.accepted = accepted
        self.reason = reason


class Unanswered(ClientError):
    """What was waited for did not come in time."""


class SessionLost(ClientError):
    """The server does not know the session any more: what was not saved is lost, and the page has to be loaded anew."""


class ServerError(ClientError):
    """The server answered an event with an error; the text is its traceback, or a general remark."""
