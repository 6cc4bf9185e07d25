"""Wrong parameters, one row a case: each is named, and told what would be right.

On both databases, and the same answer from both, as in test_bad_input.py.
"""

import json
from collections.abc import Callable

import pytest
from flask import Flask

from tests.test_bad_input import applications, ask, both


@pytest.fixture(scope="module")
def apps(new_database: Callable[..., str]) -> list[Flask]:
    return applications(new_database)


# What is asked (of /v1/statements, where no path is given), the parameters at fault, and what the
# detail of each must say.
ROWS = """
limit=-1 | limit | whole number from 0
limit=+5 | limit | whole number from 0
limit=%2B5 | limit | whole number from 0
limit=%EF%BC%95 | limit | whole number from 0
limit=%D9%A5 | limit | whole number from 0
limit=%C2%B2 | limit | whole number from 0
limit=5.0 | limit | whole number from 0
limit=1e2 | limit | whole number from 0
limit=0x10 | limit | whole number from 0
limit=1_0 | limit | whole number from 0
limit=1,2 | limit | whole number from 0
limit=null | limit | whole number from 0
limit=%00 | limit | whole number from 0
limit=5%0A | limit | whole number from 0
limit=1;count=true | limit | whole number from 0
limit=201 | limit | 200
limit=999999999999999 | limit | 200
limit= | limit | empty
limit | limit | empty
limit=1&limit=1 | limit | one value
count=TRUE | count | true or false
count=1 | count | true or false
count=true%00 | count | true or false
position=yes | position | true or false
position=true,false | position | true or false
joint=none | joint | true or false
self_reported=null | self_reported | true or false
topic= | topic | empty
topic=, | topic | empty
topic=a,,b | topic | empty
topic=a,B&topic=C | topic | lower-case
topic=grain-deal%0A | topic | lower-case
topic=%20grain-deal | topic | lower-case
topic=%C3%A9 | topic | lower-case
topic=%EF%BD%87rain | topic | lower-case
topic=' | topic | lower-case
topic=a--b | topic | lower-case
topic=..%2Fa | topic | lower-case
topic=%00 | topic | NUL
topic_all=none | topic_all | none
speaker=%E2%80%AE | speaker | lower-case
act=DEMAND | act | demand
act=demand%0A | act | demand
setting=on_call | setting | on-call
form=direct%00 | form | NUL
genre=briefing%20 | genre | briefing
country=us | country | capitals
country=%EF%BC%B5S | country | capitals
target_country=ZZ | target_country | ISO 3166-1
said_from=2022-13-45 | said_from | months are 01 to 12
said_from=2022-02-30 | said_from | only 28 days
said_from=0000 | said_from | 0001 to 9999
said_from=-0001 | said_from | four digits
said_from=Y20220 | said_from | four digits
said_from=20220729 | said_from | hyphens
said_from=2022-21 | said_from | season
said_from=2022-07-29T12:00:00Z | said_from | times are not recorded
said_from=../.. | said_from | one end
said_from=2022/2021 | said_from | ends before it starts
said_from=2020/2021/2022 | said_from | one /
said_from=20X2 | said_from | X replaces
said_from=%EF%BC%92022 | said_from | ASCII
said_from=2022-07-29%0A | said_from | line ends
said_from=%00 | said_from | NUL
said_from=2022&said_from=2023 | said_from | one value
said_to=yesterday | said_to | is not a date
said_to=99999999999999999999999999999999999999999 | said_to | 40
updated_since=2022-07-29 | updated_since | RFC 3339
updated_since=2022-07-29T12:00:00 | updated_since | RFC 3339
updated_since=2022-07-29%2000:00:00Z | updated_since | RFC 3339
updated_since=2022-07-29T24:00:00Z | updated_since | RFC 3339
updated_since=2022-07-29T23:59:60Z | updated_since | RFC 3339
updated_since=2022-02-30T00:00:00Z | updated_since | RFC 3339
updated_since=2022-07-29T00:00:00+02:00 | updated_since | RFC 3339
updated_since=2022-07-29T00:00:00%2B25:00 | updated_since | RFC 3339
updated_since=0001-01-01T00:00:00%2B23:59 | updated_since | RFC 3339
updated_since=9999-12-31T23:59:59-23:59 | updated_since | RFC 3339
updated_since=%EF%BC%92022-07-29T00:00:00Z | updated_since | RFC 3339
updated_since=2022-07-29T00:00:00Z%0A | updated_since | RFC 3339
sort=held_on | sort | said_on
sort=--said_on | sort | said_on
sort=id,said_on | sort | said_on
sort=relevance | sort | give q
fields=nope,id | fields | 'nope'
fields= | fields | empty
fields=id%00 | fields | NUL
facets=nope | facets | topic
format=xml | format | ndjson
format=json,csv | format | csv
format=csv&cursor=abc | cursor | JSON pages alone
format=ndjson&facets=topic | facets | JSON pages alone
format=csv&count=true | count | JSON pages alone
q= | q | empty
q=a&q=b | q | one value
cursor= | cursor | empty
nope=1 | nope | There is no such parameter here; there are: topic,
LIMIT=1 | LIMIT | There is no such parameter
limit[]=1 | limit[] | There is no such parameter
kind=state | kind | There is no such parameter
_schema=1 | _schema | There is no such parameter
__proto__=1 | __proto__ | There is no such parameter
topic.id=1 | topic.id | There is no such parameter
%26=1 | & | There is no such parameter
%25=1 | % | There is no such parameter
% | % | There is no such parameter
? | ? | There is no such parameter
%2565=1 | %65 | There is no such parameter
nope=1&said_from=x&act=y&topic= | nope said_from act topic |
nope=1&limit=201&sort=relevance | nope limit sort |
format=csv&cursor=x&count=x&nope= | cursor count nope |
/v1/calls?held_from=2022-13 | held_from | months
/v1/calls?facets=topic | facets | There is no such parameter
/v1/calls?not_told_by=none | not_told_by | none
/v1/calls?status=Held | status | held
/v1/participants?kind=nation | kind | state
/v1/topics?sort=relevance&q=a | sort | id
/v1/sources?publisher= | publisher | empty
/v1/topics/grain-deal/positions?topic=x&position=false | topic position | leave it out
/v1/participants/russia/positions?speaker=x | speaker | leave it out
/v1/calls/blinken-lavrov-2022-07-29/statements?call=x | call | leave it out
/v1/calls/blinken-lavrov-2022-07-29/comparison?setting=nope | setting | on-call
/v1/calls/blinken-lavrov-2022-07-29/comparison?setting=on-call&setting=x | setting | one value
/v1/calls/blinken-lavrov-2022-07-29/record?x=1 | x | takes no parameters
/v1/topics/grain-deal?fields=label,nope | fields | 'nope'
/v1/topics/grain-deal?limit=1 | limit | There is no such parameter
/v1/records?limit=1 | limit | takes no parameters
/v1/vocabularies?x=1 | x | takes no parameters
/v1/changes?after=-1&limit=x | after limit | whole number
/v1/changes?after=1.0 | after | whole number
/v1/changes?limit=201 | limit | 200
/v1/changes?after=9007199254740992 | after | whole number
/v1/topics/grain-deal/revisions?limit=201 | limit | 200
/v1/topics/grain-deal/revisions?after=a | after | whole number
"""

