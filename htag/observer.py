"""The names of all that happens in htag. The library announces, the application measures."""

from collections.abc import Sequence


class Observer:
    """Hears what happens and does nothing: the null observer, and the base of real ones.

    Every method is called on the event loop, must return at once and must not raise. No argument carries a session
    id or event data, so whatever an observer exports is free of both.
    """

    def session_opened(self) -> None:
        """A page was asked for by a browser that has no session yet."""

    def session_closed(self, reason: str, age: float) -> None:
        """A session is gone. `reason`: abandoned (never connected), expired, replaced (`?n`), too_large, shutdown."""

    def session_refused(self, reason: str) -> None:
        """A new visitor got the busy page. `reason`: sessions, memory, draining, rate."""

    def client_connected(self, transport: str) -> None:
        """A tab's channel opened. `transport`: websocket, sse."""

    def client_disconnected(self, transport: str, seconds: float) -> None:
        """A tab's channel closed after `seconds`."""

    def event_handled(self, outcome: str, seconds: float) -> None:
        """A browser's event was handled in `seconds`. `outcome`: ok, error, no_target (the element is gone, or
        could not have sent it), no_handler."""

    def update_sent(self, transport: str, size: int) -> None:
        """An update of `size` bytes was handed to a tab's channel. `transport`: websocket, sse, http."""

    def message_refused(self, reason: str) -> None:
        """A request or message was refused, or, if too_fast, is read later. `reason`: malformed, too_large, too_fast,
        origin, csrf, no_session, forged (a question between workers that none of ours has asked)."""

    def component_failed(self, kind: str) -> None:
        """A component raised. `kind`: handler, render, hook, init."""

    def handler_blocked(self, name: str, seconds: float) -> None:
        """A callback held the event loop for `seconds`, longer than the limit. `name`: the callback's. Where a watchdog
        looks instead, the same of hooks, renders and pages."""

    def client_fell_behind(self, transport: str) -> None:
        """A tab read too slowly: its queue was dropped and a full render takes its place."""

    def session_limited(self, bound: str) -> None:
        """A session reached a bound of its own, and lost what was beyond it. `bound`: tabs, waiting (bytes on their way
        to its tabs), messages (bytes of messages that are not done), tasks, size, reports (of errors in its browsers),
        measures (of its browsers)."""

    def browser_error(self) -> None:
        """A browser reported a JavaScript error."""

    def browser_measured(
        self, roundtrips: Sequence[float], aways: Sequence[float], transport: str, errors: int
    ) -> None:
        """A page told what it has measured since it told so last. `roundtrips`: seconds from an event in the page until
        its update was in the page, one for each event, a hundred of them at most; `aways`: seconds that the page was
        without a connection, one for each time that it came back. `transport`: websocket, sse, http, by which it works.
        `errors`: JavaScript errors of the page, also those that it did not report because there were too many; none of
        the browser's extensions. All of this is a browser's word: its shape was checked, its truth cannot be."""

    def report_left_out(self) -> None:
        """A log line about a session was not written, because there were too many (htag/log/reports.py)."""

    def snapshot_made(self, outcome: str, size: int, seconds: float) -> None:
        """A session was to be saved. `outcome`: saved, refused (another worker has it), failed (the store), pinned
        (it holds what no snapshot can), too_large. `size`: bytes for the store, 0 where there are none. `seconds` of
        the event loop: taking, compressing and sealing the snapshot."""

    def session_restored(self, outcome: str, seconds: float) -> None:
        """A session was to be made from its snapshot. `outcome`: same, moved, edited (the code is what it was, stands
        elsewhere, or was edited), carried (a new app with the old States), failed, forged, foreign (another app's). One
        that comes asleep counts as same, and once more where it wakes as something else."""

    def session_taken_over(self, way: str) -> None:
        """This worker has a session that another had. `way`: released (no worker held it), handed_over, unknown (its
        holder is another process by now), silent (its holder did not answer)."""

    def session_parked(self, reason: str) -> None:
        """A session's tree left memory; its snapshot is in the store. `reason`: disconnected, idle, pressure."""

    def session_woken(self, seconds: float) -> None:
        """A parked session's tree is in memory again, after `seconds`."""

    def session_moved(self, outcome: str) -> None:
        """This worker let a session go. `outcome`: drained, handed_over, pinned (it cannot be moved)."""

    def session_superseded(self, connected: bool) -> None:
        """Another worker has this session; ours was given up. `connected`: tabs of ours showed it."""

    def event_repeated(self, outcome: str) -> None:
        """A tab sent an event again that was taken before. `outcome`: answered, running, lost (its result was not
        kept), interrupted (it had started when its worker ended)."""

    def event_skipped(self) -> None:
        """A tab gave up an event that broke its connection three times."""

    def events_lost(self, count: int) -> None:
        """A tab knows of `count` events that no snapshot has any more: the store has lost them."""

    def client_resumed(self, outcome: str) -> None:
        """A tab came back. `outcome`: current (it missed nothing), tail (it got what it missed), full (a full render),
        gap (its numbers do not fit: it comes again)."""
