"""The numbers of an app's tags, of which their ids are made: from 1, and none twice."""

import random
from collections.abc import Callable
from itertools import chain, islice
from operator import length_hint

# Each session counts its tags from 1, and an int takes 32 bytes: these are the same objects for all sessions, which
# saves a tenth of a session's memory. As many as large pages have tags.
NUMBERS = tuple(range(1, 4097))

END = 1 << 47  # from here on, numbers are those of tags that are in no app: drawn at random
FAR = 1 << 40  # more than any process gives
BEYOND = range(len(NUMBERS) + 1, END)


class Numbers:
    """Numbers tags. `next` is all there is to keep of it: a count that goes on there gives no number a second time."""

    __slots__ = ("_beyond", "_shared", "allocate")

    def __init__(self, first: int = 1) -> None:
        """`first`: the number that is given first, at least 1."""
        self._shared = iter(NUMBERS)
        self._beyond = iter(BEYOND if first <= len(NUMBERS) else range(first, END))
        if first > 1:  # a copy of another app
            next(islice(self._shared, first - 1, first - 1), None)  # those below `first` are left out
        # A C function: the call of one written in Python, for each new tag, is 4 % of the time of a page of 3 000 tags.
        self.allocate: Callable[[], int] = chain(self._shared, self._beyond).__next__

    @property
    def next(self) -> int:
        """The number that `allocate` gives next; asking does not use it up."""
        left = length_hint(self._shared)
        return len(NUMBERS) + 1 - left if left else END - length_hint(self._beyond)


def far_number() -> int:
    """A number, drawn at random, from which on no process has numbered tags of this app, nor will: pages that show what
    its snapshot lacks may say other numbers, and these mean no other tag."""
    return random.randrange(FAR, END - FAR)
