"""Filters: each does what the contract says of it, alone and with others, on both databases.

The oracle says in plain Python what should be found; the service is asked and compared.
"""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import vocabulary
from tests.oracle import FACETS, FILTERS, SEARCHED, SINGLE, Oracle
from tests.reading import FERRY, LANTERN, SEED, View, everything, ids, pages, read, refused, walk

KINDS = list(FILTERS)
DAYS = (
    "2022-07-27", "2022-07-29", "2022-07", "2031-03-04", "2031-03-05~", "2031-03", "2031?", "203X",
    "2031-03-06/2031-03-08", "1974", "../2022", "2031-03-06/..", "0001", "9999-12-31", "20XX",
)  # fmt: skip
QUERIES = (
    "lamp", "lamps", "the", "lantern*", '"lantern accord"', "grain -sanctions", "minister lin",
    "-the", "ЛАВРОВ", "Hrafnsdottir", "50-50", "wait* *", "iceland oman -lamp", "灯塔",
)  # fmt: skip


@pytest.fixture(scope="module")
def oracle(app: Flask) -> Oracle:
    return Oracle(everything(app.test_client()))


def values(oracle: Oracle, kind: str, name: str) -> list[str]:
    """What to ask a filter for: all that a record has, and some that none has."""
    found: set[str] = set().union(*oracle.values(kind, name.removesuffix("_all")).values())
    match name:
        case "topic" | "topic_all" | "broader":
            found |= oracle.held["topics"].keys()
        case "speaker" | "addressee" | "target" | "side" | "participant" | "told_by" | "given_by":
            found |= oracle.held["participants"].keys()
        case "call" | "account" | "source":
            found |= oracle.held[f"{name}s"].keys()
        case "country" | "target_country":
            found |= {"FR", "US", "IS"}
        case "act":
            found |= {code.code for code in vocabulary.ACTS}
    return sorted(found)


def takes_none(kind: str, name: str) -> bool:
    codes = {"act", "setting", "form", "genre", "status", "medium", *SINGLE}
    codes |= {"kind"} if kind in ("participants", "sources") else set()
    return name not in codes and not name.endswith("_all")


# One filter, each of its values.


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in FILTERS[kind]]
)
def test_each_value_of_a_filter(client: FlaskClient, oracle: Oracle, kind: str, name: str) -> None:
    asked = values(oracle, kind, name) + (["none"] if takes_none(kind, name) else [])
    for value in asked:
        expected = oracle.find(kind, {name: [value]})
        page = read(client, f"/v1/{kind}", {name: value, "limit": "200", "count": "true"})
        assert page["data"] == expected, value
        assert page["page"]["total"] == len(expected), value


@pytest.mark.parametrize(("kind", "first", "last"), [
    ("statements", "said_from", "said_to"), ("calls", "held_from", "held_to"),
])  # fmt: skip
def test_ranges_of_days_match_where_the_possible_days_overlap(
    client: FlaskClient, oracle: Oracle, kind: str, first: str, last: str
) -> None:
    for asked in [
        *({name: [day]} for name in (first, last) for day in DAYS),
        *({first: [day], last: [day]} for day in DAYS),
    ]:
        found = walk(client, f"/v1/{kind}", asked)
        assert found == oracle.find(kind, asked), asked


def test_a_range_finds_no_record_without_a_date(client: FlaskClient, oracle: Oracle) -> None:
    undated = {one["id"] for one in oracle.of("statements") if one["said_on"] is None}
    assert undated
    found = ids(walk(client, "/v1/statements", {"said_from": "0001", "said_to": "9999"}))
    assert set(found) == oracle.held["statements"].keys() - undated


def test_ranges_and_dates_that_are_intervals(client: FlaskClient) -> None:
    def found(**asked: str) -> set[str]:
        return set(ids(walk(client, "/v1/statements", {"call": FERRY, **asked})))

    open_start, open_end = "ferry-2031-13", "ferry-2031-06"  # ../2031 and 2031-03-04/..
    assert found(said_to="1500") == {open_start}
    assert found(said_from="2050") == {open_end}
    assert found(said_from="2031-03-07", said_to="2031-03-08") >= {
        open_start,
        open_end,
        "ferry-2031-09",  # 2031-03%
    }


