import itertools
import os
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag_stack.slots import Youngest, next_slot, slot_of, slot_ports


@dataclass
class Worker:
    age: int
    slot: int


def test_slots_have_the_ports_after_the_base() -> None:
    assert slot_ports(8000, 3) == [8001, 8002, 8003]


@pytest.mark.parametrize(("port", "slot"), [(8001, 1), (8002, 2), (8000, 1), (8003, 1), (80, 1), (None, 1)])
def test_the_port_tells_the_slot_and_a_single_process_is_slot_one(port: int | None, slot: int) -> None:
    assert slot_of(port, 8000, 2) == slot


def test_the_first_workers_take_one_slot_each() -> None:
    workers: list[Worker] = []
    for age in range(1, 5):
        workers.append(Worker(age, next_slot(workers, 4)))
    assert [worker.slot for worker in workers] == [1, 2, 3, 4]


def test_a_replacement_takes_the_slot_of_the_dead() -> None:
    assert next_slot([Worker(1, 1), Worker(3, 3)], 3) == 2


def test_in_a_reload_each_slot_gets_one_new_worker() -> None:
    workers = [Worker(5, 1), Worker(2, 2), Worker(3, 3)]
    new = []
    for age in (6, 7, 8):
        new.append(Worker(age, next_slot(workers + new, 3)))
    assert sorted(worker.slot for worker in new) == [1, 2, 3]


def test_a_new_worker_that_dies_while_the_old_ones_drain_is_replaced_on_its_slot() -> None:
    draining = [Worker(1, 1), Worker(2, 2)]
    assert next_slot([*draining, Worker(3, 1)], 2) == 2
    assert next_slot([*draining, Worker(4, 2)], 2) == 1


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.sampled_from(["die", "reload", "drained"]), st.integers(0, 100)), max_size=40),
)
def test_whatever_dies_each_slot_has_exactly_one_worker_of_the_newest_generation(
    count: int, happenings: list[tuple[str, int]]
) -> None:
    ages = itertools.count(1)
    workers: list[Worker] = []
    newest: list[Worker] = []

    def spawn() -> None:
        worker = Worker(next(ages), next_slot(workers, count))
        workers.append(worker)
        newest.append(worker)

    for _ in range(count):
        spawn()
    for happening, which in happenings:
        if happening == "die":  # of the newest; replaced at once
            victim = newest.pop(which % count)
            workers.remove(victim)
            spawn()
        elif happening == "reload":
            newest.clear()
            for _ in range(count):
                spawn()
        else:
            workers[:] = newest
        assert sorted(worker.slot for worker in newest) == list(range(1, count + 1))


def test_a_worker_learns_in_its_own_process_that_it_has_a_successor() -> None:
    youngest, worker = Youngest(2), Worker(1, 2)
    youngest.note(worker)
    reading, writing = os.pipe()
    ready, go = os.pipe()
    if not (pid := os.fork()):
        os.write(writing, bytes([youngest.has_successor(worker)]))
        os.read(ready, 1)
        os.write(writing, bytes([youngest.has_successor(worker)]))
        os._exit(0)
    assert os.read(reading, 1) == bytes([False])
    youngest.note(Worker(2, 1))  # another slot's
    assert not youngest.has_successor(worker)
    youngest.note(Worker(3, 2))
    os.write(go, b"x")
    os.waitpid(pid, 0)
    assert os.read(reading, 1) == bytes([True])
    assert not youngest.has_successor(Worker(3, 2))
    for descriptor in (reading, writing, ready, go):
        os.close(descriptor)
