"""Facets by counters are those that counting anew gives, byte for byte, whatever was written.

`updated_since` long ago finds everything, and there are no counters for it.
"""

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from api import create_app
from api.exchange.bulk import Importer, Text
from api.ledger.redact import Refused, redact
from api.ledger.verify import verify
from api.settings import load
from api.store.counts import MOST, table
from api.store.engine import Database
from api.store.kinds import KINDS
from api.store.value import Value
from api.unit import Rejected
from schemas import vocabulary
from tests.call_records import a_record
from tests.conftest import KINDS as DATABASES
from tests.reading import get
from tests.test_whatever_happens import Chance
from tests.writing import Writer, new_key

ANEW = "updated_since=2000-01-01T00:00:00Z"
POSITIONS = ("", "&position=true", "&position=false")
FACETS = ("topic,speaker", "speaker", "topic")
KEPT = KINDS["statements"].counts


class Both:
    """A database, and a client to ask for its facets in both ways."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        app = create_app(load({"READOUT_DATABASE_URL": url}))
        self.client: FlaskClient = app.test_client()
        self.writer = Writer(app, new_key(url, "write", "retract"))

    def agree(self, topics: str = "%") -> int:
        """Compare them for topics, and say how many counters there are."""
        assert KEPT
        named = KINDS["topics"].table.c.id
        with self.database.read() as connection:
            some = list(connection.scalars(select(named).where(named.like(topics))))
            addressees = ["", *connection.scalars(select(KEPT.addressees.c.target).distinct())]
            kept = connection.scalar(select(func.count()).select_from(table))
            assert verify(connection).first == []
        for number, (topic, whom, position) in enumerate(product(some, addressees, POSITIONS)):
            asked = f"topic={topic}{position}" + (f"&addressee={whom}" if whom else "")
            self.same(f"{asked}&facets={FACETS[number % len(FACETS)]}")
        return kept or 0

    def same(self, asked: str) -> Any:
        """The answer, which is to be the same in both ways."""
        path = f"/v1/statements?limit=0&count=true&{asked}"
        answer, anew = (get(self.client, one) for one in (path, f"{path}&{ANEW}"))
        assert answer.status_code == 200, answer.text
        assert answer.data == anew.data, asked
        return answer.get_json()["facets"]


@pytest.fixture(params=DATABASES)
def both(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> Iterator[Both]:
    both = Both(new_database(request.param, filled=True))
    yield both
    both.database.close()


class Statements(Chance):
    """Chance that changes more of what is counted."""

    def change(self, kind: str) -> None:
        super().change(self.random.choice([kind, "statements", "statements"]))

    def new_statements(self, text: str) -> dict[str, Any]:
        more = {
            "addressees": self.some("participants", 2),
            "act": self.random.choice(vocabulary.codes(vocabulary.ACTS)),
        }
        kept = ["topics"] if self.random.random() < 0.3 else []
        new = super().new_statements(text) | more
        return {name: value for name, value in new.items() if name not in kept}


def test_they_are_the_same_whatever_happens(both: Both) -> None:
    chance = Statements(seed=1814)
    done = 0
    for step in range(1, 101):
        try:
            with both.database.write() as connection:
                chance.step(connection)
            done += 1
        except (Rejected, Refused, IndexError):
            pass
        if step % 50 == 0:
            assert both.agree()
    assert done > 30


def test_what_is_written_one_by_one(both: Both) -> None:
    tag, writer = "counted", both.writer
    assert writer.put(f"calls/{tag}-call/record", a_record(tag)).status_code == 201
    path, lock, beta = f"statements/{tag}-statement-1", f"{tag}-lock", f"{tag}-beta"
    asked = f"topic={lock}&addressee={beta}&facets=topic,speaker"

    def told() -> tuple[dict[str, int], ...]:
        both.agree(f"{tag}-%")
        found = both.same(asked)
        return tuple({one["id"][len(tag) + 1 :]: one["count"] for one in found[n]} for n in found)

    assert told() == ({"lock": 2}, {"minister": 2})
    written = writer.read(path)
    del written["id"]
    assert writer.patch(path, {"speakers": [f"{tag}-envoy"]}).status_code == 200
    assert told() == ({"lock": 2}, {"minister": 1, "envoy": 1})
    assert writer.patch(path, {"topics": [lock, f"{tag}-locks"]}).status_code == 200
    assert told() == ({"lock": 2, "locks": 1}, {"minister": 1, "envoy": 1})
    assert writer.patch(path, {"addressees": []}).status_code == 200
    assert told() == ({"lock": 1}, {"minister": 1})
    assert writer.patch(path, {"act": "briefing"}).status_code == 200
    assert told() == ({"lock": 1}, {"minister": 1})
    account = f"accounts/{tag}-account"
    assert writer.patch(account, {"call": "selsund-ferry-call-2031"}).status_code == 200
    assert told() == ({"lock": 1}, {"minister": 1})
    assert writer.patch(f"participants/{tag}-minister", {"name": "Somebody"}).status_code == 200
    [speaker] = both.same(f"{asked}&position=true")["speaker"]
    assert (speaker["label"], speaker["count"]) == ("Somebody", 1)
    assert writer.delete(path).status_code == 204
    assert told() == ({"lock": 1}, {"minister": 1})
    with both.database.write() as connection:
        redact(connection, "statements", f"{tag}-statement-2", "law", "by law")
    assert told() == ({}, {})
    with both.database.read() as connection:
        left = select(func.count()).where(table.c.topic.like(f"{tag}-%"))
        assert connection.scalar(left) == 0


def test_what_is_imported_and_replaced_at_once(both: Both) -> None:
    """New ones, one that stands and is put otherwise, and one that is refused, in one go."""

    def lines(records: list[dict[str, Any]]) -> Iterator[Text]:
        for number, one in enumerate(records, 1):
            yield Text(number, json.dumps(one).encode())

    first, other, wrong = (a_record(tag) for tag in ("first", "other", "wrong"))
    again = a_record("first")
    again["statements"][0] |= {"topics": ["first-locks"], "addressees": ["first-envoy"]}
    del again["statements"][1]
    wrong["statements"][0]["topics"] = ["nothing"]
    importer = Importer(both.database, "tests", replace=True)
    before = both.agree("grain-deal")
    fates = [fate.fate for fate in importer.run(lines([first, other, again]))]
    assert fates == ["created", "created", "replaced"]
    between = both.agree("%-lock%")
    assert between > before
    more = [a_record("more"), wrong, a_record("last")]
    assert [fate.fate for fate in importer.run(lines(more))] == ["created", "failed", "created"]
    assert both.agree("%-lock%") > between


def test_the_100_most_frequent_values(both: Both) -> None:
    record = a_record("many")
    one, topic = record["statements"][0], record["topics"][1]
    names = [f"many-topic-{number:03}" for number in range(130)]
    record["topics"] += [topic | {"id": name, "label": f"Label of {name}"} for name in names]
    record["statements"] = [
        one | {"id": f"many-{number:03}", "topics": ["many-lock", *names[number : number + 3]]}
        for number in range(130)
    ]
    assert both.writer.put("calls/many-call/record", record).status_code == 201
    found = both.same("topic=many-lock&facets=topic,speaker")
    assert [each["count"] for each in found["topic"]][:3] == [130, 3, 3]
    assert len(found["topic"]) == 100
    assert both.agree("many-topic-00%")


ASKED = {
    "topic": {"topic": Value(("grain-deal",))},
    "to one": {"topic": Value(("grain-deal",)), "addressee": Value(("nato",))},
    "positions": {"topic": Value(("grain-deal",)), "position": Value((True,))},
}
NOT_ASKED = {
    "several topics": {"topic": Value(("grain-deal", "taiwan"))},
    "no topic": {"topic": Value((), none=True)},
    "a topic or none": {"topic": Value(("grain-deal",), none=True)},
    "to several": {"topic": Value(("grain-deal",)), "addressee": Value(("nato", "russia"))},
    "to nobody": {"topic": Value(("grain-deal",)), "addressee": Value((), none=True)},
    "another filter": {"topic": Value(("grain-deal",)), "act": Value(("demand",))},
    "an addressee alone": {"addressee": Value(("nato",))},
    "all": {},
}


@pytest.mark.parametrize("asked", [*ASKED, *NOT_ASKED])
def test_they_are_used_for_what_they_hold_alone(both: Both, asked: str) -> None:
    assert KEPT
    filters = {**ASKED, **NOT_ASKED}[asked]
    with both.database.read() as connection:
        for names in ([], ["topic"], ["speaker"], ["speaker", "topic"], ["act", "topic"]):
            used = asked in ASKED and "act" not in names
            assert KEPT.know(connection, filters, names) == used


def test_a_statement_with_long_lists_is_left_out(both: Both) -> None:
    """It would have as many counters as the product of its lists."""
    assert KEPT
    tag, writer = "long", both.writer
    assert writer.put(f"calls/{tag}-call/record", a_record(tag)).status_code == 201
    people = [f"{tag}-{number}" for number in range(MOST + 1)]
    for one in people:
        made = writer.put(f"participants/{one}", {"name": one, "kind": "person"})
        assert made.status_code == 201, made.text
    path = f"statements/{tag}-statement-1"
    for members, known in (
        ({"addressees": people}, False),
        ({"addressees": people[:MOST]}, True),
        ({"speakers": people}, False),
        ({"speakers": people[:1]}, True),
    ):
        assert writer.patch(path, members).status_code == 200
        both.agree(f"{tag}-%")
        with both.database.read() as connection:
            asked = {"topic": Value((f"{tag}-lock",))}
            assert KEPT.know(connection, asked) == known
