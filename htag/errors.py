"""The exception family.

HtagError
├── HtagRenderError      a component could not be turned into HTML
├── HtagEventError       an event handler broke the rules (for example: a plain callable that returned a coroutine)
├── TooManyTasks         a session runs so many tasks that a hook was not started
├── WireError            a message from a browser that is not one of ours
│   └── MessageTooLarge  … or is larger than the limit
└── StoreError           the session store did not answer, or answered nonsense
    └── NotAllSaved      … or had no room for some of the sessions that were to be saved
"""


class HtagError(Exception):
    """Base of all errors raised by htag itself."""


class HtagRenderError(HtagError):
    """A component could not be turned into HTML."""


class HtagEventError(HtagError):
    """An event handler broke the rules of dispatch."""


class TooManyTasks(HtagError):
    """A session runs so many tasks that a hook was not started."""


class WireError(HtagError):
    """A message from a browser could not be understood."""


class MessageTooLarge(WireError):
    """A message from a browser is larger than the limit."""


class StoreError(HtagError):
    """The session store did not answer, or answered nonsense."""


class NotAllSaved(StoreError):
    """The session store had no room for some of the sessions that were to be saved together."""

    def __init__(self, text: str, saved: list[bool | None]) -> None:
        """`saved`: what became of each of them: True, False (refused), or None (no room)."""
        super().__init__(text)
        self.saved = saved
