"""What changed of a tree, as operations of wire version 2 (`docs/wire.md`): texts, start tags, children that came,
moved and went, and what is told as a whole."""

from collections.abc import Callable
from typing import Any

from htag.tree.child_list import LINEAR_LIMIT, TOMBSTONE, as_list
from htag.tree.choice import IN_SELECTS, chooser
from htag.tree.elements import BLOCKS, ENDED_BY, RAW, elements
from htag.tree.evaluate import dynamic_parts, evaluate_children
from htag.tree.flags import AWAY, CHANGED_AWAY, CHILDREN_EXPOSED, DYNAMIC_CHILDREN, IS_CALLABLE
from htag.tree.node import Node, descendants
from htag.tree.operations import ATTRIBUTES, CHILDREN, HANDLERS, TEXT
from htag.tree.render import DYNAMIC, open_element, render, render_start_tag
from htag.tree.render_target import RenderTarget
from htag.tree.sequences import common_end, common_start, longest_increasing
from htag.tree.start_tags import NUMBER_TEXTS, NUMBERED

Operation = tuple[Any, ...]
Written = tuple[Any, Operation]  # the tag that it is about, and it
Before = dict[Any, "list[Any] | None"]  # the children of tags as they are shown; None: not known


NOT_AS_SHOWN = CHANGED_AWAY | CHILDREN_EXPOSED

NONE: frozenset[int] = frozenset()

REMOVE = "r"  # an operation; one on a single element looks like the text of an element with this id, so there is none

WHOLE = -1  # all flags of `operations`: what changed is not known, or all that is in the tag


