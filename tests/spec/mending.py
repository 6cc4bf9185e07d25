"""Bodies that schemathesis makes up, mended where nothing but what OpenAPI cannot say is wrong.

That is: what they name must exist; dates must be in the calendar; text has no NUL, which a pattern
for each text could say; parts of a record must agree with each other (a quote with its evidence),
and some with what stands (a source with its own text).
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import requests
from marshmallow import fields

from schemas.fields import MAX_TEXT, Edtf, Id, Items, Ref, Text, Url
from schemas.record import WRITTEN
from schemas.source import digest
from tests.call_records import TEXT, a_record
from tests.spec.possible import possible_date, possible_url

Body = dict[str, Any]
numbers = itertools.count()

PARTIES = ("side", "sides", "initiated_by")  # A side is no person.
SHARED = ("participants", "topics", "sources")
FRESH = {"name", "label", "aliases"}
LONGEST_NAME = MAX_TEXT - 10  # characters, with room for a number
SHORTEST = 10  # characters of a span: fewer could be blank


class Ground:
    """A call record of the tests' own, for made-up bodies to name."""

    def __init__(self, session: requests.Session, url: str) -> None:
        self.session = session
        self.url = url
        self.tag = "ground"
        self.record = a_record(self.tag)
        self.call: str = self.record["call"]["id"]
        self.touched = True

    def restored(self) -> bool:
        """Put back what earlier requests changed or retracted of it; leave alone what they made.

        Was there any of that?
        """
        if not self.touched:
            return False
        self.touched = False
        path = f"{self.url}/v1/calls/{self.call}/record"
        stands = self.session.get(path)
        held = stands.json() if stands.ok else {}
        wanted = {"call": self.record["call"]}
        for kind in (*SHARED, "accounts", "statements"):
            listed = {one["id"]: one for one in [*held.get(kind, []), *self.record[kind]]}
            wanted[kind] = [listed[name] for name in sorted(listed)]
        changed = bool(held != wanted)
        if changed:
            tag = stands.headers.get("ETag")
            put = self.session.put(
                f"{path}?shared=update", json=wanted, headers={"If-Match": tag} if tag else {}
            )
            assert put.ok, put.text
        return changed

    def standing(self, kind: str, record: str) -> Body:
        """A record as it is, or was before it was retracted; empty where there never was one."""
        path = f"{self.url}/v1/{kind}/{record}"
        found = self.session.get(path)
        if found.status_code != requests.codes.gone:
            return dict(found.json()) if found.ok else {}
        last = found.headers["ETag"].strip('"').partition("-")[0]
        return dict(self.session.get(f"{path}/revisions/{last}").json()["record"])

    def some(self, kind: str, value: object, *, party: bool = False) -> str:
        """The id of one of its records, the same for the same value."""
        listed = [self.record["call"]] if kind == "calls" else self.record[kind]
        ids = [str(one["id"]) for one in listed if not party or one["kind"] != "person"]
        return ids[len(str(value)) % len(ids)]


def mended(ground: Ground, kind: str, body: Body, record: str | None, *, patch: bool) -> Body:
    """A body that writes a record of a kind, or patches it."""
    known = WRITTEN[kind].load_fields
    stands = ground.standing(kind, record) if record else {}
    if patch and not stands:
        return body  # It is a 404.
    before = {name: stands[name] for name in known if patch and name in stands}
    right = before | {name: _value(ground, known[name], body[name], name) for name in body}
    for name in FRESH & body.keys():
        right[name] = fresh(right[name])
    if kind in RULES:
        RULES[kind](ground, right, stands)
    return {name: v for name, v in right.items() if name in body or v != before.get(name)}


def fresh(names: Any) -> Any:
    """Names that no other record has: most that are made up are short, and soon taken."""
    match names:
        case list():
            return [fresh(name) for name in names]
        case str():
            return f"{names[:LONGEST_NAME]} {next(numbers)}"
    return names


