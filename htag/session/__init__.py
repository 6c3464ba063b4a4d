"""One running app and its tabs, and the registry of all sessions of this worker. No socket, no Starlette."""
