"""What the tests of the library share."""

from tests.support.visits import show, transport, visit, visits

__all__ = ["show", "transport", "visit", "visits"]
