"""Speed that stays: no page of a list runs through all records, or sorts them, to be found.

For every filter that the contract names, in every order, on both databases, with 100,000
statements: a value that many records have and one that few have, the first page, one further in,
and one among the records without a date. What is looked at is the plan, and how many rows it reads,
as a time would tell of the machine.

Not looked at: several values of one filter, and so topics with narrower ones, of which each is read
along the index by itself (`Value.branches`); `none`; counts and facets, which look at all that
matches, but for those that counters hold.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatch
from itertools import product
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, func, select, text

from api.store.engine import Database
from api.store.filters import Filter, Since, Until, Updated, Words
from api.store.kinds import KINDS
from api.store.migrate import upgrade
from api.store.records import Records
from api.store.selects import Ask
from api.store.value import Value
from tests.conftest import KINDS as DATABASES
from tests.crowd import EVERY, fill
from tests.plans import seen

DATES: dict[type[Filter], tuple[str, str]] = {
    Until: ("2027-01-01", "2010-02-05"),
    Since: ("2010-02-01", "2027-09-01"),
    Updated: ("2026-01-02T00:00:00Z", "2026-01-28T00:00:00Z"),
    Words: (EVERY, "few3"),
}
"""A value that finds most, and one that finds few, where the column does not tell."""

TOGETHER: dict[str, tuple[str, ...]] = {
    "statements": (
        "topic+position",
        "topic+speaker",
        "topic+call",
        "topic+act",
        "topic+country",
        "topic+said_from",
        "topic+said_from+said_to",
        "topic+speaker+said_from+said_to",
        "topic+q",
        "speaker+position",
        "speaker+target",
        "speaker+said_from",
        "call+side",
        "call+setting",
        "call+said_from",
        "account+said_from",
        "account+position",
        "side+topic",
        "position+act",
        "said_from+said_to",
    ),
    "calls": (
        "participant+held_from+held_to",
        "participant+side",
        "participant+status",
        "held_from+held_to",
        "topic+participant",
    ),
    "accounts": ("call+side", "call+genre"),
}
"""Filters that go together often: no more may be looked at than the better of them finds."""


OTHER_ORDER = "A range of days or instants, in another order: no index has both."
WORDS = "What full text finds comes in no order of ours: all of it is put in order."
TWO_LISTS = "Two lists, or a list and a code: one is read along, the other looked up for each."
OF_ONE = "Those of one call or account are few, and put in order."
OF_PAIR = "What one said on a topic stands by day: by id it is put in order."
EXCEPTIONS: dict[str, str] = {
    "* q by *": WORDS,
    "*+q by *": WORDS,
    "* updated_since by *": OTHER_ORDER,
    "*_from by id": OTHER_ORDER,
    "*_to by id": OTHER_ORDER,
    "statements topic+speaker by id": OF_PAIR,
    "statements topic+country by *": TWO_LISTS,
    "statements topic+act by *": TWO_LISTS,
    "statements speaker+target by *": TWO_LISTS,
    "statements side+topic by *": TWO_LISTS,
    "statements *call* by id": OF_ONE,
    "statements account* by id": OF_ONE,
    "statements said_* by said_on*": "Of the vague days before that day, any may reach to it.",
    "statements self_reported by said_on, undated": "PostgreSQL sorts where it expects few.",
    "sources publisher by *": "A B-tree of PostgreSQL takes no long names.",
}
"""The pages that may be found otherwise, by name, and why. The first that fits a page counts."""


class Chosen(NamedTuple):
    """A value of a filter, and how many records have it, where that bounds what is looked at."""

    value: Value
    many: int | None


class Case(NamedTuple):
    """A page of a list, by a name that leaves the values out."""

    name: str
    records: Records
    ask: Ask
    most: int


def choices(connection: Connection, used: Filter) -> list[Chosen]:
    """A value that many records have, and one that few have."""
    if type(used) in DATES:
        return [Chosen(used.deserialize([one]), None) for one in DATES[type(used)]]
    column: Any = getattr(used, "target", None)
    column = used.column if column is None else column  # type: ignore[attr-defined]
    counted = func.count().label("many")
    found = select(column, counted).where(column.is_not(None)).group_by(column)
    rows = connection.execute(found.order_by(counted.desc(), column)).all()
    made = ((str(value).lower() if isinstance(value, bool) else value, n) for value, n in rows)
    values = [Chosen(used.deserialize([value]), many) for value, many in made]
    return [values[0], values[-1]]


def cases(connection: Connection, records: Records) -> Iterator[Case]:
    """All pages of a kind that are looked at."""
    chosen = {name: choices(connection, used) for name, used in records.filters.items()}
    asked: list[dict[str, Chosen]] = [{}]
    asked += [{name: one} for name, both in chosen.items() for one in both]
    for names in TOGETHER.get(records.kind, ()):
        for turn in (0, 1):
            parts = enumerate(names.split("+"))
            asked.append({name: chosen[name][(place + turn) % 2] for place, name in parts})
    for values in asked:
        filters: Mapping[str, Value] = {name: one.value for name, one in values.items()}
        bounds = [one.many for one in values.values() if one.many is not None]
        most = min(bounds) * 4 if len(values) > 1 and bounds else 0
        for sort in records.sorts:
            if sort == "relevance" and "q" not in filters:
                continue
            name = f"{records.kind} {'+'.join(filters) or 'all'} by {sort.removeprefix('-')}"
            for after in positions(records.kind, sort, filters):
                yield Case(name, records, Ask(filters, sort, after), most)


def positions(kind: str, sort: str, filters: Mapping[str, Value]) -> Iterator[Any]:
    """Where pages begin: at the beginning, in the middle, and among what has no date."""
    yield None
    if sort == "id":
        yield (f"{kind}-5",)
    elif sort == "relevance":
        yield (-0.5, f"{kind}-5")
    else:
        yield ("2018-06-05", "2018-06-05", f"{kind}-5")
        if not any(name.endswith(("_from", "_to")) for name in filters):
            yield (None, None, f"{kind}-5")


class Crowd:
    """A database of many, and what was seen of the plans on it."""

    def __init__(self, url: str) -> None:
        upgrade(url)
        self.database = Database(url, migrating=True)
        with self.database.write() as connection:
            fill(connection)
        with self.database.read() as connection:
            self.faults = faults(connection)


def faults(connection: Connection, only: str = "*") -> dict[str, list[str]]:
    """What is wrong with the plans of the pages whose name fits, by that name."""
    found: dict[str, list[str]] = {}
    for records in KINDS.values():
        for case in cases(connection, records):
            if not fnmatch(case.name, only):
                continue
            for one in seen(connection, case.records, case.ask, case.most):
                name = case.name + (", undated" if one.undated else "")
                told = [f"{fault}, by {one.plan}" for fault in one.faults]
                if told:
                    found.setdefault(name, []).extend(told)
    return found


def excused(name: str) -> str | None:
    """The first exception that a page falls under."""
    return next((one for one in EXCEPTIONS if fnmatch(name, one)), None)


@pytest.fixture(scope="module")
def crowds(new_database: Callable[..., str]) -> Iterator[dict[str, Crowd]]:
    made = {kind: Crowd(new_database(kind)) for kind in DATABASES}
    yield made
    for crowd in made.values():
        crowd.database.close()


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_page_runs_through_all_records_or_sorts_them(
    crowds: dict[str, Crowd], kind: str, database: str
) -> None:
    found = crowds[database].faults
    wrong = {name: told for name, told in found.items() if name.startswith(f"{kind} ")}
    assert {name: told for name, told in wrong.items() if not excused(name)} == {}


def test_no_exception_is_made_that_is_not_needed(crowds: dict[str, Crowd]) -> None:
    needed = {excused(name) for crowd in crowds.values() for name in crowd.faults}
    assert [one for one in EXCEPTIONS if one not in needed] == []


PAIRS = "statement_said_about"
OF_PAIRS = (f"{PAIRS}_by_target_speaker_earliest_latest_record", f"{PAIRS}_vague_by_target_speaker")
BY_ID = {"sqlite_autoindex_statements_1", "statements_id_unique"}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("days", ["", "said_from", "said_to", "said_from+said_to"])
def test_what_one_said_on_a_topic_is_a_range_of_one_index(
    crowds: dict[str, Crowd], days: str, database: str
) -> None:
    records = KINDS["statements"]
    names = ["topic", "speaker", *filter(None, days.split("+"))]
    with crowds[database].database.read() as connection:
        chosen = [choices(connection, records.filters[name]) for name in names]
        for values in product(*chosen):
            asked = {name: one.value for name, one in zip(names, values, strict=True)}
            for sort in ("said_on", "-said_on"):
                for after in positions("statements", sort, asked):
                    for one in seen(connection, records, Ask(asked, sort, after), 0):
                        assert one.faults == [], one.plan
                        assert [name for name in OF_PAIRS if {name} == one.indexes - BY_ID]


class Undone(Exception):
    """Leaves a transaction, which undoes it."""


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize(
    ("index", "page"),
    [
        ("statements_by_earliest_latest_id", "statements all by said_on"),
        ("statements_by_act_earliest_latest_id", "statements act by said_on"),
        ("statement_topics_by_target_earliest_latest_record", "statements topic by said_on"),
        (
            "statement_said_about_by_target_speaker_earliest_latest_record",
            "statements topic+speaker by said_on",
        ),
        ("calls_by_earliest_latest_id", "calls all by held_on"),
    ],
)
def test_an_index_that_is_missing_shows(
    crowds: dict[str, Crowd], index: str, page: str, database: str
) -> None:
    with suppress(Undone), crowds[database].database.write() as connection:
        connection.execute(text(f"DROP INDEX {index}"))
        assert any(name.startswith(page) for name in faults(connection, page))
        raise Undone
