"""An app as bytes. One pickler and several pickles: which tags there are, what they hold, what turned up."""

import asyncio
import io
import logging
import pickle
import sys
from collections.abc import Sequence
from copyreg import __newobj__ as new_object  # type: ignore[attr-defined]  # pickle has an opcode for it
from copyreg import dispatch_table
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import getweakrefcount

from htag.app import App
from htag.log.redaction import in_short
from htag.snapshot import classes, functions, process_bound, reducers, remaking
from htag.snapshot.allowed import allowed_of
from htag.snapshot.errors import Pinned
from htag.snapshot.items import Bounded, Items, Place, WrittenItem, left_out, own_tag, the_item
from htag.snapshot.packages import own_packages
from htag.snapshot.remaking import PROTOCOL, timed
from htag.snapshot.singletons import Singleton, singletons_of
from htag.snapshot.tag_classes import how_to_write, is_hashed_by_attributes, versions_of
from htag.state import State, attributes_of, give_attributes, hold, made_again, observers_of, value_of
from htag.tree.live import LiveTree, live_tree
from htag.tree.node import Node
from htag.tree.parts import layout, level_order, outermost, take_apart
from htag.tree.readers import subscriptions
from htag.tree.record import record

log = logging.getLogger(__name__)

FORMAT = 1  # of what stands in a payload: another number is another form
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

SPECIAL: dict[type, Any] = {**functions.SPECIAL, **reducers.SPECIAL}
ATOMS = frozenset((int, str, bool, float, type(None), bytes))


def the_entity() -> Any:
    """Stands for the app's class, which may have been made in a function: the reader knows which it is."""
    raise pickle.UnpicklingError("only a reader knows the entity")


def the_module(name: str) -> Any:
    """Stands for a module: the reader finds it."""
    raise pickle.UnpicklingError("only a reader finds modules")


