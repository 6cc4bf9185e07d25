"""SQLite and PostgreSQL give equal answers to the same requests, but for the time of writing."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.conftest import KINDS as DATABASES
from tests.oracle import FACETS
from tests.reading import CALLS, KINDS, LANTERN, SEED, everything, get

STAMP = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{6}Z")
DIGEST = re.compile(rb'"sha256":"[0-9a-f]{64}"}\n$')  # Of a stream, over the stamps.
DIFFER = {"ETag", "X-Request-Id", "Content-Length"}

LISTS = [f"/v1/{kind}" for kind in KINDS]
NESTED = [f"/v1/calls/{call}/{rest}" for call in CALLS for rest in ("statements", "accounts")]
POSITIONS = [
    "/v1/topics/maritime-safety/positions",
    "/v1/participants/msc-conseil-de-la-mer-meridienne/positions",
]
FORMS = ["?", "?count=true&limit=3", "?format=ndjson", "?format=csv", "?sort=id&limit=2&fields=id"]
STATEMENTS = [
    "sort=-said_on&limit=200", "sort=said_on&limit=11", "q=the&sort=id&limit=200", "q=-the",
    "q=lamp*&sort=-said_on", "q=%22lantern+accord%22&sort=id&count=true", "q=%E6%9E%97&sort=id",
    "topic=lighthouses,none&sort=-said_on", "topic_all=lighthouses,weather-data", "speaker=none",
    "country=none,IS&limit=7&count=true", "joint=true&country=OM", "self_reported=false&act=offer",
    "said_from=2031-03-05&said_to=2031-03-06&limit=200", "said_to=../2022", "said_from=9999",
    "target_country=MT,none&act=appeal,demand", "source=selsund-bulletin-7&position=true",
    f"facets={','.join(FACETS)}&limit=0&count=true", "updated_since=9999-01-01T00:00:00Z",
    f"facets={','.join(FACETS)}&topic=lighthouses&country=IS,OM&limit=1",
    "facets=topic,country&q=minister&limit=0", "updated_since=2000-01-01T00:00:00Z&limit=1",
    "format=ndjson&sort=-said_on&q=the", "format=ndjson&limit=0",
    "format=csv&fields=id,evidence,speakers&topic=maritime-safety",
]  # fmt: skip
OTHERS = [
    *(f"/v1/calls/{call}/comparison?setting={setting}" for call in CALLS
      for setting in ("on-call", "about-call", "off-call")),
    *(f"/v1/calls/{call}/record" for call in CALLS), "/v1/records", "/v1/vocabularies", "/",
    "/problems", "/healthz", "/readyz", "/v1/topics?q=lamps", "/v1/calls?q=minutes",
    "/v1/calls?topic=maritime-safety&not_told_by=malta,oman&sort=held_on", "/v1/calls?told_by=none",
    "/v1/calls?country=SG,OM&medium=video,unknown", "/v1/participants?country=none",
    "/v1/topics?broader=none", "/v1/sources?publisher=none,The+Harbour+Gazette",
    "/v1/accounts?given_by=none&genre=readout",
]  # fmt: skip
REFUSED = [
    "/v1/statements?topic=grain-daal,nothing&speaker=nobody", "/v1/topics/nothing", "/v1/nothing",
    "/v1/statements?limit=x&cursor=x&sort=up&colour=1", "/v1/topics/nothing/positions?x=1",
    "/v1/statements?call=blinken-lavrov", "/v1/calls?initiated_by=icelandic", "/v1/calls/a/record",
    "/v1/statements?topic=grain-deal&format=csv&cursor=x", "/v1/sources/selsund-bulletin-8",
]  # fmt: skip


@pytest.fixture(scope="module")
def both(new_database: Callable[..., str]) -> list[FlaskClient]:
    from api import create_app
    from api.settings import load

    urls = [new_database(kind, filled=True) for kind in DATABASES]
    return [create_app(load({"READOUT_DATABASE_URL": url})).test_client() for url in urls]


def comparable(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = sorted((name, value) for name, value in answer.headers if name not in DIFFER)
    return answer.status_code, headers, DIGEST.sub(b"", STAMP.sub(b"", answer.data))


@pytest.mark.parametrize(
    "path",
    [
        *(path + form for path in (*LISTS, *NESTED, *POSITIONS) for form in FORMS),
        *(f"/v1/statements?{query}" for query in STATEMENTS),
        *OTHERS,
        *REFUSED,
    ],
)
def test_the_answers_are_equal(both: list[FlaskClient], path: str) -> None:
    here, there = (get(client, path) for client in both)
    assert comparable(here) == comparable(there)
    assert here.status_code in ((400, 404) if path in REFUSED else (200,))


def test_the_answers_for_every_single_record_are_equal(both: list[FlaskClient]) -> None:
    for kind, held in everything(both[0]).items():
        for record in held:
            here, there = (get(client, f"/v1/{kind}/{record}") for client in both)
            assert comparable(here) == comparable(there)


VALUES = {
    "topic": ["lighthouses", "grain-deal", "none", "food-security", "ferry-fares", "safety-at-sea"],
    "topic_all": ["maritime-safety", "lantern-accord", "weather-data", "food-security"],
    "speaker": ["sergey-lavrov", "lin-yue-hua", "none", "solveig-hrafnsdottir", "nato"],
    "speaker_all": ["solveig-hrafnsdottir", "salim-al-harrasi"],
    "addressee": ["none", "antony-blinken", "meridian-sea-council"],
    "target": ["none", "russia", "malta"],
    "side": ["none", "iceland", "oman", "russia"],
    "call": [SEED, LANTERN],
    "source": ["selsund-bulletin-7", "malta-memorandum-2031"],
    "country": ["IS", "OM", "RU", "none", "FR"],
    "target_country": ["US", "none"],
    "act": ["demand", "appeal", "assertion", "concern", "warning"],
    "setting": ["on-call", "off-call"],
    "genre": ["readout", "news-report", "memorandum"],
    "position": ["true", "false"],
    "self_reported": ["true", "false"],
    "joint": ["true", "false"],
    "said_from": ["2031-03", "2022-07-29", "../2031"],
    "said_to": ["2031-03-05", "2022", "203X"],
    "q": ["the", "lamp*", '"the lamp"', "minister -lin", "-the"],
    "sort": ["said_on", "-said_on", "id"],
    "limit": ["1", "5", "200", "0"],
    "count": ["true"],
    "facets": ["topic,act", "country", "speaker,side,call"],
    "fields": ["id", "id,quote"],
}
SINGLE = {
    "position",
    "self_reported",
    "joint",
    "said_from",
    "said_to",
    "q",
    "sort",
    "limit",
    "count",
}


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_the_answers_to_any_query_are_equal(both: list[FlaskClient], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=6))
    query = {}
    for name in names:
        most = 1 if name in SINGLE else 3
        chosen = st.lists(st.sampled_from(VALUES[name]), unique=True, min_size=1, max_size=most)
        query[name] = ",".join(data.draw(chosen))
    query.setdefault("sort", "id" if "q" in query else "said_on")
    while True:
        here, there = (get(client, "/v1/statements", query) for client in both)
        assert comparable(here) == comparable(there)
        following = here.get_json()["page"]["next"]
        if following is None:
            return
        query["cursor"] = following
