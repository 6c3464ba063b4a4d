"""Tabs that show generated tags which a later page has made anew are brought up to date."""

from collections.abc import Sequence

from htag.session.channel import Channel
from htag.session.context import SessionContext
from htag.session.delivery import Delivery
from htag.session.failures import Failures
from htag.session.throttle import Throttle
from htag.tree.live import LiveTree
from htag.wire.messages import Update

REFRESH_SECONDS = 1.0  # between two updates that tabs get because pages of the same session are made


class Refresher:
    """Shows open tabs the tags that they lack: not for each of many pages, but REFRESH_SECONDS apart."""

    __slots__ = ("_delivery", "_failures", "_live", "_outdated", "_throttle")

    def __init__(self, live: LiveTree, delivery: Delivery, failures: Failures, context: SessionContext) -> None:
        self._live = live
        self._delivery = delivery
        self._failures = failures
        self._outdated: Sequence[Channel] = ()
        self._throttle = Throttle(self._refresh, context)

    @property
    def is_due(self) -> bool:
        """Whether tabs are about to be brought up to date."""
        return self._throttle.is_due

    def outdate(self) -> None:
        """A page was made just now: it has new tags in the place of those that the open tabs show. Where there are
        tabs of wire version 2, all are told at once by an update with a number, for one that is away needs it too."""
        journal = self._delivery.journal
        if journal.tail is not None:
            self._delivery.deliver(self._generated([*self._delivery.channels]))
            return
        journal.skip()
        self._outdated = [*self._delivery.channels]
        self._throttle.bind_loop()
        self._throttle.request(REFRESH_SECONDS)

    def cancel(self) -> None:
        """The session is over, or the app leaves memory. A tab that waits for what it lacks gets a full render then."""
        if self._outdated:
            self._delivery.journal.skip()
        self._outdated = ()
        self._throttle.cancel()

    def _refresh(self) -> None:
        outdated, self._outdated = self._outdated, ()
        there = [channel for channel in outdated if channel in self._delivery.channels]
        if there:
            self._delivery.tell(there, self._generated(there))

    def _generated(self, witnesses: Sequence[Channel]) -> Update:
        """The generated tags as they are; `witnesses` are told of those that could not be rendered."""
        update = Update({}, [], [])
        failed = self._live.render_generated(update, self._delivery)
        failures = [self._failures.of_tag("render", tag, error) for tag, error in failed]
        self._delivery.tell(witnesses, *failures)
        return update
