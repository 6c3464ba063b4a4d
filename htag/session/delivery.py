"""Which channel of a session gets which reply; what is kept for a browser that has none at the moment."""

from collections import deque
from collections.abc import Sequence

from htag.session.channel import Channel
from htag.session.journal import Journal
from htag.wire.codec import Codec, Encoded
from htag.wire.messages import UNSET, Answer, Update, size_of

MOST_VISITS = 4  # pages that wait for their tab at a time; one that never comes is no loss
NO_TAB = ""  # as if of a tab that has asked for nothing
KEPT_ANSWERS = 100  # for a browser that is between two transports; more are not waited for by any page
KEPT_BYTES = 1 << 20  # of these answers: mostly they have a hundred


class Delivery:
    """The channels of a session. Updates go to all of them and into the journal, answers to the one that asked."""

    __slots__ = ("_answers", "_codec", "brief", "channels", "html", "journal", "only", "ops", "visit_scripts")

    def __init__(self, codec: Codec) -> None:
        """`codec` freezes the answers that are kept."""
        self.channels: list[Channel] = []
        self.only: Channel | None = None
        """The channel, if there is one and no other: nearly always."""
        self.journal = Journal()
        self.brief = False
        """Whether one tab of wire version 2 is there, and no other: nearly always."""
        self.html = True
        """Whether a tab wants changes as HTML: one of wire version 1."""
        self.ops = False
        """Whether a tab wants changes as operations, or may come back and want them: one of version 2."""
        self.visit_scripts: list[list[str]] | None = None
        """JavaScript of hooks that ran for pages whose tabs have yet to connect, beside other tabs; None: of none."""
        self._codec = codec
        self._answers: deque[Answer] | None = None

    def join(self, channel: Channel) -> None:
        """A tab has connected."""
        self.channels.append(channel)
        self.note_channels()

    def replace(self, channel: Channel, other: Channel) -> None:
        """`other` takes the place of `channel`."""
        self.channels[self.channels.index(channel)] = other
        self.note_channels()

    def note_channels(self) -> None:
        """A channel came or went: which are there, and what do they want?"""
        self.only = self.channels[0] if len(self.channels) == 1 else None
        versions = {channel.version for channel in self.channels}
        self.ops = 2 in versions or self.journal.tail is not None
        self.html = 1 in versions or not self.ops
        self.brief = self.only is not None and not self.html

    def deliver(self, reply: Answer, origin: Channel | None = None) -> None:
        """Hand `reply` to the tabs: changes to all of them, a result or an error to `origin` where that is known."""
        if type(reply) is Update:
            if reply.ops or reply.updates or reply.js or reply.statics:
                journal = self.journal
                if journal.tail is None:
                    journal.head += 1  # all that `append` does then, whose call is 1 % of an event
                else:
                    journal.append(reply)
            elif reply.callback_id is UNSET and reply.done is UNSET:
                return
        if origin is not None and self.only is origin:
            origin.put(reply)  # one tab, which sends what is put: nearly always
        elif self.channels:
            self._broadcast(reply, origin if origin in self.channels else None)
        else:
            self._keep(reply)

    def note_visit(self, scripts: list[str]) -> None:
        """Keep `scripts` for the tab that loads the page."""
        self.visit_scripts = [*(self.visit_scripts or ()), scripts][-MOST_VISITS:]

    def take_visit_scripts(self) -> list[str]:
        """The oldest that are kept: the caller's from now on."""
        scripts, *rest = self.visit_scripts or [[]]
        self.visit_scripts = rest or None
        return scripts

    def tell(self, channels: Sequence[Channel], *replies: Answer) -> None:
        """Hand `replies` to some of the channels, encoded once for each version. They are no part of the journal."""
        for reply in replies:
            encoded: Encoded = {}
            for channel in channels:
                channel.put(reply, encoded)
                channel.wake()

    def hand_over_kept(self, channel: Channel) -> None:
        """Give `channel` the answers that were made while no channel was attached."""
        answers, self._answers = self._answers, None
        for answer in answers or ():
            channel.put(answer)

    def others(self, channel: Channel | None) -> list[Channel]:
        """All channels but `channel`."""
        return [each for each in self.channels if each is not channel]

    def wake(self) -> None:
        """Have all channels send what is queued: the latest first, since older ones may be of tabs that sleep."""
        for channel in reversed(self.channels):
            channel.wake()

    def end(self) -> None:
        """Close all channels."""
        for channel in [*self.channels]:
            channel.end()

    def _broadcast(self, reply: Answer, origin: Channel | None) -> None:
        if origin is not None:
            origin.put(reply)
            if not isinstance(reply, Update) or not reply.has_news:
                return
            reply = reply.news()
        others = self.others(origin)
        if type(reply) is Update and reply.asker is not UNSET:  # tabs of version 1 run all JavaScript, as ever
            self.tell([each for each in others if each.version == 2], reply.told_to(NO_TAB))
            others = [each for each in others if each.version == 1]
        self.tell(others, reply)

    def _keep(self, reply: Answer) -> None:
        """A browser that changes its transport gets its answer when it is back."""
        if reply.callback_id:
            if self._answers is None:
                self._answers = deque(maxlen=KEPT_ANSWERS)
            self._answers.append(self._codec.freeze(reply))
            while sum(map(size_of, self._answers)) > KEPT_BYTES:
                self._answers.popleft()
