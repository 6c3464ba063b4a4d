"""What callables and States yield while a tag is rendered. The tag is noted as their reader, and as the place of their
errors."""

from typing import Any

from htag.tree.child_list import as_list
from htag.tree.flags import DYNAMIC_ATTRIBUTES, DYNAMIC_CHILDREN
from htag.tree.markup import HTML
from htag.tree.node import Node
from htag.tree.operations import ATTRIBUTES, CHILDREN
from htag.tree.reactive import Reactive
from htag.tree.readers import reader
from htag.tree.render_target import RenderTarget


def evaluate_children(host: Node, target: RenderTarget) -> list[Any]:
    """The children of `host`, with what its callables and States yield in their place.

    Raises what a callable raised, annotated; ValueError where a callable yields a tag that `host` stands in.
    """
    if (shown := target.reused(host)) is not None:
        return shown
    found: list[Any] = []
    generated: list[Node] = []
    for child in [*as_list(host)]:  # a copy: what is called may change the children
        if isinstance(child, str) or not callable(child):
            found.append(_as_child(child))
        else:
            _expand(evaluate_value(child, host), host, found, generated)
    target.reconcile(host, generated, found)
    return found


def evaluate_attribute(name: str, value: Any, host: Node, target: RenderTarget) -> Any:
    """What the `value` of an attribute of `host` yields, once for all that is rendered at the same time. Raises what a
    callable raised, annotated."""
    if not callable(value):
        return value
    known = target.evaluated
    if known is None:
        return evaluate_value(value, host)
    if (host, name) not in known:
        known[host, name] = evaluate_value(value, host)
    return known[host, name]


def dynamic_parts(host: Node) -> int:
    """What of `host` may be another at each render, as flags of `operations`."""
    of_attributes = ATTRIBUTES if host._flags & DYNAMIC_ATTRIBUTES else 0
    return of_attributes | CHILDREN if host._flags & DYNAMIC_CHILDREN else of_attributes


def is_opaque(host: Node) -> bool:
    """Whether `host` has a callable that is no State: what it reads is not known."""
    return any(
        callable(value) and not isinstance(value, Reactive) for value in (*as_list(host), *host._attributes[1::2])
    )


def fingerprint(start: str, content: Any) -> int | None:
    """What tells one content of an opaque tag from another. None: it has tags that are new.

    Tags are told apart by `id()`: those that one was made of are there until the next is."""
    children = content if type(content) is list else [content]
    if any(isinstance(child, Node) and child._id is None for child in children):
        return None
    return hash((start, *(id(child) if isinstance(child, Node) else child for child in children)))


def evaluate_value(value: Any, host: Node) -> Any:
    """What a callable or State yields now; `value` itself where it is neither.

    What is read on the way will have `host` rendered again. Raises what a callable raised, annotated.
    """
    if not callable(value):
        return value
    token = reader.set(host)
    try:
        while callable(value):
            value = value()
        return value
    except Exception as error:
        _annotate(error, host)
        raise
    finally:
        reader.reset(token)


def _expand(value: Any, host: Node, found: list[Any], generated: list[Node]) -> None:
    """Add what a callable of `host` yielded: nothing, one thing, or a list of things, which may be callables again."""
    if value is None:
        return
    if isinstance(value, (list, tuple)):
        for item in value:
            _expand(item, host, found, generated)
    elif isinstance(value, Node) and not callable(value):
        found.append(value)
        generated.append(value)
    elif callable(value):
        _expand(evaluate_value(value, host), host, found, generated)
    else:
        found.append(_as_child(value))


def _as_child(value: Any) -> Node | str:
    """A child as a render writes it: a tag, markup, or a plain text that is to be escaped."""
    return value if isinstance(value, (Node, HTML)) else str(value)


def _annotate(error: Exception, host: Node) -> None:
    """Note on `error` in which component it arose: the innermost one, where several are being rendered."""
    if not hasattr(error, "_htag_host"):
        error._htag_host = type(host).__qualname__  # type: ignore[attr-defined]  # an exception takes any attribute
        error.add_note(f"while rendering {type(host).__qualname__}")
