"""`/renew`: the cookie and the token of a session whose id is new, for browsers whose script was told to ask."""

from starlette.responses import JSONResponse, PlainTextResponse, Response

from htag.web.admission import Admission
from htag.web.asgi import Receive, Scope, Send


class RenewEndpoint:
    """Answers a POST with the present id's token, and its cookie."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One POST."""
        response = await self._answer(scope)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        admission = self._admission
        session, refusal = await admission.authorize(scope)
        if session is None:
            return refusal
        if session is admission.registry.shared:
            return PlainTextResponse("Not a session of one person", 404)
        if admission.knows_token(scope, session) is None:
            return PlainTextResponse("CSRF Token mismatch", 403)
        if session.asleep:
            await admission.registry.wake(session)
        if session.closed:  # it has moved, under the id that it had
            return PlainTextResponse("Try again", 503, {"retry-after": "1"})
        session_id = admission.registry.renew(session)
        await admission.registry.keep_renewed(session)
        headers = {"set-cookie": admission.cookie(scope, session_id), "cache-control": "no-store"}
        return JSONResponse({"csrf": admission.signer.csrf(session_id)}, headers=headers)
