"""Acknowledged is synced. A kill alone does not show it: what was written survives in memory."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.clients import Client, at_once
from tests.service import Service
from tests.writers import prepared, statement

ALONE, TOGETHER, CLIENTS = 20, 10, 8


def traced(to: Path) -> list[str]:
    """A command that runs another and notes its syncs, with the path of each file."""
    command = ["strace", "--follow-forks", "--quiet=all", "--decode-fds=path"]
    command += ["--trace=fsync,fdatasync", "--status=successful", f"--output={to}"]
    try:
        tried = subprocess.run([*command, "true"], capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        pytest.skip("strace, which counts syncs, is not here (Debian's package is strace)")
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.strip()[-200:]}")
    return command


def test_each_acknowledged_write_was_synced(tmp_path: Path) -> None:
    """Strace notes a sync before the program goes on, so what is not noted yet was not done."""
    file, notes = tmp_path / "synced.sqlite", tmp_path / "syncs"
    key = prepared(f"sqlite:///{file}")
    within = traced(notes)

    def syncs() -> int:
        return sum(f"<{file}" in line for line in notes.read_text().splitlines())

    def write(client: Client, mark: str) -> None:
        answer = client.send("POST", "statements", statement(mark))
        assert answer.status == 201, answer

    with (
        Service(tmp_path, f"sqlite:///{file}", within=within) as service,
        closing(Client(service.url, key)) as alone,
    ):
        began = counted = syncs()
        for turn in range(ALONE):
            write(alone, f"alone {turn}")
            before, counted = counted, syncs()
            assert counted > before, f"write {turn} was acknowledged without a sync"
        each = (counted - began) / ALONE

        def work(client: Client, place: int) -> None:
            for turn in range(TOGETHER):
                write(client, f"together {place} {turn}")

        at_once(service.url, key, CLIENTS, work)
        together = (syncs() - counted) / (TOGETHER * CLIENTS)
        assert together >= 1
    print(f"{each:g} syncs a commit alone, {together:g} with {CLIENTS} at once")
