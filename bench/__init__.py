"""What an event, a page and a session cost: ours beside published htag and a bare WebSocket echo, in one run."""
