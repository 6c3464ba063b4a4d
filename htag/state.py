"""Values that know which tags show them.

State     one value; a tag that reads it while being rendered is told when it changes
States    several States under their names
Proxy     (in `tree.reactive`) a list, dict, set or tuple inside a State: changing it, at any depth, tells those tags
"""

import inspect
from collections.abc import Iterable, Mapping
from gc import get_referents
from sys import getsizeof
from types import MemberDescriptorType
from typing import Any, Self, TypeVar, cast

from htag.tree.reactive import Reactive, raw, stored
from htag.tree.readers import Observers, Reader, reader, subscribing

T = TypeVar("T")
_ABSENT = object()
BARE = 3  # a State without attributes refers to its class, its value and its observers


class State(Reactive[T]):
    """A value that tags may show: when it changes, the tags that read it while being rendered are shown anew.

    `State(state)` is that very state. Attributes are the value's, except `value`, `get`, `set`, `notify`, and names
    that begin with an underscore. What lies in a plain object inside the value changes unseen: call `notify()` then.
    A copy or a pickle holds the value and no observers; those subscribe again when they next read.
    """

    __slots__ = ("__dict__", "__weakref__", "_observers", "_value")
    _observers: Observers | None  # made at the first read

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        given = args[0] if args else kwargs.get("value")
        return cast(Self, given) if isinstance(given, Reactive) else super().__new__(cls)

    def __init__(self, value: T) -> None:
        if value is not self:
            self._value = value
            self._observers = None

    @property
    def value(self) -> T:
        """The raw value. Setting it always notifies, even if the new value equals the old."""
        return self()

    @value.setter
    def value(self, new: T) -> None:
        self._value = stored(new)
        self.notify()

    def set(self, new: T) -> T:
        """Set the value and return it: an assignment for lambdas."""
        self.value = new
        return new

    def notify(self) -> None:
        """Tell the observers, except the one that is being evaluated: it is about to show the new value anyway."""
        if self._observers:
            current = reader.current
            for observer in self._observers.living():
                if observer is not current:
                    observer.state_changed()

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or hasattr(getattr(type(self), name, None), "__set__"):
            object.__setattr__(self, name, value)
            return
        try:
            setattr(self._value, name, stored(value))
        except AttributeError:
            if inspect.getattr_static(self._value, name, _ABSENT) is not _ABSENT:
                raise  # read-only; kept here, it would hide what it failed to change
            object.__setattr__(self, name, value)
        else:
            self.notify()

    def __delattr__(self, name: str) -> None:
        if name.startswith("_") or name in self.__dict__:
            object.__delattr__(self, name)
            return
        delattr(self._value, name)
        self.notify()

    def __getstate__(self) -> object:
        attributes, slots = cast(tuple[Any, dict[str, Any]], super().__getstate__())
        return attributes, slots | {"_observers": None}

    @property
    def _owner(self) -> "State[Any]":
        return self

    def _replaced(self, result: Any) -> Self:
        self.value = result
        return self

    def _subscribe(self, observer: Reader) -> None:
        observers = self._observers
        if observers is None:
            with subscribing:
                observers = self._observers = self._observers or Observers()
        observers.add(observer)


class States:
    """Several States under their names, set by plain assignment: `states = States(count=0)`, `states.count += 1`.

    Names that begin with an underscore are ordinary attributes. A state named `dump` or `load` cannot be reached.
    """

    _states: dict[str, State[Any]]

    def __init__(self, /, **initial: Any) -> None:
        self._states = {name: State(stored(value)) for name, value in initial.items()}

    def __getattr__(self, name: str) -> State[Any]:
        state = self.__dict__.get("_states", {}).get(name)
        if state is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        return cast(State[Any], state)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        elif name not in self._states:
            raise AttributeError(f"Cannot create attribute {name!r}: name it at the start, as in States({name}=...)")
        elif value is not self._states[name]:  # `states.x += 1` assigns the State to itself, and has notified already
            self._states[name].value = raw(value)

    def dump(self) -> dict[str, Any]:
        """The raw values by name: the very objects, no copies."""
        return {name: state.value for name, state in self._states.items()}

    def load(self, values: Mapping[str, Any]) -> None:
        """Set the States that are named in `values`; make those that are not there yet."""
        for name, value in values.items():
            if name in self._states:
                self._states[name].value = raw(value)
            else:
                self._states[name] = State(stored(value))


def plain(value: Any) -> Any:
    """The raw value of a State or proxy, the dump of States; for `json.dumps(…, default=plain)` and its like.

    Such encoders come back for what lies deeper. Raises TypeError for anything else.
    """
    if isinstance(value, States):
        return value.dump()
    if not isinstance(value, Reactive):
        raise TypeError(f"JSON knows no {type(value).__name__}: use a State, a dict, a list, a text, a number …")
    while isinstance(value, Reactive):
        value = value()
    return value


# -- for a snapshot ----------------------------------------------------------------------------------------------------


def attributes_of(state: State[Any]) -> dict[str, Any]:
    """The attributes of `state` itself, those in slots of its class included. It gets no `__dict__` from the question,
    unless it has some."""
    if len(get_referents(state)) == BARE:
        return {}
    found = dict(vars(state))
    for each in type(state).__mro__[: type(state).__mro__.index(State)]:
        for name, member in vars(each).items():
            if type(member) is MemberDescriptorType and is_set(member, state):
                found[name] = member.__get__(state)
    return found


def is_set(member: Any, state: State[Any]) -> bool:
    """Whether a slot of the class of `state` holds anything."""
    try:
        member.__get__(state)
    except AttributeError:
        return False
    return True


def give_attributes(state: State[Any], attributes: dict[str, Any]) -> None:
    """Give `state` itself, not its value, what `attributes_of` found."""
    for name, value in attributes.items():
        object.__setattr__(state, name, value)


def observers_of(state: State[Any]) -> list[Any]:
    """The tags that are told when `state` changes, in the order in which they are told."""
    observers = state._observers
    return [*observers.living()] if observers else []


def tells(state: State[Any], tag: Any) -> bool:
    """Whether `tag` is told when `state` changes."""
    reference = state._observers.get(id(tag)) if state._observers else None
    return reference is not None and reference() is tag


def observers_bytes(state: State[Any]) -> int:
    """Bytes of the list of its observers, which is made at the first read."""
    return 0 if state._observers is None else getsizeof(state._observers)


def made_again(cls: type[State[Any]], value: Any) -> State[Any]:
    """A State that holds `value`, which no tag has read. No constructor runs."""
    state: State[Any] = object.__new__(cls)
    state._value = value
    state._observers = None
    return state


def hold(state: State[Any], value: Any) -> None:
    """Have `state` hold `value`, and tell nothing."""
    state._value = value


def value_of(state: State[Any]) -> Any:
    """What `state` holds; asking is no reading."""
    return state._value


def subscribe(state: State[Any], tags: Iterable[Any]) -> None:
    """Have `state` tell `tags` when it changes, in this order."""
    for tag in tags:
        state._subscribe(tag)


def states_of(states: States) -> Mapping[str, State[Any]]:
    """The States in `states`, by name."""
    return states._states
