"""What the contract says of filters, orders and facets, in plain Python over the records as read.

It shares no code with the service: where the two differ, one of them is wrong.
"""

import calendar
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from unicodedata import category, normalize

from tests.reading import View

Held = Callable[["Oracle", View], set[str]]
Asked = Mapping[str, list[str]]

FIRST, LAST = "0001-01-01", "9999-12-31"


@functools.cache
def days(edtf: str) -> tuple[str, str]:
    """The earliest and latest day that a date can mean."""
    if "/" in edtf:
        start, end = edtf.split("/")
        return days(start or "..")[0], days(end or "..")[1]
    if edtf == "..":
        return FIRST, LAST
    year, month, day = (edtf.rstrip("?~%") + "-XX-XX").split("-")[:3]
    last_year, last_month = int(year.replace("X", "9")), 12 if month == "XX" else int(month)
    last_day = calendar.monthrange(last_year, last_month)[1] if day == "XX" else int(day)
    first = "-".join((year.replace("X", "0"), month.replace("XX", "01"), day.replace("XX", "01")))
    return max(first, FIRST), f"{last_year:04}-{last_month:02}-{last_day:02}"


@functools.cache
def folded(text: str) -> list[str]:
    """The words of a text."""
    bare = "".join(c for c in normalize("NFKD", text) if category(c)[0] != "M").casefold()
    return re.findall(r"[^\W_]+", normalize("NFKC", bare))


def finds(q: str, fields: list[str]) -> bool:
    """Whether a query of words, phrases, negations and prefixes matches a text in fields."""
    words = [folded(field) for field in fields]
    positive = False
    for minus, phrase, word in re.findall(r'(-?)(?:"([^"]*)"|(\S+))', q):
        sought = folded(phrase or word)
        if not sought:
            continue
        begins = word.endswith("*")

        def at(place: list[str], sought: list[str] = sought, begins: bool = begins) -> bool:
            last = place[-1].startswith(sought[-1]) if begins else place[-1] == sought[-1]
            return last and place[:-1] == sought[:-1]

        long = len(sought)
        found = any(at(f[n : n + long]) for f in words for n in range(len(f) - long + 1))
        if found == bool(minus):
            return False
        positive = positive or not minus
    return positive


def _ids(member: str) -> Held:
    return lambda oracle, view: {one["id"] for one in view[member]}


def _countries(member: str) -> Held:
    return lambda oracle, view: {one["country"] for one in view[member]} - {None}


def _code(member: str) -> Held:
    return lambda oracle, view: {view[member]} - {None}


def _flag(member: str) -> Held:
    return lambda oracle, view: (
        set() if view[member] is None else {"true" if view[member] else "false"}
    )


def _sides_of_account(oracle: "Oracle", view: View) -> set[str]:
    return {side["id"] for side in view["account"]["sides"]}


def _carried(oracle: "Oracle", view: View) -> set[str]:
    return {wider for topic in view["topics"] for wider in oracle.wider(topic["id"])}


def _topics_of_call(oracle: "Oracle", view: View) -> set[str]:
    said = [one for one in oracle.of("statements") if one["call"]["id"] == view["id"]]
    return {topic for one in said for topic in _carried(oracle, one)}


def _told_by(oracle: "Oracle", view: View) -> set[str]:
    told = [one for one in oracle.of("accounts") if one["call"]["id"] == view["id"]]
    return {side["id"] for one in told for side in one["sides"]}


def _on_call(oracle: "Oracle", view: View) -> set[str]:
    return {one["participant"]["id"] for one in view["participants"]}


