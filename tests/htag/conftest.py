"""What the tests of the library share."""

from tests.support.visits import show, transport, visit

__all__ = ["show", "transport", "visit"]
