"""Killed and stopped under load: what was answered is there, once, and nothing else is."""

import os
import signal
from pathlib import Path

import pytest

from tests.processes import alive, eventually
from tests.service import WORKERS, Service
from tests.writers import Writers, prepared

BETWEEN = 40  # writes from one blow to the next


def a_worker(service: Service) -> None:
    """Kill the older of the workers; another takes its place."""
    victim = service.workers()[0]
    os.kill(victim, signal.SIGKILL)
    eventually(
        lambda: victim not in (now := service.workers()) and len(now) == WORKERS, "a new worker"
    )


def everything(service: Service) -> None:
    """Kill all processes, and start again."""
    service.kill()
    service.start()


def the_parent(service: Service) -> None:
    """Kill the parent alone: its workers end, so that the next can have its place."""
    workers = service.workers()
    os.kill(service.process.pid, signal.SIGKILL)
    eventually(lambda: not any(map(alive, workers)), "the end of the workers")
    service.process.wait()
    service.start()


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'killed.sqlite'}"


def test_kills_lose_nothing_that_was_acknowledged(tmp_path: Path, database: str) -> None:
    key = prepared(database)
    blows = (a_worker, everything, a_worker, the_parent, a_worker, everything)
    with Service(tmp_path, database) as service:
        with Writers(service.url, key) as writers:
            for blow in blows:
                writers.go_on(BETWEEN)
                blow(service)
            writers.go_on(BETWEEN)
        writers.check_reads()
        assert service.stop() == 0
    assert writers.broken
    assert not writers.answers[503]
    untold = writers.check(database)
    print(f"{len(blows)} kills, {writers.told()}, {len(untold)} of the unsettled are there")


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
    untold = writers.check(database)
    assert not untold
    assert not writers.replayed
    print(writers.told())
