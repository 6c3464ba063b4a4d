"""A tab: a page in a browser, which keeps its order and its last POST whatever transport it is on just now."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from htag.session.event_log import EventLog
from htag.session.inbox import Inbox
from htag.session.numbered_inbox import NumberedInbox, NumberingHandler
from htag.session.stored import lives_here_only
from htag.snapshot.envelope import TabRecord
from htag.wire.messages import Hello

MAX_TABS = 8  # idle tabs of one session that are remembered; more of them on plain HTTP have a problem anyway
MOST_LOGS = 64  # of the events of as many tabs; a further tab is served without, as one of wire version 1
MOST_LOST = 10_000  # events that one tab is believed to have lost: a metric that any visitor can fill says nothing
MOST_FORMER = 200  # numbers of tabs that have no log any more
KEPT_BYTES = 1 << 20  # of the answers to the last POST of each tab: mostly they have a hundred


class LastPost:
    """Holds the last message that a tab POSTed, and the answer, in case the browser repeats it."""

    __slots__ = ("answer", "callback_id", "done")

    def __init__(self, callback_id: str | None) -> None:
        self.callback_id = callback_id
        self.done: asyncio.Future[None] | None = None  # resolves when it is handled; None: it is
        self.answer: dict[str, Any] | None = {"status": "ok"}  # None: it was too large to be kept


class Tab:
    """Stands for one page in a browser, by the name that it gave itself: random, and its own while it is loaded."""

    __slots__ = ("connections", "inbox", "last_post", "name")

    def __init__(self, name: str, inbox: Inbox) -> None:
        self.name = name
        self.inbox = inbox
        self.last_post: LastPost | None = None
        self.connections = 0  # WebSockets and streams that it has open: two for a moment, when it changes the transport

    @property
    def is_idle(self) -> bool:
        """Whether the tab has no connection and no message under way."""
        return not self.connections and self.inbox.idle

    def start_over(self) -> None:
        """Give up the order, because a handler hangs: what comes from now on does not wait for it."""
        self.inbox = self.inbox.successor()

    def repeats(self, callback_id: str | None) -> LastPost | None:
        """Return the POST that one with this `callback_id` repeats, if it does."""
        last = self.last_post
        return last if last is not None and last.callback_id == callback_id else None


class Tabs:
    """Remembers the named tabs of one session: `most` of them, and more only while none of those is idle."""

    __slots__ = ("_answers", "_bytes", "_former", "_logs", "_session", "_tabs", "most")

    def __init__(self, session: NumberingHandler) -> None:
        self._session = session
        self._tabs: dict[str, Tab] = {}  # the one that was not heard of for longest is the first
        self._answers: dict[LastPost, int] = {}  # those that are kept, the oldest first, and the bytes of each
        self._bytes = 0  # of all these answers
        self._logs: dict[str, EventLog] | None = None  # of tabs that number their events
        self._former: dict[str, int] | None = None  # latest events of tabs whose logs made place for others
        self.most = MAX_TABS

    def __len__(self) -> int:
        return len(self._tabs)

    def named(self, name: str) -> Tab:
        """Return the tab called `name`, as it is known or as a new one."""
        tab = self._tabs.pop(name, None)
        if tab is None:
            self._forget_idle()
            log = self.log(name)
            tab = Tab(name, Inbox(self._session) if log is None else NumberedInbox(self._session, log))
        self._tabs[name] = tab
        return tab

    # -- events by number (wire version 2) ---------------------------------------------------------------------------

    def numbered(self, tab: Tab, hello: Hello) -> EventLog | None:
        """Return the log of the events of `tab`, which says `hello`. None: it has no name, or too many have one."""
        if self._logs is None:
            self._logs = {}
        log = self._logs.get(tab.name)
        if log is None:
            if not tab.name or not self._has_place_for_a_log():
                return None
            log = self._logs[tab.name] = EventLog(tab.name)
            if self._former:
                log.go_on_after(self._former.pop(tab.name, 0))
                log.saved = log.handled
        if not isinstance(tab.inbox, NumberedInbox) or tab.inbox.log is not log:  # the one before made place
            tab.inbox = NumberedInbox(self._session, log)
        log.key = self._session.key
        if lost := log.greet(hello):
            self._session.observer.events_lost(min(lost, MOST_LOST))
            self._session.failures.log(logging.ERROR, "%d events of a tab are lost: the store has lost them", lost)
        return log

    def log(self, name: str) -> EventLog | None:
        """Return the log of the events of the tab called `name`, if it has one."""
        return self._logs.get(name) if self._logs is not None else None

    def _has_place_for_a_log(self) -> bool:
        """Whether one more tab may have a log. One that has been away for longest makes place, if all of its events are
        saved: an open page keeps a log for each time that it was loaded. Of it the latest number is remembered."""
        assert self._logs is not None
        if len(self._logs) < max(MOST_LOGS, self.most):
            return True
        settled = [log for log in self._logs.values() if not log.may_resume and log.accepted <= self._saved_to(log)]
        if not settled:
            return False
        oldest = min(settled, key=lambda log: log.left_at)
        del self._logs[oldest.name]
        self._note_former(oldest)
        return True

    def _note_former(self, log: EventLog) -> None:
        self._former = self._former or {}
        self._former[log.name] = log.accepted
        if len(self._former) > MOST_FORMER:
            del self._former[next(iter(self._former))]

    def _saved_to(self, log: EventLog) -> int:
        return log.handled if lives_here_only(self._session.stored) else log.saved

    def acknowledge(self, log: EventLog, revision: int) -> None:
        """The tab of `log` shows `revision`. What all tabs show, that may come back, need not be kept for them."""
        log.acknowledge(revision)
        logs = self._logs or {}
        shown = [revision] if len(logs) == 1 else [each.shown for each in logs.values() if each.may_resume]
        known = [each for each in shown if each is not None]
        if len(known) == len(shown) and known:
            self._session.journal.acknowledge(min(known))
            live = getattr(self._session, "live", None)  # an app that is asleep has none
            if live is not None and live.replaced is not None:
                live.replaced.acknowledge(min(known))

    def forget(self, log: EventLog) -> None:
        """The page of this tab is gone for good: it says goodbye."""
        if self._logs is not None and self._logs.get(log.name) is log:
            del self._logs[log.name]
            self._note_former(log)  # a copy of the page may send the same events again
            if not self._logs:
                self._session.journal.release()

    def records(self) -> list[TabRecord]:
        """What a snapshot keeps of the tabs that number their events."""
        return [log.record() for log in (self._logs or {}).values()]

    def restore(self, records: Iterable[TabRecord]) -> None:
        """Take the tabs over from a snapshot."""
        following = self._session.journal.head + 1
        self._logs = {record.name: EventLog.restored(record, following) for record in records}

    def confirm(self, saved: Mapping[str, int]) -> None:
        """The store has acknowledged a snapshot; `saved`: the latest event in it of each tab, by the tab's name (what
        `TabRecord.handled` said)."""
        for name, number in saved.items():
            if self._logs is not None and (log := self._logs.get(name)) is not None:
                log.confirm(number)

    # -- what is remembered ------------------------------------------------------------------------------------------

    def _forget_idle(self) -> None:
        """Make place for one more, if there are `most`: those that were not heard of for longest go, if idle."""
        for _ in range(len(self._tabs)):
            if len(self._tabs) < self.most:
                return
            name = next(iter(self._tabs))
            tab = self._tabs.pop(name)
            if tab.is_idle:
                self._forget_answer(tab)
            else:
                self._tabs[name] = tab  # behind the others

    def note_post(self, tab: Tab, callback_id: str | None) -> LastPost:
        """Note a POST of `tab`: from now on it is its last one, if a repetition could be told, by the names of the tab
        and of the answer that it waits for."""
        post = LastPost(callback_id)
        if tab.name and callback_id is not None:
            self._forget_answer(tab)
            tab.last_post = post
        return post

    def keep_answer(self, tab: Tab, post: LastPost, answer: dict[str, Any]) -> None:
        """Keep `answer` for a repetition of `post`. Of all answers the latest stay within KEPT_BYTES; a larger one is
        not kept at all."""
        size = sum(map(len, answer["payloads"]))
        post.answer = answer if size <= KEPT_BYTES else None
        if tab.last_post is not post or post.answer is None:
            return  # the tab went on
        self._answers[post] = size
        self._bytes += size
        while self._bytes > KEPT_BYTES:
            oldest = next(iter(self._answers))
            self._bytes -= self._answers.pop(oldest)
            oldest.answer = None

    def _forget_answer(self, tab: Tab) -> None:
        if tab.last_post is not None:
            self._bytes -= self._answers.pop(tab.last_post, 0)
            tab.last_post = None

    @property
    def kept_bytes(self) -> int:
        """How many bytes of answers are kept."""
        return self._bytes
