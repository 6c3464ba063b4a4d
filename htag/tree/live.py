"""The live tree of an app: all that a process knows of a tree while it is shown, and the session that runs it.

It composes an index of tags, what changed, generated tags, hooks, what belongs in the head. An operation that concerns
one of these is asked of that one; those that concern several are here.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from htag.tree import reconciliation
from htag.tree.build_context import detached
from htag.tree.changes import Changes
from htag.tree.departed import Departed
from htag.tree.flags import CHILDREN_EXPOSED, HAS_HOOKS, HAS_STATICS, PENDING_SCRIPTS
from htag.tree.generated import Generated
from htag.tree.head import Head
from htag.tree.hooks import Hooks
from htag.tree.index import Index
from htag.tree.numbers import Numbers
from htag.tree.renders import Renders
from htag.tree.replaced import Replaced
from htag.tree.reported import Reported
from htag.tree.tag import GTag, current_request

Answer = TypeVar("Answer")


TRANSIENT = frozenset(("_runtime",))


class Host(Protocol):
    """What runs an app, a session: the tree asks it for these."""

    def request_push(self, seconds: float) -> None:
        """Push what changed, at the earliest `seconds` after the last push. From any thread."""
        ...

    def inside(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """`work(*arguments)` with the session's context variables."""
        ...

    @property
    def tabs_connected(self) -> int:
        """How many tabs show the tree now."""
        ...

    def renew_id(self) -> None:
        """Give the session another id."""
        ...

    @property
    def revision(self) -> int:
        """The number of the latest update that tabs were sent."""
        ...

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` after that time, if there is an event loop."""
        ...


class LiveTree(Renders):
    """Filled by mutations and renders, emptied by pushes. No operation walks the whole tree but a page's render.

    It is of one app in one process: a copy or a pickle of the app has another one, which goes on with its numbers.
    """

    auto_bind = True  # fields without a handler report their value

    __slots__ = (
        "_host",
        "changes",
        "departed",
        "generated",
        "head",
        "hooks",
        "index",
        "note_change",
        "note_children",
        "number",
        "numbers",
        "opaque",
        "replaced",
        "reported",
        "request",
        "served",
        "targets",
        "transient",
    )

    def __init__(self, app: GTag, first_number: int = 1) -> None:
        """`first_number`: no tag of `app` has, or ever had, this number or a greater one."""
        self.index = Index(app)
        self.generated = Generated()
        self.changes = Changes(self.index, self.generated)
        self.hooks = Hooks(self.generated)
        self.head = Head()
        # a late click must not hit another tag: no number is given twice
        self.numbers = Numbers(first_number)
        # for renders
        self.number = self.numbers.allocate
        self.targets = self.index.targets
        self.inline_handlers = True  # whether the render that is made has handlers as JavaScript
        self.nonce = ""  # of the page that is rendered
        self.reuses = False  # whether the render that is made shows generated tags again
        self.evaluated: dict[Any, Any] | None = None  # by callables, while several renders are made together
        self.opaque: dict[Any, Any] = {}  # tags whose callables may read anything
        self.note_change = self.changes.note  # told by each mutation, so it is one call
        self.note_children = self.changes.note_children  # likewise
        # names of the app's attributes that are no part of it: a server's settings, and this
        self.transient = TRANSIENT
        self.departed: Departed | None = None  # once a tag has left
        self.replaced: Replaced | None = None  # once tags with handlers were made anew
        self.reported: Reported | None = None  # once a field reported something, where callables make tags
        self.served: Any = None  # the ASGI application that serves this instance by itself, once there is one
        self._host: Host | None = None
        self.request: Callable[[], Any] | None = None  # yields the request or WebSocket that spoke last

    def number_by(self, numbers: Numbers) -> None:
        """Have new tags numbered by `numbers` from now on."""
        self.numbers = numbers
        self.number = numbers.allocate

    def number_again(self, first: int, end: int) -> None:
        """Give other numbers to the tags that have one from `first` to below `end`."""
        for tag in self.generated.pre_order(self.index.app):
            if type(tag._id) is int and first <= tag._id < end:
                self.index.renumber(tag, self.number())

    # -- the session that runs the app ---------------------------------------------------------------------------------

    def attach_host(self, host: Host | None) -> None:
        """`host` runs the app from now on; None: nothing does."""
        self._host = host

    def last_request(self) -> Any:
        """The Starlette Request or WebSocket that spoke last; before any, the one that the app is made for; or None."""
        return current_request.get() if self.request is None else self.request()

    def request_push(self, seconds: float) -> None:
        """Ask for a push, at the earliest `seconds` after the last one. From any thread."""
        if self._host is not None:
            self._host.request_push(seconds)

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` after that time, if the app runs in an event loop."""
        if self._host is not None:
            self._host.call_later(seconds, work)

    @property
    def revision(self) -> int:
        """The number of the latest update that tabs were sent; 0 where nothing runs the app."""
        return 0 if self._host is None else self._host.revision

    @property
    def tabs_connected(self) -> int:
        """How many tabs show the tree now."""
        return 0 if self._host is None else self._host.tabs_connected

    def renew_id(self) -> None:
        """Ask for another id of the session. RuntimeError: it has none that one person alone has."""
        if self._host is not None:
            self._host.renew_id()

    # -- told by the tree --------------------------------------------------------------------------------------------

    def note_script(self, tag: GTag, code: str) -> None:
        """`code` is to run in the browser after the next push."""
        self.changes.note_script(tag if self.replaced is None else self.replaced.living(tag), code)

    def is_dirty(self, tag: GTag) -> bool:
        """Whether a change of `tag` is yet to be pushed."""
        return tag in self.changes.dirty

    def mount(self, tag: GTag) -> None:
        """`tag` has come into the tree: its hooks run, with the variables of the session."""
        if self.replaced is not None and self.replaced.holds(tag):
            return
        if self._host is None:
            self.hooks.run_mount_hooks(tag)
        else:
            self._host.inside(self.hooks.run_mount_hooks, tag)

    def unmount(self, tag: GTag) -> None:
        """`tag` is about to leave the tree: its hooks run, and no message will find it or what is below it."""
        if self.replaced is not None and self.replaced.holds(tag):
            self.replaced.take_back(tag)
        elif self._host is None or not tag._flags & HAS_HOOKS:  # without hooks, nothing of the app's runs
            reconciliation.unmount(self, tag)
        else:
            self._host.inside(reconciliation.unmount, self, tag)

    def forget_generated(self, host: GTag) -> None:
        """`host` has lost its children, and with them what those generated."""
        self.reconcile(host, [], [])

    # -- told by a render (the `RenderTarget` of render) --------------------------------------------------------------

    def register(self, tag: GTag, shown: Any) -> None:
        """Index `tag`; `shown`: its HTML attribute `id`, or MISSING."""
        self.index.register(tag, shown)

    def collect_head(self, tag: GTag) -> None:
        """Collect statics of `tag`, and JavaScript queued on it while it was in no app."""
        if tag._flags & HAS_STATICS:
            self.head.collect(tag)
        if tag._flags & PENDING_SCRIPTS:
            tag._flags &= ~PENDING_SCRIPTS
            for code in tag.__dict__.pop("_scripts", ()):
                self.changes.note_script(tag, code, arrives=True)

    def reused(self, host: GTag) -> list[Any] | None:
        """What `host` has yielded for this very update, or showed last, in a render that shows it again; None: evaluate
        it."""
        if self.evaluated and host in self.evaluated:
            found: list[Any] = self.evaluated[host]
            return found
        return self.generated.shown(host) if self.reuses else None

    def reconcile(self, host: GTag, tags: list[GTag], found: list[Any]) -> None:
        """The tags that callables of `host` yielded this time: the new ones mount, those gone unmount."""
        if self.evaluated is not None:
            self.evaluated[host] = found
        if host._flags & CHILDREN_EXPOSED:
            self.changes.exposed[host] = found
        if not tags and host not in self.generated.by_host:
            return  # texts, as nearly always
        reconciliation.reconcile(self, host, tags, found)

    def note_exposed(self, tag: GTag) -> None:
        """The author is about to get the list of the children of `tag`."""
        if self.replaced is None or not self.replaced.holds(tag):
            self.changes.note_exposed(tag)

    def note_reported(self, tag: GTag, name: str, value: Any) -> None:
        """A browser says that the attribute `name` of `tag` is `value`, which is about to be set."""
        if self.generated.by_host:
            self.reported = self.reported or Reported()
            self.reported.note(tag, name, value)

    # -- asked by the session ----------------------------------------------------------------------------------------

    def run_visit_hook(self, request: Any) -> None:
        """Tell the app that `request` asks for its page. Raises what the hook raises."""
        self.hooks.run_visit_hook(self.index.app, request)

    @property
    def has_hooks(self) -> bool:
        """Whether any tag has hooks that run when it mounts or unmounts."""
        return bool(self.index.app._flags & HAS_HOOKS)

    def has_changes(self) -> bool:
        """Whether the next push has anything to say."""
        return bool(self.changes.dirty or self.changes.scripts or self.head.statics)

    def has_generated_tags(self) -> bool:
        """Whether a new render gives new ids to some tags: those that callables make afresh each time."""
        return bool(self.generated.by_host)

    def dispose(self) -> None:
        """The app is over: take the tree apart, so that its memory is free now and not at some later collection of
        cycles."""
        if self.replaced is not None:
            self.replaced.clear()
        for tag in list(self.generated.pre_order(self.index.app)):
            tag.parent, tag._content, tag._events, tag._attributes, tag._start_tag = None, None, (), (), None
        self._host, self.request = None, nothing_heard
        self.generated.clear()
        self.changes.clear()
        self.opaque.clear()
        self.index.clear(detached(GTag))  # any tag: the app and this no longer keep each other


def nothing_heard() -> None:
    """The request of an app that is over."""


def live_tree(app: GTag) -> LiveTree:
    """The live tree of `app`: the one way from outside the tree to what is not for the app's author."""
    live: LiveTree = app._runtime  # type: ignore[attr-defined]  # of App, which stands above
    return live
