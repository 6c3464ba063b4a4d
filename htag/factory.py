"""`Tag` makes the classes of elements."""

from typing import Any

from htag.app import App
from htag.tree.names import element_name
from htag.tree.tag import Fragment, GTag

# names of members of every tag: as elements they would be out of reach from inside a component
RESERVED = frozenset(
    {
        *("add", "remove", "clear", "text", "tag", "root", "request", "init", "update", "is_dirty", "state_changed"),
        *(
            "add_class",
            "remove_class",
            "toggle_class",
            "has_class",
            "call_js",
            "on_mount",
            "on_unmount",
            "call",
            "bind",
        ),
    }
)


class TagFactory:
    """`Tag.div` is the class of all `<div>`s, the same each time; `Tag.sl_button` that of `<sl-button>`.

    `Tag(*children)` is a fragment: children without an element around them. `Tag.App` is the app's base class.
    """

    App = App

    def __call__(self, *children: Any, **attributes: Any) -> GTag:
        return Fragment(*children, **attributes)

    def __getattr__(self, name: str) -> type[GTag]:
        if name.startswith("_"):
            raise AttributeError(name)  # the protocols of inspect, copy and mock ask for these
        if name.lower() in RESERVED:
            raise AttributeError(f"Tag.{name} can't be an element: every tag has a member of that name")
        element = element_name(name.lower().replace("_", "-"))
        body = {
            "tag": element,
            "__slots__": (),
            "__module__": __name__,
            "__qualname__": f"Tag.{name}",
        }
        made = type(name, (GTag,), body)
        self.__dict__[name] = made
        return made


Tag = TagFactory()
