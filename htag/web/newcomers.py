"""How many new sessions one address may open: a page for a newcomer costs an app, and a known visitor's does not."""

import ipaddress
import time
from collections import OrderedDict
from functools import lru_cache

ADDRESSES = 10_000  # remembered, 2 MB: the longest unheard of goes first, and begins anew if it comes again


class Newcomers:
    """Counts newcomers by address. `per_second` in the long run, `burst` at once; 0 per second: no limit.

    Not counted are those who come from this very machine (its person, or a proxy that hides all visitors behind one
    address) and those whose address the server does not know.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._slack = self._interval * (burst - 0.5)  # half of one: sums of floats are not exact
        self._due: OrderedDict[bytes, float] = OrderedDict()  # address -> when all that it opened is paid for

    def admits(self, client: tuple[str, int] | None) -> bool:
        """Whether a newcomer from there may have a session now; if so, it counts.

        `client`: host and port, as ASGI has it.
        """
        address = counted(client[0]) if client and self._interval else None
        if address is None:
            return True
        now = time.monotonic()
        due = max(self._due.get(address, now), now)
        if due - now > self._slack:
            return False
        self._due[address] = due + self._interval
        self._due.move_to_end(address)
        if len(self._due) > ADDRESSES:
            self._due.popitem(last=False)
        return True


@lru_cache(maxsize=1000)  # behind a proxy that hides addresses, or while a crowd comes, the same come again
def counted(host: str) -> bytes | None:
    """What stands for the visitor at `host`: an IPv4 address, or the /64 that one customer gets in IPv6. None: a
    visitor who is not counted."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a test client, or a socket in the file system
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return None if address.is_loopback else address.packed[:8]
