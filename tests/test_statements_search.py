"""Full text over HTTP: what is found, in which order, and what is shown of it."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.store.engine import Database
from api.store.selects import Ask
from api.store.statements import STATEMENTS
from api.store.value import Value
from api.store.words import parse
from tests.oracle import SEARCHED, Oracle
from tests.reading import SEED, at_fault, everything, get, ids, pages, read, refused, walk

PATH = "/v1/statements"
QUIET = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def oracle(app: Flask) -> Oracle:
    return Oracle(everything(app.test_client()))


def test_where_a_page_of_hits_ends_is_known_to_the_last_digit(database_url: str) -> None:
    database = Database(database_url)
    asked = Ask({"q": Value((parse("russia"),))}, "relevance")
    with database.read() as connection:
        every = [row.position for row in STATEMENTS.rows(connection, asked, 100)]
        assert len(every) > 3
        for number, position in enumerate(every[:-1], 1):
            assert STATEMENTS.page(connection, asked, number).last == position
        assert STATEMENTS.page(connection, asked, len(every)).last is None
    database.close()


# What is found.


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ('"frank and direct"', ["02"]),
        ('"direct and frank"', []),
        ("direct frank", ["02"]),
        ("FRANK Direct", ["02"]),
        ("Istanbul grain", ["16"]),
        ("referendums", ["07", "08", "09", "10", "11", "12"]),  # Of the topic's label.
        ("referendums -annexation", []),
        ("sham*", ["11"]),
        ("sham", ["11"]),
        ("fertilis*", ["16"]),
        ("fertili*", ["16"]),
        ("fertiliser", []),  # No stemming.
        ('"geopolitical ends', ["18"]),
        ('"political and geopolitical"*', ["18"]),
        ("collective-west", ["18"]),
        ("OR taiwan", []),
        ("taiwan", ["13", "14"]),
        ("ｔａｉｗａｎ", ["13", "14"]),
        ("Tàiwan", ["13", "14"]),
        ("taiwan -channels", ["13"]),
        ('taiwan -"stay open"', ["13"]),
        ("-taiwan", []),
        ("the -the", []),
        ("initiative", []),  # Aliases of topics are not searched here.
    ],
)
def test_words_phrases_negations_and_prefixes(
    client: FlaskClient, q: str, found: list[str]
) -> None:
    for sort in ("id", "said_on", "relevance"):
        answer = walk(client, PATH, {"q": q, "call": SEED, "sort": sort})
        assert sorted(ids(answer)) == [f"{SEED}-{number}" for number in found]
    assert read(client, PATH, {"q": q, "call": SEED, "count": "true"})["page"]["total"] == len(
        found
    )


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("灯", []),  # Words of scripts without blanks are as long as they stand.
        ("好吃", ["lantern-2031-27"]),
        ("我们让了一步*", ["lantern-2031-24"]),
        ("المنارات", ["lantern-2031-17"]),
        ("𠮷野丸", ["lantern-2031-04", "lantern-2031-05"]),
        ("jol", ["lantern-2031-02"]),
        ("Jól", ["lantern-2031-02"]),
        ("cargo ballast", ["lantern-2031-05"]),
        ('"cargo ballast"', ["lantern-2031-05"]),
        ("3 buoys", ["weather-2031-09"]),
        ('"a kettle a roof"', ["ferry-2031-04"]),
        ('"prison and her"', ["lantern-2031-05"]),
        ("kaldpoint", ["weather-2031-10"]),
        ("kaldpoint_keeper", ["weather-2031-10"]),
    ],
)
def test_texts_in_many_scripts(client: FlaskClient, q: str, found: list[str]) -> None:
    assert sorted(ids(walk(client, PATH, {"q": q}))) == found


def test_no_phrase_goes_from_one_field_into_the_next(client: FlaskClient) -> None:
    quote_and_summary = '"very conversation blinken"', '"conversation blinken characterised"'
    for q in quote_and_summary:
        assert read(client, PATH, {"q": q})["data"] == []
    assert ids(read(client, PATH, {"q": "conversation blinken characterised"})) == [f"{SEED}-02"]


@pytest.mark.parametrize(
    ("kind", "q", "found"),
    [
        ("topics", "initiative", ["grain-deal"]),
        ("topics", '"black sea" -fishing', ["grain-deal"]),
        ("topics", "渔业", ["fisheries"]),
        ("topics", "lantern", ["lantern-accord"]),
        ("topics", "lamps", ["lighthouses"]),
        ("participants", "hrafnsdottir", ["solveig-hrafnsdottir"]),
        ("participants", "лавров", ["sergey-lavrov"]),
        ("participants", "keeper", ["dogg-fjalarsdottir"]),
        ("participants", "invented minister foreign", ["lin-yue-hua"]),
        ("calls", "operator", ["selsund-ferry-call-2031"]),
        ("calls", "phone -lavrov", []),
        ("calls", "lighthouse*", ["selsund-ferry-call-2031"]),
        ("sources", "falling", ["strand-notice-board"]),
        ("sources", "frank discussions", ["blinken-lavrov-frank-discussions"]),
    ],
)
def test_other_lists_search_titles_names_and_notes(
    client: FlaskClient, oracle: Oracle, kind: str, q: str, found: list[str]
) -> None:
    expected = ids(oracle.find(kind, {"q": [q]}))
    answer = read(client, f"/v1/{kind}", {"q": q})
    assert ids(answer) == expected
    assert set(found) <= set(expected)
    assert bool(found) == bool(expected)
    assert all("highlight" not in one for one in answer["data"])
    assert at_fault(client, f"/v1/{kind}", {"q": q, "sort": "relevance"}) == ["sort"]


# Nothing in a query is an error but its length.

ODD = (
    " ", '"', '""', "*", "-", "--", "- -", '-"', "AND", "NEAR(", "a AND", "(((", "^a", "a:b", "%",
    "{a b}: c", "quote:a", "'; DROP TABLE statements; --", "\\", "a\\", "\0", "a\0b", "_", "<->",
    "!a", "a & !b", "\N{ZERO WIDTH JOINER}", "\N{COMBINING ACUTE ACCENT}", "🙂", "½", "a" * 496,
    '"' * 496, "-a " * 165, "* *", "**a**", "a*b", '"a*"', '-"a b"*', "¶", "ﷺ", "\r\n\t", "\ufeff",
    "\uffff", "1e5", "'", "\x1f", "\N{HANGUL SYLLABLE HAN}", "\U0010ffff",
)  # fmt: skip


@pytest.mark.parametrize("kind", SEARCHED)
def test_odd_queries_are_no_errors(client: FlaskClient, kind: str) -> None:
    for q in ODD:
        read(client, f"/v1/{kind}", {"q": q, "count": "true"})
        read(client, f"/v1/{kind}", {"q": f"the {q}"[:500]})


@QUIET
@given(q=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
@example(q="\0")
def test_no_query_is_an_error(app: Flask, q: str) -> None:
    client = app.test_client()
    for asked in (q, f'the "{q}', f"lamp -{q}*"):
        answer = read(client, PATH, {"q": asked, "count": "true", "facets": "act", "limit": "200"})
        assert answer["page"]["total"] == len(answer["data"])
        assert sum(one["count"] for one in answer["facets"]["act"]) == len(answer["data"])


def test_a_query_has_at_most_500_characters(client: FlaskClient) -> None:
    read(client, PATH, {"q": "灯" * 400})
    for path in (PATH, "/v1/topics", "/v1/topics/grain-deal/positions"):
        assert at_fault(client, path, {"q": "a" * 501}) == ["q"]


@pytest.mark.parametrize("q", ["-the", "-the -lamp*", '-"a b"', "*", "🙂", " - "])
def test_a_query_without_a_positive_word_finds_nothing(client: FlaskClient, q: str) -> None:
    for sort in ("relevance", "id", "-said_on"):
        answer = read(client, PATH, {"q": q, "sort": sort, "count": "true", "facets": "topic,act"})
        assert answer["data"] == []
        assert answer["page"] == {"limit": 50, "next": None, "total": 0}
        assert answer["facets"] == {"topic": [], "act": []}
    stream = get(client, PATH, {"q": q, "format": "ndjson"})
    assert stream.headers["Readout-Count"] == "0"
    assert b'"count":0' in stream.data
    assert refused(client, PATH, {"q": q, "topic": "nothing"})[0] == 404


# Relevance.


@pytest.mark.parametrize("q", ["the", "lamp*", "minister", "buoys", "that -minister"])
@pytest.mark.parametrize("limit", [1, 4, 200])
def test_pages_by_relevance_meet_each_hit_once(
    client: FlaskClient, oracle: Oracle, q: str, limit: int
) -> None:
    expected = ids(oracle.find("statements", {"q": [q]}))
    found = list(pages(client, PATH, {"q": q, "limit": limit, "count": "true"}))
    assert sorted(one for page in found for one in ids(page)) == sorted(expected)
    assert {page["page"]["total"] for page in found} == {len(expected)}
    whole = read(client, PATH, {"q": q, "limit": "200", "sort": "relevance"})
    assert [one for page in found for one in page["data"]] == whole["data"]


def test_what_says_a_word_more_often_comes_first(client: FlaskClient) -> None:
    hits = ids(read(client, PATH, {"q": "buoys"}))
    assert hits.index("weather-2031-09") < hits.index("weather-2031-02")


def test_positions_stay_in_order_of_time(client: FlaskClient) -> None:
    path = "/v1/topics/maritime-safety/positions"
    found = read(client, path, {"q": "lamp*"})["data"]
    assert len(found) > 2
    by_time = read(client, path, {"q": "lamp*", "sort": "said_on"})["data"]
    assert found == by_time
    assert all("highlight" in one for one in found)
    relevant = read(client, path, {"q": "lamp*", "sort": "relevance"})["data"]
    assert sorted(ids(relevant)) == sorted(ids(by_time))


# Highlights.


def test_a_hit_shows_where_it_matched_as_html(client: FlaskClient) -> None:
    [one] = read(client, PATH, {"q": "ballast -lamp"})["data"]
    assert one["highlight"] == {
        "quote": "The 𠮷野丸 is not a prison, … and her people are not &lt;cargo&gt; &amp; "
        "<mark>ballast</mark>.",
        "summary": "The Icelandic minister says that the ship must not serve as a jail, nor its "
        "crew be treated as &quot;&lt;cargo&gt; &amp; <mark>ballast</mark>&quot;.",
    }
    [one] = read(client, PATH, {"q": "lighthouses weather", "side": "none"})["data"]
    assert one["highlight"] == {
        "summary": "Lamps and <mark>weather</mark> came up on the call.",
        "topics": "<mark>Lighthouses</mark>; <mark>Weather</mark> data",
    }


@pytest.mark.parametrize(
    "q", ["the", "lamp*", '"the lamp"', "minister -lamp", "lighthouses", "jol"]
)
def test_highlights_are_the_fields_that_hold_a_positive_term(
    client: FlaskClient, oracle: Oracle, q: str
) -> None:
    found = read(client, PATH, {"q": q, "limit": "200"})["data"]
    assert found
    for one in found:
        texts = {
            "quote": one["quote"] or "",
            "summary": one["summary"],
            "topics": "; ".join(topic["label"] for topic in one["topics"]),
        }
        assert one["highlight"]
        assert list(one)[-1] == "highlight"
        for name, html in one["highlight"].items():
            assert "<mark>" in html
            assert unescape(re.sub("</?mark>", "", html)) == texts[name]


def test_highlights_come_with_full_text_alone(client: FlaskClient) -> None:
    assert all("highlight" not in one for one in read(client, PATH)["data"])
    narrow = read(client, PATH, {"q": "ballast", "fields": "id"})["data"]
    assert [list(one) for one in narrow] == [["id", "highlight"]]
    in_lines = get(client, PATH, {"q": "ballast", "format": "ndjson"}).get_data(as_text=True)
    assert "<mark>ballast</mark>" in in_lines
    assert "highlight" not in get(client, PATH, {"q": "ballast", "format": "csv"}).text
