"""Values that know who reads them.

State     one value; whoever reads it while being rendered is told when it changes
States    several States under their names
Proxy     a list, dict, set or tuple that lives inside a State: changing it, at any depth, tells the State's readers
reader    who is being rendered right now, in this thread

A State or proxy behaves like the value it holds, and results of operators are raw values. Python asks for `__len__`,
`__add__` and their like on the type and never on the instance, so `Reactive` spells all of them out.
"""

import copy
import inspect
import math
import operator
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar, cast

T = TypeVar("T")
_CONTAINERS = (list, dict, set, tuple)
_ABSENT = object()


class Reader(Protocol):
    """Whoever shows States, in practice a tag. Only weakly referenced, so it must allow weak references."""

    def state_changed(self) -> None:
        """A State that was read has changed. May be called from any thread; must return at once and not raise."""


class CurrentReader(threading.local):
    """Who is evaluating its own callables and States right now; used like a `ContextVar`.

    It is none: a task that a lambda starts would inherit the context, and be taken for a rendering tag all its life.
    Evaluation is synchronous, so the thread is the right scope.
    """

    current: Reader | None = None

    def get(self) -> Reader | None:
        """The reader, or None outside of rendering."""
        return self.current

    def set(self, new: Reader | None) -> Reader | None:
        """Begin an evaluation; returns what `reset` wants to have when it ends."""
        old, self.current = self.current, new
        return old

    def reset(self, old: Reader | None) -> None:
        """End an evaluation."""
        self.current = old


reader = CurrentReader()

# guards the rare first read of a State by a reader; reentrant, because an allocation may run somebody's `__del__`
_subscribing = threading.RLock()


class _Observers(dict[int, "weakref.ref[Reader]"]):
    """The readers of one State in order of their first read, by `id()`: components may define equality, or no hash."""

    __slots__ = ("_room",)

    def __init__(self) -> None:
        self._room = 8

    def add(self, observer: Reader) -> None:
        known = self.get(id(observer))  # of the same id, it may still be a dead one
        if known is None or known() is not observer:
            with _subscribing:
                self._make_room()
                self[id(observer)] = weakref.ref(observer)

    def living(self) -> Iterator[Reader]:
        for reference in self.copy().values():  # other threads may add while we are at it
            observer = reference()
            if observer is not None:
                yield observer

    def _make_room(self) -> None:
        """Drop the dead each time the number has doubled: constant cost per reader, and no callback kept for each."""
        if len(self) >= self._room:
            for key in [key for key, reference in self.copy().items() if reference() is None]:
                del self[key]
            self._room = max(8, 2 * len(self))


def _raw(value: Any) -> Any:
    return value._read() if isinstance(value, Reactive) else value


def _stored(value: Any) -> Any:
    """What a container keeps of `value`: a proxy is a view for the moment, its container is the thing."""
    return value._value if isinstance(value, Proxy) else value


def _unary(operation: Callable[[Any], Any]) -> Callable[["Reactive[Any]"], Any]:
    def forward(self: "Reactive[Any]") -> Any:
        return operation(self._read())

    return forward


def _binary(operation: Callable[[Any, Any], Any]) -> Callable[["Reactive[Any]", Any], Any]:
    def forward(self: "Reactive[Any]", other: Any) -> Any:
        return operation(self._read(), _raw(other))

    return forward


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[["Reactive[Any]", Any], Any]:
    def forward(self: "Reactive[Any]", other: Any) -> Any:
        return operation(_raw(other), self._read())

    return forward


def _in_place(operation: Callable[[Any, Any], Any]) -> Callable[["Reactive[Any]", Any], Any]:
    def forward(self: "Reactive[Any]", other: Any) -> Any:
        return self._replaced(operation(self._value, _raw(other)))

    return forward


