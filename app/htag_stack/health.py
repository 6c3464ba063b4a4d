"""The health endpoints: `/health` for people and monitors, `/health/live` for the container, `/health/ready` for
load balancers.

They only read what is measured already (vitals.py): a health check that does work of its own is what breaks
under load. A store that is down is reported as degraded; it is no reason to take a worker out of service that serves
well from memory. The internet is told one word of `/health`.
"""

import ipaddress
import os
from collections.abc import Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from htag_stack.vitals import Vitals

_NEVER_CACHED = {"cache-control": "no-store"}


class RegistryHealth(Protocol):
    """What the endpoints read of a session registry (`htag.session.registry`)."""

    @property
    def draining(self) -> bool: ...
    def counts(self) -> dict[str, int]: ...
    def memory(self) -> int: ...
    def snapshot_counts(self) -> dict[str, int]: ...
    def unsaved_seconds(self) -> float: ...


class Health:
    """Answers the three endpoints from the session registry and the vitals."""

    def __init__(
        self,
        sessions: RegistryHealth,
        vitals: Vitals,
        *,
        version: str,
        store: str,
        place: Callable[[Any], tuple[str, int]],
        public: bool = False,
    ):
        """`store`: its kind. `place`: a request's scope → (host name, slot). `public`: every caller gets the
        whole report."""
        self._sessions = sessions
        self._vitals = vitals
        self._version = version
        self._store = store
        self._place = place
        self._public = public

    @property
    def routes(self) -> list[Route]:
        """The three endpoints as Starlette routes, each with its name."""
        return [
            Route("/health", self.report, name="health"),
            Route("/health/live", self.live, name="live"),
            Route("/health/ready", self.ready, name="ready"),
        ]

    @property
    def status(self) -> str:
        """The worker's state: `ok`; `degraded`: serves, but needs attention; `draining`: takes no newcomers."""
        if self._sessions.draining:
            return "draining"
        return "degraded" if self._vitals.store_error or self._is_short_of_memory else "ok"

    async def live(self, request: Request) -> Response:
        """Answer 200: that an answer comes at all proves that the event loop turns."""
        return PlainTextResponse("live\n", headers=_NEVER_CACHED)

    async def ready(self, request: Request) -> Response:
        """Answer 200 if newcomers may be sent here, and 503 with the reason if not."""
        if self._sessions.draining:
            text, status = "draining", 503
        elif self._is_short_of_memory and self._vitals.stays_full:
            text, status = "memory", 503
        else:
            text, status = "ready", 200
        return PlainTextResponse(f"{text}\n", status, headers=_NEVER_CACHED)

    async def report(self, request: Request) -> Response:
        """Answer the whole report as JSON; to a caller from the internet the status only."""
        if not (self._public or is_private(request.client.host if request.client else "")):
            return JSONResponse({"status": self.status}, self._status_code, headers=_NEVER_CACHED)
        host, slot = self._place(request.scope)
        body = {
            "status": self.status,
            "version": self._version,
            "worker": {"host": host, "slot": slot, "pid": os.getpid(), "uptime_seconds": round(self._vitals.uptime, 1)},
            "sessions": self._sessions.counts(),
            "snapshots": self._snapshots(),
            "memory": self._memory(),
            "store": {
                "kind": self._store,
                "ok": self._vitals.store_error is None,
                # why, with names and addresses, is in the log: this page may be public
                "error": None if self._vitals.store_error is None else "does not answer",
            },
            "event_loop_lag_seconds": round(self._vitals.loop_lag, 4),
        }
        return JSONResponse(body, self._status_code, headers=_NEVER_CACHED)

    @property
    def _status_code(self) -> int:
        return 503 if self._sessions.draining else 200

    @property
    def _is_short_of_memory(self) -> bool:
        """Whether newcomers are refused for lack of memory. A worker without a session refuses none."""
        return self._vitals.memory.is_full and self._sessions_here() > 0

    def _snapshots(self) -> dict[str, float]:
        """How many sessions would outlive this worker, and how long the oldest of those that would not has waited."""
        oldest = round(self._sessions.unsaved_seconds(), 1)
        return {**self._sessions.snapshot_counts(), "oldest_unsaved_seconds": oldest}

    def _sessions_here(self) -> int:
        """The number of sessions in this worker's memory: those that are parked are in the store."""
        return sum(number for state, number in self._sessions.counts().items() if state != "parked")

    def _memory(self) -> dict[str, int | None]:
        sessions = self._sessions_here()
        tightest = self._vitals.memory.tightest
        return {
            "rss_bytes": self._vitals.memory.resident,
            "reusable_bytes": self._vitals.memory.reusable,
            "used_bytes": tightest.used if tightest else None,
            "limit_bytes": tightest.limit if tightest else None,
            "per_session_bytes": self._sessions.memory() // sessions if sessions else None,
        }


def is_private(host: str) -> bool:
    """Whether a caller's address is of this machine or of a private network (RFC 1918, 4193, link-local).

    What is no address is a Unix socket's other end, which is on this machine.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_private
