"""No message is an error of ours, whatever is in it: it does what it says, or it does nothing."""

import json
import logging
import random
from typing import Any

import pytest

from headless.asgi import Site
from htag import Tag, WebApp
from htag.errors import WireError
from htag.router import Router
from htag.wire.codec import Codec, Encoded
from htag.wire.messages import Reply
from tests.app.fuzz import text

MESSAGES = 10_000


class Everything(Tag.App):
    """Has an element of each kind that a message may mean."""

    def init(self) -> None:
        self.heard = 0
        self["onhashchange"] = self.hear
        Tag.button("more", _id="b", _onclick=self.hear)
        Tag.fieldset(Tag.button(_id="off", _onclick=self.never), _disabled=True)
        with Tag.form(_id="f", _onsubmit=self.hear):
            Tag.input(_id="i", _name="i", _oninput=self.hear)
            Tag.input(_id="c", _type="checkbox", _onchange=self.hear)
            Tag.input(_id="r", _type="radio", _name="r", _onchange=self.hear)
            Tag.textarea("text", _id="t")
            Tag.select(Tag.option("a"), Tag.option("b"), _id="s", _onchange=self.hear)
        Tag.div(lambda: [Tag.b(f"{n}", _onclick=self.hear) for n in range(3)])
        router = Router(_id="router")
        router.add_route("/", Tag.p)
        router.add_route("/:a", lambda a: Tag.p(a))

    def hear(self, event: Any) -> Any:
        """Look at all that handlers look at."""
        self.heard += 1
        _ = (event.value, event.key, event["i"], event.nothing, repr(event), event.name, event.id)
        return event.value

    def never(self, event: Any) -> None:
        """The element is disabled."""
        raise AssertionError(event)


class Tab:
    """Takes what is sent."""

    transport = "websocket"

    def __init__(self) -> None:
        self.last = ""
        self.codec = Codec()
        self.version = 1

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        self.last = self.codec.encode(reply)

    def wake(self) -> None: ...

    def end(self) -> None: ...


@pytest.mark.parametrize("seed", range(4))
async def test_ten_thousand_fuzzed_messages_are_no_error(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    web = WebApp(Everything)
    codec = Codec()
    await Site(web.app).get("/")
    (session,) = web.registry.sessions.values()
    tab = Tab()
    session.attach(tab)
    identities = ["b", "off", "f", "i", "c", "r", "t", "s", "router", session.app.id, "b-1", "b-999", "nobody"]
    chance = random.Random(seed)
    with caplog.at_level(logging.INFO):
        for _ in range(MESSAGES // 4):
            raw = text(chance, identities)
            try:
                received = codec.decode(raw)
            except WireError:
                continue
            replies = session.handle(received)
            assert isinstance(replies, list)
            for reply in replies:
                session.delivery.deliver(reply, tab)
            json.loads(tab.last)
            session.page().body.encode()
    assert session.app.heard > 20  # type: ignore[attr-defined]
    reported = [record for record in caplog.records if "a browser reports" not in record.getMessage()]
    assert not reported, reported[0].getMessage() + str(reported[0].exc_info)
    await web.registry.close()
