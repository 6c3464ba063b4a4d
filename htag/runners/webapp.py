"""`WebApp.run`, which serves the app and shows it in the browser."""

import webbrowser
from typing import Any

import htag.web.webapp
from htag.runners.serving import serve


class WebApp(htag.web.webapp.WebApp):
    """Serves an app, and can start the server for it."""

    def run(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        open_browser: bool = True,
        exit_on_disconnect: bool = True,
        reload: bool = False,
        **kwargs: Any,
    ) -> None:
        """Serve until Ctrl-C, or with `exit_on_disconnect` until the last tab is closed.

        `port=0` takes a free one. `reload` starts anew whenever a source file changes; pages then reload themselves.
        `kwargs` go to `uvicorn.run`.
        """
        self.exit_on_disconnect = exit_on_disconnect
        show = webbrowser.open if open_browser else None
        serve(self, host=host, port=port, show=show, reload=reload, options=kwargs)
