"""Query strings and ids in paths: what is refused, in which words, and what a name finds."""

import pytest
from flask.testing import FlaskClient

from tests.reading import KINDS, LANTERN, SEED, at_fault, get, ids, read, refused, walk

ONE = {
    "calls": SEED,
    "participants": "sergey-lavrov",
    "topics": "grain-deal",
    "sources": "selsund-bulletin-7",
    "accounts": f"{SEED}-russian-readout",
    "statements": f"{SEED}-06",
}
LISTS = [
    *(f"/v1/{kind}" for kind in KINDS),
    f"/v1/calls/{LANTERN}/statements",
    f"/v1/calls/{LANTERN}/accounts",
    "/v1/topics/grain-deal/positions",
    "/v1/participants/sergey-lavrov/positions",
]
SINGLE = [f"/v1/{kind}/{one}" for kind, one in ONE.items()]
OTHERS = [
    f"/v1/calls/{SEED}/comparison",
    f"/v1/calls/{SEED}/record",
    "/v1/records",
    "/v1/vocabularies",
]
MEMBERS = {
    "calls": "id title status held_on held_on_basis medium initiated_by participants lifecycle"
    " related notes",
    "participants": "id name kind country aliases description",
    "topics": "id label aliases broader description",
    "sources": "id title publisher url obtained_from published_on language kind rights characters"
    " sha256 text",
    "accounts": "id call sides genre given_by given_on coverage sources",
    "statements": "id call account speakers attribution addressees targets setting form act"
    " position self_reported topics said_on quote summary evidence",
}


# What is refused.


@pytest.mark.parametrize("path", [*LISTS, *SINGLE, *OTHERS])
def test_an_unknown_parameter_is_refused_on_every_path(client: FlaskClient, path: str) -> None:
    assert at_fault(client, f"{path}?colour=red") == ["colour"]
    assert at_fault(client, f"{path}?colour") == ["colour"]
    assert sorted(at_fault(client, f"{path}?Limit=1&=&%00=1")) == ["", "\0", "Limit"]


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_value_is_refused(client: FlaskClient, path: str) -> None:
    for name in ("limit", "cursor", "sort", "count", "fields", "format", "updated_since"):
        assert at_fault(client, f"{path}?{name}=") == [name]
        assert at_fault(client, f"{path}?{name}") == [name]


@pytest.mark.parametrize(
    "query", ["topic=", "topic=,", "topic=taiwan,", "topic=,taiwan", "topic=taiwan&topic="]
)
def test_an_empty_value_among_several_is_refused(client: FlaskClient, query: str) -> None:
    assert at_fault(client, f"/v1/statements?{query}") == ["topic"]


@pytest.mark.parametrize("path", LISTS)
def test_a_single_value_given_twice_is_refused(client: FlaskClient, path: str) -> None:
    for once in ("limit=1", "count=true", "format=json", "cursor=x", "sort=id"):
        name = once.partition("=")[0]
        assert at_fault(client, f"{path}?{once}&{once}") == [name]


@pytest.mark.parametrize(
    "query",
    [
        "position=true&position=true", "self_reported=true,false", "joint=1", "position=TRUE",
        "said_from=2022&said_from=2022", "said_to=2022-02-30", "said_from=yesterday",
        "said_to=2022-07-29T10:00:00Z", "said_from=2022-21", "said_from=0000", "said_to=20220729",
        "topic=Grain-Deal", "topic=grain_deal", "speaker=" + "a" * 81, "topic_all=none",
        "speaker=%00", "country=us", "country=UK", "country=USA", "act=demands", "act=none",
        "genre=none", "setting=on_call", "form=direct,spoken", "sort=said_on,id", "sort=-id",
        "sort=held_on", "sort=relevance", "count=yes", "format=xml", "format=json,csv",
        "fields=id,nothing", "fields=text", "fields=highlight", "facets=source", "facets=topic,x",
        "updated_since=2022-07-29", "updated_since=2022-07-29T00:00:00", "updated_since=now",
        "updated_since=2022-07-29T00:00:00%2B99:00", "updated_since=2022-13-29T00:00:00Z",
        "updated_since=0001-01-01T00:00:00%2B02:00", "limit=201", "q=" + "a" * 501,
    ],
)  # fmt: skip
def test_a_malformed_value_is_refused(client: FlaskClient, query: str) -> None:
    name = query.partition("=")[0]
    assert at_fault(client, f"/v1/statements?{query}") == [name]


