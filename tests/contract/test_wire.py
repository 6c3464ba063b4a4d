"""Contract, section 20: the wire, over each transport, plain and in parano mode."""

import asyncio
import base64
import itertools
import json
import re

import pytest

from headless.errors import Disconnected, ServerError
from headless.tab import Tab
from headless.wire import decode, encode
from htag import State, Tag
from tests.support.waiting import passed


class Page(Tag.App):
    def init(self):
        self.count = State(0)
        self <= Tag.p(self.count, _id="p")
        self <= Tag.button(_id="b", _onclick=self.more)
        self <= Tag.button(_id="fail", _onclick=self.fail)
        self <= Tag.button(_id="js", _onclick=lambda event: self.call_js("go()") and None)
        self <= Tag.button(_id="echo", _onclick=lambda event: event.value)

    def more(self, event):
        self.count.value += 1
        return self.count.value

    def fail(self, event):
        raise RuntimeError("broken")


# -- shapes


@pytest.mark.parametrize("channel", ["websocket", "sse"])
async def test_the_first_message_has_exactly_the_whole_body(visit, channel):
    tab = await visit(Page, transport=channel)
    (first,) = tab.messages
    assert first["action"] == "update"
    assert list(first["updates"]) == [tab.app.id]
    assert first["updates"][tab.app.id].startswith("<body")
    assert first["updates"][tab.app.id].endswith("</body>")


@pytest.mark.quirk
async def test_the_first_message_has_no_statics(visit):
    (first,) = (await visit(Page)).messages
    assert not first.get("statics")


async def test_the_first_message_shows_what_the_page_showed(visit):
    tab = await visit(Page, connect=False)
    before = tab.body.shape()
    await tab.connect()
    assert tab.body.shape() == before


async def test_an_answer_has_updates_callback_id_and_result(visit, transport):
    tab = await visit(Page, transport=transport)
    await tab.click("b")
    answer = tab.messages[-1]
    assert answer["action"] == "update"
    assert answer["updates"] == {"p": '<p id="p">1</p>'}
    assert answer["callback_id"]
    assert answer["result"] == 1


async def test_a_push_has_no_callback_id_and_no_result(visit):
    tab = await visit(Page)
    tab.app.count.value = 5
    message = await tab.next()
    assert not {"callback_id", "result"} & message.keys()


async def test_js_travels_in_the_update(visit, transport):
    tab = await visit(Page, transport=transport)
    await tab.click("js")
    assert tab.messages[-1]["js"] == ["go()"]


async def test_an_error(visit, transport):
    tab = await visit(Page, transport=transport, debug=False)
    with pytest.raises(ServerError):
        await tab.click("fail")
    error = tab.messages[-1]
    assert error.items() >= {"action": "error", "traceback": "Internal Server Error", "result": None}.items()


async def test_updates_and_results_go_to_all_clients_of_the_instance(visit):
    tab = await visit(Page)
    second = Tab(tab.site, "sse")
    await second.load()
    await second.connect()
    await tab.click("b")
    await second.until(lambda: second.text("p") == "1")
    await second.leave()


@pytest.mark.parametrize("text", ["é", "漢字", "😀", "\u2028\u2029", "\x00\x01", "a\nb\r\nc", "</script>", '"\\'])
async def test_any_text_makes_the_round_trip(visit, transport, text):
    tab = await visit(Page, transport=transport)
    assert await tab.event("echo", "click", {"value": text}) == text


async def test_pushes_wait_for_nobody_and_arrive_by_the_stream(visit):
    tab = await visit(Page, transport="sse")
    tab.app.count.value = 3
    await tab.until(lambda: tab.text("p") == "3")


# -- WebSocket


async def test_the_headers_of_the_handshake(visit):
    tab = await visit(Page, connect=False)
    socket = await tab.site.websocket("/ws")
    assert socket.headers["cache-control"] == "no-cache"
    assert socket.headers["x-accel-buffering"] == "no"
    await socket.close()


@pytest.mark.mended
@pytest.mark.parametrize(
    "frame", ["", "{", "[]", "5", "null", '"x"', "\x00", "{" * 50_000, '{"id": "b", "event": "click"']
)
async def test_a_malformed_frame_costs_nothing(visit, frame):
    tab = await visit(Page)
    tab.channel.send(frame)
    assert await tab.click("b") == 1


@pytest.mark.mended
async def test_a_binary_frame_costs_nothing(visit):
    tab = await visit(Page)
    tab.channel.send_bytes(b"\xff\x00")
    assert await tab.click("b") == 1


@pytest.mark.mended
async def test_a_frame_that_is_too_large_closes_with_1009(visit):
    tab = await visit(Page)
    tab.channel.send('{"id": "' + "x" * (1 << 20) + '"}')
    with pytest.raises(Disconnected) as refused:
        await tab.next()
    assert refused.value.code == 1009
    tab.channel = None


async def test_reconnecting_shows_what_happened_in_between(visit):
    tab = await visit(Page)
    await tab.leave()
    tab.app.count.value = 8
    await tab.connect()
    assert tab.text("p") == "8"


# -- SSE


async def test_the_headers_of_the_stream(visit):
    tab = await visit(Page, connect=False)
    stream = await tab.site.stream("/stream")
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["cache-control"] == "no-cache"
    assert stream.headers["x-accel-buffering"] == "no"
    assert json.loads(await stream.receive())["action"] == "update"
    await stream.close()


# -- plain HTTP


async def test_the_first_answer_brings_what_waited(visit):
    class Waiting(Page):
        def init(self):
            super().init()
            self.call_js("waited()")

    tab = await visit(Waiting, transport="http")
    await tab.click("b")
    assert "waited()" in tab.scripts


