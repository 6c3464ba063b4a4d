"""hypothesis: whatever a browser sends, over any transport, the session goes on."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from headless.asgi import Site
from headless.tab import Tab
from headless.wire import encode
from htag import WebApp
from tests.htag.stage import Stage, on_stage, usual

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
messages = st.dictionaries(
    st.sampled_from(["id", "event", "data", "action", "error", "fallback", "callback_id", "x"]),
    st.one_of(json_values, st.sampled_from(["go", "stage", "click", "input", "poll", "log_error"])),
)
frames = st.one_of(st.text(), st.binary(), messages.map(json.dumps), json_values.map(json.dumps))


@usual
@given(st.lists(frames, max_size=8))
def test_a_connection_survives_any_frame(rubbish):
    async def play(tab: Tab, stage: Stage) -> None:
        for frame in rubbish:
            if isinstance(frame, bytes):
                tab.channel.send_bytes(frame)
            else:
                tab.channel.send(frame)
        assert await tab.event("go", "click") is None

    asyncio.run(on_stage(play))


@usual
@given(st.lists(frames, max_size=4))
def test_a_session_survives_any_post(rubbish):
    async def play(tab: Tab, stage: Stage) -> None:
        for body in rubbish:
            body = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
            answer = await tab.post(body)
            assert answer.status in (200, 400)
        assert await tab.event("go", "click") is None

    asyncio.run(on_stage(play, "http"))


@usual
@given(st.lists(frames, max_size=4))
def test_parano_survives_anything_too(rubbish):
    async def play() -> None:
        web = WebApp(Stage, parano=True)
        tab = await Tab(Site(web.app)).load()
        await tab.connect()
        for frame in rubbish:
            if isinstance(frame, bytes):
                tab.channel.send_bytes(frame)
            else:
                tab.channel.send(frame)
                tab.channel.send(encode(frame, tab.key))
        assert await tab.event("go", "click") is None
        await tab.leave()
        await web.registry.close()

    asyncio.run(play())
