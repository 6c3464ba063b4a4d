"""Values that tell: what `State` and `Proxy` have in common, and `Proxy`, the view of a container inside a State.

They behave like the value they hold, and results of operators are raw values. Python asks for `__len__`, `__add__` and
their like on the type and never on the instance, so `Reactive` spells all of them out.
"""

import copy
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar, cast

from htag.tree.readers import Reader, reader

T = TypeVar("T")
_CONTAINERS = (list, dict, set, tuple)


class Owner(Protocol):
    """A State, as the views of what it holds see it."""

    def notify(self) -> None: ...
    def _subscribe(self, observer: Reader) -> None: ...


def raw(value: Any) -> Any:
    """What `value` holds, if it is a State or a proxy; else `value` itself. Reading subscribes."""
    return value._read() if isinstance(value, Reactive) else value


def stored(value: Any) -> Any:
    """What a container keeps of `value`: a proxy is a view for the moment, its container is the thing."""
    return value._value if isinstance(value, Proxy) else value


def _unary(operation: Callable[[Any], Any]) -> Callable[["Reactive[Any]"], Any]:
    def forward(self: "Reactive[Any]") -> Any:
        return operation(self._read())

    return forward


def _binary(operation: Callable[[Any, Any], Any]) -> Callable[["Reactive[Any]", Any], Any]:
    def forward(self: "Reactive[Any]", other: Any) -> Any:
        return operation(self._read(), raw(other))

    return forward


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[["Reactive[Any]", Any], Any]:
    def forward(self: "Reactive[Any]", other: Any) -> Any:
        return operation(raw(other), self._read())

    return forward


def _in_place(operation: Callable[[Any, Any], Any]) -> Callable[["Reactive[Any]", Any], Any]:
    def forward(self: "Reactive[Any]", other: Any) -> Any:
        return self._replaced(operation(self._value, raw(other)))

    return forward


class Reactive(Generic[T]):
    """What `State` and `Proxy` share: everything one can do to a value, reading subscribes, changing notifies."""

    __slots__ = ()
    _value: T

    @property
    def _owner(self) -> Owner:
        raise NotImplementedError  # State and Proxy each have another

    def _replaced(self, result: Any) -> Any:
        """Take the result of an in-place operator, and return what the name on its left is bound to from now on."""
        raise NotImplementedError  # likewise

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
        return own(*map(raw, args), **kwargs) if callable(own) else value

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
                args = tuple(map(stored, args))
                kwargs = {name: stored(value) for name, value in kwargs.items()}
            result = method(*args, **kwargs)
            # Whether a method changes anything is not known, so a tag that merely reads by one, `lambda: s.upper()`,
            # would be rendered for ever; and two of them would render each other for ever.
            if reader.current is None:
                self._owner.notify()
            return self._wrap(result)

        return call

    # --- items

    def __getitem__(self, key: Any) -> Any:
        return self._wrap(operator.getitem(cast(Any, self._read()), raw(key)))

    def __setitem__(self, key: Any, value: Any) -> None:
        operator.setitem(cast(Any, self._value), raw(key), stored(value))
        self._owner.notify()

    def __delitem__(self, key: Any) -> None:
        operator.delitem(cast(Any, self._value), raw(key))
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
        return round(cast(Any, self._read()), raw(digits))

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
        return pow(cast(Any, self._read()), raw(exponent), raw(modulus))

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


class Proxy(Reactive[Any]):
    """A container inside a State. Made anew at each access; holds the State and the container itself, not a copy.

    A copy of it is a copy of the container. A pickle of it, together with its State, is still a view of that State.
    """

    __slots__ = ("_state", "_value")
    _state: Owner

    def __init__(self, state: Owner, container: Any) -> None:
        self._state = state
        self._value = container

    def __setattr__(self, name: str, value: Any) -> None:
        if name in Proxy.__slots__:
            object.__setattr__(self, name, value)
            return
        setattr(self._value, name, stored(value))
        self._state.notify()

    def __delattr__(self, name: str) -> None:
        delattr(self._value, name)
        self._state.notify()

    def __copy__(self) -> Any:
        return copy.copy(self._value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self._value, memo)

    @property
    def _owner(self) -> Owner:
        return self._state

    def _replaced(self, result: Any) -> Any:
        if result is not self._value:
            return result  # a tuple cannot change: `state["t"] += (1,)` puts the new one where the old one was
        self._state.notify()
        return self
