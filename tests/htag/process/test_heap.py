import mmap
import subprocess
import sys
import time

import pytest

from htag import Tag
from htag.process import heap

MIB = 2**20


def test_what_is_in_use_follows_what_is_made_and_dropped() -> None:
    before = heap.in_use()
    small = [Tag.p(str(number)) for number in range(50_000)]
    with_small = heap.in_use()
    large = [bytearray(5 * MIB) for _ in range(4)]
    with_large = heap.in_use()
    assert 5 * MIB < with_small - before < 30 * MIB
    assert 20 * MIB <= with_large - with_small < 21 * MIB
    del large, small
    assert heap.in_use() - before < 2 * MIB


def test_where_the_c_library_does_not_tell_the_small_ones_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_of_libc", lambda name, result: None)
    assert heap.in_use() > 5 * MIB
    heap.trim()


def test_a_function_that_the_c_library_has_not_is_none() -> None:
    assert heap._of_libc("no_function_of_any_c_library", int) is None


def test_asking_takes_no_time_that_a_person_feels() -> None:
    took = []
    for _ in range(20):
        started = time.process_time()
        heap.in_use()
        took.append(time.process_time() - started)
    assert min(took) < 0.01


def test_resident_memory_is_what_the_kernel_says() -> None:
    before = heap.resident()
    with mmap.mmap(-1, 20 * MIB) as fresh:  # not from the allocator, which may have as much left over
        fresh.write(b"x" * 20 * MIB)
        assert 15 * MIB < heap.resident() - before < 60 * MIB


SHARES = """
import os
from htag.process import heap

content = bytearray(20 << 20)
content[::4096] = b"x" * len(content[::4096])
if os.fork():
    os.wait()
else:
    before = heap.shared()
    content[::4096] = b"y" * len(content[::4096])
    print(before, heap.shared())
"""


def test_what_a_child_shares_with_its_parent_is_known_until_it_is_written() -> None:
    output = subprocess.run([sys.executable, "-c", SHARES], check=True, capture_output=True, text=True).stdout
    before, after = map(int, output.split())
    assert 20 * MIB < before < 60 * MIB
    assert before - after > 19 * MIB


def test_where_the_kernel_does_not_tell_what_is_shared_it_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_ROLLUP", "/not/there")
    assert heap.shared() == 0
