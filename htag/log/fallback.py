"""htag's log where a program configures none: warnings and errors go to stderr, as they do for any other logger."""

import logging


class Unheard(logging.NullHandler):
    """The null handler that htag's logger has always had, except that what matters is not lost.

    Under `uvicorn my_app:app` nobody configures the root logger. Errors of components, refused origins and processes
    that cannot know each other's sessions would happen in silence.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Hand `record` to Python's handler of last resort, if no other handler hears it."""
        last, logger = logging.lastResort, logging.getLogger(record.name)
        alone = logger.handlers == [self] and not (logger.propagate and logging.getLogger().handlers)
        return bool(last and alone and record.levelno >= last.level and last.handle(record))
