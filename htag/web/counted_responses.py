"""HTTP answers that count against their session while they leave: a page, or the answer to a POST, may be large.

A server buffers what it is handed, for each connection. So a large answer is handed over in pieces, the next one when
the last one has left, and one session has only so many bytes of them under way.
"""

import asyncio
from typing import Any, Protocol

from htag.session.session import Session
from htag.web.asgi import Send
from htag.web.outbox import LARGE_FRAME


class Answer(Protocol):
    """What is read of a Starlette response."""

    status_code: int
    body: Any
    raw_headers: Any


async def send_counted(session: Session, answer: Answer, send: Send) -> bool:
    """Send `answer`, which has more than LARGE_FRAME bytes. False: the session has no room for it, nothing was sent."""
    size = len(answer.body)
    if not session.room.has(size):
        return False
    leaving = _Leaving()
    session.room.take(leaving, size)
    try:
        await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
        for start in range(0, size, LARGE_FRAME):
            piece = answer.body[start : start + LARGE_FRAME]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except asyncio.CancelledError:
        if not leaving.given_up:
            raise
        leaving.task.uncancel()
    finally:
        session.make_room(leaving, size)
    return True


class _Leaving:
    """The task that sends an answer."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "answers are sent by tasks"
        self.task = task
        self.given_up = False

    def give_up(self) -> None:
        """Send no more of it: it is not read, and tabs of the session wait for that."""
        self.given_up = True
        self.task.cancel()
