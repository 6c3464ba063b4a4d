"""`load`: an app from its bytes, with the code that there is now."""

import gc
import io
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from htag.app import App
from htag.log.redaction import in_full, in_short
from htag.snapshot.addresses import resolving
from htag.snapshot.allowed import Allowed, allowed_of
from htag.snapshot.classes import fill_class, refuse_unfinished
from htag.snapshot.errors import Moved
from htag.snapshot.items import Arrivals, left_out, own_tag, the_item
from htag.snapshot.packages import own_packages
from htag.snapshot.singletons import refuse_gaps, singletons_of
from htag.snapshot.spares import LeftOut, leave_out
from htag.snapshot.tag_classes import VERSION, how_to_write
from htag.snapshot.writer import FORMAT, PYTHON, the_entity, the_module
from htag.state import subscribe
from htag.tree.parts import give, layout, put_together
from htag.tree.record import LiveRecord, restore, set_live_tree

ENTITY = the_entity.__module__, the_entity.__qualname__
MODULE = the_module.__module__, the_module.__qualname__
ITEM = the_item.__module__, the_item.__qualname__
OWN_TAG = own_tag.__module__, own_tag.__qualname__
LEFT_OUT = left_out.__module__, left_out.__qualname__


class Loaded(NamedTuple):
    """An app that has come back."""

    app: App
    outcome: str  # "same": all its code is where it was; "moved", or "edited": in the worst case met


class Reader(pickle.Unpickler):
    """Reads one app. It finds what an allow list has, and nothing else."""

    def __init__(self, payload: bytes, entity: type, allowed: Allowed, arrivals: Arrivals) -> None:
        super().__init__(io.BytesIO(payload))
        self._entity = entity
        self._allowed = allowed
        self.arrivals = arrivals

    def find_class(self, module: str, name: str) -> Any:
        """What pickle refers to by name. Raises Moved."""
        if (module, name) == ENTITY:
            entity = self._entity
            return lambda: entity  # not of `self`: the memo keeps this, and `self` the memo
        if (module, name) == MODULE:
            return partial(find_module, self._allowed)
        if (module, name) == ITEM:
            return self.arrivals.find
        if not self._allowed.permits(module, name):
            raise Moved(f"{module}.{name} is nothing that a snapshot may name")
        try:
            found = super().find_class(module, name)
        except (AttributeError, ImportError) as error:
            raise Moved(f"{module}.{name} is gone: {error}") from None
        if not self._allowed.permits_object(found):
            raise Moved(f"{module}.{name} is nothing that a snapshot may name")
        return found


class SpareReader(Reader):
    """Reads an item that was written by value."""

    def __init__(self, payload: bytes, entity: type, arrivals: Arrivals, left: LeftOut) -> None:
        super().__init__(payload, entity, allowed_of(entity), arrivals)
        self._left = left

    def find_class(self, module: str, name: str) -> Any:
        """As `Reader`; tags of the app, and what stands for those of others."""
        if (module, name) == OWN_TAG:
            return self.arrivals.tags.__getitem__
        if (module, name) == LEFT_OUT:
            left = self._left
            return lambda: left
        return super().find_class(module, name)


def read_spare(entity: type, arrivals: Arrivals, spare: bytes) -> Any:
    """The object in `spare`. Raises Moved, where it does not do without what was left out."""
    left = LeftOut()
    references = sys.getrefcount(left)
    reader = SpareReader(spare, entity, arrivals, left)
    unasked, found = reader.load(), reader.load()
    del reader  # it holds all that it has read
    refuse_gaps(unasked)
    leave_out(left, found, {*map(id, unasked), *singletons_of(own_packages(entity)).by_id(), *arrivals.met})
    if sys.getrefcount(left) > references:
        kind, place = type(found).__qualname__, "and not in a list, dict or set"
        raise Moved(f"another session was in {found!r:.100}, {place}", f"another session was in a {kind}, {place}")
    return found


