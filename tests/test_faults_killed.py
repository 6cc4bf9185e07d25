"""Killed and stopped under load: what was answered is there, once, and nothing else is."""

import os
import signal
from pathlib import Path

import pytest

from tests.processes import eventually
from tests.service import WORKERS, Service
from tests.writers import Writers, prepared

ROUNDS = 3
BETWEEN = 60  # writes from one kill to the next


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'killed.sqlite'}"


def kill_a_worker(service: Service) -> None:
    """Kill the older of the workers; another takes its place."""
    victim = service.workers()[0]
    os.kill(victim, signal.SIGKILL)
    eventually(
        lambda: victim not in (now := service.workers()) and len(now) == WORKERS,
        "a new worker",
    )


def test_kills_lose_nothing_that_was_acknowledged(tmp_path: Path, database: str) -> None:
    key = prepared(database)
    with Service(tmp_path, database) as service:
        with Writers(service.url, key) as writers:
            for _ in range(ROUNDS):
                writers.go_on(BETWEEN)
                kill_a_worker(service)
                writers.go_on(BETWEEN)
                service.kill()
                service.start()
            writers.go_on(BETWEEN)
        writers.check_reads()
        assert service.stop() == 0
    assert writers.broken
    assert not writers.answers[503]
    writers.check(database)
    print(len(writers.acknowledged), len(writers.refused), len(writers.unsettled), writers.replayed, writers.answers, writers.broken)


def test_workers_end_with_the_server(tmp_path: Path, database: str) -> None:
    """So that its place is free, and nobody writes behind the back of the one that comes next."""
    key = prepared(database)
    with Service(tmp_path, database) as service:
        with Writers(service.url, key) as writers:
            writers.go_on(BETWEEN)
            workers = service.workers()
            os.kill(service.process.pid, signal.SIGKILL)
            eventually(lambda: not any(map(alive, workers)), "the end of its workers")
            service.process.wait()
            service.start()
            writers.go_on(BETWEEN)
        assert service.stop() == 0
    writers.check(database)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_told_to_stop_it_answers_what_it_took(tmp_path: Path, database: str) -> None:
    key = prepared(database)
    with Service(tmp_path, database) as service:
        with Writers(service.url, key) as writers:
            for _ in range(2):
                writers.go_on(BETWEEN)
                assert service.stop() == 0
                service.start()
            writers.go_on(BETWEEN)
        assert service.stop() == 0
    writers.check(database)
    print(len(writers.acknowledged), len(writers.refused), len(writers.unsettled), writers.replayed, writers.answers, writers.broken)
