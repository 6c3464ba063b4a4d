"""What the value that an author gives a `select` chooses: HTML has no such attribute, so the options are marked for it.

`Tag.select(…, _value="b")` marks the option unless others are marked; `select["value"] = "b"` takes their marks away.
That lasts until a person chooses, or the author marks another option. It also chooses among options that come later.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from htag.tree import pairs
from htag.tree.child_list import as_list
from htag.tree.flags import CHOOSES, VALUE_REPORTED
from htag.tree.markup import HTML
from htag.tree.node import Node
from htag.tree.pairs import MISSING

# What options are in, and they themselves; None: a fragment. A change of one may be a change of what is chosen.
IN_SELECTS = frozenset(("select", "optgroup", "option", None))

# How a value stands to the marks of the options. It is kept on the tag, `_htag_choice`, with the texts of the value.
GIVEN = "given"  # it came with the tag: what else is marked wins
ASSIGNED = "assigned"  # it was set, or has changed: it wins as soon as an option has it
MARKED = "marked"  # the options are marked for it

OUR_MARK = 1  # where authors and browsers have True, so that it is known who has marked an option


class Target(Protocol):
    """What is rendered for, a `RenderTarget`, as far as it is asked here."""

    def tags_within(self, tag: Any) -> Iterable[Any]: ...


# -- told by the tree --------------------------------------------------------------------------------------------------


def note_assigned(tag: Any) -> None:
    """The author has set the value of `tag`."""
    if tag.tag == "select":
        _keep(tag, None, ASSIGNED)


def note_reported(tag: Any, value: Any) -> None:
    """A browser has said that `tag` has `value`: its options are marked for that already. What the author has said
    stands where it is the same."""
    if tag.tag == "select" and not (tag._flags & CHOOSES and tag._htag_choice == (_texts_of(value), MARKED)):
        tag._flags = tag._flags & ~CHOOSES | VALUE_REPORTED


def choose(tag: Any, value: Any, target: Target) -> None:
    """`tag`, a field, is about to be rendered with `value`, a text or a list."""
    if tag.tag != "select" or tag._flags & VALUE_REPORTED:
        return
    texts = _texts_of(value)
    known, standing = tag._htag_choice if tag._flags & CHOOSES else (texts, GIVEN)
    _keep(tag, texts, standing if known == texts else ASSIGNED)
    mark(tag, target.tags_within(tag))


# -- asked by the tree -------------------------------------------------------------------------------------------------


def chooser(tag: Any) -> Any:
    """The `select` whose value says which of the options in `tag`, or around it, is chosen. None: there is none."""
    while tag is not None and tag.tag in IN_SELECTS and tag.tag != "select":
        tag = tag.parent
    if tag is None or not tag._flags & CHOOSES:
        return None
    return tag if is_shown(pairs.get(tag._attributes, "value")) else None


def choice_of(select: Any) -> Any:
    """The texts of the value of `select`, which its start tag does not show."""
    return select._htag_choice[0]


def value_of(option: Any) -> str | None:
    """The value that the browser sends for `option`: the attribute, else the text. None: not known here."""
    shown = evaluated(pairs.get(option._attributes, "value"))
    if is_shown(shown):
        return "" if shown is True else str(shown)
    children = as_list(option)
    if any(callable(child) or isinstance(child, (HTML, Node)) for child in children):
        return None
    return " ".join("".join(map(str, children)).split())


def is_shown(value: Any) -> bool:
    """Whether an attribute that has `value`, MISSING or evaluated, is in the HTML."""
    return value is not MISSING and value is not None and value is not False


def evaluated(value: Any) -> Any:
    """What an attribute shows: callables are asked."""
    while callable(value):
        value = value()
    return value


# -- marks -------------------------------------------------------------------------------------------------------------


def mark(select: Any, below: Iterable[Any]) -> list[Any]:
    """Mark the options of `select` for its value. `below`: it and all tags in it. Returns the options whose marks have
    changed: the render under way shows them, or it is for the caller to tell."""
    texts, standing = select._htag_choice
    options = [tag for tag in below if tag.tag == "option"]
    if texts is None or any(callable(_mark_of(option)) for option in options):
        return []  # not rendered since it was set; marks that the author sets at each render
    is_several = is_shown(evaluated(pairs.get(select._attributes, "multiple")))
    matching = [option for option in options if value_of(option) in texts]
    wanted = matching if is_several else matching[:1]
    is_known = bool(wanted) or (is_several and not texts)
    marked = [option for option in options if _is_marked(option)]
    if (standing == ASSIGNED and is_known) or (wanted and not marked):
        select._htag_choice = texts, MARKED
    elif not is_several and not all(map(is_marked_here, marked)):
        wanted = [option for option in marked if not is_marked_here(option)]  # the author has marked another one since
    else:
        return []
    chosen = {*map(id, wanted)}
    changed = [option for option in options if _is_marked(option) != (id(option) in chosen)]
    for option in changed:
        if id(option) in chosen:
            option._set_attribute("selected", OUR_MARK)
        else:
            _unmark(option)
    return changed


def _unmark(option: Any) -> None:
    if is_marked_here(option):
        option._attributes = pairs.drop(option._attributes, "selected")
        option._start_tag = None
    else:
        option._set_attribute("selected", False)


def _texts_of(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)


def _keep(select: Any, texts: tuple[str, ...] | None, standing: str) -> None:
    select._flags = select._flags & ~VALUE_REPORTED | CHOOSES
    select._htag_choice = texts, standing


def is_marked_here(option: Any) -> bool:
    """Whether `option` was marked for the value of its `select`, and by no author or browser."""
    found = _mark_of(option)
    return type(found) is int and found == OUR_MARK


def is_within(tag: Any, top: Any) -> bool:
    """Whether `tag` is `top`, or somewhere in it."""
    while tag is not None and tag is not top:
        tag = tag.parent
    return tag is not None


def _mark_of(option: Any) -> Any:
    return pairs.get(option._attributes, "selected")


def _is_marked(option: Any) -> bool:
    return is_shown(_mark_of(option))
