"""What `readout serve` does: start workers, say where they listen, end them gently."""

import logging
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from importlib import import_module

import click

from api.settings import Settings
from api.store import migrate, sqlite
from api.store.engine import Database, acquaint, look_round
from api.web import logs

log = logging.getLogger("readout")

TARGET = "api.wsgi:app"
# Of a worker. A stream keeps one until its reader has taken it all, a write until its turn has
# come: `STREAMS` and `WAITING` of the engine leave some to those who read.
THREADS = 80
ROUND = 1  # seconds from one look at the databases to the next
GRACE = 25  # seconds for what is under way when told to stop; orchestrators kill after 30
LOGGING = {
    "formatters": {"lines": {"()": "api.web.logs.Lines"}},
    "handlers": {
        "lines": {
            "class": "logging.StreamHandler",
            "formatter": "lines",
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {"_granian": {"handlers": ["lines"], "propagate": False}},
}


def run(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; what is under way then has `GRACE` seconds to finish."""
    # Until granian listens to signals itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="readout-metrics-") as folder:
        # Set before anything imports Prometheus' library, which looks for it only then.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        logs.configure(settings.log_level)
        database = Database(settings.database_url, settings.lock_wait)
        _remark(database)
        try:
            _serve(database, host, port, workers)
        finally:
            _tidy(database)


def free(host: str, port: int) -> tuple[str, int]:
    """Make sure that nobody listens there, and give the address in numbers; port 0 finds a port.

    The workers share the port, and would share it with another server's workers without a word.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        found = probe.getsockname()
        return found[0], found[1]


def _remark(database: Database) -> None:
    """Say what an operator should know about the database before the first request does."""
    reason = migrate.ready(database)
    # No connection may be open when the workers are forked.
    database.close()
    if reason:
        log.warning("not ready yet: %s", reason)
    if database.dialect == "sqlite" and sqlite.REMARK:
        log.warning(sqlite.REMARK)


def _tidy(database: Database) -> None:
    """Leave a database of one file: opened and closed by the last who uses it, it has no log.

    A log left beside it would be played into whatever backup is put in its place.
    """
    if database.dialect == "sqlite":
        migrate.ready(database)
        database.close()


def _serve(database: Database, host: str, port: int, workers: int) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    # Loaded here and now, the application is there at once in each worker that is forked from this
    # process, and what is wrong with it is told once.
    import_module(TARGET.partition(":")[0])
    acquaint(database)
    server = Server(
        TARGET,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
        log_level=LogLevels.error,
        log_dictconfig=LOGGING,
    )
    threading.Thread(target=_announce, args=(host, port), daemon=True).start()
    # Nobody writes to this pipe, and only this process holds it open: so a worker that reads from
    # it wakes when this process is gone, however it went.
    gone, held = os.pipe()
    os.register_at_fork(after_in_child=lambda: _heed(gone, held))
    try:
        server.serve()
    except SystemExit:
        # Granian ends with 1 where a worker heard the signal before its parent did.
        if not server.interrupt_signal:
            raise


def _heed(gone: int, held: int) -> None:
    """In a worker: heed the first SIGTERM, whenever it comes, and the parent's end; nothing else.

    Ctrl-C reaches the workers as well as their parent, which then tells them, too; a worker of
    granian that is told twice never ends.
    """
    os.close(held)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    threading.Thread(target=_await_end, daemon=True).start()
    threading.Thread(target=_follow, args=(gone,), daemon=True).start()


def _await_end() -> None:
    signal.sigwait({signal.SIGTERM})
    look_round()
    stop = signal.getsignal(signal.SIGTERM)
    if not callable(stop):
        os._exit(0)  # It has not even begun.
    stop(signal.SIGTERM, None)


def _follow(gone: int) -> None:
    """Look after the databases, and end as gently as ever once the parent was killed.

    Left behind, a worker would go on for ever, and no new server could have its place.
    """
    while True:
        look_round()
        if select.select([gone], [], [], ROUND)[0]:
            break
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def _announce(host: str, port: int) -> None:
    """Say where the service is, once it is there."""
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    click.echo(f"Readout serves at {url} (docs: {url}/docs). Ctrl-C stops it.")
