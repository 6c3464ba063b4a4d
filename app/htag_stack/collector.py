"""Python's garbage collector, in a process whose objects mostly stay: the trees of its sessions.

The collector looks for circles of objects that nobody refers to any more. A session's tree is none while it lives, and
is taken apart when it ends, so looking through trees finds nothing, over and over: it takes a sixth of the time of
large pages, and a look at all sessions holds all of them up. So the tree of a page is set aside as soon as it is made.

Other circles are set aside with it: at least those of the connection on which the page was asked for, which are
garbage soon after. A sweep finds them, when as many as matter can have come together.
"""

import gc
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from htag.paths import is_page

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

# New objects between two looks at them, where CPython has 700: as many as a page of 6000 tags has, because a page is
# to be set aside before they are looked at. That many objects take a few MiB, and a look at them 2 ms.
YOUNG_OBJECTS = 20_000

# What can have been set aside by mistake before a sweep. A connection leaves 5 KiB (uvicorn's and websockets' objects);
# objects are counted too, because an app may leave circles of its own in each page.
CONNECTIONS = 500
OBJECTS = 2_000_000


def settle() -> None:
    """The process has all that stays until its end: set that aside, and look at what is new less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


class SetAside:
    """An ASGI layer that sets each page's tree aside, and sweeps after enough connections or objects."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._connections = 0
        self._objects = 0

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "websocket":
                self._connections += 1
            elif is_page(scope):
                self._connections += 1
                self._objects += gc.get_count()[0]
                gc.freeze()
            if self._connections >= CONNECTIONS or self._objects >= OBJECTS:
                self._sweep()

    def _sweep(self) -> None:
        self._connections = self._objects = 0
        gc.unfreeze()
        gc.collect()
        gc.freeze()
