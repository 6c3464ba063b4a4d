"""The whole body for one channel, whose tab missed something; what the render takes with it is news to other tabs."""

from typing import NamedTuple

import msgspec

from htag.session.channel import Channel
from htag.session.delivery import Delivery
from htag.session.failures import Failures
from htag.tree.live import LiveTree
from htag.wire.messages import Update


class FullRender(NamedTuple):
    """Renders the body called `body` for one channel."""

    body: str
    live: LiveTree
    delivery: Delivery
    failures: Failures

    def render(self, channel: Channel, reconnects: bool) -> Update:
        """The whole body for `channel`. Raises what a callable of the app raises."""
        others = self.delivery.others(channel)
        journal = self.delivery.journal
        # Of tabs on plain HTTP none is connected between its messages. Where there are tabs of wire version 2, one that
        # is away may send events to the tags that it shows: those keep their ids.
        is_alone = not others and channel.transport != "http" and journal.tail is None
        update = self._alone(channel) if is_alone else self._beside(channel, others, reconnects)
        if reconnects:
            update.statics = self.live.head.since_page()  # the update that brought one may be what was lost
        if journal.tail is not None:
            update.seq = journal.head
        return update

    def _alone(self, channel: Channel) -> Update:
        live = self.live
        if live.has_changes() or live.has_generated_tags():
            self.delivery.journal.skip()
        body = self._shown(channel, live.render_body(inline=channel.version == 1))
        return msgspec.structs.replace(body, js=live.changes.drain_scripts())

    def _beside(self, channel: Channel, others: list[Channel], reconnects: bool) -> Update:
        """Send what waits to `others`, then show all as they show it; JavaScript is for all."""
        news = self._news(others or [channel], reconnects)
        if news.has_news:
            self.delivery.journal.append(news)
            self.delivery.tell(others, news)
        # with the generated tags that the others show, so that theirs stay
        body = self._shown(channel, self.live.render_shown(inline=channel.version == 1))
        return msgspec.structs.replace(body, js=news.js)

    def _shown(self, channel: Channel, html: str) -> Update:
        """The body as `channel` is told it."""
        return Update({self.body: html}) if channel.version == 1 else Update({}, ops=[("h", self.body, html)])

    def _news(self, witnesses: list[Channel], reconnects: bool) -> Update:
        """What changed since the last push; `witnesses` are told of what could not be rendered."""
        live, news = self.live, Update({}, [], [])
        delivery = self.delivery
        failed = live.drain_changes(news, delivery)
        failures = [self.failures.of_tag("render", tag, error) for tag, error in failed]
        delivery.tell(witnesses, *failures)
        if not reconnects and news.statics:  # a connection's first message has none: all get them with the next push
            live.head.put_back([*news.statics])
            news.statics = []
            live.request_push(0.0)
        return news
