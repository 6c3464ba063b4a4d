"""A session without a server: an app that counts, the session of an app, a click as a message."""

from typing import Any

from htag import State, Tag
from htag.app import App
from htag.limits import Limits
from htag.observer import Observer
from htag.session.session import Session
from htag.wire.codec import Codec
from htag.wire.messages import Message


class Counter(Tag.App):
    """A button that shows how often it was clicked."""

    def init(self) -> None:
        self.clicks = State(0)
        Tag.button(lambda: self.clicks.value, _id="more", _onclick=self.more)

    def more(self, event: Any) -> str:
        self.clicks += 1
        return "counted"


def session_of(app: App) -> Session:
    """Return the session of `app`, which has started."""
    session = Session("id", app, Codec(), Observer(), Limits())
    session.start()
    return session


def click(tag_id: str, callback_id: str | None = "c1") -> Message:
    """Return the message of a click on `tag_id`."""
    return Message(id=tag_id, event="click", data={"callback_id": callback_id})
