"""What a render writes for: the app that is rendered, or no app at all. It is asked, and told what was met."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from htag.tree.node import descendants, random_number


class RenderTarget(Protocol):
    """The app's side of a render. Tags are `Any` in here, because they are made two rows above."""

    auto_bind: bool  # whether fields without a handler report their value

    inline_handlers: bool  # whether handlers are attributes with JavaScript; else the client attaches them

    nonce: str  # for the `script` elements, which the page's policy lets run then; "": they stay without one

    reuses: bool  # whether the tags that callables made last time are shown again, and the callables not called

    evaluated: dict[Any, Any] | None  # what hosts and attributes yielded that are rendered together; None: one render

    opaque: dict[Any, Any]  # tags whose callables may read anything, with the `fingerprint` of what they yielded last

    number: Callable[[], int]  # yields the number of a tag that has none yet

    targets: dict[str | int, Any]  # the tags that the browser may address, by our number for them or by their own id

    def collect_head(self, tag: Any) -> None:
        """Collect what `tag` brings for the page's head: statics, its own or of its class, and JavaScript."""
        ...

    def register(self, tag: Any, shown: Any) -> None:
        """Put `tag` among the targets. It has an id of its own, an HTML attribute `id` (`shown`; MISSING: none), or is
        a field."""
        ...

    def tags_within(self, tag: Any) -> Iterator[Any]:
        """`tag` and all tags below it, those that callables yielded last included."""
        ...

    def reused(self, host: Any) -> list[Any] | None:
        """What `host` shows, where its callables are not to be called (again); else None."""
        ...

    def reconcile(self, host: Any, tags: list[Any], found: list[Any]) -> None:
        """Adopt `tags`, which the callables and States of `host` yielded, and let go of those that they yielded before.
        `found`: all that `host` shows."""
        ...


class DetachedTarget:
    """The target of a render outside any app: `str(tag)`."""

    auto_bind = False
    inline_handlers = True
    nonce = ""
    reuses = False
    evaluated = None

    def __init__(self, tag: Any) -> None:
        root = tag.root
        self.number: Callable[[], int] = random_number if root is None else root._runtime.number
        self.targets: dict[str | int, Any] = {}
        self.opaque: dict[Any, Any] = {}

    def collect_head(self, tag: Any) -> None:
        """There is no head."""

    def register(self, tag: Any, shown: Any) -> None:
        """No browser addresses it."""

    def tags_within(self, tag: Any) -> Iterator[Any]:
        """What callables yielded is not known."""
        return descendants(tag, {})

    def reused(self, host: Any) -> list[Any] | None:
        """Nothing is known of an earlier render."""
        return None

    def reconcile(self, host: Any, tags: list[Any], found: list[Any]) -> None:
        """Adopt the tags that are in no tree."""
        for tag in tags:
            host._refuse_cycle(tag)
            if tag.parent is None:
                tag.parent = host
