"""These tests look at htag as a browser does, or through `str(tag)`."""

from tests.support.visits import show, transport, visit, visits

__all__ = ["show", "transport", "visit", "visits"]
