"""Figures for Prometheus, over all workers of a server.

Import this only in a process that serves: where `PROMETHEUS_MULTIPROC_DIR` names a folder, as
`readout serve` sees to, every process that imports the client library keeps its figures in there.
"""

import functools
import os
import platform
from importlib.metadata import version
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

__all__ = [
    "CONTENT_TYPE_LATEST", "IN_FLIGHT",
    "count", "exposition", "standby_failed", "standby_read", "standby_seen",
]  # fmt: skip

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Anything may stand in a request line; what is counted is of a kind.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

_registry = CollectorRegistry()
IN_FLIGHT = Gauge(
    "readout_requests_in_flight",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
    registry=_registry,
)
_requests = Counter(
    "readout_requests",
    "Requests answered, by route and by class of status.",
    ["method", "route", "status"],
    registry=_registry,
)
_duration = Histogram(
    "readout_request_duration_seconds",
    "Time from the request to the end of its answer.",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_registry,
)
_standby_lag = Gauge(
    "readout_standby_lag_seconds",
    "How far a standby is behind the primary; infinite where that is not known.",
    ["host"],
    multiprocess_mode="livemax",
    registry=_registry,
)
_standby_used = Gauge(
    "readout_standby_used",
    "In how many processes a standby is read from; 0 where it is left out.",
    ["host"],
    multiprocess_mode="livesum",
    registry=_registry,
)
_standby_reads = Counter(
    "readout_standby_reads", "Reads begun at a standby.", ["host"], registry=_registry
)
_standby_failures = Counter(
    "readout_standby_failures",
    "Reads that a standby failed, and that were made again at another server.",
    ["host"],
    registry=_registry,
)
Gauge(
    "readout_build_info",
    "What is running; the value is always 1.",
    ["version", "python"],
    multiprocess_mode="max",
    registry=_registry,
).labels(version("readout-service"), platform.python_version()).set(1)


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that has been answered."""
    method = method if method in METHODS else "other"
    requests, duration = _children(method, route, status // 100)
    requests.inc()
    duration.observe(seconds)


def standby_seen(host: str, lag: float, used: bool) -> None:
    """Take in what was found of a standby."""
    _standby_lag.labels(host).set(lag)
    _standby_used.labels(host).set(used)


def standby_read(host: str) -> None:
    """Count a read at a standby."""
    _standby_reads.labels(host).inc()


def standby_failed(host: str) -> None:
    """Count a read that a standby failed."""
    _standby_failures.labels(host).inc()


@functools.cache
def _children(method: str, route: str, hundreds: int) -> tuple[Counter, Histogram]:
    return _requests.labels(method, route, f"{hundreds}xx"), _duration.labels(method, route)


def exposition() -> bytes:
    """Write all figures in the text format, whose media type is `CONTENT_TYPE_LATEST`."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return generate_latest(_registry)
    for path in Path(folder).glob("gauge_live*.db"):
        # A worker that crashed took its requests in flight with it.
        pid = int(path.stem.rpartition("_")[2])
        if not _alive(pid):
            mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
