"""`Router`: the part of the page's address after `#` chooses the component that is shown."""

import inspect
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from htag.app import App
from htag.events import HandlerWrapper
from htag.state import State
from htag.tree.access import handler as handler_of
from htag.tree.access import set_handler
from htag.tree.live import live_tree
from htag.tree.tag import GTag

REPORT = "init_route"  # the router's own event: the browser says where it is


class Router(GTag):
    """A `div` that shows the component of the current path.

    `router.add_route("/user/:name", User)` shows `User(name="Ann")` at `#/user/Ann`. The first route that fits wins.
    """

    tag = "div"

    def init(self, **attributes: Any) -> None:
        """An empty router: add routes."""
        self.path = State("")
        """The current path, as it stands in the address: starts with `/`, is not decoded. Empty until it is known."""
        self._routes: list[Route] = []
        self._not_found: Callable[..., GTag] = NotFound
        self._asked = False
        self[f"on{REPORT}"] = self._reported

    def add_route(self, path: str, component_class: Callable[..., GTag]) -> None:
        """Show `component_class` at `path`. Each `:name` in it stands for one segment, given as a keyword argument.

        Raises ValueError for a name that can't be a keyword argument, or that comes twice.
        """
        self._routes.append(Route(pattern(path), component_class))

    def set_not_found(self, component_class: Callable[..., GTag]) -> None:
        """What to show where no route fits. Gets `path=...` if its `init` has a parameter of that name."""
        self._not_found = component_class

    def navigate(self, path: str) -> None:
        """Send the browser to `path`. It reports the new address, and that changes the view."""
        quoted = json.dumps(path).replace("<", "\\u003c")  # no `</script>` in it, wherever it is put into a page
        self.call_js(f"location.hash = {quoted}")

    # -- where the browser is ----------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Listen to the address, and ask what it is: the server is not told what stands after `#`."""
        self._listen(self.root)
        if not self._asked:  # a component may mount several times before the browser can answer
            self._asked = True
            self.call_js(f"htag_event({json.dumps(self.id)}, '{REPORT}', {{hash: location.hash}})")

    def on_unmount(self) -> None:
        """Listen no more."""
        self._asked = False
        handler = handler_of(self.root, "hashchange")
        if isinstance(handler, Listeners):
            handler.routers.pop(self, None)
        elif isinstance(handler, str) and self._report in handler:
            self.root["onhashchange"] = handler.replace(self._report, "")

    def _listen(self, app: App) -> None:
        """Take part in the app's `onhashchange`; a handler of its own goes on working."""
        handler = handler_of(app, "hashchange")
        if isinstance(handler, Listeners):
            handler.routers[self] = None
        elif isinstance(handler, str):
            if self._report not in handler:
                app["onhashchange"] = self._report + handler
        elif handler is None:
            app["onhashchange"] = Listeners(no_handler, self)
        else:  # the browser calls it already: nothing to render, and the body is the whole page
            set_handler(app, "hashchange", Listeners(handler, self))

    @property
    def _report(self) -> str:
        return f"htag_event({json.dumps(self.id)}, '{REPORT}', event); "

    def _reported(self, event: Any) -> None:
        if event.newURL is not None:
            self._show(event.newURL)
        elif event.hash in ("", "#") and self.path.value and live_tree(self.root).tabs_connected > 1:
            self.navigate(self.path.value)  # a second tab, opened without a path: it does not move the first
        else:
            self._show(event.hash)

    def _show(self, address: Any) -> None:
        """Show the view for what stands after `#` in `address`; None, as from old browsers, is an address without."""
        if not isinstance(address, str | None):
            return  # no browser sends that
        path = (address or "").partition("#")[2]
        path = path if path.startswith("/") else f"/{path}"
        if path == self.path.value:
            return
        try:
            self.clear()
            self.add(self._view(path))
        except Exception:
            self.path.value = ""  # nothing is shown: going back to where one was must work
            raise
        self.path.value = path

    def _view(self, path: str) -> GTag:
        segments = path.split("/")
        for route in self._routes:
            if (parameters := route.match(segments)) is not None:
                return route.component_class(**parameters)
        return self._not_found(path=path) if has_path_parameter(self._not_found) else self._not_found()


class Route(NamedTuple):
    """A pattern as segments, and what to show where it fits."""

    pattern: list[str]
    component_class: Callable[..., GTag]

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The parameters, if the whole path fits."""
        if len(segments) != len(self.pattern):
            return None
        parameters = {}
        for wanted, segment in zip(self.pattern, segments, strict=True):
            if wanted.startswith(":") and segment:
                parameters[wanted[1:]] = segment
            elif wanted != segment:
                return None
        return parameters


class Listeners(HandlerWrapper):
    """An app's handler of `hashchange`, and the routers that want to know as well. They come first."""

    def __init__(self, own: Callable[..., Any], router: Router) -> None:
        super().__init__(own)
        self.routers: dict[Router, None] = {router: None}

    def __call__(self, event: Any) -> Any:
        """Hand `event` to all. What the app's own handler returns may have yet to run."""
        for router in list(self.routers):
            router._show(event.newURL)
        return self.func(event)


class NotFound(GTag):
    """What an unknown path shows where the app has nothing of its own to say."""

    tag = "div"

    def init(self, path: str) -> None:
        """A sentence that names `path`."""
        self.add(f"404 — Page not found: {path}")


def no_handler(event: Any) -> None:
    """The app has no handler of its own."""


def pattern(path: str) -> list[str]:
    """`path` as segments, the first one empty as that of `/a` is. Raises ValueError for unusable parameter names."""
    segments = path.strip("/").split("/")
    names = [segment[1:] for segment in segments if segment.startswith(":")]
    for name in names:
        if not name.isidentifier() or names.count(name) > 1:
            raise ValueError(
                f"a parameter of a route is a Python name and comes once; in {path!r}, {name!r} does not fit"
            )
    return ["", *segments]


def has_path_parameter(component_class: Callable[..., GTag]) -> bool:
    """Whether its `init` has a parameter called `path`."""
    return "path" in inspect.signature(getattr(component_class, "init", component_class)).parameters
