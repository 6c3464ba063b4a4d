"""How tests open stores."""

from typing import Protocol

from htag.stores import SESSION_SECONDS
from htag.stores.base import Store


class Opener(Protocol):
    """Opens the same store once more, as another worker does; in memory there is one for all."""

    def __call__(self, seconds: float = SESSION_SECONDS) -> Store: ...
