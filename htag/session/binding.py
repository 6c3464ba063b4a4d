"""What a session has of its app, and lets go of while the app is parked: the tree, its tasks, its context variables."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from os import urandom
from typing import Any, NamedTuple

from htag.app import App
from htag.limits import Limits
from htag.log.reports import Reports
from htag.observer import Observer
from htag.session.closing import Closing
from htag.session.context import SessionContext
from htag.session.delivery import Delivery
from htag.session.failures import Failures
from htag.session.hearsay import ABOUT_BROWSERS, Hearsay
from htag.session.refresher import Refresher
from htag.session.replays import Replays
from htag.session.stored import Stored
from htag.session.tasks import Tasks
from htag.session.throttle import Throttle
from htag.tree.live import LiveTree, live_tree
from htag.wire.codec import Codec
from htag.wire.messages import Message

PUBLIC = 8  # characters of the key: enough to tell the sessions of one browser apart


class Absent(NamedTuple):
    """Stands for an app that is asleep, where something about its session is logged."""

    debug: bool


class Binding:
    """Binds a session to an app; to another object of the same app, when it was asleep."""

    __slots__ = (
        "_failures",
        "_hearsay",
        "_key",
        "_refresher",
        "_reports",
        "_request",
        "_tasks",
        "_throttle",
        "app",
        "asleep",
        "busy_since",
        "clean",
        "context",
        "delivery",
        "limits",
        "live",
        "observer",
        "replays",
        "stored",
        "under_way",
    )

    app: App
    live: LiveTree

    def __init__(
        self,
        app: App,
        codec: Codec,
        observer: Observer,
        limits: Limits,
        given: Context | None,
        reports: Reports | None,
        own: Context | None,
    ) -> None:
        self.observer = observer
        self.limits = limits
        self.delivery = Delivery(codec)
        self.context = SessionContext(app, copy_context() if given is None else given, own)
        self.asleep = False
        """Whether the app may be gone from memory: `SessionRegistry.wake` brings it back."""
        self.stored: Stored | None = None
        """How its copy in the store stands; None: it lives in this process only."""
        self.replays: Replays | None = None
        """Numbers its tags, where pages may be ahead of the snapshot that it was taken from."""
        self.clean = False
        """Whether nothing has changed since it was saved."""
        self.under_way = 0
        """Handlers that take time and are not done."""
        self.busy_since = 0.0
        """When the first of those began (monotonic clock)."""
        self._hearsay: Hearsay | None = None
        self._key = ""
        self._reports = reports or Reports(observer)
        self._request: Any = None
        self._throttle = Throttle(self.push, self.context)
        self._bind(app)

    def _bind(self, app: App) -> None:
        """Make what belongs to `app`, which the session runs from now on."""
        self.app = app
        self._failures: Failures | None = None
        self._tasks: Tasks | None = None
        self._refresher: Refresher | None = None
        self.live = live_tree(app)
        self.live.attach_host(self)

    @property
    def failures(self) -> Failures:
        """What goes wrong in it is said by these."""
        if self._failures is None:
            self._failures = Failures(self.app, self.observer, self._reports)
        return self._failures

    @property
    def tasks(self) -> Tasks:
        """The tasks that it runs."""
        if self._tasks is None:
            self._tasks = Tasks(self.context, self.failures)
        return self._tasks

    @property
    def key(self) -> str:
        """The session's own random name, which it keeps wherever it goes: its id may change, and is a secret."""
        if not self._key:
            self._key = urandom(12).hex()
        return self._key

    @key.setter
    def key(self, key: str) -> None:
        self._key = key

    def hears(self, message: Message) -> bool:
        """Take what `message` says of its browser, which needs no app; False: it says something else."""
        if message.action not in ABOUT_BROWSERS:
            return False
        if self._hearsay is None:
            self._hearsay = Hearsay(self.observer)
        self._hearsay.hear(message, len(self.delivery.channels), self.failures)
        return True

    @property
    def public_name(self) -> str:
        """What its pages say, so that no tab of an earlier session under the same id is taken for one of this."""
        return self.key[:PUBLIC]

    @property
    def has_app(self) -> bool:
        """Whether the app is in memory. It may not be used while the session is `asleep`, because it is about to go."""
        return self.stored is None or not self.stored.data

    @property
    def busy(self) -> bool:
        """Whether a handler is under way, a task runs, or something is about to be pushed."""
        return bool(
            self.under_way or self._tasks or self._throttle.is_due or (self._refresher or self._throttle).is_due
        )

    def begin_handler(self) -> None:
        """Count a handler that takes time. If it takes long, that it has started is saved, whatever it does."""
        if not self.under_way:
            self.busy_since = time.monotonic()
        self.under_way += 1
        self.note_change()

    def note_change(self) -> None:
        """The session is to be saved."""
        self.clean = False
        if self.stored is not None:
            self.stored.noting.note(self)

    # -- parked, and back ----------------------------------------------------------------------------------------------

    def put_to_sleep(self, data: bytes) -> App:
        """Let go of the app, of which `data` is the snapshot. Returns it: its tree is the caller's to take apart."""
        assert self.stored is not None
        app, self._request = self.app, self.live.request
        self._throttle.hold()
        if self._refresher is not None:
            self._refresher.cancel()
        self.asleep, self.stored.data, self.stored.hooked = True, data, self.live.has_hooks
        self.live.request = None  # it leads to all that the server has: `is_held` need not look there
        self.live.attach_host(None)
        self._failures = Failures(Absent(app.debug), self.observer, self._reports)
        self._tasks = None
        del self.app, self.live, self._refresher
        return app

    async def unmount(self, seconds: float) -> None:
        """The app is about to leave this process: `on_unmount` runs, tasks end, within `seconds`."""
        unmounting = self._closing(_nothing).unmount(seconds)
        await asyncio.get_running_loop().create_task(unmounting, context=self.context.copied())

    def _closing(self, dispose: Callable[[], None], *, destroys: bool = False, unmounts: bool = True) -> Closing:
        return Closing(self.app, self.live, self.tasks, self.delivery, self.failures, dispose, destroys, unmounts)

    def wake_up(self, app: App) -> None:
        """Go on with `app`, which was loaded from the snapshot."""
        assert self.stored is not None
        self.context.change_app(app)
        self._bind(app)
        self.live.request, self._request = self._request, None
        self.asleep, self.stored.data = False, b""
        self._throttle.go_on()

    # -- what the session adds ---------------------------------------------------------------------------------------

    def push(self) -> None:
        """Send what changed to all tabs, now."""
        raise NotImplementedError  # Session has it

    def request_push(self, seconds: float) -> None:
        """Push what changed, `seconds` after the last push at the earliest. From any thread."""
        raise NotImplementedError  # Session has it

    @property
    def revision(self) -> int:
        """The number of the latest update."""
        raise NotImplementedError  # Session has it

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` after that time, if there is an event loop."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().call_later(seconds, work, context=Context())

    def inside(self, work: Any, *arguments: Any) -> Any:
        """`work(*arguments)` with the session's context variables."""
        return self.context.inside(work, *arguments)

    @property
    def tabs_connected(self) -> int:
        """How many tabs are connected."""
        return len(self.delivery.channels)

    def renew_id(self) -> None:
        """Ask for a new id of this session."""
        raise NotImplementedError  # Session has it


def _nothing() -> None:
    """What is done to a tree that goes on elsewhere."""
