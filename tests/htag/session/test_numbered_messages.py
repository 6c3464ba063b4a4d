"""Whatever a browser sends: no message is an error of ours, and numbers only grow, one by one."""

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from htag import Tag
from htag.limits import Limits
from htag.session.event_log import EventGap
from htag.session.session import Session
from htag.wire.codec import Codec
from htag.wire.codec2 import Codec2
from htag.wire.messages import Hello, Message
from tests.htag.stage import usual
from tests.support.channels import RecordingChannel
from tests.support.observers import RecordingObserver

odd = st.none() | st.booleans() | st.integers(-2, 6) | st.floats(allow_nan=False) | st.text(max_size=3) | st.just([1])
messages = st.builds(
    Message,
    id=st.sampled_from(["b", "nothing", None, 5]),
    event=st.sampled_from(["click", "input", None, []]),
    data=st.sampled_from([None, {}, {"callback_id": "c"}, {"callback_id": 5}, "x"]),
    action=st.sampled_from([None, None, None, "skip", "got", "ping", "bye", "poll", "log_error", 5, [], "other"]),
    error=odd,
    n=st.integers(0, 8) | odd,
    got=odd | st.integers(0, 1 << 60),
)


class Page(Tag.App):
    def init(self) -> None:
        self.clicks = 0
        Tag.button(_id="b", _onclick=self.click)

    def click(self, event: Any) -> int:
        self.clicks += 1
        return self.clicks


@usual
@given(st.lists(messages, max_size=30))
async def test_anything_is_answered_refused_or_a_gap(said: list[Message]) -> None:
    session = Session("id", Page(), Codec(), RecordingObserver(), Limits())
    session.start()
    session.page()
    tab = session.tab("t")
    log = session.tabs.numbered(tab, Hello(2))
    assert log is not None
    channel = RecordingChannel(codec=Codec2(Codec()))
    session.attach(channel, session.revision, log)
    for message in said:
        before = log.accepted
        with contextlib.suppress(EventGap):
            assert tab.inbox.submit(message, channel) is None
        assert log.accepted in (before, before + 1)
        assert log.handled == log.accepted
        assert type(log.accepted) is int
    session.close()
    await session.finished()