def find_module(allowed: Allowed, name: str) -> Any:
    """The module `name`. Raises Moved."""
    if not allowed.permits_module(name):
        raise Moved(f"the module {name} is nothing that a snapshot may name")
    try:
        return import_module(name)
    except ImportError as error:
        raise Moved(f"the module {name} cannot be imported: {error}") from None


def load(payload: bytes, entity: type[App] | App) -> Loaded:
    """The app in `payload`, which was sealed by us: it has a live tree, and no host yet. Raises Moved for whatever goes
    wrong."""
    cls = entity if isinstance(entity, type) else type(entity)
    allowed = allowed_of(cls)
    with without_collections(), resolving(allowed.permits_code) as found:
        try:
            app = read(Reader(payload, cls, allowed, Arrivals(partial(read_spare, cls))))
        except Moved:
            raise
        except Exception as error:  # of any kind: authors' methods run, on what may be of another version
            raise Moved(in_full(error), in_short(error)) from error
    return Loaded(app, found.outcome)


@contextmanager
def without_collections() -> Iterator[None]:
    """No garbage collection meanwhile: a few thousand new objects would start several, and none of them is garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Batch(NamedTuple):
    """Tags that were written together."""

    tags: list[Any]
    states: list[tuple[int, Any]]
    digests: dict[type, bytes]


def read(reader: Reader) -> App:
    """The app, in the order in which `write` wrote it."""
    format_, python, unasked = reader.load()
    if (format_, python) != (FORMAT, PYTHON):
        raise Moved(f"it was made by Python {python}, in form {format_}")
    batches = [read_tags(reader, reader.arrivals.tags)]
    live = reader.load()
    while (bodies := reader.load()) is not None:
        for cls, body in bodies:
            fill_class(cls, body)
        batches.append(read_tags(reader, []))
    states, readers, outside_readers = reader.load()
    app = batches[0].tags[0]
    runtime = restore(app, batches[0].tags, LiveRecord(*live))
    for batch in reversed(batches):
        give_states(batch)
    set_live_tree(app, runtime)  # an author's `__setstate__` may have put back its number
    for state, tags in zip(states, readers, strict=True):
        subscribe(state, tags if type(tags) is list else [tags])
    for tag in outside_readers:
        tag.state_changed()
    refuse_gaps(unasked)
    refuse_other_versions(batches)
    reader.arrivals.settle()
    return app  # type: ignore[no-any-return]  # a pickle tells no type


def read_tags(reader: Reader, known: list[Any]) -> Batch:
    """Tags that `write_tags` wrote. They are `known` before what they hold is read."""
    tags = reader.load()
    known += tags
    parts = reader.load()
    if type(parts) is list:  # the states of those that may be keys of what follows
        give_states(Batch(tags, parts, {}))
        parts = reader.load()
    columns, states, digests, versions = parts
    for cls in {*map(type, tags), *versions}:
        version = versions.get(cls)
        if getattr(cls, VERSION, None) != version:
            raise Moved(f"{cls.__qualname__}.{VERSION} was {version!r}")
    put_together(tags, columns)
    return Batch(tags, states, digests)


def give_states(batch: Batch) -> None:
    """Give tags their attributes, those of inner ones first, as pickle does."""
    for place, state in reversed(batch.states):
        tag = batch.tags[place]
        kind = type(tag)
        if how_to_write(kind).sets_state:
            tag.__setstate__(state)
            continue
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        give(tag, attributes or {}, layout(kind).unseen)
        for name, value in slots.items():
            setattr(tag, name, value)


def refuse_other_versions(batches: list[Batch]) -> None:
    """Raise Moved where a class now stores attributes that its instances lack."""
    for batch in batches:
        for cls, digest in batch.digests.items():
            refuse_unfinished(cls, digest, [tag for tag in batch.tags if type(tag) is cls])
