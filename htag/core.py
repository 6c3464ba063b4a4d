"""The names under the path that the published htag 2 has them at; in our own code each is imported from its module."""

from htag.app import App
from htag.events import prevent, stop
from htag.state import State, States
from htag.tree.markup import HTML
from htag.tree.tag import GTag

__all__ = ["HTML", "App", "GTag", "State", "States", "prevent", "stop"]