def test_an_unencoded_plus_is_told_what_would_be_right(client: FlaskClient) -> None:
    query = "updated_since=2022-07-29T00:00:00+02:00"
    _, _, [error] = refused(client, f"/v1/statements?{query}")
    assert "%2B" in error["detail"]
    assert read(client, f"/v1/statements?{query.replace('+', '%2B')}")["data"]


@pytest.mark.parametrize(
    "query", ["topic=%ff", "%ff=1", "topic=%c3", "q=%ed%a0%80", "topic=\xff", "q=%f8%88%80%80%80"]
)
@pytest.mark.parametrize("path", ["/v1/statements", SINGLE[0], OTHERS[0]])
def test_a_query_that_is_no_utf8_is_refused(client: FlaskClient, path: str, query: str) -> None:
    answer = client.get(path, environ_overrides={"QUERY_STRING": query})
    assert answer.status_code == 400
    assert answer.get_json()["type"] == "/problems#bad-request"


def test_all_faults_are_told_at_once(client: FlaskClient) -> None:
    query = "topic=A,B&limit=x&sort=up&act=shout&colour=1&cursor=&facets=q&limit=2"
    status, kind, errors = refused(client, f"/v1/statements?{query}")
    assert (status, kind) == (400, "invalid-parameter")
    told = [error["parameter"] for error in errors]
    assert sorted(told) == sorted(
        ["topic", "topic", "limit", "sort", "act", "colour", "cursor", "facets"]
    )


@pytest.mark.parametrize(
    ("path", "fixed"),
    [
        ("/v1/topics/grain-deal/positions", {"topic": "grain-deal", "position": "true"}),
        ("/v1/participants/lavrov/positions", {"speaker": "lavrov", "position": "false"}),
        (f"/v1/calls/{SEED}/statements", {"call": SEED}),
        (f"/v1/calls/{SEED}/accounts", {"call": LANTERN}),
    ],
)
def test_what_the_path_fixes_cannot_be_given_again(
    client: FlaskClient, path: str, fixed: dict[str, str]
) -> None:
    for name, value in fixed.items():
        assert at_fault(client, path, {name: value}) == [name]


def test_a_url_of_more_than_4000_bytes_is_refused(client: FlaskClient) -> None:
    fits = "/v1/statements?q=" + "%20" * 400 + "&topic=none" * 40
    assert len(fits) < 4000
    read(client, fits)
    status, kind, _ = refused(client, "/v1/statements?q=" + "%20" * 1330)
    assert (status, kind) == (414, "uri-too-long")


# Ids that do not exist.


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("topic=grain-daal", "grain-deal"),
        ("topic_all=food-security,grain-deals", "grain-deal"),
        ("speaker=antony-blinkin", "antony-blinken"),
        ("speaker=lavrof", "sergey-lavrov"),
        ("addressee=sergey-lavrow", "sergey-lavrov"),
        ("target=china,rusia", "russia"),
        ("call=blinken-lavrov-2022-07-92", "blinken-lavrov-2022-07-29"),
        ("account=lantern-oman-readouts", "lantern-oman-readout"),
        ("side=united-state", "united-states"),
        ("source=selsund-bulletin-8", "selsund-bulletin-7"),
    ],
)
def test_an_unknown_id_is_told_with_the_nearest(
    client: FlaskClient, query: str, nearest: str
) -> None:
    status, kind, [error] = refused(client, f"/v1/statements?{query}")
    assert (status, kind) == (404, "unknown-id")
    assert error["parameter"] == query.partition("=")[0]
    assert f"'{nearest}'" in error["detail"]


def test_every_unknown_id_is_told_after_every_400(client: FlaskClient) -> None:
    unknown = "topic=zzz,grain-deal,yyy&speaker=xxx"
    status, kind, errors = refused(client, f"/v1/statements?{unknown}")
    assert (status, kind) == (404, "unknown-id")
    told = [(error["parameter"], error["detail"].split("'")[1]) for error in errors]
    assert told == [("topic", "zzz"), ("topic", "yyy"), ("speaker", "xxx")]
    for more in ("limit=x", "sort=relevance", "limit=201", "cursor=x", "colour=1"):
        at_fault(client, f"/v1/statements?{unknown}&{more}")
    at_fault(client, f"/v1/statements?{unknown}&format=csv&count=true")
    for form in ("ndjson", "csv"):
        assert refused(client, f"/v1/statements?{unknown}&format={form}")[:2] == (status, kind)
    fifty = ",".join(f"nobody-{n}" for n in range(50))
    assert len(refused(client, f"/v1/statements?speaker={fifty}")[2]) == 50