class Writer(pickle.Pickler):
    """Writes one app."""

    def __init__(
        self, file: io.BytesIO, app: App, wanted: Sequence[tuple[Any, Place]] = (), items: Items | None = None
    ) -> None:
        """`wanted`: those of the items of which pickle does not ask that the app is known to hold."""
        super().__init__(file, PROTOCOL)
        entity = type(app)
        self.app = app
        self.entity = entity
        self.allowed = allowed_of(entity)
        self.singletons = singletons_of(own_packages(entity))
        self.named = self.singletons.by_id()
        self.items = Items(self.named.values()) if items is None else items
        self.wanted = wanted
        self.unasked: list[Singleton] = []  # singletons that the app may hold, and that pickle would copy
        self.tags: list[Any] = []  # those of the tree, from the time on at which a reader has them
        self.modules: set[str] = set()  # whose code may be referred to
        self.states: list[State[Any]] = []
        self.found: list[Any] = []  # tags that are in no place of the tree, as they turn up
        self.local_classes: list[type] = []  # whose bodies are still to be written
        self.reduced: set[type] = set()  # classes of tags that their author has written in another way
        self.shows_others = False  # whether tags of the tree read States that are no part of the app
        self.whole = False  # whether all tags that pickle asks for are known to be written in full

    def reducer_override(self, obj: Any) -> Any:
        """How `obj` is written: pickle asks for each that is no atom and no plain container, once."""
        kind = type(obj)
        if kind is FunctionType:
            return self._reduce_function(obj)
        if isinstance(obj, Node):
            return self._reduce_tag(obj, kind)
        if id(obj) in self.named:
            return self._reduce_singleton(obj)
        if (place := self.items.place_of(obj)) is not None:
            return self.address_of(obj, place)
        special = SPECIAL.get(kind)
        if special is not None:
            if kind is BuiltinFunctionType and not self.allowed.permits_builtin(obj):
                raise Pinned("", f"{obj.__module__}.{obj.__qualname__} is nothing that a snapshot may name")
            return special(obj)
        if isinstance(obj, type):
            return self._reduce_class(obj)
        if isinstance(obj, State):
            return self._reduce_state(obj, kind)
        return self._reduce_other(obj, kind)

    def _reduce_tag(self, tag: Any, kind: type) -> Any:
        if not self.whole:
            if isinstance(tag, App) and tag is not self.app:
                raise Pinned("", f"another session's app ({kind.__qualname__}) is within reach")
            if id(tag) in self.named and tag.root is None:
                return self._reduce_singleton(tag)
            self.found.append(tag)
            if how_to_write(kind).reduces:
                self.reduced.add(kind)
        if kind in self.reduced:
            return timed(tag.__reduce_ex__, PROTOCOL)
        if not self.whole and is_hashed_by_attributes(kind):  # it may be met as a key
            return new_object, (kind,), reader_of(kind)(tag)
        return new_object, (kind,)

    def _reduce_singleton(self, obj: Any) -> Any:
        return self.named[id(obj)].address()

    def address_of(self, item: Any, place: Place) -> Any:
        """How `item`, which is at `place`, is written."""
        return the_item, (*place, spare_of(item, self))

    def items_met(self) -> list[tuple[Any, Place]]:
        """The items of which pickle does not ask, and that were written by value just now."""
        unasked = [each for each in self.items.unasked if id(each[0]) not in self.named]
        written = self.memo.copy() if unasked else {}
        return [each for each in unasked if id(each[0]) in written]

    def _reduce_class(self, cls: type) -> Any:
        if cls is self.entity:
            return the_entity, ()
        made = classes.reduce_class(cls, self.local_classes.append)
        if made is NotImplemented and not self.allowed.permits_object(cls):
            raise Pinned("", f"{cls.__module__}.{cls.__qualname__} is nothing that a snapshot may name")
        return made

    def _reduce_state(self, state: State[Any], kind: type) -> Any:
        self.states.append(state)
        how = how_to_write(kind)
        if how.reduces or how.gets_state:
            return timed(state.__reduce_ex__, PROTOCOL)
        value = value_of(state)
        attributes = attributes_of(state)
        if not attributes:
            if type(value) in ATOMS:
                return made_again, (kind, value)
            return made_again, (kind, None), value, None, None, set_value
        return made_again, (kind, None), (value, attributes), None, None, set_value_and_attributes

    def _reduce_other(self, obj: Any, kind: type) -> Any:
        if isinstance(obj, asyncio.Future):
            return reducers.reduce_future(obj)
        if isinstance(obj, LiveTree):
            raise Pinned("", "the live tree of an app is within reach")
        if isinstance(obj, ModuleType):
            return self._reduce_module(obj)
        if (kind.__module__, kind.__qualname__) == ("zoneinfo", "ZoneInfo"):
            return reducers.reduce_zone(obj)
        process_bound.refuse(obj)
        if isinstance(obj, Enum) and (named := remaking.reduce_member(obj)) is not None:
            return named
        if kind in dispatch_table or (how := how_to_write(kind)).is_plain:
            return NotImplemented  # pickle's own way is quicker
        reduced = remaking.reduce_object(obj, how)
        if type(reduced) is str and not self.allowed.permits(pickle.whichmodule(obj, reduced), reduced):  # type: ignore[attr-defined]  # what pickle asks
            raise Pinned("", f"{reduced} is nothing that a snapshot may name")
        return reduced

    def _reduce_function(self, function: FunctionType) -> Any:
        reduced = functions.reduce_function(function)
        module = functions.code_module(function, reduced)
        if module not in self.modules:
            self._permit_code(module, function, reduced)
        return reduced

    def _reduce_module(self, module: ModuleType) -> Any:
        name = module.__name__
        if sys.modules.get(name) is not module or not self.allowed.permits_module(name):
            raise Pinned("", f"the module {name} is nothing that a snapshot may name: import it where it is used")
        return the_module, (name,)

    def _permit_code(self, module: str, function: FunctionType, reduced: Any) -> None:
        if self.allowed.permits_code(module):
            self.modules.add(module)
        elif reduced is not NotImplemented:
            raise Pinned("", f"{function.__qualname__} is code of {module}, which a snapshot may not name")
        elif not self.allowed.permits_object(function):
            raise Pinned("", f"{module}.{function.__qualname__} is nothing that a snapshot may name")