class Patch:
    """The operations for the dirty tags of one app.

    They are applied in this order: elements go; wholes, start tags and texts; children move and come. So no element is
    there twice where one goes from parent to parent.
    """

    __slots__ = (
        "_app",
        "_before",
        "_content",
        "_exposed",
        "_gone",
        "_left",
        "_shown",
        "_structure",
        "_target",
        "around",
        "failures",
        "told",
        "whole",
    )

    def __init__(
        self, app: Any, target: RenderTarget, before: Before, left: dict[int, None], exposed: dict[Any, list[Any]]
    ) -> None:
        """`before`: of tags whose children changed, these as they are shown. `left`: `id()` of those that left the tree
        since, though they may have come back. `exposed`: children as they are shown, of tags whose list the author
        has."""
        self._app = app
        self._target = target
        self._before = before
        self._exposed = exposed
        self._shown: list[Any] | None = None
        self._left = left
        self._gone: list[tuple[Any, list[Any]]] = []  # parents, and the elements that go
        self._content: list[Written] = []
        self._structure: list[Written] = []
        self.failures: list[tuple[Any, Exception]] = []
        self.around: list[Any] = []  # tags that are sent because a browser has put there what is in others
        self.told: dict[Any, None] = {}  # tags of which a change was told
        self.whole: dict[Any, None] = {}  # tags that are sent with all that is in them

    def tell(self, dirty: dict[Any, int]) -> None:
        """Tell what changed of the `dirty` tags, the outer ones first: what comes with one is not told again."""
        tags = [*dirty, *self._opaque_within(dirty)]
        for tag in sorted(tags, key=_depth) if len(tags) > 1 else tags:
            if not self._is_to_be_told(tag):
                continue
            if tag in dirty:
                self._attempt(self._tell, tag, dirty[tag])
            elif self._is_within_told(tag):
                self._attempt(self._tell_again, tag)

    def _opaque_within(self, dirty: dict[Any, int]) -> list[Any]:
        """The tags within `dirty` ones whose callables may have read anything: they are called whenever something
        around them is shown anew. Those that yield what they did before are not told."""
        opaque = self._target.opaque
        if not opaque or all(type(tag._content) is str for tag in dirty):
            return []
        return [host for host in opaque if host not in dirty and _is_within(host, dirty)]

    def operations(self) -> list[Operation]:
        """All of them, in the order in which they are to be applied."""
        removals: list[Written] = []
        for parent, gone in self._gone:
            if all(child.parent is parent or self._is_shown_anew(child) for child in gone):
                removals.append((parent, (REMOVE, *(child.id for child in gone))))
            else:  # an earlier update has shown it elsewhere: it is not to be removed there
                self._attempt(self._tell_whole, parent)
        written = [*removals, *self._content, *self._structure]
        return [operation for tag, operation in written if not self.whole or self._is_needed(tag, operation)]

    def _is_needed(self, tag: Any, operation: Operation) -> bool:
        """Whether nothing that was told as a whole later on has it as well."""
        return not _is_within(tag, self.whole) and (tag not in self.whole or operation[0] == "h")

    def _attempt(self, tell: Callable[..., object], tag: Any, *arguments: Any) -> None:
        """Tell something about `tag`, or nothing where that fails."""
        lists: tuple[list[Any], ...] = (self._gone, self._content, self._structure)
        lengths = [*map(len, lists)]
        self._shown = self._exposed.get(tag)  # its callables may have it noted anew, before it is compared
        whole = len(self.whole)
        try:
            tell(tag, *arguments)
        except Exception as error:
            for each, length in zip(lists, lengths, strict=True):
                del each[length:]
            while len(self.whole) > whole:
                self.whole.popitem()
            if tag in self._target.opaque:
                self._target.opaque[tag] = None
            self._exposed.pop(tag, None)
            self.failures.append((tag, error))
        else:
            self.told[tag] = None

    # -- one tag -----------------------------------------------------------------------------------------------------

    def _tell(self, tag: Any, what: int) -> None:
        """`what`: flags of `operations`."""
        if tag in self._target.opaque:
            open_element(tag, self._target)  # all that it yields is noted now
            what |= dynamic_parts(tag)
        if what == WHOLE or tag.tag is None or tag.tag in RAW:
            self._tell_whole(tag)
        elif what & ATTRIBUTES and elements[tag.tag].hides_value and tag.tag != "textarea":
            self._tell_whole(tag)  # of a `select` the value is what its options say
        elif tag.tag in IN_SELECTS and (select := chooser(tag)) is not None:
            self._tell_whole(select)
        elif not (what & (TEXT | CHILDREN) and self._tell_content(tag)) and what & (ATTRIBUTES | HANDLERS):
            self._content.append((tag, ("a", tag.id, render_start_tag(tag, self._target))))

    def _tell_again(self, host: Any) -> None:
        opaque = self._target.opaque
        known = opaque[host]
        open_element(host, self._target)
        if known is None or opaque.get(host) != known:
            self._tell(host, dynamic_parts(host))

    def _tell_whole(self, tag: Any) -> None:
        """Tell all of `tag`; or of what it stands in, where it has no id in the browser, or some of it stands beside it
        there."""
        while tag.tag is None or tag.tag in RAW:
            tag = tag.parent
        if not self._is_to_be_told(tag):
            return
        html = render(tag, self._target)
        if (ended := self._ended(tag, html)) is not None:
            self._tell_whole(ended.parent)
            self.around.append(ended.parent)
        else:
            self._content.append((tag, ("h", tag.id, html)))
            self.whole[tag] = None

    def _ended(self, tag: Any, html: str) -> Any | None:
        """What a browser ends before something in `tag`, whose HTML is `html`: that tag, or a paragraph around it."""
        while tag is not self._app:
            if tag.tag in ENDED_BY and ENDED_BY[tag.tag].search(html, 1):
                return tag
            if tag.tag in BLOCKS:
                break
            tag = tag.parent
        return None

    def _is_split(self, tag: Any) -> bool:
        """Whether a browser has put something of the paragraph `tag` beside it."""
        if tag.tag != "p" or type(tag._content) is str:
            return False
        return any(within.tag in BLOCKS and within is not tag for within in self._target.tags_within(tag))

    def _tell_content(self, tag: Any) -> bool:
        """Tell the children of `tag`; whether that took telling all of it."""
        if elements[tag.tag].void:
            return False
        before, after = self._before.get(tag), present(as_list(tag))
        if tag._flags & CHILDREN_EXPOSED:
            before, after = self._shown, [*after]
            self._exposed[tag] = after
        if before is not None and are_elements(before) and are_elements(after):
            return self._tell_children(tag, present(before), after)
        if tag._flags & DYNAMIC_CHILDREN:
            after = evaluate_children(tag, self._target)
        if all(type(child) is str for child in after) and tag.id != REMOVE:
            self._content.append((tag, (tag.id, "".join(after))))
            return False
        self._tell_whole(tag)
        return True

    def _tell_children(self, parent: Any, before: list[Any], after: list[Any]) -> bool:
        """Tell which of the children, elements all, went, moved and came. True: most did, so the parent is told."""
        start = end = 0
        lost = self._lost(before, after) if self._left else NONE
        if not lost:
            start = common_start(before, after)
            end = common_end(before, after, start)
        old, new = before[start : len(before) - end], after[start : len(after) - end]
        places = {id(child): place for place, child in enumerate(old) if id(child) not in lost}
        kept = {id(child) for child in new if id(child) in places}
        gone = [child for child in old if id(child) not in kept]
        stays = longest_increasing([places[id(child)] for child in new if id(child) in kept])
        staying = {id(old[place]) for place in stays}
        if any(self._is_split(child) for child in old if id(child) not in staying) or (
            gone and len(kept) < len(new) and 2 * (start + end + len(kept)) < len(after)
        ):
            self._tell_whole(parent)  # by which the client finds out what stands for what
            return True
        if not after and parent.id != REMOVE:
            self._content.append((parent, (parent.id, "")))
            return False
        came = {id(child): render(child, self._target) for child in new if id(child) not in kept}
        self.whole |= dict.fromkeys(child for child in new if id(child) not in kept)
        if gone:
            self._gone.append((parent, gone))
        self._arrange(parent, new, came, staying, after[len(after) - end] if end else None)
        return False

    def _lost(self, before: list[Any], after: list[Any]) -> set[int] | frozenset[int]:
        """`id()` of those of `before` that are not there as they were shown: they left the tree, and are not back, or
        not unchanged."""
        left = {id(child) for child in before if id(child) in self._left}
        return left - {id(child) for child in after if id(child) in left and self._is_back(child)}

    def _is_back(self, top: Any) -> bool:
        """Whether `top`, which had left the tree, is as it was shown; then it can be addressed again."""
        tags = [*descendants(top, {})]
        is_unchanged = not any(tag._flags & NOT_AS_SHOWN for tag in tags)
        for tag in tags:
            tag._flags &= ~(AWAY | CHANGED_AWAY)
            template = tag._start_tag
            if is_unchanged and (template is None or template[1] is not None) and tag.tag is not None:
                render_start_tag(tag, self._target)
        return is_unchanged

    def _arrange(self, parent: Any, new: list[Any], came: dict[int, str], stays: set[int], following: Any) -> None:
        """Bring the children `new` into their order, from the last to the first: each group comes before an element
        that is in its place by then. `came`: HTML of those that are not there; `following`: what stands behind them."""
        group: list[Any] = []  # neighbours, the last one first, that all come, or all move
        for child in [*reversed(new), None]:
            is_same_kind = child is not None and id(child) not in stays
            if group and not (is_same_kind and (id(child) in came) == (id(group[0]) in came)):
                self._place(parent, group[::-1], came, following)
                following, group = group[-1], []
            if is_same_kind:
                group.append(child)
            else:
                following = child

    def _place(self, parent: Any, group: list[Any], came: dict[int, str], following: Any) -> None:
        before = None if following is None else following.id
        if id(group[0]) in came:
            html = "".join(came[id(child)] for child in group)
            self._structure.append((parent, ("i", parent.id, before, html)))
        else:
            self._structure.append((parent, ("m", parent.id, before, *(child.id for child in group))))

    # -- where a tag stands --------------------------------------------------------------------------------------------

    def _is_to_be_told(self, tag: Any) -> bool:
        """Whether `tag` is in the tree, and does not come with one that is told as a whole."""
        while tag is not None and tag not in self.whole:
            if tag is self._app:
                return True
            tag = tag.parent
        return False

    def _is_within_told(self, tag: Any) -> bool:
        return _is_within(tag, self.told)

    def _is_shown_anew(self, tag: Any) -> bool:
        """Whether `tag` is not in the tree any more, or comes with what is told as a whole."""
        return not self._is_to_be_told(tag)


