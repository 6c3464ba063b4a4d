"""The handler of htag's logger where a program configures none: warnings and errors go to stderr."""

import logging


class FallbackHandler(logging.NullHandler):
    """Discards records like the null handler of a library, except warnings and errors that no other handler gets.

    Under `uvicorn my_app:app` the root logger is not configured. Errors of components, refused origins and processes
    that cannot know each other's sessions would happen in silence.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Hand `record` to Python's handler of last resort, as for any other logger, if no other handler gets it."""
        last, logger = logging.lastResort, logging.getLogger(record.name)
        alone = logger.handlers == [self] and not (logger.propagate and logging.getLogger().handlers)
        return bool(last and alone and record.levelno >= last.level and last.handle(record))
