"""The composition root: settings → metrics → store → htag → routes. Nothing else puts the parts together."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Route

from htag import __version__
from htag.limits import Limits
from htag.observer import Observer
from htag.stores import open_store
from htag.stores.base import Store
from htag.web.webapp import WebApp
from htag_stack.brought_app import BroughtApp, load_app
from htag_stack.cgroup import memory_group
from htag_stack.handover import HandoverEndpoint, Seal
from htag_stack.handover_client import HandoverClient
from htag_stack.health import Health
from htag_stack.lifespan import lifespan_of
from htag_stack.memory import Memory
from htag_stack.metrics import Metrics
from htag_stack.program import Program
from htag_stack.request_layer import RequestLayer
from htag_stack.served_by import Place
from htag_stack.session_registries import SessionRegistries
from htag_stack.settings import Settings
from htag_stack.startup import Prepared, prepare
from htag_stack.vitals import Vitals
from htag_stack.watchdog import Watchdog
from htag_stack.wear import Wear

logger = logging.getLogger("htag_stack")


def create_application() -> RequestLayer:
    """Build the program from this process's environment. Imports the app. Raises `htag_stack.errors.StartError`."""
    prepared = prepare()
    return compose(prepared, load_app(prepared.settings.app))


def compose(prepared: Prepared, brought: BroughtApp) -> RequestLayer:
    """Build the program as one ASGI application, whose lifespan starts and ends what runs beside the requests."""
    settings = prepared.settings
    metrics = Metrics()
    store = open_store(settings.store, settings.session_stored_seconds)
    vitals = Vitals(store, Memory(settings.memory_limit, settings.workers, memory_group()))
    registries = operate(prepared, brought.webs, store, metrics, vitals.pressure)
    kind = urlsplit(settings.store).scheme
    wear = Wear(vitals.memory, registries, settings.recycle_seconds if kind != "memory" else 0)
    registries.wear_by(lambda: wear.is_worn and vitals.store_error is None)
    metrics.watch(registries, vitals, {"version": __version__, "htag_app": settings.app})
    place = Place(settings.port, settings.workers)
    public = settings.health == "public"
    health = Health(registries, vitals, version=__version__, store=kind, place=place, public=public)
    # ours come before the app's own under these paths: the container, nginx and Prometheus rely on them
    handover = HandoverEndpoint(Seal(prepared.secret), registries.handed_over, metrics)
    routes = [*health.routes, Route("/metrics", metrics.endpoint, name="metrics"), handover.route]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        # the app's own around ours: what it has opened is still there when its sessions end
        with Watchdog(metrics.handler_blocked):
            async with lifespan_of(brought.application) as state, _running(registries, vitals, wear, store):
                yield state

    program = Program(routes, lifespan, brought.application)
    return RequestLayer(program, place, metrics.http_answered, settings.root_path, registries)


def operate(
    prepared: Prepared,
    webs: Sequence[WebApp],
    store: Store,
    observer: Observer,
    pressure: Callable[[], str | None],
) -> SessionRegistries:
    """Operate all `webs` as the settings say, and return their session registries.

    The settings replace what the app's author has chosen for running it alone, but for what its author
    alone can know: origins and frames that the author allows stay allowed, what the author wants obfuscated stays
    obfuscated, and the author's policy holds where HTAG_CSP names none.
    """
    settings = prepared.settings
    registries: SessionRegistries

    def refusal() -> str | None:
        return "sessions" if registries.total() >= settings.max_sessions else pressure()

    for web in webs:
        web.operate(
            debug=settings.debug,
            parano=settings.parano or web.parano_key is not None,
            secret=prepared.secret,
            store=store,
            observer=observer,
            limits=session_limits(settings),
            allowed_origins=(*settings.allowed_origins, *web.allowed_origins),
            pressure=refusal,
            cookie_name=settings.cookie_name,
            csp=settings.csp or web.policy.choice,
            embedded=settings.embedded or web.embedded,
            input_delay=settings.input_delay or web.input_delay,
        )
    client = HandoverClient(Seal(prepared.secret))
    registries = SessionRegistries([web.registry for web in webs])
    registries.ask_by(client.ask)
    return registries


def session_limits(settings: Settings) -> Limits:
    """The limits of sessions that `settings` ask for."""
    return Limits(
        new_seconds=settings.session_new_seconds,
        grace_seconds=settings.session_grace_seconds,
        pinned_grace_seconds=max(settings.session_grace_seconds, Limits().pinned_grace_seconds),
        idle_seconds=settings.session_idle_seconds,
        stored_seconds=settings.session_stored_seconds,
        snapshot_bytes=settings.snapshot_bytes,
        save_share=settings.save_share,
        moves_always=settings.move == "always",
        max_sessions=settings.max_sessions,
        newcomers_per_second=settings.newcomers_per_second,
        newcomers_burst=settings.newcomers_burst,
        message_bytes=settings.message_bytes,
        blocked_seconds=float("inf"),  # the watchdog sees handlers, and all else that blocks
        session_tabs=settings.session_tabs,
        session_waiting_bytes=settings.session_waiting_bytes,
        session_bytes=settings.session_bytes,
    )


@asynccontextmanager
async def _running(registries: SessionRegistries, vitals: Vitals, wear: Wear, store: Store) -> AsyncIterator[None]:
    """Run what runs beside the requests; at the end drain and close the sessions, then the store.

    A mounted application's own lifespan is not run, so this ends the sessions of all WebApps.
    """

    def look_after() -> None:
        registries.measure()
        if excess := vitals.memory.excess:
            registries.relieve(excess)
        wear.look()

    watching = asyncio.create_task(vitals.watch(look_after))
    watching.add_done_callback(_log_failure)
    try:
        yield
    finally:
        registries.drain()
        watching.cancel()
        await asyncio.wait([watching])  # which does not raise: the rest is to be closed even if it failed
        await registries.close()
        await store.close()


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.critical("this worker's vitals are no longer measured", exc_info=error)