def single_text(tag: Any) -> Operation | None:
    """The operation which says that the content of `tag` is a text, if it is just that. None: it is not."""
    content, template, number = tag._content, tag._start_tag, tag._id
    if type(content) is not str:
        return None
    if template is not None and type(number) is int:
        return (template[3] + (NUMBER_TEXTS[number] if number < NUMBERED else str(number)), content)
    if (
        tag._flags & DYNAMIC
        or tag.tag is None
        or (element := elements[tag.tag]).raw
        or element.void
        or tag.id == REMOVE
    ):
        return None
    return (tag.id, content)


def _is_within(tag: Any, tags: dict[Any, Any]) -> bool:
    tag = tag.parent
    while tag is not None and tag not in tags:
        tag = tag.parent
    return tag is not None


def _depth(tag: Any) -> int:
    depth = 0
    while tag.parent is not None:
        depth += 1
        tag = tag.parent
    return depth


def present(children: list[Any]) -> list[Any]:
    """`children` without what marks the places of those that left."""
    if len(children) > LINEAR_LIMIT and TOMBSTONE in children:
        return [child for child in children if child is not TOMBSTONE]
    return children


def are_elements(children: list[Any]) -> bool:
    """Whether each of `children` is an element that the browser knows by its id, and nothing else. By their classes
    where that is enough: it is a question of microseconds for thousands of them."""
    unclear = {kind for kind in set(map(type, children)) if not _makes_elements(kind)}
    return not unclear or all(_is_element(child) for child in children if type(child) in unclear)


def _makes_elements(kind: Any) -> bool:
    return (
        issubclass(kind, Node)
        and type(kind.tag) is str
        and kind.tag not in RAW
        and not getattr(kind, "_initial_flags", IS_CALLABLE) & IS_CALLABLE
    )


def _is_element(child: Any) -> bool:
    if child is TOMBSTONE:
        return True
    return isinstance(child, Node) and child.tag is not None and child.tag not in RAW and not child._flags & IS_CALLABLE
