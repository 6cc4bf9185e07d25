"""Many at once on the same thing: one wins, the others are told so, and nobody waits for ever."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url

from api.store.engine import WAITING, WRITERS
from api.store.sqlite import SAFE_WAL
from tests.clients import Answer, Client, at_once
from tests.conftest import KINDS
from tests.contention import writing_elsewhere
from tests.processes import eventually
from tests.service import WORKERS, Service
from tests.writers import SHARED, Writers, prepared, statement, verified

EDITORS = 50
TWINS = 20
CROWD = 140
LOCK_WAIT = 0.5


@pytest.fixture(scope="module", params=KINDS)
def database(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    return new_database(request.param)


@pytest.fixture(scope="module")
def key(database: str) -> str:
    return prepared(database)


@pytest.fixture(scope="module")
def service(database: str, key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("contended")
    with Service(folder, database, READOUT_LOCK_WAIT="30") as service:
        yield service


@pytest.fixture
def client(service: Service, key: str) -> Iterator[Client]:
    with contextlib.closing(Client(service.url, key)) as client:
        yield client


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def edited(method: str, turn: int, seen: Answer, editor: Client, place: int) -> Answer:
    """Edit the version that was seen."""
    body = {"summary": f"Was edited by {place} in turn {turn}."}
    whole = seen.json | body if method == "PUT" else body
    return editor.send(method, SHARED, whole, {"If-Match": seen.headers["ETag"]})


def test_of_fifty_who_edit_the_same_version_one_wins(service: Service, client: Client) -> None:
    for turn, method in enumerate(("PATCH", "PUT", "PATCH", "PUT", "PATCH")):
        seen = client.get(SHARED)
        edit = partial(edited, method, turn, seen)
        answers = at_once(service.url, client.key, EDITORS, edit)
        assert statuses(answers) == {200: 1, 412: EDITORS - 1}
        [won] = (answer for answer in answers if answer.status == 200)
        assert won.json["revision"] == seen.json["revision"] + 1
        assert {answer.told for answer in answers if answer is not won} == {(412, "stale")}
        now = client.get(SHARED)
        assert (now.body, now.headers["ETag"]) == (won.body, won.headers["ETag"])


def test_of_fifty_who_make_the_same_record_one_does(service: Service, client: Client) -> None:
    def make(maker: Client, place: int) -> Answer:
        body = {"label": f"Made by {place}"}
        return maker.send("PUT", "topics/wanted-by-all", body, {"If-None-Match": "*"})

    answers = at_once(service.url, client.key, EDITORS, make)
    assert statuses(answers) == {201: 1, 412: EDITORS - 1}
    [won] = (answer for answer in answers if answer.status == 201)
    assert client.get("topics/wanted-by-all").body == won.body


def test_of_fifty_who_retract_the_same_record_one_does(service: Service, client: Client) -> None:
    made = client.send("PUT", "topics/hated-by-all", {"label": "Hated by all"})
    assert made.status == 201

    def retract(retractor: Client, place: int) -> Answer:
        path = f"topics/hated-by-all?reason=number+{place}"
        return retractor.send("DELETE", path, headers={"If-Match": made.headers["ETag"]})

    assert statuses(at_once(service.url, client.key, EDITORS, retract)) == {204: 1, 410: 49}
    history = client.get("topics/hated-by-all/revisions").json["data"]
    assert [one["action"] for one in history] == ["create", "retract"]


def test_the_same_idempotency_key_twenty_times_at_once_makes_one_record(
    service: Service, client: Client
) -> None:
    before = client.get("statements?limit=0&count=true").json["page"]["total"]

    def post(poster: Client, _: int) -> Answer:
        headers = {"Idempotency-Key": "twenty-twins"}
        return poster.send("POST", "statements", statement("twin"), headers)

    answers = at_once(service.url, client.key, TWINS, post)
    assert statuses(answers) == {201: TWINS}
    same = {(one.body, one.headers["ETag"], one.headers["Location"]) for one in answers}
    assert len(same) == 1
    replayed = Counter(answer.headers["Idempotent-Replayed"] for answer in answers)
    assert replayed == {"true": TWINS - 1, None: 1}
    after = client.get("statements?limit=0&count=true").json["page"]["total"]
    assert after == before + 1


@pytest.mark.skipif(not SAFE_WAL, reason="without WAL a reader waits for a writer that commits")
def test_a_long_write_elsewhere_refuses_writers_and_delays_no_reader(
    tmp_path: Path, new_database: Callable[..., str], database: str
) -> None:
    database = new_database(make_url(database).get_backend_name())
    key = prepared(database)
    with Service(tmp_path, database, READOUT_LOCK_WAIT=str(LOCK_WAIT)) as service:
        client = Client(service.url, key)
        with Writers(service.url, key) as writers:
            writers.go_on(20)
            with writing_elsewhere(database):
                began = time.monotonic()
                refused = client.send("POST", "statements", statement("by hand"))
                assert time.monotonic() - began >= LOCK_WAIT * 0.9
                assert refused.told == (503, "unavailable")
                assert refused.headers["Retry-After"] == "1"
                writers.refusals(2 * 8)
                for path in ("/readyz", SHARED, "statements?limit=0&facets=topic", "changes"):
                    assert client.get(path).status == 200
                writers.reads(100)
            writers.go_on(20)
        client.close()
    assert not writers.without_hope
    writers.check(database)
    print(writers.told())


@pytest.mark.skipif(not SAFE_WAL, reason="without WAL a reader waits for a writer that commits")
def test_a_crowd_that_waits_to_write_delays_no_reader(
    tmp_path: Path, new_database: Callable[..., str]
) -> None:
    database = new_database("sqlite")
    key = prepared(database)
    with (
        Service(tmp_path, database, READOUT_LOCK_WAIT="60") as service,
        ThreadPoolExecutor(CROWD) as pool,
    ):

        def post(number: int) -> Answer:
            client = Client(service.url, key, timeout=90)
            return client.once("POST", "statements", statement(f"crowd {number}"))

        with writing_elsewhere(database):
            posts = [pool.submit(post, number) for number in range(CROWD)]
            room = WORKERS * (WRITERS + WAITING)
            eventually(
                lambda: sum(one.done() for one in posts) >= CROWD - room,
                "a refusal for all who find no room to wait",
            )
            for path in ("/readyz", SHARED, "statements?limit=0&facets=topic", "changes"):
                assert Client(service.url).once("GET", path).status == 200
            assert sum(one.done() for one in posts) < CROWD - WAITING
        answers = [one.result() for one in posts]
    assert statuses(answers).keys() == {201, 503}
    assert all(one.headers["Retry-After"] for one in answers if one.status == 503)
    assert verified(database).total() == statuses(answers)[201]
