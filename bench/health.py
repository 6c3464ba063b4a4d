"""What the deployed program tells of itself: at `/health`, and in the histograms of `/metrics`."""

import http.client
import json
import re
from typing import Any


def health(port: int) -> dict[str, Any]:
    """The whole report."""
    report: dict[str, Any] = json.loads(_get(port, "/health"))
    return report


def heap_in_use(port: int) -> int:
    """Bytes of all objects in the server (`htag/process/heap.py`), as `serve.py` tells them."""
    return int(_get(port, "/heap"))


def quantile(port: int, histogram: str, share: float) -> float:
    """That quantile of a histogram, as Prometheus estimates it: even within a bucket."""
    text = _get(port, "/metrics").decode()
    found = re.findall(rf'^{histogram}_bucket{{.*le="(.*?)".*}} (.*)$', text, re.MULTILINE)
    buckets = [(float(most), float(number)) for most, number in found]
    wanted = buckets[-1][1] * share
    lower, before = 0.0, 0.0
    for most, number in buckets:
        if number >= wanted:
            return lower + (most - lower) * (wanted - before) / (number - before)
        lower, before = most, number
    raise ValueError(f"{histogram} has no bucket for {share}")


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
