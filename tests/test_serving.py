"""The server as a process: how it starts, what it survives, how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from api.store.migrate import upgrade
from tests.live import READOUT, free_port

ROOT = Path(__file__).parents[1]
STAND_IN = (
    sys.executable,
    "-c",
    "from api import cli, serve; serve.TARGET = 'tests.stand_in:app'; cli.main()",
)
# What is under way when a server is told to stop has this long to arrive first.
A_MOMENT = 0.3


class Running:
    """A server under test, and what it has printed."""

    def __init__(self, folder: Path, command: tuple[str, ...], **environment: str) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("READOUT_")}
        env |= {"READOUT_DATABASE_URL": f"sqlite:///{folder / 'served.sqlite'}"} | environment
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=err, env=env, cwd=ROOT, start_new_session=True
            )

    def wait_for(self, text: str, seconds: float = 30) -> re.Match[str]:
        """Wait until a text stands in what was printed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            printed = self.out.read_text() + self.err.read_text()
            if found := re.search(text, printed):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not printed, but:\n{printed}")

    def lines(self) -> list[dict[str, Any]]:
        """What was logged, each line read as JSON."""
        return [json.loads(line) for line in self.err.read_text().splitlines()]

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """End it, and give its exit code."""
        self.process.send_signal(with_signal)
        return self.process.wait(60)


def requests(server: Running) -> list[dict[str, Any]]:
    return [line for line in server.lines() if "path" in line]


@contextmanager
def running(folder: Path, *command: str, **environment: str) -> Iterator[Running]:
    server = Running(folder, command, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            os.killpg(server.process.pid, signal.SIGKILL)
            server.process.wait()


def url_of(server: Running) -> str:
    return server.wait_for(r"Readout serves at (http://\S+)")[1]


def get(url: str, **headers: str) -> tuple[int, Message, bytes]:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=30
        ) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Running]:
    """`readout serve` with an application that misbehaves on purpose."""
    with running(tmp_path, *STAND_IN, "serve", "--bind", "127.0.0.1:0") as server:
        yield server


def test_it_says_where_it_is_and_answers(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'served.sqlite'}")
    with running(tmp_path, READOUT, "serve", "--bind", "127.0.0.1:0") as server:
        url = url_of(server)
        assert (
            server.out.read_text()
            == f"Readout serves at {url} (docs: {url}/docs). Ctrl-C stops it.\n"
        )
        status, headers, _ = get(f"{url}/readyz", **{"X-Request-Id": "from-outside"})
        assert (status, headers["X-Request-Id"]) == (200, "from-outside")
        status, _, figures = get(f"{url}/metrics")
        assert b'readout_requests_total{method="GET",route="/readyz",status="2xx"} 1.0' in figures
        assert server.stop() == 0
        assert [line["path"] for line in server.lines()] == ["/readyz", "/metrics"]
        assert server.lines()[0]["id"] == "from-outside"


def test_it_serves_over_ipv6(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with running(tmp_path, *STAND_IN, "serve", "--bind", "[::1]:0") as server:
        url = url_of(server)
        assert url.startswith("http://[::1]:")
        assert get(f"{url}/pid")[0] == 200


def test_a_database_that_is_not_ready_is_said_and_served_anyway(tmp_path: Path) -> None:
    with running(tmp_path, READOUT, "serve", "--bind", "127.0.0.1:0") as server:
        url = url_of(server)
        assert server.lines()[0]["message"] == "not ready yet: There is no database file."
        assert get(f"{url}/healthz")[0] == 200
        status, headers, body = get(f"{url}/readyz")
        assert status == 503
        assert headers["Content-Type"] == "application/problem+json"
        assert json.loads(body)["detail"] == "There is no database file."
        # It recovers by itself.
        upgrade(f"sqlite:///{tmp_path / 'served.sqlite'}")
        assert get(f"{url}/readyz")[0] == 200


def test_a_port_that_is_taken_is_one_plain_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(tmp_path, READOUT, "serve", "--bind", f"127.0.0.1:{port}") as server:
            assert server.process.wait(30) == 1
            assert server.err.read_text() == (
                f"readout: port {port} of 127.0.0.1 is taken;"
                " name another by --bind (or make serve PORT=…).\n"
            )


def test_a_second_server_does_not_share_the_port(stand_in: Running, tmp_path: Path) -> None:
    address = url_of(stand_in).removeprefix("http://")
    (tmp_path / "second").mkdir()
    with running(tmp_path / "second", READOUT, "serve", "--bind", address) as second:
        assert second.process.wait(30) == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["serve", "--bind", "nowhere"], {}, "'nowhere' is not like 127.0.0.1:8000 or"),
        (["serve", "--bind", "::1:80"], {}, "'::1:80' is not like"),
        (["serve", "--bind", "a:70000"], {}, "70000 is not a port"),
        (["serve", "--workers", "0"], {}, "0 is not in the range"),
        (["serve"], {"READOUT_LOG_LEVEL": "loud"}, "readout: READOUT_LOG_LEVEL is 'loud'"),
        (["migrate"], {"READOUT_DATABASE_URL": "x"}, "readout: READOUT_DATABASE_URL is not"),
        (["migrate"], {"READOUT_DATABAS_URL": "x"}, "did you mean READOUT_DATABASE_URL?"),
        (["fly"], {}, "No such command 'fly'"),
    ],
)
def test_a_wrong_call_exits_with_2(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], told: str
) -> None:
    with running(tmp_path, READOUT, *arguments, **environment) as command:
        assert command.process.wait(30) == 2
        assert told in command.err.read_text()
        assert "Traceback" not in command.err.read_text()