@pytest.mark.parametrize(
    "path",
    [
        *(f"/v1/{kind}/nothing" for kind in KINDS),
        *(f"/v1/calls/none/{rest}" for rest in ("statements", "accounts", "comparison", "record")),
        "/v1/topics/nothing/positions", "/v1/participants/nothing/positions", "/v1/topics/none",
        "/v1/topics/Grain-Deal", "/v1/topics/grain%00deal", "/v1/topics/é/positions", "/v1//calls",
        "/v1/calls/grain-deal", "/v1/calls/" + "a" * 81, "/v1/calls/" + "9" * 3000, "/v1/nothing",
        "/v1/statements/", "/v1", "/v2/calls", "/v1/topics/a/b/c", "/v1/calls/%0D%0AX-Bad:%201",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404_before_any_400(client: FlaskClient, path: str) -> None:
    assert refused(client, f"{path}?colour=1")[:2] == (404, "not-found")


# Single records.


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_the_same_alone_and_in_a_list(client: FlaskClient, kind: str) -> None:
    members = [*MEMBERS[kind].split(), "revision", "created_at", "updated_at"]
    for listed in walk(client, f"/v1/{kind}"):
        alone = read(client, f"/v1/{kind}/{listed['id']}")
        assert list(alone) == members
        assert list(listed) == [name for name in members if name != "text"]
        assert {name: value for name, value in alone.items() if name != "text"} == listed


def test_a_text_comes_with_the_single_source_where_it_is_held(client: FlaskClient) -> None:
    for listed in walk(client, "/v1/sources"):
        text = read(client, f"/v1/sources/{listed['id']}")["text"]
        held = listed["id"] in ("selsund-bulletin-7", "strand-notice-board")
        assert (text is not None) == held
        assert not held or len(text) == listed["characters"]


@pytest.mark.parametrize("kind", KINDS)
def test_fields_narrow_a_record(client: FlaskClient, kind: str) -> None:
    path = f"/v1/{kind}/{ONE[kind]}"
    whole = read(client, path)
    for name in whole:
        assert read(client, path, {"fields": name}) == {name: whole[name]}
    some = read(client, f"{path}?fields=id,revision&fields=updated_at,id")
    assert some == {name: whole[name] for name in ("id", "revision", "updated_at")}
    assert at_fault(client, f"{path}?fields=id,nothing") == ["fields"]


@pytest.mark.parametrize(
    ("alias", "record"),
    [
        ("topics/black-sea-grain-initiative", "topics/grain-deal"),
        ("topics/lantern-deal", "topics/lantern-accord"),
        ("topics/accord-des-phares-seville", "topics/lantern-accord"),
        ("participants/lavrov", "participants/sergey-lavrov"),
        ("participants/island", "participants/iceland"),
        ("participants/cssr", "participants/czechoslovakia"),
    ],
)
def test_an_alias_finds_a_record_and_says_where_it_is(
    client: FlaskClient, alias: str, record: str
) -> None:
    for rest in ("", "/positions"):
        by_alias, by_id = (get(client, f"/v1/{one}{rest}") for one in (alias, record))
        assert by_alias.headers["Content-Location"] == f"/v1/{record}{rest}"
        assert "Content-Location" not in by_id.headers
        assert by_alias.data == by_id.data
        assert by_alias.headers["ETag"] == by_id.headers["ETag"]


def test_positions_are_the_statements_that_take_a_side(client: FlaskClient) -> None:
    for path, query in [
        ("topics/maritime-safety", "topic=maritime-safety"),
        ("participants/lin-yue-hua", "speaker=lin-yue-hua"),
    ]:
        for more in ("", "&genre=press-remarks", "&q=the&sort=-said_on", "&facets=act&count=true"):
            positions = read(client, f"/v1/{path}/positions?{more}")
            assert positions == read(client, f"/v1/statements?{query}&position=true{more}")
        in_time = ids(read(client, f"/v1/{path}/positions?q=minister"))
        by_time = f"/v1/statements?{query}&position=true&q=minister&sort=said_on"
        assert in_time == ids(read(client, by_time))
