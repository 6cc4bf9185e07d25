"""What the server derives: call, position, self_reported, said_on left out, and possible days.

`EXPECTED` was worked out apart from the service, from the records and the rules of the contract.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from tests.conftest import KINDS as DATABASES
from tests.oracle import days
from tests.reading import add, get, read, walk

YES = {
    "demand", "appeal", "offer", "commitment", "agreement", "support", "concession", "rejection",
    "denial", "warning", "accusation", "assertion", "concern",
}  # fmt: skip
NO = {
    "announcement", "briefing", "discussion", "assessment", "characterisation", "question",
    "courtesy",
}  # fmt: skip

# Of each statement: self_reported and said_on.
ON_CALL, TOLD = "2031-03-04/2031-03-06", "2031-03-11"
EXPECTED = {
    "ferry-2031-01": (True, "2031-03-09"),
    "ferry-2031-02": (False, ON_CALL),
    "ferry-2031-03": (False, ON_CALL),
    "ferry-2031-04": (False, ON_CALL),
    "ferry-2031-05": (None, ON_CALL),
    "ferry-2031-06": (True, "2031-03-04/.."),
    "ferry-2031-07": (False, ON_CALL),
    "ferry-2031-08": (True, TOLD),
    "ferry-2031-09": (None, "2031-03%"),  # Two of the sides have her country.
    "ferry-2031-10": (None, None),  # No country is known.
    "ferry-2031-11": (False, ON_CALL),  # A country that is nobody's here.
    "ferry-2031-12": (False, TOLD),  # Iceland itself, not the Service.
    "ferry-2031-13": (None, "../2031"),  # Mixed.
    "ferry-2031-14": (None, None),
    "ferry-2031-15": (False, "2031-03"),
    "ferry-2031-16": (None, ON_CALL),
    "weather-2031-01": (True, "2031-03-09"),
    "weather-2031-02": (True, "2031-03~"),
    "weather-2031-03": (False, "2031-03~"),
    "weather-2031-04": (False, "1974"),
    "weather-2031-05": (None, "2031-03~"),
    "weather-2031-06": (None, "2031-03~"),
    "weather-2031-07": (True, "2031-03~"),
    "weather-2031-08": (True, "2031-03~"),
    "weather-2031-09": (True, "2031-03~"),
    "weather-2031-10": (True, None),
    **{f"lantern-2031-{n:02}": (True, "2031-03-05") for n in range(1, 27)},
    **{f"lantern-2031-{n:02}": (None, "2031-03-05") for n in (6, 7, 22, 31)},
    **{f"lantern-2031-{n:02}": (True, "2031-03-06") for n in (8, 9, 13, 26, 27)},
    **{f"lantern-2031-{n:02}": (False, "2031-03-05") for n in (12, 15, 29)},
    "lantern-2031-28": (True, "2031-03-07~"),
    "lantern-2031-30": (None, None),
    "lantern-2031-32": (False, "2031-02"),
    "lantern-2031-33": (False, "2031-03-07"),
    **{f"blinken-lavrov-2022-07-29-{n:02}": (True, "2022-07-29") for n in range(1, 22)},
    "blinken-lavrov-2022-07-29-03": (True, "2022-07-27"),
    "blinken-lavrov-2022-07-29-19": (None, "2022-07-29"),
}


def test_self_reported_and_said_on_of_every_statement(client: FlaskClient) -> None:
    found = walk(client, "/v1/statements")
    assert {one["id"]: (one["self_reported"], one["said_on"]) for one in found} == EXPECTED


def test_the_position_follows_the_act(client: FlaskClient) -> None:
    told = {one["code"]: one["position"] for one in read(client, "/v1/vocabularies")["acts"]}
    assert told == {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
    for one in walk(client, "/v1/statements"):
        assert one["position"] is (one["act"] in YES)


def test_the_call_is_that_of_the_account(client: FlaskClient) -> None:
    accounts = {one["id"]: one for one in walk(client, "/v1/accounts")}
    for one in walk(client, "/v1/statements"):
        account = accounts[one["account"]["id"]]
        assert one["call"] == account["call"]
        assert one["account"] == {
            name: account[name] for name in ("id", "sides", "genre", "given_by")
        }


def test_the_possible_days_are_kept_and_not_shown(client: FlaskClient, database_url: str) -> None:
    engine = create_engine(database_url)
    for kind, date in (("statements", "said_on"), ("calls", "held_on")):
        shown = {one["id"]: one[date] for one in walk(client, f"/v1/{kind}")}
        with engine.connect() as connection:
            rows = connection.execute(text(f"SELECT id, earliest, latest FROM {kind}")).all()
        kept = {record: (earliest, latest) for record, earliest, latest in rows}
        assert kept == {
            record: days(date) if date else (None, None) for record, date in shown.items()
        }
        assert "earliest" not in get(client, f"/v1/{kind}").get_data(as_text=True)
    engine.dispose()


# Whose telling it is. On the call: a minister for Freedonia (FR), one for the Union, a speaker for
# nobody from Spain, two ministries of Norway, and Ruritania (RU) as a state.

PEOPLE: dict[str, tuple[str, str | None]] = {
    "freedonia": ("state", "FR"),
    "union": ("organisation", None),
    "spain": ("state", "ES"),
    "norwegian-ministry": ("organisation", "NO"),
    "norwegian-navy": ("organisation", "NO"),
    "ruritania": ("state", "RU"),
    "malta": ("state", "MT"),
    "frances": ("person", "FR"),
    "ulla": ("person", None),
    "sancho": ("person", "ES"),
    "nora": ("person", "NO"),
    "rupert": ("person", "RU"),
    "somebody-french": ("person", "FR"),
    "somebody-maltese": ("person", "MT"),
    "somebody-chinese": ("person", "CN"),
    "somebody": ("person", None),
}
ATTENDING = {
    "frances": "freedonia",
    "ulla": "union",
    "sancho": None,
    "nora": None,
    "rupert": "freedonia",
    "norwegian-ministry": "norwegian-ministry",
    "norwegian-navy": "norwegian-navy",
    "ruritania": None,
    "union": "union",
}
# Sides of the account; speakers; whether they are its own.
CASES: list[tuple[str, str, bool | None]] = [
    ("freedonia", "frances", True),
    ("union", "frances", False),
    ("union", "ulla", True),
    ("union", "union", True),
    ("freedonia union", "frances ulla", True),
    ("freedonia", "frances ulla", None),  # Mixed.
    ("freedonia", "rupert", True),  # The side given there counts, not the country.
    ("ruritania", "rupert", False),
    ("freedonia", "freedonia", True),
    ("freedonia", "somebody-french", True),
    ("union", "somebody-french", False),
    ("malta", "somebody-maltese", True),  # A side that was not on the call.
    ("freedonia", "somebody-maltese", False),
    ("malta", "somebody-chinese", False),
    ("spain", "sancho", True),  # On the call for nobody: by the country.
    ("freedonia", "sancho", False),
    ("norwegian-ministry", "nora", None),  # Two have her country.
    ("freedonia", "nora", None),
    ("norwegian-ministry", "norwegian-navy", False),  # Which one it is itself is known.
    ("norwegian-navy", "norwegian-navy", True),
    ("ruritania", "ruritania", True),
    ("freedonia", "ruritania", False),
    ("union", "somebody", None),  # No country.
    ("union", "ulla somebody", None),
    ("union", "frances somebody", None),
    ("freedonia union", "", None),
    ("", "", None),
    ("", "frances", False),
    ("", "frances ulla", False),
    ("", "somebody-chinese", False),
    ("", "somebody", None),
    ("", "nora", None),
]


def document() -> dict[str, Any]:
    """A call record with a statement for each case."""
    words = "A made-up text of no consequence."
    source = {"id": "paper", "title": "Paper", "rights": "open", "text": words}
    span = {"source": "paper", "start": 0, "end": 33, "digest": sha256(words.encode()).hexdigest()}
    tellings = {sides: f"told-{n}" for n, sides in enumerate(dict.fromkeys(s for s, _, _ in CASES))}
    return {
        "call": {
            "id": "made-up",
            "title": "Made up",
            "participants": [{"participant": one, "side": s} for one, s in ATTENDING.items()],
        },
        "participants": [
            {"id": one, "name": one, "kind": kind, "country": country}
            for one, (kind, country) in PEOPLE.items()
        ],
        "topics": [],
        "sources": [source],
        "accounts": [
            {
                "id": told,
                "call": "made-up",
                "sides": sides.split(),
                "genre": "briefing",
                "sources": ["paper"],
            }
            for sides, told in tellings.items()
        ],
        "statements": [
            {
                "id": f"case-{n}",
                "account": tellings[sides],
                "speakers": speakers.split(),
                "setting": "off-call",
                "form": "indirect",
                "act": "concern",
                "summary": "A case.",
                "evidence": [span],
            }
            for n, (sides, speakers, _) in enumerate(CASES)
        ],
    }


@pytest.fixture(scope="module")
def reported(new_database: Callable[..., str]) -> dict[str, dict[str, Any]]:
    """What each database says of the cases."""
    from api import create_app
    from api.settings import load
    from api.store.migrate import upgrade

    found = {}
    for database in DATABASES:
        url = new_database(database)
        upgrade(url)
        add(url, document())
        client = create_app(load({"READOUT_DATABASE_URL": url})).test_client()
        found[database] = {one["id"]: one for one in walk(client, "/v1/statements")}
    return found


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize(
    ("number", "sides", "speakers", "own"), [(n, *case) for n, case in enumerate(CASES)]
)
def test_whose_telling_it_is(
    reported: dict[str, dict[str, Any]],
    database: str,
    number: int,
    sides: str,
    speakers: str,
    own: bool | None,
) -> None:
    found = reported[database][f"case-{number}"]
    assert [one["id"] for one in found["speakers"]] == speakers.split()
    assert found["self_reported"] is own
