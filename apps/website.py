"""An htag app inside an application with pages of its own: `HTAG_APP=website:app docker compose up`, then /app/."""

from hello import Hello
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from htag import WebApp


async def welcome(request: Request) -> HTMLResponse:
    return HTMLResponse('<!DOCTYPE html><title>Welcome</title><a href="app/">To the app</a>')


app = Starlette(routes=[Route("/", welcome), Mount("/app", WebApp(Hello, debug=False).app)])