# Several values, several filters.


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("topic=grain-deal&position=true", ["06", "15"]),
        ("topic=food-security&position=true", ["06", "15", "17", "18"]),
        ("topic=grain-deal,taiwan", ["06", "13", "14", "15", "16"]),
        ("topic=grain-deal&topic=taiwan", ["06", "13", "14", "15", "16"]),
        ("topic=grain-deal,taiwan&topic=arms-supplies", ["06", "13", "14", "15", "16", "21"]),
        ("topic_all=grain-deal,sanctions", ["15"]),
        ("topic_all=food-security,sanctions", ["15", "17"]),
        ("topic_all=grain-deal&topic_all=food-security", ["06", "15", "16"]),
        ("topic=none", ["02"]),
        ("topic=none,taiwan", ["02", "13", "14"]),
        ("speaker=none", ["19"]),
        ("speaker=sergey-lavrov&country=RU&topic=sanctions", ["15", "17"]),
        ("speaker=sergey-lavrov&country=US", []),
        ("target=nato&target_country=US", ["21"]),
        ("target_country=none&act=commitment,briefing", ["16", "20"]),
        ("country=none", ["19"]),
        ("self_reported=true&side=russia", ["15", "16", "17", "18", "20", "21"]),
        ("self_reported=false", []),
        ("said_to=2022-07-28", ["03"]),
    ],
)
def test_the_seed_by_several_filters(client: FlaskClient, query: str, found: list[str]) -> None:
    answer = read(client, f"/v1/statements?call={SEED}&{query}")
    assert ids(answer) == [f"{SEED}-{number}" for number in found]


def test_several_speakers_of_one_statement(client: FlaskClient) -> None:
    both = ["lantern-2031-10", "lantern-2031-11", "lantern-2031-13"]
    for query in (
        "speaker_all=solveig-hrafnsdottir,salim-al-harrasi",
        "speaker=solveig-hrafnsdottir&country=OM",
        "speaker=salim-al-harrasi&country=IS",
        "joint=true&call=selsund-lantern-call-2031",
        "country=IS&country=OM&joint=true&speaker=solveig-hrafnsdottir,salim-al-harrasi&side=oman",
    ):
        assert ids(read(client, f"/v1/statements?sort=id&{query}")) == both, query


def test_self_reported_that_is_null_matches_neither(client: FlaskClient, oracle: Oracle) -> None:
    known = read(client, "/v1/statements?self_reported=true&count=true")["page"]["total"]
    known += read(client, "/v1/statements?self_reported=false&count=true")["page"]["total"]
    unknown = sum(one["self_reported"] is None for one in oracle.of("statements"))
    assert unknown
    assert known + unknown == len(oracle.of("statements"))


def test_not_told_by_several_sides_is_not_told_by_one_of_them(client: FlaskClient) -> None:
    def found(query: str) -> set[str]:
        return set(ids(read(client, f"/v1/calls?{query}")))

    every = found("limit=200")
    assert found("told_by=iceland,singapore") == {LANTERN, "selsund-weather-call-2031"}
    assert found("not_told_by=iceland") == every - {LANTERN}
    assert found("not_told_by=iceland,singapore") == every - {LANTERN}
    assert found("not_told_by=iceland&not_told_by=malta") == every
    assert found("told_by=malta&not_told_by=singapore") == {FERRY}


def test_an_alias_finds_what_the_id_finds(client: FlaskClient) -> None:
    for alias, record in [
        ("topic=black-sea-grain-initiative", "topic=grain-deal"),
        ("topic=black-sea-grain-initiative,grain-deal", "topic=grain-deal"),
        ("topic_all=istanbul-package,grain-deal", "topic_all=grain-deal"),
        ("speaker=lavrov", "speaker=sergey-lavrov"),
        ("side=msc-conseil-de-la-mer-meridienne", "side=meridian-sea-council"),
    ]:
        answer = read(client, f"/v1/statements?{alias}")
        assert answer["data"]
        assert answer["data"] == read(client, f"/v1/statements?{record}")["data"]


