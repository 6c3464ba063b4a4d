"""Which code of today is what a snapshot refers to: the same, moved, edited, elsewhere in its module, or gone."""

from difflib import SequenceMatcher
from types import CodeType
from typing import Any, NamedTuple

from htag.snapshot.books import Book
from htag.snapshot.digests import call_shape
from htag.snapshot.errors import Moved

SAME, MOVED, EDITED, ELSEWHERE = "same", "moved", "edited", "elsewhere"


class Written(NamedTuple):
    """The functions of one qualified name as they were when a snapshot was taken."""

    module: str
    qualname: str
    digests: list[bytes]  # in the order of the source
    makers: bytes  # what those do themselves that make them


def match(
    book: Book, written: Written, ordinal: int, freevars: tuple[str, ...], shape: tuple[Any, ...]
) -> tuple[CodeType, str]:
    """The code of today for the one at `ordinal` of a group, and how it is known. Raises Moved.

    `freevars`: the variables of functions around that are stored with it; `shape`: its `call_shape`.
    """
    group, today = book.group(written.qualname), book.digests(written.qualname)
    if today == written.digests:
        return group[ordinal], SAME
    place = _alignment(book, written, today).get(ordinal)
    if place is not None:
        return group[place], MOVED
    if _is_known_by_place(book, written, today):
        code = group[ordinal]
        _refuse_unlike(code, f"{book.name}: {written.qualname}", freevars, shape)
        return code, EDITED
    elsewhere = book.anywhere(written.digests[ordinal])
    if elsewhere is not None:
        return elsewhere, ELSEWHERE
    raise Moved(f"{book.name}: {written.qualname} #{ordinal} is gone, or cannot be told from its neighbours")


def _alignment(book: Book, written: Written, today: list[bytes]) -> dict[int, int]:
    """Where those of the group are now that were not edited.

    Kept, for thousands of snapshots of one version may come; there are as many as groups were edited since.
    """
    key = written.qualname, b"".join(written.digests)
    found = book.alignments.get(key)
    if found is None:
        found = book.alignments[key] = align(written.digests, today)
    return found


def align(before: list[bytes], today: list[bytes]) -> dict[int, int]:
    """Index in `before` → index in `today` of an equal one: in order as far as may be, else wherever one is free."""
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, before, today, autojunk=False).get_matching_blocks():
        found.update((block.a + step, block.b + step) for step in range(block.size))
    free = sorted(set(range(len(today))) - set(found.values()))
    for index, wanted in enumerate(before):
        if index not in found:
            place = next((each for each in free if today[each] == wanted), None)
            if place is not None:
                found[index] = place
                free.remove(place)
    return found


def _is_known_by_place(book: Book, written: Written, today: list[bytes]) -> bool:
    """Whether a function's place is enough to know it by, though its code is another.

    An anonymous one: if nothing else changed where it is made. One with a name: if no other has or had that name.
    """
    if len(today) != len(written.digests):
        return False
    if written.qualname.endswith(">"):
        return written.makers == book.makers(written.qualname)
    return len(today) == 1


def _refuse_unlike(code: CodeType, label: str, freevars: tuple[str, ...], shape: tuple[Any, ...]) -> None:
    missing = set(code.co_freevars) - set(freevars)
    if missing:
        raise Moved(f"{label} now uses {', '.join(sorted(missing))}, which it did not hold before")
    if call_shape(code) != shape:
        raise Moved(f"{label} now has other parameters")
