"""A real `readout serve`, as users run it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READOUT = str(Path(sys.executable).with_name("readout"))

# The server stops when its standard input closes: so too when whoever started it dies.
SUPERVISOR = '"$@" & read -r _; kill $!; wait $!'


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[str]:
    """Migrate, seed and serve a database of its own in the folder; give the base URL.

    Further arguments are set in the environment of the command.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("READOUT_")}
    env |= {"READOUT_DATABASE_URL": f"sqlite:///{folder / 'live.sqlite'}"} | environment
    for command in ("migrate", "seed"):
        done = subprocess.run([READOUT, command], env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"readout {command} gave {done.returncode}:\n{done.stderr}"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "serve.log"
    with (
        log.open("w") as out,
        subprocess.Popen(
            ["sh", "-c", SUPERVISOR, "sh", READOUT, "serve", "--bind", f"127.0.0.1:{port}"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        assert ready(url), f"the server was not ready in 30 seconds:\n{log.read_text()[-2000:]}"
        yield url
        process.communicate(timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def ready(url: str, seconds: float = 30) -> bool:
    """Wait until the server says that it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    return False