LONG = [
    ("limit=" + "9" * 3900, "limit", "whole number"),
    ("/v1/changes?after=" + "9" * 3900, "after", "whole number"),
    ("topic=" + "a" * 81, "topic", "80"),
    ("topic=" + "a" * 3900, "topic", "80"),
    ("topic=" + ",".join(["a"] * 51), "topic", "at most 50 values"),
    ("topic=a" + "&topic=a" * 50, "topic", "at most 50 values"),
    ("act=" + "," * 3900, "act", "50"),
    ("fields=" + ",".join(["id"] * 51), "fields", "at most 50 values"),
    ("said_from=" + "2" * 3900, "said_from", "40"),
    ("q=" + "a" * 501, "q", "500"),
    ("q=" + "%F0%9F%8C%BE" * 300 + "a" * 201, "q", "500"),
    ("sort=" + "a" * 3900, "sort", "said_on"),
    ("a" * 3900, "a" * 100, "There is no such parameter"),
    ("&".join(f"p{n}" for n in range(700)), "p0 p699", "There is no such parameter"),
    ("&".join(f"{n:x}=" for n in range(800)), "0 31f", "There is no such parameter"),
    ("&".join(["limit=1"] * 490), "limit", "one value"),
]


def cases() -> list[tuple[str, ...]]:
    rows = [tuple(cell.strip() for cell in row.split("|")) for row in ROWS.strip().split("\n")]
    return [(*row, "")[:3] for row in rows] + LONG