def test_a_migration_that_cannot_be_exits_with_1(tmp_path: Path) -> None:
    url = "postgresql://me:hunter2@127.0.0.1:1/readout"
    with running(tmp_path, READOUT, "migrate", READOUT_DATABASE_URL=url) as command:
        assert command.process.wait(30) == 1
        [line] = command.err.read_text().splitlines()
        assert line.startswith("readout: The database cannot be reached. (postgresql")
        assert "hunter2" not in line


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_is_finished_before_it_ends(stand_in: Running, end: int) -> None:
    url = url_of(stand_in)
    answers: dict[str, bytes] = {}

    def ask(path: str) -> None:
        answers[path] = get(url + path)[2]

    asking = [threading.Thread(target=ask, args=(path,)) for path in ("/slow", "/stream?lines=15")]
    for thread in asking:
        thread.start()
    time.sleep(A_MOMENT)
    assert stand_in.stop(end) == 0
    for thread in asking:
        thread.join()
    assert answers["/slow"] == b"done"
    assert answers["/stream?lines=15"].splitlines() == [b"%d" % n for n in range(15)]
    assert [line["status"] for line in requests(stand_in)] == [200, 200]


def test_a_signal_to_the_whole_group_ends_it_as_gently(stand_in: Running) -> None:
    """As Ctrl-C in a terminal does, and systemd."""
    url = url_of(stand_in)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(get(f"{url}/slow")[2]))
    asking.start()
    time.sleep(A_MOMENT)
    os.killpg(stand_in.process.pid, signal.SIGINT)
    assert stand_in.process.wait(30) == 0
    asking.join()
    assert answers == [b"done"]
    assert [line["status"] for line in requests(stand_in)] == [200]
    assert not [line for line in stand_in.lines() if line["level"] == "error"]


def test_a_worker_that_crashes_is_replaced(stand_in: Running) -> None:
    url = url_of(stand_in)
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        get(f"{url}/crash")
    end = time.monotonic() + 30
    pids: set[bytes] = set()
    while len(pids) < 2 and time.monotonic() < end:
        try:
            pids.add(get(f"{url}/pid")[2])
        except (ConnectionError, urllib.error.URLError):
            time.sleep(0.05)
    assert len(pids) == 2
    assert get(f"{url}/slow")[2] == b"done"
    assert stand_in.stop() == 0


def test_a_reader_that_leaves_frees_its_place(stand_in: Running) -> None:
    url = url_of(stand_in)
    with urllib.request.urlopen(f"{url}/endless", timeout=30) as answer:
        answer.read(1_000_000)
    stand_in.wait_for('"path":"/endless".*"aborted":true')
    assert stand_in.stop() == 0


def test_a_stream_that_breaks_is_in_the_log(stand_in: Running) -> None:
    url = url_of(stand_in)
    assert b"hunter2" not in get(f"{url}/broken")[2]
    stand_in.wait_for('"path":"/broken"')
    by_message = {line.get("message"): line for line in stand_in.lines()}
    assert "hunter2" in by_message["a stream failed"]["trace"]
    assert by_message[None]["level"] == "error"


def test_slow_readers_do_not_stop_the_others(stand_in: Running) -> None:
    url = url_of(stand_in)
    host, _, port = url.removeprefix("http://").rpartition(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(20)]
    for connection in slow:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(A_MOMENT)
    began = time.monotonic()
    assert get(f"{url}/pid")[0] == 200
    assert time.monotonic() - began < 5
    for connection in slow:
        connection.close()


def test_gunicorn_serves_it_too(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'served.sqlite'}")
    port = free_port()
    command = ("-m", "gunicorn", "--no-control-socket", "--threads", "4", "--bind")
    with running(tmp_path, sys.executable, *command, f"127.0.0.1:{port}", "api.wsgi:app") as server:
        server.wait_for("Listening at")
        status, headers, _ = get(f"http://127.0.0.1:{port}/readyz")
        assert status == 200
        assert headers["X-Request-Id"]
        server.wait_for('"path":"/readyz"')
        assert server.stop() == 0


def test_gunicorn_says_plainly_what_is_wrong_with_the_configuration(tmp_path: Path) -> None:
    command = ("-m", "gunicorn", "--no-control-socket", "--bind", f"127.0.0.1:{free_port()}")
    with running(
        tmp_path, sys.executable, *command, "api.wsgi:app", READOUT_LOG_LEVEL="loud"
    ) as server:
        assert server.process.wait(30) != 0
        server.wait_for("READOUT_LOG_LEVEL is 'loud'")
        assert "Traceback" not in server.err.read_text()