class SpareWriter(Writer):
    """Writes an item by value, without other people's sessions: what a process gets that has no such item."""

    def __init__(self, file: io.BytesIO, item: Any, beside: Writer) -> None:
        super().__init__(file, beside.app, items=beside.items)
        self.item = item
        self.places = {id(tag): place for place, tag in enumerate(beside.tags)}

    def reducer_override(self, obj: Any) -> Any:
        """As `Writer`, but for tags, and other items, which are not worth a spare of their own."""
        if type(obj) is MethodType and isinstance(obj.__self__, Node) and id(obj.__self__) not in self.places:
            return left_out, ()
        if isinstance(obj, Node) and id(obj) not in self.named:
            place = self.places.get(id(obj))
            return (left_out, ()) if place is None else (own_tag, (place,))
        return super().reducer_override(obj)

    def address_of(self, item: Any, place: Place) -> Any:
        """As `Writer`; the one that is asked for is written by value."""
        if item is self.item:
            return self._reduce_by_value(item)
        return the_item, (*place, None)

    def _reduce_by_value(self, item: Any) -> Any:
        special = SPECIAL.get(type(item))
        if special is not None:
            return special(item)
        return self._reduce_state(item, type(item)) if isinstance(item, State) else self._reduce_other(item, type(item))


def spare_of(item: Any, beside: Writer) -> bytes | None:
    """`item` by value; None: it cannot be written, or is large. Then it has to be there where the app comes to."""
    file = Bounded()
    writer = SpareWriter(file, item, beside)
    try:
        writer.dump(beside.unasked)
        put_into_memo(writer, beside.unasked)
        writer.dump(item)
    except Exception as error:  # of any kind: authors' methods run
        log.debug("%r in a module's dict goes by its key alone: %s", type(item), in_short(error))
        return None
    return None if writer.local_classes else file.getvalue()


def set_value(state: State[Any], value: Any) -> None:
    """Have `state`, just made again, hold `value`: it may lead back to it."""
    hold(state, value)


def set_value_and_attributes(state: State[Any], given: tuple[Any, dict[str, Any]]) -> None:
    """The same for one that an author gave attributes."""
    hold(state, given[0])
    give_attributes(state, given[1])


# -- the whole ---------------------------------------------------------------------------------------------------------


def write(writer: Writer, file: io.BytesIO) -> bytes:
    """Write the app. Raises Pinned without a path, and whatever its author's own methods raise."""
    app, known = writer.app, set[int]()
    live = live_tree(app)
    tags = level_order([app], live.generated.by_host, known)
    refuse_tags_of_modules(writer, known - {id(app)})
    writer.unasked = writer.singletons.held_elsewhere()
    unasked: list[Singleton | WrittenItem] = [*writer.unasked, *written_items(writer)]
    writer.dump((FORMAT, PYTHON, unasked))
    put_into_memo(writer, unasked)
    writer.tags = tags
    write_tags(writer, tags)
    writer.dump(tuple(record(live)))
    while writer.found or writer.local_classes:
        write_found(writer, known)
    writer.dump(None)
    states, readers, told = observers(writer, known)
    outside = outside_readers(app, tags, told)
    writer.shows_others = bool(outside)
    writer.dump((states, readers, outside))
    return file.getvalue()


def refuse_tags_of_modules(writer: Writer, tags: set[int]) -> None:
    """Raise Pinned where a tag in the tree, by its `id()`, is one that a module has by name: where the app comes to,
    that module has another one, and what its functions do to that would not be seen."""
    for place in writer.named.keys() & tags:
        found = writer.named[place]
        raise Pinned("", f"{found.module}.{found.name} is in the tree, and a module has it only once")


def written_items(writer: Writer) -> list[WrittenItem]:
    """The items that the app is known to hold, and of which pickle does not ask."""
    return [WrittenItem(item, writer.address_of(item, place)) for item, place in writer.wanted]


