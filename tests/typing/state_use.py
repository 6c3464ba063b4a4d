"""Typical use of State and States, as `mypy --strict` must accept it: what people's editors will tell them."""

from typing import Any, assert_type

from htag.state import State, States, plain
from htag.tree.readers import Reader, reader

counter = State(0)
assert_type(counter.value, int)
assert_type(counter(), int)
assert_type(counter.set(2), int)
counter.value = 3
counter += 1
counter -= 1
counter.notify()
doubled: int = counter * 2
reflected: float = 1.5 + counter
rounded: int = round(counter)
shown: str = f"{counter:03d} {counter}"
label: str = "many" if counter > 10 else "few"
letters: list[str] = ["a", "b", "c"][:counter]
by_index: int = [1, 2, 3, 4, 5][counter]
days: list[int] = [*range(counter)]

name: State[str | None] = State(None)
name.value = "Ada"
shouted: str = name.upper()
if name.value is not None:
    assert_type(name.value, str)

todos: State[list[dict[str, Any]]] = State([])
todos.append({"text": "write", "done": False})
todos[0]["done"] = True
todos += [{"text": "read", "done": True}]
del todos[0]
open_ones: list[str] = [todo["text"] for todo in todos if not todo["done"]]
how_many: int = len(todos)
raw: list[dict[str, Any]] = todos.value
first: dict[str, Any] = todos[0].get()


class Person:
    def __init__(self, name: str) -> None:
        self.name = name


person = State(Person("Ada"))
person.name = "Grace"
assert_type(person.value, Person)
del person.name


class Celsius(State[float]):
    """A State of one's own."""

    def warm(self) -> bool:
        return self.value > 20


outside = Celsius(21.5)
assert_type(outside.warm(), bool)
assert_type(outside.value, float)

states = States(count=0, items=list[str]())
states.count += 1
states.count = 5
states.items.append("x")
states.count.set(3)
state: State[Any] = states.count
saved: dict[str, Any] = states.dump()
states.load(saved)
value: Any = plain(states.count)


class Label:
    """Whoever shows a State must be a Reader."""

    def state_changed(self) -> None:
        return


label_reader: Reader = Label()
token = reader.set(label_reader)
reader.reset(token)