class Reactive(Generic[T]):
    """What `State` and `Proxy` share: everything one can do to a value, reading subscribes, changing notifies."""

    __slots__ = ()
    _value: T

    @property
    def _owner(self) -> "State[Any]":
        raise NotImplementedError

    def _replaced(self, result: Any) -> Any:
        """Take the result of an in-place operator, and return what the name on its left is bound to from now on."""
        raise NotImplementedError

    def _read(self) -> T:
        if reader.current is not None:
            self._owner._subscribe(reader.current)
        return self._value

    def _wrap(self, value: Any) -> Any:
        return Proxy(self._owner, value) if isinstance(value, _CONTAINERS) else value

    def __call__(self) -> T:
        """The raw value."""
        return self._read()

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """The raw value; with arguments, the raw result of the value's own `get`, if it has one."""
        value = self._read()
        own = getattr(value, "get", None) if args or kwargs else None
        return own(*map(_raw, args), **kwargs) if callable(own) else value

    # --- attributes and methods of the value

    def __getattr__(self, name: str) -> Any:
        # Double underscores are not the value's: copy, pickle and inspect ask for them and mean the object before them.
        # `_value` arrives here only while the object is being unpickled.
        if name == "_value" or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        attribute = getattr(self._read(), name)
        if callable(attribute) and not isinstance(attribute, Reactive):
            return self._notifying(attribute)
        return self._wrap(attribute)

    def _notifying(self, method: Callable[..., Any]) -> Callable[..., Any]:
        keeps_arguments = isinstance(self._value, _CONTAINERS)

        def call(*args: Any, **kwargs: Any) -> Any:
            if keeps_arguments:
                args = tuple(map(_stored, args))
                kwargs = {name: _stored(value) for name, value in kwargs.items()}
            result = method(*args, **kwargs)
            # Whether a method changes anything is not known, so a tag that merely reads by one, `lambda: s.upper()`,
            # would be rendered for ever; and two of them would render each other for ever.
            if reader.current is None:
                self._owner.notify()
            return self._wrap(result)

        return call

    # --- items

    def __getitem__(self, key: Any) -> Any:
        return self._wrap(operator.getitem(cast(Any, self._read()), _raw(key)))

    def __setitem__(self, key: Any, value: Any) -> None:
        operator.setitem(cast(Any, self._value), _raw(key), _stored(value))
        self._owner.notify()

    def __delitem__(self, key: Any) -> None:
        operator.delitem(cast(Any, self._value), _raw(key))
        self._owner.notify()

    def __iter__(self) -> Iterator[Any]:
        return map(self._wrap, cast(Any, self._read()))

    def __reversed__(self) -> Iterator[Any]:
        return map(self._wrap, reversed(cast(Any, self._read())))

    __contains__ = _binary(operator.contains)
    __len__ = _unary(len)

    # --- conversions

    __bool__ = _unary(bool)
    __int__ = _unary(int)
    __float__ = _unary(float)
    __index__ = _unary(operator.index)
    __trunc__ = _unary(math.trunc)
    __floor__ = _unary(math.floor)
    __ceil__ = _unary(math.ceil)
    __str__ = _unary(str)
    __repr__ = _unary(repr)
    __format__ = _binary(format)

    def __round__(self, digits: Any = None) -> Any:
        return round(cast(Any, self._read()), _raw(digits))

    # --- operators

    __hash__ = object.__hash__  # by identity: the value may change, or be unhashable
    __eq__ = _binary(operator.eq)
    __ne__ = _binary(operator.ne)
    __lt__ = _binary(operator.lt)
    __le__ = _binary(operator.le)
    __gt__ = _binary(operator.gt)
    __ge__ = _binary(operator.ge)

    __neg__ = _unary(operator.neg)
    __pos__ = _unary(operator.pos)
    __abs__ = _unary(abs)
    __invert__ = _unary(operator.invert)

    __add__ = _binary(operator.add)
    __sub__ = _binary(operator.sub)
    __mul__ = _binary(operator.mul)
    __matmul__ = _binary(operator.matmul)
    __truediv__ = _binary(operator.truediv)
    __floordiv__ = _binary(operator.floordiv)
    __mod__ = _binary(operator.mod)
    __divmod__ = _binary(divmod)
    __lshift__ = _binary(operator.lshift)
    __rshift__ = _binary(operator.rshift)
    __and__ = _binary(operator.and_)
    __xor__ = _binary(operator.xor)
    __or__ = _binary(operator.or_)

    def __pow__(self, exponent: Any, modulus: Any = None) -> Any:
        return pow(cast(Any, self._read()), _raw(exponent), _raw(modulus))

    __radd__ = _reflected(operator.add)
    __rsub__ = _reflected(operator.sub)
    __rmul__ = _reflected(operator.mul)
    __rmatmul__ = _reflected(operator.matmul)
    __rtruediv__ = _reflected(operator.truediv)
    __rfloordiv__ = _reflected(operator.floordiv)
    __rmod__ = _reflected(operator.mod)
    __rdivmod__ = _reflected(divmod)
    __rpow__ = _reflected(pow)
    __rlshift__ = _reflected(operator.lshift)
    __rrshift__ = _reflected(operator.rshift)
    __rand__ = _reflected(operator.and_)
    __rxor__ = _reflected(operator.xor)
    __ror__ = _reflected(operator.or_)

    __iadd__ = _in_place(operator.iadd)
    __isub__ = _in_place(operator.isub)
    __imul__ = _in_place(operator.imul)
    __imatmul__ = _in_place(operator.imatmul)
    __itruediv__ = _in_place(operator.itruediv)
    __ifloordiv__ = _in_place(operator.ifloordiv)
    __imod__ = _in_place(operator.imod)
    __ipow__ = _in_place(operator.ipow)
    __ilshift__ = _in_place(operator.ilshift)
    __irshift__ = _in_place(operator.irshift)
    __iand__ = _in_place(operator.iand)
    __ixor__ = _in_place(operator.ixor)
    __ior__ = _in_place(operator.ior)