def mended_record(ground: Ground, body: Body, record: str | None) -> Body:
    """A body that is a call record: of its own call, with all that it names."""

    def each(kind: str, first: str) -> list[Body]:
        """Those of a kind, under ids that no other call's have."""
        listed = {f"{first}-{one['id']}"[:80].rstrip("-"): one for one in body.get(kind, [])}
        return [
            mended(ground, kind, one, None, patch=False) | {"id": name}
            for name, one in listed.items()
        ]

    call = record or body["call"]["id"]
    right: Body = {"call": mended(ground, "calls", body["call"], None, patch=False) | {"id": call}}
    for kind in SHARED:  # One that stands, and differs, would clash.
        right[kind] = [*ground.record[kind], *each(kind, f"new-{next(numbers)}")]
    own = digest(call)[:8]
    right["accounts"] = [
        one | {"call": call, "sources": [ground.some("sources", "")]}
        for one in each("accounts", own)
    ]
    tellings = [one["id"] for one in right["accounts"]]
    right["statements"] = [
        one | {"account": tellings[place % len(tellings)]}
        for place, one in enumerate(each("statements", own) if tellings else [])
    ]
    return right


def _value(ground: Ground, known: fields.Field[Any], value: Any, name: str) -> Any:
    match known, value:
        case _, None:
            return None
        case Ref(kind=kind), _:
            chosen = ground.some(kind, value, party=name in PARTIES)
            return {**value, "id": chosen} if isinstance(value, Mapping) else chosen
        case Id(), "none":  # It is reserved.
            return "some"
        case Text(pattern=None), _:
            return mended_text(value, "Some" if known.required else "")
        case Edtf(), _ if not possible_date(value):
            return "2022-07-29"
        case Url(), _ if not possible_url(value):
            return "https://example.org/"
        case fields.Nested(schema=schema), _:
            inner = schema.load_fields
            return {name: _value(ground, inner[name], one, name) for name, one in value.items()}
        case Items(inner=one, key=key), _:
            items = [_value(ground, one, item, name) for item in value]
            return _once(items, key) if key else items
    return value


def mended_text(text: str, instead: str) -> str:
    """Text without NUL; instead of what is blank, to which Python reckons more, another."""
    text = text.replace("\0", "")
    return text if text.strip() else instead


def _once(items: list[Any], key: Callable[[Any], Any]) -> list[Any]:
    """The items without those that repeat one; two ways to give a reference are the same."""

    def plain(item: Any) -> Any:
        match item:
            case {"id": same}:
                return same
            case Mapping():
                return {name: plain(value) for name, value in item.items()}
        return item

    return list({key(plain(item)): item for item in reversed(items)}.values())[::-1]


def _call(ground: Ground, right: Body, stands: Body) -> None:
    """Where another source dates it, the notes say which."""
    if right.get("held_on_basis") == "external" and not (right.get("notes") or "").strip():
        right["notes"] = "A newspaper dates it."


def _topic(ground: Ground, right: Body, stands: Body) -> None:
    """Topics make no circle: the ground's widest is below none, and any other below that."""
    widest = next(one["id"] for one in ground.record["topics"] if one["broader"] is None)
    if right.get("broader") is not None:
        right["broader"] = None if stands.get("id") == widest else widest


def _source(ground: Ground, right: Body, stands: Body) -> None:
    """The text goes with its length and digest, and only where it is open; it never changes."""
    if stands:
        right |= {name: stands[name] for name in ("characters", "sha256")} | {"text": None}
    elif right.get("text") and right["rights"] == "open":
        right |= {"characters": None, "sha256": None}
    else:
        right["text"] = None
        right["characters"] = right.get("characters") or 1
        right["sha256"] = right.get("sha256") or digest("")


def _statement(ground: Ground, right: Body, stands: Body) -> None:
    """Spans lie in their text and match it; own words stand there, and the sense needs none."""
    right["evidence"] = [_span(one) for one in right["evidence"]]
    right["evidence"] = _once(right["evidence"], lambda span: (span["start"], span["end"]))
    first = right["evidence"][0]
    words = TEXT[first["start"] : first["end"]]
    right["quote"] = None if right["form"] == "indirect" else words


def _span(span: Body) -> Body:
    start = int(span["start"]) % (len(TEXT) - SHORTEST)
    end = start + SHORTEST + int(span["end"]) % (len(TEXT) - SHORTEST - start)
    words = TEXT[start:end]
    quote = None if span.get("quote") is None else words
    return span | {"start": start, "end": end, "quote": quote, "digest": digest(words)}


RULES: dict[str, Callable[[Ground, Body, Body], None]] = {
    "calls": _call,
    "topics": _topic,
    "sources": _source,
    "statements": _statement,
}