# What of a record each filter by value looks at; it has `none` where that is empty.
FILTERS: dict[str, dict[str, Held]] = {
    "statements": {
        "topic": _carried,
        "speaker": _ids("speakers"),
        "addressee": _ids("addressees"),
        "target": _ids("targets"),
        "call": lambda oracle, view: {view["call"]["id"]},
        "account": lambda oracle, view: {view["account"]["id"]},
        "side": _sides_of_account,
        "source": lambda oracle, view: {one["source"]["id"] for one in view["evidence"]},
        "country": _countries("speakers"),
        "target_country": _countries("targets"),
        "act": _code("act"),
        "setting": _code("setting"),
        "form": _code("form"),
        "genre": lambda oracle, view: {view["account"]["genre"]},
        "position": _flag("position"),
        "self_reported": _flag("self_reported"),
        "joint": lambda oracle, view: {"true" if len(view["speakers"]) > 1 else "false"},
    },
    "calls": {
        "participant": _on_call,
        "side": lambda oracle, view: {
            one["side"]["id"] for one in view["participants"] if one["side"]
        },
        "country": lambda oracle, view: (
            {oracle.held["participants"][one]["country"] for one in _on_call(oracle, view)} - {None}
        ),
        "topic": _topics_of_call,
        "status": _code("status"),
        "medium": _code("medium"),
        "initiated_by": _ids("initiated_by"),
        "told_by": _told_by,
    },
    "participants": {"kind": _code("kind"), "country": _code("country")},
    "topics": {"broader": _code("broader")},
    "sources": {"kind": _code("kind"), "publisher": _code("publisher")},
    "accounts": {
        "call": lambda oracle, view: {view["call"]["id"]},
        "side": _ids("sides"),
        "genre": _code("genre"),
        "given_by": lambda oracle, view: {view["given_by"]["id"]} if view["given_by"] else set(),
    },
}
# Those of one value, where `none` has no meaning.
SINGLE = ("position", "self_reported", "joint")
SEARCHED = {
    "calls": ("title", "notes"),
    "participants": ("name", "aliases", "description"),
    "topics": ("label", "aliases", "description"),
    "sources": ("title",),
    "statements": ("quote", "summary", "topics"),
}
DATED = {"statements": "said_on", "calls": "held_on"}
FACETS = ("topic", "speaker", "act", "setting", "form", "side", "genre", "call", "country")


@dataclass(frozen=True, eq=False)
class Oracle:
    """All records, by kind and id, and what to expect of lists of them."""

    held: dict[str, dict[str, View]]

    def of(self, kind: str) -> list[View]:
        return list(self.held[kind].values())

    @functools.cache  # noqa: B019 (it lives as long as the tests of a module)
    def values(self, kind: str, name: str) -> dict[str, set[str]]:
        """What each record of a kind has of what a filter looks at, by its id."""
        held = FILTERS[kind][name]
        return {record: held(self, view) for record, view in self.held[kind].items()}

    def wider(self, topic: str | None) -> Iterator[str]:
        """A topic, and all that are broader."""
        while topic is not None:
            yield topic
            topic = self.held["topics"][topic]["broader"]

    def fields(self, kind: str, view: View) -> list[str]:
        """The texts that full text looks at."""
        found: list[str] = []
        for member in SEARCHED[kind]:
            value = view[member]
            texts = value if isinstance(value, list) else [value]
            found += [one["label"] if isinstance(one, dict) else one or "" for one in texts]
        return found

    def matches(self, kind: str, view: View, name: str, values: list[str]) -> bool:
        """Whether a record matches one filter."""
        if name == "q":
            return finds(values[0], self.fields(kind, view))
        if name == "updated_since":
            return str(view["updated_at"]) >= values[0]
        if name.endswith(("_from", "_to")):
            date = view[DATED[kind]]
            if date is None:
                return False
            if name.endswith("_from"):
                return days(date)[1] >= days(values[0])[0]
            return days(date)[0] <= days(values[0])[1]
        if name == "not_told_by":
            return not set(values) <= self.values(kind, "told_by")[view["id"]]
        held = self.values(kind, name.removesuffix("_all"))[view["id"]]
        if name.endswith("_all"):
            return set(values) <= held
        return bool(held & set(values)) or ("none" in values and not held)

    def find(self, kind: str, asked: Asked) -> list[View]:
        """The records that a list gives, in its order."""
        filters = {name: values for name, values in asked.items() if name != "sort"}
        found = [
            view
            for view in self.of(kind)
            if all(self.matches(kind, view, name, values) for name, values in filters.items())
        ]
        return self.in_order(kind, found, asked.get("sort", [""])[0])

    def in_order(self, kind: str, found: list[View], sort: str = "") -> list[View]:
        sort = sort or {"statements": "said_on", "calls": "-held_on"}.get(kind, "id")
        by_id = sorted(found, key=lambda view: str(view["id"]))
        if sort == "id":
            return by_id
        member = DATED[kind]
        dated = sorted((v for v in by_id if v[member]), key=lambda view: days(view[member]))
        undated = [view for view in by_id if not view[member]]
        return dated[::-1] + undated[::-1] if sort.startswith("-") else dated + undated

    def facet(self, found: list[View], name: str) -> list[View]:
        """The counts of a facet over statements."""
        held = _ids("topics") if name == "topic" else FILTERS["statements"][name]
        counts = Counter(value for view in found for value in held(self, view))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:100]
        return [
            {"id": value, "label": self.label(name, value), "count": count}
            for value, count in ranked
        ]

    def label(self, facet: str, value: str) -> str:
        kinds = {"topic": ("topics", "label"), "call": ("calls", "title")}
        kinds |= {"speaker": ("participants", "name"), "side": ("participants", "name")}
        if facet not in kinds:
            return value
        kind, member = kinds[facet]
        return str(self.held[kind][value][member])
