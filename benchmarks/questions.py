"""What the bench asks, through HTTP as users do.

Each question goes over many ids, topics, speakers or words in turn. Those that are asked for a page
are such as fill it at the smallest size already, so that all sizes send as much.
"""

import json
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlencode

from benchmarks import corpus
from tests.clients import Client

PAGE, WALK, FEW, HITS = 50, 200, 10, 20
VARIETY = 300  # ids and words
POSTED = 20
# Told in a megabyte or so at the smallest size, and in no more than needed at others.
STREAMED = 400
YEARS = (("2010", "2017"), ("2018", "2025"))


@dataclass(frozen=True)
class Question:
    """Requests that differ in what they ask for alone; `by_size` where a megabyte is counted."""

    name: str
    requests: list[bytes]
    status: int = 200
    clients: int = 8
    by_size: bool = False


@dataclass(frozen=True)
class Chosen:
    """What fills a page at the smallest size."""

    topics: list[str]  # without narrower ones
    broad: list[str]  # with some
    together: list[str]  # queries for topic, speaker and dates


def get(path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def post(path: str, key: str, body: dict[str, Any]) -> bytes:
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(data)}", "", ""]
    return "\r\n".join(lines).encode() + data


def total(client: Client, path: str) -> int:
    """How many a list has; the path ends where its query goes on."""
    return int(answer(client, f"{path}limit=0&count=true")["page"]["total"])


def answer(client: Client, path: str) -> Any:
    found = client.get(path)
    assert found.status == 200, (path, found.body)
    return found.json


def positions(topic: str) -> str:
    return f"/v1/topics/{topic}/positions"


def choose(client: Client) -> Chosen:
    """Find what fills pages in a small database."""
    above = set(corpus.BROADER.values())
    alone: list[str] = []
    broad: list[str] = []
    for topic in (one["id"] for one in corpus.TOPICS):
        if total(client, f"{positions(topic)}?") > PAGE:
            (broad if topic in above else alone).append(topic)
    asked = [
        f"/v1/statements?topic={topic}&speaker={side[role]['id']}&said_from={first}&said_to={last}"
        for topic in alone
        for side in corpus.SIDES
        for role in ("leader", "minister")
        for first, last in YEARS
    ]
    return Chosen(alone, broad, [path for path in asked if total(client, f"{path}&") >= FEW])


def deepest(client: Client, path: str) -> str:
    """The last whole page of a list, found as a user finds it: by walking."""
    path = f"{path}?"
    left = total(client, path)
    cursor: dict[str, str | int] = {}
    while left > PAGE:
        limit = min(WALK, left - PAGE)
        page = answer(client, path + urlencode(cursor | {"limit": limit}))["page"]
        cursor = {"cursor": page["next"]}
        left -= limit
    return f"{path}{urlencode(cursor)}"


def streamed(client: Client) -> str:
    """A topic of a size that streams in a moment."""
    ids: list[str] = [topic["id"] for topic in corpus.TOPICS]
    sizes = {one: total(client, f"/v1/statements?topic={one}&") for one in ids}
    enough = {topic: size for topic, size in sizes.items() if size >= STREAMED}
    return min(enough, key=enough.__getitem__) if enough else max(sizes, key=sizes.__getitem__)


def ask(client: Client, statements: int, chosen: Chosen, key: str) -> list[Question]:
    """All questions to a database of so many statements; the last is the one that writes."""
    some = Random(1)
    ids = [f"statement-{n:07}" for n in some.sample(range(statements), VARIETY)]
    calls = statements // corpus.MOST  # at least
    words = [corpus.call_word(some.randrange(calls)) for _ in range(VARIETY)]
    pages, broad = (list(map(positions, topics)) for topics in (chosen.topics, chosen.broad))
    tags = [client.tag(page) for page in pages]
    bodies = [answer(client, f"/v1/statements/{one}") for one in ids[:POSTED]]
    for body in bodies:
        del body["id"]
    counted = [f"{page}?count=true" for page in pages]
    faceted = [f"/v1/statements?topic={t}&limit=0&facets=topic,speaker" for t in chosen.topics]
    found = f"/v1/statements?limit={HITS}&q="
    stream = f"/v1/statements?topic={streamed(client)}&format=ndjson"
    topic, broader = "positions on a topic", "positions on a topic with narrower ones"
    return [
        Question("one statement", [get(f"/v1/statements/{one}") for one in ids]),
        Question(f"{topic}, first page", [get(page) for page in pages]),
        Question(f"{topic}, deepest page", [get(deepest(client, page)) for page in pages]),
        Question(
            f"{topic}, unchanged (304)",
            [get(p, f"If-None-Match: {tag}") for p, tag in zip(pages, tags, strict=True)],
            status=304,
        ),
        Question(f"{broader}, first page", [get(page) for page in broad]),
        Question(f"{broader}, deepest page", [get(deepest(client, page)) for page in broad]),
        Question(
            f"topic, speaker and dates, {FEW}", [get(f"{p}&limit={FEW}") for p in chosen.together]
        ),
        Question("calls, first page", [get("/v1/calls")]),
        Question("calls, deepest page", [get(deepest(client, "/v1/calls"))]),
        Question("full text, a word of one call", [get(f"{found}{word}") for word in words]),
        Question(
            "full text, a word of 3 % of all",
            [get(f"{found}{word}") for word in corpus.WORDS[60:80]],
            clients=2,
        ),
        Question(f"{topic}, `count=true`", [get(path) for path in counted], clients=2),
        Question("facets of a topic: topics, speakers", [get(path) for path in faceted], clients=2),
        Question("NDJSON of a topic, for each MB", [get(stream)], clients=2, by_size=True),
        Question(
            "POST of a statement, on the disk",
            [post("/v1/statements", key, body) for body in bodies],
            status=201,
        ),
    ]
