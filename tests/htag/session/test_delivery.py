"""Each reply reaches the channels that it is for, encoded once for each version; answers wait for a tab."""

from htag import Tag
from htag.session.delivery import KEPT_ANSWERS, KEPT_BYTES, Delivery
from htag.session.joining import leave
from htag.wire.codec import Codec
from htag.wire.messages import Failure, Reply, Update
from tests.support.channels import RecordingChannel
from tests.support.sessions import Counter, click, session_of


class Counting(Codec):
    """Another version, to the session: counts what it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded = 0

    def encode(self, reply: Reply) -> str:
        self.encoded += 1
        return super().encode(reply)


async def test_tabs_of_two_versions_share_a_session_and_news_are_encoded_once_for_each() -> None:
    session = session_of(Counter())
    session.page()
    codecs = Counting(), Counting()
    tabs = [RecordingChannel(codec=codec) for codec in codecs for _ in range(5)]
    for tab in tabs:
        session.attach(tab, session.revision)
    for codec in codecs:
        codec.encoded = 0
    for reply in session.handle(click("more")):  # type: ignore[union-attr]  # sync handler: a list
        session.delivery.deliver(reply, tabs[0])
    assert all('"more":' in tab.frames[-1] for tab in tabs)
    assert ['"counted"' in tab.frames[-1] for tab in tabs] == [True] + 9 * [False]
    assert [codec.encoded for codec in codecs] == [2, 1]  # the answer, and the news for all others


async def test_a_kept_answer_says_what_the_handler_returned_and_not_what_became_of_it() -> None:
    app = Counter()
    rows = ["one"]
    app.add(Tag.button(_id="list", _onclick=lambda event: rows))
    session = session_of(app)
    session.page()
    for reply in session.handle(click("list")):  # type: ignore[union-attr]  # sync handler: a list
        session.delivery.deliver(reply)
    rows.append("two")
    tab = RecordingChannel()
    session.attach(tab, None)
    assert '"result":["one"]' in tab.frames[1]


async def test_an_answer_for_a_tab_between_two_transports_is_kept() -> None:
    session = session_of(Counter())
    session.page()
    for reply in session.handle(click("more")):  # type: ignore[union-attr]  # sync handler: a list
        session.delivery.deliver(reply)
    tab = RecordingChannel()
    session.attach(tab, None)
    assert '"result":"counted"' in tab.frames[1]


async def test_an_error_in_a_handler_goes_to_its_tab_only() -> None:
    class Failing(Tag.App):
        def init(self) -> None:
            Tag.button("x", _id="fail", _onclick=lambda event: 1 / 0)

    session = session_of(Failing())
    session.page()
    first, second = RecordingChannel(), RecordingChannel()
    session.attach(first, session.revision)
    session.attach(second, session.revision)
    seen = len(second.frames)
    failure, changes = session.handle(click("fail"))  # type: ignore[misc]  # sync handler: a list
    assert isinstance(failure, Failure)
    session.delivery.deliver(failure, first)
    session.delivery.deliver(changes, first)
    assert "ZeroDivisionError" in first.frames[-1]
    assert len(second.frames) == seen


async def test_a_change_that_waits_while_a_tab_connects_reaches_all_tabs() -> None:
    app = Counter()
    session = session_of(app)
    session.page()
    first, second = RecordingChannel(), RecordingChannel()
    session.attach(first, session.revision)
    app.clicks.set(7)
    session.attach(second, session.revision)
    assert any(">7</button>" in frame for frame in first.frames)
    assert any(">7</button>" in frame for frame in second.frames)


def test_answers_that_are_kept_are_bounded_by_their_bytes_and_their_number() -> None:
    delivery, tab = Delivery(Codec()), RecordingChannel()
    for number in range(50):
        delivery.deliver(Update({}, [], [], f"c{number}", "x" * 100_000))
    delivery.hand_over_kept(tab)
    assert KEPT_BYTES - 200_000 <= sum(map(len, tab.frames)) <= KEPT_BYTES
    assert '"c49"' in tab.frames[-1]
    for number in range(2 * KEPT_ANSWERS):
        delivery.deliver(Update({}, [], [], f"d{number}"))
    delivery.hand_over_kept(later := RecordingChannel())
    assert len(later.frames) == KEPT_ANSWERS
    assert '"d199"' in later.frames[-1]
    delivery.hand_over_kept(tab)  # once
    assert '"c49"' in tab.frames[-1]


ANSWER = Update({"a": "<p>"}, ["x()"], ["<i>"], "c1", 5)


def test_news_reach_all_channels_and_an_answer_the_one_that_asked() -> None:
    delivery = Delivery(Codec())
    first, asking, last = (RecordingChannel() for _ in range(3))
    delivery.channels += [first, asking, last]
    delivery.deliver(ANSWER, asking)
    assert asking.frames == [Codec().encode(ANSWER)]
    assert first.frames == last.frames == [Codec().encode(Update({"a": "<p>"}, ["x()"], ["<i>"]))]
    assert [tab.woken for tab in (first, asking, last)] == [1, 0, 1]  # the one that asked sends what it is handed
    delivery.deliver(Update({}, [], [], "c2", 6), asking)
    assert [len(tab.frames) for tab in (first, asking, last)] == [1, 2, 1]


def test_an_answer_to_a_channel_that_is_gone_reaches_the_others() -> None:
    delivery = Delivery(Codec())
    here = [RecordingChannel() for _ in range(2)]
    delivery.channels += here
    delivery.deliver(ANSWER, RecordingChannel())
    assert [tab.frames for tab in here] == [[Codec().encode(ANSWER)]] * 2


def test_what_says_nothing_is_sent_to_no_channel_and_counts_as_no_update() -> None:
    delivery, tab = Delivery(Codec()), RecordingChannel()
    delivery.channels.append(tab)
    before = delivery.journal.head
    delivery.deliver(Update({}, [], []), tab)
    assert (tab.frames, delivery.journal.head) == ([], before)
    delivery.deliver(Update({}, [], [], "c1"), tab)
    delivery.deliver(Failure("boom"), tab)
    assert (len(tab.frames), delivery.journal.head) == (2, before)
    delivery.deliver(ANSWER, tab)
    assert delivery.journal.head == before + 1


def test_the_only_channel_is_known_as_such() -> None:
    delivery = Delivery(Codec())
    first, second, third = (RecordingChannel() for _ in range(3))
    assert delivery.only is None
    delivery.join(first)
    assert delivery.only is first
    delivery.replace(first, second)
    assert (delivery.only, delivery.channels) == (second, [second])
    delivery.join(third)
    assert delivery.only is None
    leave(delivery, second, None)
    assert delivery.only is third


def test_the_latest_channel_is_woken_first_and_all_end() -> None:
    woken: list[RecordingChannel] = []

    class Woken(RecordingChannel):
        def wake(self) -> None:
            woken.append(self)

    delivery = Delivery(Codec())
    channels = [Woken() for _ in range(3)]
    delivery.channels += channels
    delivery.wake()
    assert woken == channels[::-1]
    delivery.end()
    assert all(channel.ended for channel in channels)