def put_into_memo(writer: Writer, singletons: Sequence[Singleton | WrittenItem]) -> None:
    """From here on, what holds the object of one of `singletons` holds its address: that is what was written in the
    place of the memo where it stands now. (That a pickler's memo may be set, CPython tests.)"""
    if singletons:
        memo = writer.memo.copy()
        for each in singletons:
            place, _ = memo.pop(id(each))
            memo[id(each.object)] = place, each.object
        writer.memo = memo


def write_tags(writer: Writer, tags: list[Any]) -> None:
    """Write `tags`: first which there are, so that all else can refer to them at no depth; then what they hold."""
    kinds = dict.fromkeys(map(type, tags))
    writer.reduced = {kind for kind in kinds if how_to_write(kind).reduces}
    writer.whole = True
    writer.dump(tags)
    writer.whole = False
    states = own_states(tags)
    hashed = {kind for kind in kinds if is_hashed_by_attributes(kind)}
    if hashed:  # before any dict or set that may have them as keys
        writer.dump([each for each in states if type(tags[each[0]]) in hashed])
        states = [each for each in states if type(tags[each[0]]) not in hashed]
    writer.dump((take_apart(tags), states, classes.build_digests(kinds), versions_of(kinds)))


def own_states(tags: list[Any]) -> list[tuple[int, Any]]:
    """(place, attributes) of those of `tags` that have some; or what their own `__getstate__` returns instead."""
    found = []
    layouts: dict[type, Any] = {}
    for place, tag in enumerate(tags):
        kind = type(tag)
        read = layouts.get(kind)
        if read is None:
            read = layouts[kind] = reader_of(kind)
        state = read(tag)
        if state is not None:
            found.append((place, state))
    return found


def reader_of(kind: type) -> Any:
    """What yields the state of an instance of `kind`."""
    how = how_to_write(kind)
    if how.reduces:
        return no_state
    if how.gets_state:
        return state_by_author
    return state_of_app if issubclass(kind, App) else layout(kind).read


def no_state(tag: Any) -> None:
    """Its own `__reduce__` has said it."""


def state_by_author(tag: Any) -> Any:
    """What its own `__getstate__` returns; what slots hold is left out, for that is written anyhow."""
    state = timed(tag.__getstate__)
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        return state[0], {}
    return state


def state_of_app(app: App) -> dict[str, Any]:
    """The attributes of the app, without what belongs to the server."""
    found = layout(type(app)).read(app) or {}
    return {name: value for name, value in found.items() if name not in live_tree(app).transient}


def write_found(writer: Writer, known: set[int]) -> None:
    """Write the tags that turned up outside the tree, with all that stands below them, and bodies of local classes."""
    found, writer.found = writer.found, []
    bodies, writer.local_classes = writer.local_classes, []
    tops = [outermost(tag, known) for tag in found]
    if any(isinstance(top, App) for top in tops):
        raise Pinned("", "another session's app is within reach")
    writer.dump([(cls, classes.class_body(cls)) for cls in bodies])
    write_tags(writer, level_order(tops, {}, known))


def observers(writer: Writer, known: set[int]) -> tuple[list[State[Any]], list[Any], dict[int, int]]:
    """The States that were met and those of their observers that were written, in the order in which they are told;
    and how many of the States tell each tag, by its `id()`."""
    states: list[State[Any]] = []
    readers: list[Any] = []
    told: dict[int, int] = {}
    for state in writer.states:
        living = observers_of(state)
        for each in living:
            told[id(each)] = told.get(id(each), 0) + 1
        written = [each for each in living if id(each) in known]
        if written:
            states.append(state)
            readers.append(written if len(written) > 1 else written[0])  # as most have: a list is 5 bytes more
    return states, readers, told


def outside_readers(app: App, tags: list[Any], told: dict[int, int]) -> list[Any]:
    """Those of `tags` that read a State which is no part of the app, as one of its module: where they come to, there is
    another one, or it has changed since, so they are to be shown anew."""
    its_session = 1  # has a weak reference to the app
    return [
        tag
        for tag in filter(getweakrefcount, tags)
        if subscriptions(tag) - (its_session if tag is app else 0) > told.get(id(tag), 0)
    ]
