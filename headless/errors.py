"""What can go wrong between a client and a server."""


class ClientError(Exception):
    """Base of all of them."""


class Refused(ClientError):
    """The server answered with another status than 200."""

    def __init__(self, what: str, status: int, body: str) -> None:
        super().__init__(f"{what} was answered with {status}: {body[:200]}")
        self.status = status


class Disconnected(ClientError):
    """The channel is closed. `code` is the WebSocket's close code, `accepted` whether it had been open first."""

    def __init__(self, code: int, accepted: bool = True) -> None:
        super().__init__(f"the channel is closed ({code})" if accepted else f"closed with {code} before it was open")
        self.code = code
        self.accepted = accepted


class Unanswered(ClientError):
    """What was waited for did not come in time."""


class ServerError(ClientError):
    """The server answered an event with an error; the text is its traceback, or a general remark."""
