"""What one said on a topic: found by both filters together, which are read along one index."""

from itertools import pairwise, product

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.call_records import a_record
from tests.oracle import Oracle
from tests.reading import everything, ids, read, walk
from tests.writing import Writer

SORTS = ("said_on", "-said_on", "id")


@pytest.fixture(scope="module")
def oracle(app: Flask) -> Oracle:
    return Oracle(everything(app.test_client()))


def test_each_topic_with_each_speaker(client: FlaskClient, oracle: Oracle) -> None:
    speakers = set().union(*oracle.values("statements", "speaker").values())
    for topic, speaker in product(oracle.held["topics"], sorted(speakers)):
        asked = {"topic": [topic], "speaker": [speaker]}
        answer = read(client, "/v1/statements", {**asked, "count": "true", "limit": "200"})
        expected = oracle.find("statements", asked)
        assert answer["data"] == expected, asked
        assert answer["page"]["total"] == len(expected), asked


def test_several_topics_with_a_speaker(client: FlaskClient, oracle: Oracle) -> None:
    speakers = set().union(*oracle.values("statements", "speaker").values())
    topics = sorted(set().union(*oracle.values("statements", "topic").values()))
    more = [{}, {"position": ["true"]}, {"joint": ["true"]}, {"said_from": ["2031-03"]}]
    more += [{"said_to": ["2031-03-05~"]}, {"said_from": ["203X"], "said_to": ["2031"]}]
    for number, (some, speaker) in enumerate(product(pairwise(topics), sorted(speakers))):
        asked = {"topic": list(some), "speaker": [speaker], **more[number % len(more)]}
        sort = SORTS[number % len(SORTS)]
        found = walk(client, "/v1/statements", {**asked, "sort": sort, "limit": "2"})
        assert found == oracle.find("statements", {**asked, "sort": [sort]}), asked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("topic=black-sea-grain-initiative&speaker=lavrov", "topic=grain-deal,grain-deal"),
        ("topic=istanbul-package,grain-deal&speaker=sergey-lavrov", "topic=grain-deal"),
    ],
)
def test_aliases_of_both(client: FlaskClient, one: str, other: str) -> None:
    found = read(client, f"/v1/statements?{one}")
    assert found["data"]
    assert found == read(client, f"/v1/statements?{other}&speaker=sergey-lavrov")


def test_several_speakers_or_none(client: FlaskClient, oracle: Oracle) -> None:
    for speakers in (["sergey-lavrov", "antony-blinken"], ["none"], ["none", "sergey-lavrov"]):
        for topics in (["grain-deal"], ["food-security"], ["none"], ["none", "grain-deal"]):
            asked = {"topic": topics, "speaker": speakers}
            assert walk(client, "/v1/statements", asked) == oracle.find("statements", asked)


def test_it_follows_what_is_written(writer: Writer) -> None:
    tag = "said"
    lock, locks, minister, envoy = (f"{tag}-{n}" for n in ("lock", "locks", "minister", "envoy"))
    assert writer.put(f"calls/{tag}-call/record", a_record(tag)).status_code == 201

    def said(topic: str, speaker: str) -> list[str]:
        found = writer.read(f"statements?topic={topic}&speaker={speaker}&count=true")
        assert found["page"]["total"] == len(found["data"])
        return [one[-1] for one in ids(found)]

    path = f"statements/{tag}-statement-1"
    assert (said(lock, minister), said(locks, minister)) == (["1", "2"], ["1", "2"])
    assert writer.patch(path, {"speakers": [envoy, minister]}).status_code == 200
    assert (said(lock, minister), said(lock, envoy)) == (["1", "2"], ["1"])
    assert writer.patch(path, {"speakers": [envoy]}).status_code == 200
    assert (said(lock, minister), said(lock, envoy), said(locks, envoy)) == (["2"], ["1"], ["1"])
    assert writer.patch(path, {"topics": [locks, lock]}).status_code == 200
    assert (said(lock, envoy), said(locks, envoy)) == (["1"], ["1"])
    assert writer.patch(path, {"topics": [locks]}).status_code == 200
    assert (said(lock, envoy), said(locks, envoy)) == ([], ["1"])
    assert writer.patch(f"topics/{locks}", {"label": "Weirs", "aliases": ["Weir"]}).json
    assert (said("weir", envoy), said("weir", minister)) == (["1"], ["2"])
    assert writer.patch(f"topics/{lock}", {"broader": None}).status_code == 200
    assert (said(locks, envoy), said(locks, minister)) == (["1"], [])
    assert writer.delete(path).status_code == 204
    assert (said(locks, envoy), said(lock, minister)) == ([], ["2"])
    assert writer.delete(f"calls/{tag}-call").status_code == 204
    assert said(lock, minister) == []