@pytest.mark.parametrize(("asked", "named", "told"), cases(), ids=lambda text: ascii(text)[:60])
def test_a_wrong_parameter_is_named(apps: list[Flask], asked: str, named: str, told: str) -> None:
    target = asked if asked.startswith("/") else f"/v1/statements?{asked}"
    errors = both(apps, target).problem("invalid-parameter", target)["errors"]
    wrong = {error["parameter"] for error in errors}
    assert wrong >= set(named.split()) if " " in named else wrong == {named}
    assert all(told in error["detail"] for error in errors), errors


# What is right, odd as it looks: the same with and without.
SAME = [
    ("/v1/topics?", "/v1/topics"),
    ("/v1/topics?&&", "/v1/topics"),
    ("/v1/topics?limit=1", "/v1/topics?%6Cimit=%31"),
    ("/v1/topics?limit=000000000000001", "/v1/topics?limit=1"),
    ("/v1/topics?limit=200", "/v1/topics?limit=0000200"),
    (
        "/v1/statements?topic=sanctions,grain-deal",
        "/v1/statements?topic=sanctions&topic=grain-deal",
    ),
    ("/v1/statements?topic=sanctions,sanctions", "/v1/statements?topic=sanctions"),
    ("/v1/statements?topic=none,none", "/v1/statements?topic=none"),
    ("/v1/statements?fields=id,id,act", "/v1/statements?fields=id&fields=act"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_says_the_same_finds_the_same(apps: list[Flask], one: str, other: str) -> None:
    for app in apps:
        pages = [json.loads(ask(app, target).body)["data"] for target in (one, other)]
        assert pages[0] == pages[1] != []


def test_asking_for_all_there_is_at_once_is_answered(apps: list[Flask]) -> None:
    ids = {
        kind: [row["id"] for row in json.loads(ask(apps[0], f"/v1/{kind}?limit=50").body)["data"]]
        for kind in ("topics", "participants", "calls")
    }
    topics, people = (",".join(ids[kind]) for kind in ("topics", "participants"))
    every = f"topic_all={topics}&speaker_all={people}"
    some = "&".join(f"{name}={people}" for name in ("speaker", "addressee", "target"))
    none = "&".join(
        f"{name}={','.join(f'{n}-no' for n in range(50))}" for name in ("topic", "side")
    )
    for asked, status in ((every, 200), (some, 200), (f"topic={topics}&{some}", 200), (none, 404)):
        told = both(apps, f"/v1/statements?fields=id&count=true&facets=topic,act&{asked}")
        assert told.status == status


EMPTY = [
    "/v1/changes?after=999999999999999",
    "/v1/changes?after=9007199254740991",
    "/v1/changes?after=9007199254740991&format=ndjson",
    "/v1/topics/grain-deal/revisions?after=2147483648",
    "/v1/topics/grain-deal/revisions?after=9007199254740991",
    "/v1/statements?updated_since=9999-12-31T23:59:59.999999999Z",
    "/v1/statements?said_from=9999-12-31&said_to=0001-01-01",
    "/v1/statements?account=none&call=none&act=demand",
    "/v1/statements?q=%00",
    "/v1/topics?limit=0",
]


@pytest.mark.parametrize("target", EMPTY)
def test_what_is_far_off_finds_nothing(apps: list[Flask], target: str) -> None:
    told = both(apps, target)
    assert told.status == 200
    assert b'"data":[]' in told.body or b'"count":0' in told.body