def test_a_filter_takes_fifty_values(client: FlaskClient) -> None:
    fifty = ["lighthouses"] * 50
    assert read(client, "/v1/statements", {"topic": ",".join(fifty)})["data"]
    for topics in ([",".join([*fifty, "taiwan"])], [*fifty, "taiwan"]):
        status, kind, errors = refused(client, "/v1/statements", {"topic": topics})
        assert (status, kind) == (400, "invalid-parameter")
        assert [error["parameter"] for error in errors] == ["topic"]


def test_updated_since_is_inclusive(client: FlaskClient, oracle: Oracle) -> None:
    for kind in KINDS:
        stamps = sorted({str(one["updated_at"]) for one in oracle.of(kind)})
        for stamp in (*stamps, "2000-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"):
            found = walk(client, f"/v1/{kind}", {"updated_since": stamp})
            assert found == oracle.find(kind, {"updated_since": [stamp]})
        hours = stamps[-1].replace("Z", "+00:00")
        assert len(walk(client, f"/v1/{kind}", {"updated_since": hours})) == len(
            oracle.find(kind, {"updated_since": [stamps[-1]]})
        )


# Any combination.


@st.composite
def asked(draw: st.DrawFn, oracle: Oracle, kind: str) -> dict[str, list[str]]:
    """Some filters of a kind with some values each."""
    names = [*FILTERS[kind]]
    if kind == "statements":
        names += ["topic_all", "speaker_all", "said_from", "said_to"]
    if kind == "calls":
        names += ["participant_all", "held_from", "held_to", "not_told_by"]
    if kind in SEARCHED:
        names.append("q")
    found: dict[str, list[str]] = {}
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=4)):
        if name == "q":
            found[name] = [draw(st.sampled_from(QUERIES))]
        elif name.endswith(("_from", "_to")):
            found[name] = [draw(st.sampled_from(DAYS))]
        else:
            held = values(oracle, kind, "told_by" if name == "not_told_by" else name)
            held += ["none"] if name != "not_told_by" and takes_none(kind, name) else []
            most = 1 if name in SINGLE else 3
            chosen = st.lists(st.sampled_from(held), unique=True, min_size=1, max_size=most)
            found[name] = draw(chosen)
    return found


def by_comma_or_repeated(draw: Any, filters: dict[str, list[str]]) -> dict[str, Any]:
    return {name: draw(st.sampled_from([",".join(v), v])) for name, v in filters.items()}


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_any_filters_together(app: Flask, oracle: Oracle, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["statements"] * 4 + KINDS))
    filters = data.draw(asked(oracle, kind))
    sorts = {
        "statements": ["", "said_on", "-said_on", "id"],
        "calls": ["held_on", "-held_on", "id"],
    }
    sort = data.draw(st.sampled_from(sorts.get(kind, ["", "id"])))
    expected = oracle.find(kind, {**filters, "sort": [sort]})
    query = by_comma_or_repeated(data.draw, filters)
    if sort or "q" in filters:
        query["sort"] = sort or oracle_default(kind)
    limit = data.draw(st.integers(1, 7) | st.just(200))
    found: list[View] = []
    for page in pages(app.test_client(), f"/v1/{kind}", {**query, "limit": limit, "count": "true"}):
        assert page["page"]["total"] == len(expected)
        assert len(page["data"]) <= limit
        found += [plain(view) for view in page["data"]]
    assert found == expected


def oracle_default(kind: str) -> str:
    return {"statements": "said_on", "calls": "-held_on"}.get(kind, "id")


def plain(view: View) -> View:
    return {name: value for name, value in view.items() if name != "highlight"}


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_facets_count_what_matches(app: Flask, oracle: Oracle, data: st.DataObject) -> None:
    filters = data.draw(asked(oracle, "statements"))
    names = data.draw(st.lists(st.sampled_from(FACETS), unique=True, min_size=1))
    expected = oracle.find("statements", filters)
    query = by_comma_or_repeated(data.draw, filters)
    answer = read(
        app.test_client(), "/v1/statements", {**query, "facets": ",".join(names), "limit": "0"}
    )
    assert answer["facets"] == {name: oracle.facet(expected, name) for name in names}
    assert list(answer["facets"]) == names
    assert answer["data"] == []
