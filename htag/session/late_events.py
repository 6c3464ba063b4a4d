"""Events for tags that a callable has made anew meanwhile: the very tag that the person saw hears them.

So does its closure, which knows what the person meant. But only where the page still offers the same: in the place of
that tag stands one that is enabled and has the same handler. A second click on "Pay", which has become "Undo", or has
gone, is as late as it was.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from time import perf_counter
from typing import Any, Protocol

from htag.observer import Observer
from htag.session import form_fields
from htag.tree.access import handler
from htag.tree.live import LiveTree
from htag.tree.replaced import Replaced, Replacement
from htag.tree.succession import are_alike
from htag.tree.tag import GTag
from htag.wire.messages import Answer, Message, Update

EventKey = tuple[str, str, int]
Replies = list[Answer] | AsyncIterator[Answer]


class Handling(Protocol):
    """The session, as this knows it."""

    live: LiveTree
    observer: Observer

    def handle(self, message: Message, key: EventKey | None = None) -> Replies:
        """Do what `message` asks."""
        ...

    def handler_failed(
        self, callback: Callable[..., Any], error: BaseException, callback_id: str | None, started: float
    ) -> list[Answer]:
        """`callback` raised `error`: what is to be said."""
        ...

    def changes(self, callback_id: str | None = None, result: Any = None) -> Update:
        """What changed, as an answer to `callback_id`."""
        ...


def handle(session: Handling, message: Message, key: EventKey | None, started: float) -> Replies:
    """Have the tag handle `message` that has been replaced since; or answer it, if there is none that may."""
    replaced = session.live.replaced
    try:
        tag = None if replaced is None else _find(session.live, replaced, message)
    except Exception as error:  # of something of the app's that was asked
        return session.handler_failed(handle, error, message.callback_id, started)
    if replaced is None or tag is None:
        session.observer.event_handled("no_target", perf_counter() - started)
        return [session.changes(message.callback_id)]
    uses = replaced.use(tag)
    replies: Replies = []
    session.live.index.late = message.id, tag
    try:
        replies = session.handle(message, key)
    finally:
        session.live.index.late = None
        if isinstance(replies, list):
            replaced.done(uses)
    return replies if isinstance(replies, list) else _until_done(replies, replaced, uses)


def _find(live: LiveTree, replaced: Replaced, message: Message) -> GTag | None:
    """The tag that was replaced and may handle `message`."""
    found = replaced.find(message.id) if live.index.late is None else None
    return found[0] if found is not None and _is_on_offer(*found, message, live) else None


def _is_on_offer(tag: GTag, present: GTag, message: Message, live: LiveTree) -> bool:
    """Whether the page has the same for this event as `tag` had: `present`, to which a field's value goes as well."""
    if not are_alike(handler(tag, message.event), handler(present, message.event)):
        return False
    if form_fields.is_disabled(present):
        return False
    return form_fields.synchronise(present, message.event, message.data, live)


async def _until_done(
    replies: AsyncIterator[Answer], replaced: Replaced, uses: list[Replacement]
) -> AsyncIterator[Answer]:
    try:
        async with aclosing(replies) as steps:  # type: ignore[type-var]  # it is an async generator
            async for reply in steps:
                yield reply
    finally:
        replaced.done(uses)
