"""The apps are used as people use them: several browsers, each with its own session, on each of three transports."""

from tests.support.visits import Serve, serve, transport, visits

__all__ = ["Serve", "serve", "transport", "visits"]