async def test_a_fallback_post_returns_and_empties_the_queue(visit):
    tab = await visit(Page, transport="http")
    tab.app.count.value = 4
    await tab.until(lambda: tab.text("p") == "4")
    answer = await tab.post('{"id": "nobody", "event": "x", "fallback": true}')
    assert answer.json["payloads"] == []


@pytest.mark.mended
async def test_what_a_newer_page_shows_is_not_replayed(visit):
    tab = await visit(Page, transport="http")
    tab.app.count.value = 10
    await passed(0.1)  # twice the delay of a throttled push: it has gone into the queue
    tab.app.count.value = 30
    await tab.load()
    assert tab.text("p") == "30"
    await tab.click("b")
    assert tab.text("p") == "31"
    assert ">10<" not in json.dumps(tab.messages)


# -- what ours adds: none of it changes version 1 for clients that do not ask


def revision(tab):
    return int(re.search(r"window\.HTAG_REVISION\s*=\s*(\d+);", tab.page)[1])


@pytest.mark.mended
async def test_a_client_that_says_what_it_shows_gets_no_second_body(visit):
    tab = await visit(Page, connect=False)
    socket = await tab.site.websocket(f"/ws?rev={revision(tab)}")
    assert json.loads(await socket.receive())["updates"] == {}
    tab.app.count.value = 1
    assert json.loads(await socket.receive())["updates"] == {"p": '<p id="p">1</p>'}
    await socket.close()


@pytest.mark.mended
@pytest.mark.parametrize("said", ["0", "-1", "x", "", "99999999999999999999"])
async def test_a_client_that_shows_something_else_gets_the_body(visit, said):
    tab = await visit(Page, connect=False)
    socket = await tab.site.websocket(f"/ws?rev={said}")
    assert list(json.loads(await socket.receive())["updates"]) == [tab.app.id]
    await socket.close()


@pytest.mark.mended
async def test_posts_of_one_tab_stay_in_order(visit):
    handled = []

    class Ordered(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=self.go)

        async def go(self, event):
            await asyncio.sleep(0.02 if event.number == 0 else 0)
            handled.append(event.number)

    tab = await visit(Ordered, transport="sse")
    headers = {"x-htag-token": tab.token, "x-htag-tab": "one"}
    for number in range(4):
        body = json.dumps({"id": "b", "event": "click", "data": {"number": number, "callback_id": str(number)}})
        assert (await tab.site.post("/event", body, headers)).status == 200
    await tab.until(lambda: tab.messages[-1].get("callback_id") == "3")
    assert handled == [0, 1, 2, 3]


@pytest.mark.mended
async def test_plain_http_may_ask_for_what_is_pending(visit):
    tab = await visit(Page, transport="http")
    tab.app.count.value = 6
    await passed(0.1)  # twice the delay of a throttled push
    answer = await tab.post('{"action": "poll", "fallback": true}')
    assert any(">6<" in payload for payload in answer.json["payloads"])
    assert (await tab.post('{"action": "poll", "fallback": true}')).json["payloads"] == []


# -- parano


def contract_encode(message, key):
    raw = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    pad = itertools.cycle(key.encode())
    return base64.b64encode(bytes(one ^ other for one, other in zip(raw, pad, strict=False))).decode()


def test_the_tests_own_cipher_is_the_contracts():
    message = {"id": "é", "data": {"value": "😀"}}
    assert encode(message, "0123456789abcdef") == contract_encode(message, "0123456789abcdef")
    assert decode(contract_encode(message, "0123456789abcdef"), "0123456789abcdef") == message


async def test_parano_over_every_transport(visit, transport):
    tab = await visit(Page, transport=transport, parano=True)
    assert len(tab.key) == 16
    assert await tab.click("b") == 1
    assert tab.text("p") == "1"
    assert await tab.event("echo", "click", {"value": "é😀"}) == "é😀"
    tab.app.count.value = 7
    await tab.until(lambda: tab.text("p") == "7")


async def test_parano_covers_errors(visit, transport):
    tab = await visit(Page, transport=transport, parano=True, debug=False)
    with pytest.raises(ServerError, match="Internal Server Error"):
        await tab.click("fail")


async def test_parano_payloads_are_encoded_one_by_one_in_plain_json(visit):
    tab = await visit(Page, transport="http", parano=True)
    body = encode({"id": "b", "event": "click", "data": {"callback_id": "c"}, "fallback": True}, tab.key)
    answer = (await tab.post(body)).json
    assert answer["status"] == "ok"
    messages = [decode(payload, tab.key) for payload in answer["payloads"]]
    assert messages[-1]["result"] == 1


async def test_parano_output_is_compact_with_unicode_kept(visit):
    tab = await visit(Page, connect=False, parano=True)
    tab.app.count.value = "é"
    socket = await tab.site.websocket("/ws")
    frame = base64.b64decode(await socket.receive())
    raw = bytes(one ^ other for one, other in zip(frame, itertools.cycle(tab.key.encode()), strict=False))
    assert raw.startswith(b'{"action":"update","updates":{"')
    assert "é".encode() in raw
    await socket.close()


@pytest.mark.mended
@pytest.mark.parametrize("body", ['{"id": "b", "event": "click"}', "!!!", "AAAA", ""])
async def test_parano_refuses_what_is_not_encoded(visit, body):
    tab = await visit(Page, transport="http", parano=True)
    assert (await tab.post(body)).status == 400
    assert await tab.click("b") == 1
