"""The composition root: settings → metrics → store → htag → routes. Nothing else puts the parts together."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from htag import __version__
from htag.limits import Limits
from htag.pool import Pool
from htag.store import Store
from htag.stores import open_store
from htag.web import WebApp
from htag_stack.cgroup import memory_group
from htag_stack.health import Health
from htag_stack.memory import Memory
from htag_stack.metrics import Metrics
from htag_stack.program import Program
from htag_stack.served_by import Place, ServedBy
from htag_stack.settings import Settings
from htag_stack.startup import Prepared, prepare
from htag_stack.vitals import Vitals

logger = logging.getLogger("htag_stack")


def create_application() -> ASGIApp:
    """The program, from this process's environment. Raises `htag_stack.errors.StartError`."""
    return compose(prepare())


def compose(prepared: Prepared) -> ASGIApp:
    """The program as one ASGI application; its lifespan starts and ends what runs beside the requests."""
    settings = prepared.settings
    metrics = Metrics()
    store = open_store(settings.store)
    vitals = Vitals(store, Memory(settings.memory_limit, settings.workers, memory_group()))
    web = WebApp(
        prepared.app_class,
        debug=settings.debug,
        parano=settings.parano,
        secret=prepared.secret,
        store=store,
        observer=metrics,
        limits=_limits(settings),
        allowed_origins=settings.allowed_origins,
        pressure=vitals.pressure,
    )
    metrics.watch(web.pool, vitals, {"version": __version__, "htag_app": settings.app})
    place = Place(settings.port, settings.workers)
    health = Health(web.pool, vitals, version=__version__, store=urlsplit(settings.store).scheme, place=place)
    routes = [*health.routes, Route("/metrics", metrics.endpoint, name="metrics")]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with _running(web.pool, vitals, store):
            yield

    program = Program(routes, lifespan, web.app)
    return ServedBy(program, place, metrics.http_answered, settings.root_path)


def _limits(settings: Settings) -> Limits:
    return Limits(
        new_seconds=settings.session_new_seconds,
        grace_seconds=settings.session_grace_seconds,
        max_sessions=settings.max_sessions,
        message_bytes=settings.message_bytes,
    )


@asynccontextmanager
async def _running(pool: Pool, vitals: Vitals, store: Store) -> AsyncIterator[None]:
    """What runs as long as the worker does: all of it, because a mounted application's own lifespan is not run."""
    watching = asyncio.create_task(vitals.watch(pool.measure))
    watching.add_done_callback(_say_if_failed)
    try:
        yield
    finally:
        pool.drain()
        watching.cancel()
        await asyncio.wait([watching])  # however it ended: the rest is to be closed
        await pool.close()
        await store.close()


def _say_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.critical("this worker's vitals are no longer measured", exc_info=error)
