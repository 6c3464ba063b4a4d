"""How a tag becomes the child of another, and how it leaves. Hooks run here; that children changed is for the caller
to tell."""

from typing import Any

from htag.tree import child_list, pairs
from htag.tree.build_context import BuildContext
from htag.tree.flags import DYNAMIC_CHILDREN, HAS_HOOKS, IS_CALLABLE, PARENT_MUST_KNOW
from htag.tree.markup import HTML
from htag.tree.node import Node, child_tags

Items = list[Any] | tuple[Any, ...]


def append_all(parent: Any, items: Items) -> None:
    """Make `items` the last children of `parent`: texts, tags, States, callables, numbers, lists of these, None.

    ValueError where a tag would come to stand in itself.
    """
    for place, item in enumerate(items, -len(items)):
        append(parent, item, place)
    if parent._attributes and parent._start_tag is None and parent.tag == "textarea":
        clear_value(parent)


def append(parent: Any, item: Any, place: int = -1) -> None:
    """Make `item` the last child of `parent`, which is no textarea. `place`: where it stands in the list of items that
    are appended, counted from the end.

    A tag that was made just now, as nearly all of a page is, simply moves: one without an id or hooks, that is in no
    tree, or last in the list of its parent, as all are that are made in an `init`; or the last but so many arguments
    that were made after it.
    """
    if isinstance(item, Node):
        old_parent, above = item.parent, parent.parent
        siblings: Any = ()  # the list that it may simply leave
        is_new = item._id is None and not item._flags & PARENT_MUST_KNOW and item is not parent
        if is_new and (above is None or above is old_parent):  # else `parent` may stand in `item`
            siblings = [item] if old_parent is None else old_parent._content
            if type(siblings) is not list:
                siblings = ()
        if siblings and siblings[-1] is item:
            siblings.pop()
            item.parent = parent
        elif len(siblings) >= -place and siblings[place] is item:
            del siblings[place]
            item.parent = parent
        elif old_parent is parent and not item._flags & PARENT_MUST_KNOW and child_list.is_last(parent, item):
            return
        else:
            _adopt(parent, item)
    elif type(item) is not str and type(item) is not HTML:
        if isinstance(item, (list, tuple)):
            for inner_place, inner in enumerate(item, -len(item)):
                append(parent, inner, inner_place)
            return
        if item is None:
            return
        parent._set_flags(DYNAMIC_CHILDREN)
    child_list.append(parent, item)


def move_newest(parent: Any, item: Any) -> bool:
    """Make `item` the last child of `parent`, which no tab shows yet, if it is the tag that was made last in the `init`
    that runs, of `parent` or of what both stand in so far. False: it is not, and nothing has happened.

    What `append` does, without its other questions and calls: with that alone a page of 65 tags takes some 2 % longer.
    """
    if not isinstance(item, Node) or item._start_tag is None or item._id is not None or item is parent:
        return False  # without a start tag it may have a flag
    maker = item.parent
    siblings = maker._content if maker is not None else None
    if type(siblings) is not list or not siblings or siblings[-1] is not item:
        return False
    if maker is parent:
        return True  # there it is, which is no change
    if maker is not parent.parent or (parent._attributes and parent._start_tag is None):  # it may be a textarea
        return False
    siblings.pop()
    item.parent = parent
    content = parent._content
    if type(content) is list:
        content.append(item)
    else:
        parent._content = item if content is None else [content, item]
    return True


def fill_new(parent: Any, items: Items, context: BuildContext | None) -> None:
    """Make `items`, the arguments of its constructor, the children of `parent`, which is new and is no textarea.
    `context`: in which they were made, if in any.

    As `append`, for a list at once: with that alone a page of 65 tags takes 7 % longer.
    """
    siblings: Any = ()
    if context is not None and context.tag._content is context.children:
        siblings = context.children
    # from the end that was made last, so that each is the last of `siblings` in its turn
    for item in reversed(items) if siblings and items and siblings[-1] is items[-1] else items:
        if isinstance(item, Node):
            if item._id is not None or item._flags & PARENT_MUST_KNOW:
                break
            if siblings and siblings[-1] is item:
                siblings.pop()
            elif item.parent is not None:
                break
            item.parent = parent
        elif type(item) is not str:
            break
    else:
        parent._content = [*items] if len(items) > 1 else items[0] if items else None
        return
    for item in items:
        append(parent, item)


def _adopt(parent: Any, item: Any) -> None:
    """Make `parent` the parent of `item`, which is not among its children yet."""
    if item is parent or (item._content is not None and parent.parent is not None):
        parent._refuse_cycle(item)
    old_parent = item.parent
    if old_parent is parent:
        child_list.remove_at(parent, child_list.index_of(parent, item))  # it moves to the end, and does not leave
    elif old_parent is not None:
        old_parent.remove(item)
    item.parent = parent
    if item._flags & PARENT_MUST_KNOW:
        _note_flags(parent, item)


def _note_flags(parent: Any, item: Any) -> None:
    if item._flags & IS_CALLABLE:
        parent._set_flags(DYNAMIC_CHILDREN)
    if item._flags & HAS_HOOKS:
        parent._set_has_hooks()
        root = parent.root
        if root is not None:
            root._runtime.mount(item)


def detach(parent: Any, child: Any) -> None:
    """Let go of `child`, which is a child of `parent` or was made by one of its callables.

    Raises what a hook raised; `child` has left all the same.
    """
    try:
        _unmount(child)
    finally:
        child_list.remove_at(parent, child_list.index_of(parent, child))


def detach_all(parent: Any) -> None:
    """Let go of all children of `parent`, and of what its callables made.

    Raises the first of the errors that hooks raised; all have left all the same.
    """
    errors = []
    for child in child_tags(parent):
        try:
            _unmount(child)
        except Exception as error:
            errors.append(error)
    if parent._flags & DYNAMIC_CHILDREN:
        root = parent.root
        if root is not None:
            root._runtime.forget_generated(parent)
    child_list.clear(parent)
    if parent.tag == "textarea":
        clear_value(parent)
    if errors:
        raise errors[0]


def _unmount(child: Any) -> None:
    """Take its parent from `child`. Without an id no browser knows it, and without hooks there is nothing to call."""
    try:
        if child._id is not None or child._flags & HAS_HOOKS:
            root = child.root
            if root is not None:
                root._runtime.unmount(child)
    finally:
        child.parent = None


def clear_value(textarea: Any) -> None:
    """Forget what was typed into `textarea`: new content wins over it."""
    textarea._start_tag = None
    textarea._attributes = pairs.drop(textarea._attributes, "value")
