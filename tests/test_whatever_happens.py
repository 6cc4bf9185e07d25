"""Records changed, retracted, brought back and redacted at random: all holds all the time."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select

from api import ledger
from api.ledger.redact import Refused, redact
from api.ledger.verify import verify
from api.store.engine import Database
from api.store.kinds import KINDS
from api.unit import Rejected, Unit
from tests.conftest import KINDS as DATABASES

STEPS = 120
BETWEEN = 20  # steps from one look to the next
DEEDS = [*["change"] * 12, "restore", "restore", "redact", "earlier"]


class Chance:
    """Does one thing after the other to records, in an order that the seed decides."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0

    def step(self, connection: Connection) -> None:
        """One unit of work, as requests and commands make them."""
        self.connection = connection
        self.unit = Unit(connection, "chance", "by chance")
        first = self.random.choice(DEEDS)
        more = self.random.choices(("change", "retract"), k=self.random.randint(0, 2))
        # A call record that is put changes what it holds, and then retracts what it does not.
        deeds = [first] if first in ("redact", "earlier") else [first, *sorted(more)]
        for deed in deeds:
            self.number += 1
            getattr(self, deed)(self.random.choice(list(KINDS)))
        self.unit.commit()

    def ids(self, kind: str, *actions: str) -> list[str]:
        """Those that stand, or those that ever saw one of the actions."""
        table = ledger.table if actions else KINDS[kind].table
        found = select(table.c.id).order_by(table.c.id)
        if actions:
            found = found.where(ledger.table.c.kind == kind, ledger.table.c.action.in_(actions))
        return list(dict.fromkeys(self.connection.scalars(found)))

    def some(self, kind: str, most: int, *more: None) -> list[Any]:
        """A few of a kind, in any order."""
        among = [*self.ids(kind), *more]
        return self.random.sample(among, self.random.randint(0, min(most, len(among))))

    def one(self, kind: str, *more: None) -> Any:
        return self.random.choice([*self.ids(kind), *more])

    def sides(self, most: int) -> list[str]:
        return [one for one in self.some("participants", most) if self.is_side(one)]

    def is_side(self, participant: str) -> bool:
        found = self.unit.find("participants", participant)
        return found is not None and found["kind"] != "person"

    def change(self, kind: str) -> None:
        written = self.unit.written(kind, self.one(kind))
        self.unit.put(kind, written | getattr(self, f"new_{kind}")(f"Number {self.number}"))

    def new_participants(self, text: str) -> dict[str, Any]:
        country = self.random.choice([None, "US", "RU", "NO"])
        return {"name": text, "aliases": [f"{text} too"], "country": country}

    def new_topics(self, text: str) -> dict[str, Any]:
        return {"label": text, "aliases": [], "broader": self.one("topics", None)}

    def new_sources(self, text: str) -> dict[str, Any]:
        return {"title": text, "publisher": self.random.choice([None, text])}

    def new_calls(self, text: str) -> dict[str, Any]:
        return {
            "title": text,
            "held_on": self.random.choice([None, "2031", "2022-07~"]),
            "initiated_by": self.sides(2),
            "participants": [
                {"participant": one, "office": None, "side": side, "role": "aide"}
                for one in self.some("participants", 3)
                for side in [*self.sides(1), None][:1]
            ],
        }

    def new_accounts(self, text: str) -> dict[str, Any]:
        return {
            "call": self.one("calls"),
            "sides": self.sides(3),
            "given_by": self.one("participants", None),
        }

    def new_statements(self, text: str) -> dict[str, Any]:
        return {
            "speakers": self.some("participants", 2),
            "targets": self.some("participants", 2),
            "topics": self.some("topics", 3),
            "said_on": self.random.choice([None, "2031-04"]),
            "summary": text,
        }

    def retract(self, kind: str) -> None:
        self.unit.retract(kind, self.one(kind))

    def restore(self, kind: str) -> None:
        standing = self.ids(kind)
        gone = [one for one in self.ids(kind, "retract", "redact") if one not in standing]
        told = self.random.choice(gone)
        records = [one.record for one in ledger.history(self.connection, kind, told, 0, 1000)]
        self.unit.put(kind, self.random.choice([one for one in records if one]))

    def redact(self, kind: str) -> None:
        redact(self.connection, kind, self.random.choice(self.ids(kind, "create")), "law", "by law")

    def earlier(self, kind: str) -> None:
        redact(self.connection, kind, self.one(kind), "law", "by law", earlier=True)


@pytest.mark.parametrize("kind", DATABASES)
def test_it_holds(kind: str, new_database: Callable[..., str]) -> None:
    database = Database(new_database(kind, filled=True))
    chance = Chance(seed=2031)
    kept = {0: ledger.GENESIS.hex()}
    done = 0
    for step in range(1, STEPS + 1):
        # What is refused, or finds nothing to be done to, leaves all as it was.
        try:
            with database.write() as connection:
                chance.step(connection)
            done += 1
        except (Rejected, Refused, IndexError):
            pass
        if step % BETWEEN == 0:
            with database.stream() as connection:
                verdict = verify(connection, kept)
                assert verdict.first == [], step
                kept[verdict.seq] = verdict.digest
    with database.read() as connection:
        actions = set(connection.scalars(select(ledger.table.c.action)))
    database.close()
    assert actions == {"create", "update", "retract", "restore", "redact"}
    assert done > STEPS / 3
