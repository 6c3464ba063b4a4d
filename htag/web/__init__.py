"""ASGI: a file a transport, admission, the page, and `WebApp`."""