class State(Reactive[T]):
    """A value that tags may show: when it changes, the tags that read it while being rendered are shown anew.

    `State(state)` is that very state. Attributes are the value's, except `value`, `get`, `set`, `notify`, and names
    that begin with an underscore. What lies in a plain object inside the value changes unseen: call `notify()` then.
    A copy or a pickle holds the value and no observers; those subscribe again when they next read.
    """

    __slots__ = ("__dict__", "__weakref__", "_observers", "_value")
    _observers: _Observers | None  # made at the first read

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
        return self._read()

    @value.setter
    def value(self, new: T) -> None:
        self._value = _stored(new)
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
            setattr(self._value, name, _stored(value))
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
            with _subscribing:
                observers = self._observers = self._observers or _Observers()
        observers.add(observer)


class Proxy(Reactive[Any]):
    """A container inside a State. Made anew at each access; holds the State and the container itself, not a copy.

    A copy of it is a copy of the container. A pickle of it, together with its State, is still a view of that State.
    """

    __slots__ = ("_state", "_value")
    _state: State[Any]

    def __init__(self, state: State[Any], container: Any) -> None:
        self._state = state
        self._value = container

    def __setattr__(self, name: str, value: Any) -> None:
        if name in Proxy.__slots__:
            object.__setattr__(self, name, value)
            return
        setattr(self._value, name, _stored(value))
        self._state.notify()

    def __delattr__(self, name: str) -> None:
        delattr(self._value, name)
        self._state.notify()

    def __copy__(self) -> Any:
        return copy.copy(self._value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self._value, memo)

    @property
    def _owner(self) -> State[Any]:
        return self._state

    def _replaced(self, result: Any) -> Any:
        if result is not self._value:
            return result  # a tuple cannot change: `state["t"] += (1,)` puts the new one where the old one was
        self._state.notify()
        return self


class States:
    """Several States under their names, set by plain assignment: `states = States(count=0)`, `states.count += 1`.

    Names that begin with an underscore are ordinary attributes. A state named `dump` or `load` cannot be reached.
    """

    _states: dict[str, State[Any]]

    def __init__(self, /, **initial: Any) -> None:
        self._states = {name: State(_stored(value)) for name, value in initial.items()}

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
            self._states[name].value = _raw(value)

    def dump(self) -> dict[str, Any]:
        """The raw values by name: the very objects, no copies."""
        return {name: state.value for name, state in self._states.items()}

    def load(self, values: Mapping[str, Any]) -> None:
        """Set the States that are named in `values`; make those that are not there yet."""
        for name, value in values.items():
            if name in self._states:
                self._states[name].value = _raw(value)
            else:
                self._states[name] = State(_stored(value))


def plain(value: Any) -> Any:
    """The raw value of a State or proxy, the dump of States; for `json.dumps(…, default=plain)` and its like.

    Such encoders come back for what lies deeper. Raises TypeError for anything else.
    """
    if isinstance(value, States):
        return value.dump()
    if not isinstance(value, Reactive):
        raise TypeError(f"JSON knows no {type(value).__name__}: use a State, a dict, a list, a text, a number …")
    while isinstance(value, Reactive):
        value = value._read()
    return value
