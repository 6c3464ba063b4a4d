"""Many children in a list: finding one, and taking it out, so that removing all n one by one costs about n steps.

A child that leaves the middle of a long list leaves a gap (an empty piece of markup, which renders as nothing), and the
list closes its gaps once they are half of it. Where somebody holds the list itself (`tag.childs`) there are no gaps.
"""

from typing import Any

from htag.tree.markup import HTML

FEW = 32  # up to here plain search and plain deletion are cheaper than any bookkeeping
GAP = HTML("")

Places = dict[int, int]  # identity → index, and under the two keys below

_LAST = -1  # where something was taken out last: its neighbour is likely to be next
_GAPS = -2  # how many there are


def position(children: list[Any], child: object, places: Places) -> int:
    """The index of `child` by identity, or -1. `places` is kept by the caller between calls, and may be out of date."""
    length = len(children)
    for index in range(length - 1, max(length - FEW, 0) - 1, -1):
        if children[index] is child:
            return index
    if length <= FEW:
        return -1
    for index in (places.get(id(child), 0), places.get(_LAST, 0) + 1):
        if index < length and children[index] is child:
            return index
    _note_places(children, places)
    return places.get(id(child), -1)


def take_out(children: list[Any], index: int, places: Places, *, gaps: bool) -> None:
    """Take out what stands at `index`; `gaps`: nobody holds the list, so it may keep a gap there."""
    if not gaps or len(children) - index <= FEW:
        del children[index]
        return
    children[index] = GAP
    places[_LAST] = index
    places[_GAPS] = places.get(_GAPS, 0) + 1
    if places[_GAPS] * 2 > len(children):
        close_gaps(children, places)


def close_gaps(children: list[Any], places: Places) -> None:
    """Make `children` what others may see."""
    if places.get(_GAPS):
        children[:] = [child for child in children if child is not GAP]
    places.clear()


def _note_places(children: list[Any], places: Places) -> None:
    last, gaps = places.get(_LAST, 0), places.get(_GAPS, 0)
    places.clear()
    places.update((id(other), index) for index, other in enumerate(children))
    places[_LAST], places[_GAPS] = last, gaps
