"""A POST that is sent twice under one Idempotency-Key writes once."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from api.store import idempotency
from api.store.engine import Database
from schemas.instants import timestamp
from schemas.record import WRITTEN
from tests.call_records import a_record
from tests.writing import Writer, content, new_key, told

TAG = "twice"
_keys = (f"key-{number}" for number in itertools.count())


@pytest.fixture(scope="module", autouse=True)
def record(writer: Writer) -> None:
    """A call record for the tests of this module to name."""
    assert writer.put(f"calls/{TAG}-call/record", a_record(TAG)).status_code == 201


@pytest.fixture
def key() -> str:
    """An Idempotency-Key that nobody has used."""
    return next(_keys)


def document(kind: str, name: str) -> dict[str, Any]:
    record = a_record(TAG)
    made: dict[str, Any] = record["call"] if kind == "calls" else record[kind][0]
    made |= {one: name for one in ("name", "label", "title") if one in made}
    made |= {one: [] for one in ("aliases",) if one in made}
    return {k: v for k, v in made.items() if k != "id"}


def seq(writer: Writer) -> int:
    number: int = writer.read("changes/checkpoint")["seq"]
    return number


@pytest.mark.parametrize("kind", WRITTEN)
def test_the_same_again_gives_the_stored_answer(writer: Writer, key: str, kind: str) -> None:
    sent = document(kind, f"Again {kind}")
    headers = {"Idempotency-Key": key}
    first = writer.post(kind, sent, headers)
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    path = first.headers["Location"]
    before = seq(writer)
    for step in range(3):
        again = writer.post(kind, sent, headers)
        assert (again.status_code, again.data) == (201, first.data)
        assert again.headers["Idempotent-Replayed"] == "true"
        for name in ("Location", "ETag", "Content-Type"):
            assert again.headers[name] == first.headers[name]
        if step == 0:  # What becomes of the record does not matter.
            assert seq(writer) == before
            assert writer.patch(path, {}).status_code == 200
        if step == 1:
            assert writer.delete(path).status_code == 204


def test_another_body_is_refused(writer: Writer, key: str) -> None:
    headers = {"Idempotency-Key": key}
    made = writer.post("topics", '{"label": "Twice a"}', headers)
    assert made.status_code == 201
    before = seq(writer)
    for body in ('{"label": "Twice b"}', '{"label":"Twice a"}', '{"label": "Twice a"} '):
        answer = writer.post("topics", body, headers)
        assert told(answer) == (422, "invalid")
        assert "Idempotency-Key" in content(answer)["detail"]
    assert seq(writer) == before
    assert writer.post("topics", '{"label": "Twice a"}', headers).data == made.data


def test_paths_and_api_keys_each_have_their_own(
    app: Flask, writer: Writer, database_url: str, key: str
) -> None:
    headers = {"Idempotency-Key": key}
    made = writer.post("calls", {"title": "Own"}, headers)
    other_path = writer.post("sources", document("sources", "Own"), headers)
    other_desk = Writer(app, new_key(database_url, "write")).post(
        "calls", {"title": "Own"}, headers
    )
    answers = [made, other_path, other_desk]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert not [answer for answer in answers if "Idempotent-Replayed" in answer.headers]
    assert len({content(answer)["id"] for answer in answers}) == 3


def test_without_a_key_each_post_makes_a_record(writer: Writer) -> None:
    made = {content(writer.post("calls", {"title": "Each"}))["id"] for _ in range(3)}
    assert len(made) == 3


def test_a_key_may_be_bare_or_quoted(writer: Writer, key: str) -> None:
    made = writer.post("calls", {"title": "Bare"}, {"Idempotency-Key": key})
    quoted = writer.post("calls", {"title": "Bare"}, {"Idempotency-Key": f'"{key}"'})
    assert quoted.data == made.data
    other_case = writer.post("calls", {"title": "Bare"}, {"Idempotency-Key": key.upper()})
    assert content(other_case)["id"] != content(made)["id"]


VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


@pytest.mark.parametrize(
    "value", ["x", '"x"', "1", "x" * 255, f'"{"y" * 255}"', VISIBLE, f'"{VISIBLE}"', "a,b", "*"]
)
def test_a_key_is_of_visible_ascii(writer: Writer, value: str) -> None:
    sent = {"title": "Visible"}  # Quoted and bare are the same key.
    made = writer.post("calls", sent, {"Idempotency-Key": value})
    assert made.status_code == 201
    assert writer.post("calls", sent, {"Idempotency-Key": value}).data == made.data


@pytest.mark.parametrize(
    "value",
    ["", '""', '"', "x" * 256, f'"{"x" * 256}"', "a b", '"a b"', "\x7f", "é", "\t", "a\tb", "\x01"],
    ids=ascii,
)
def test_a_key_that_is_none_is_refused(refused: Callable[..., Any], value: str) -> None:
    answer = refused("POST", "calls", {"title": "None"}, {"Idempotency-Key": value})
    assert told(answer) == (400, "bad-request")
    assert "Idempotency-Key" in content(answer)["detail"]


def test_what_failed_is_not_kept(writer: Writer, key: str) -> None:
    headers = {"Idempotency-Key": key}
    assert told(writer.post("topics", {"label": 5}, headers)) == (422, "invalid")
    assert told(writer.post("topics", {"label": f"{TAG} Lock"}, headers)) == (409, "conflict")
    assert told(writer.post("topics", "{", headers)) == (400, "malformed-body")
    made = writer.post("topics", {"label": "Twice failed"}, headers)
    assert (made.status_code, made.headers.get("Idempotent-Replayed")) == (201, None)


def test_an_answer_is_kept_for_a_day(writer: Writer, database_url: str, key: str) -> None:
    headers = {"Idempotency-Key": key}
    sent = {"title": "A day"}
    made = writer.post("calls", sent, headers)
    database = Database(database_url)
    table = idempotency.table

    def age(hours: float) -> None:
        then = timestamp(datetime.now(UTC) - timedelta(hours=hours))
        with database.write() as connection:
            connection.execute(update(table).where(table.c.key == key).values(at=then))

    age(23.99)
    assert writer.post("calls", sent, headers).data == made.data
    assert told(writer.post("calls", {"title": "Another"}, headers)) == (422, "invalid")
    age(24.01)
    anew = writer.post("calls", {"title": "Another day"}, headers)
    assert (anew.status_code, anew.headers.get("Idempotent-Replayed")) == (201, None)
    assert writer.post("calls", {"title": "Another day"}, headers).data == anew.data
    age(24.01)
    writer.post("calls", sent, {"Idempotency-Key": f"{key}-later"})
    with database.read() as connection:  # What is too old goes with the next that is kept.
        old = select(func.count()).select_from(table).where(table.c.key == key)
        assert connection.scalar(old) == 0
    database.close()


def test_twenty_at_once_make_one_record(app: Flask, writer: Writer, key: str) -> None:
    start = Barrier(20)
    sent = {"title": "At once", "notes": key}

    def post(number: int) -> tuple[int, bytes, str | None]:
        own = Writer(app, writer.key)
        quoted = key if number % 2 else f'"{key}"'
        start.wait()
        answer = own.post("calls", sent, {"Idempotency-Key": quoted})
        return answer.status_code, answer.data, answer.headers.get("Idempotent-Replayed")

    before = seq(writer)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(post, range(20)))
    assert {status for status, _, _ in answers} == {201}
    assert len({body for _, body, _ in answers}) == 1
    assert sorted(replayed or "" for _, _, replayed in answers) == ["", *["true"] * 19]
    assert seq(writer) == before + 1
    assert len(writer.read(f"calls?q={key}")["data"]) == 1


def test_other_methods_pay_it_no_heed(writer: Writer, key: str) -> None:
    headers = {"Idempotency-Key": key}
    path = f"topics/{TAG}-{key}"
    for label in ("Heed a", "Heed b"):
        answer = writer.put(path, {"label": label}, headers)
        assert content(answer)["label"] == label
    assert writer.patch(path, {"label": "Heed c"}, headers).status_code == 200
