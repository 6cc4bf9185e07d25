"""What evidence must keep to: spans in their source, digests, quotes, rights, and the form."""

import itertools
from typing import Any

import pytest

from schemas.source import digest
from tests.call_records import TEXT, a_record, span
from tests.writing import Writer, content, faults, told

INVALID, CONFLICT = (422, "invalid"), (409, "conflict")
WORDS = "pressed Beta to open the lock"
SAID = "“Open it by May,” she said, “or we dredge alone.”"
_tags = (f"proof{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def tag(writer: Writer) -> str:
    """The tag of a call record with four more sources, by their rights: of `held` we have the text.

    The account has read them all but `other`.
    """
    tag = next(_tags)
    writer.put(f"calls/{tag}-call/record", a_record(tag))
    measured = {"characters": len(TEXT), "sha256": digest(TEXT)}
    for name, rights in (("open", "open"), ("quote", "quote"), ("none", "none"), ("other", "open")):
        source = {"title": name, "rights": rights, **measured}
        assert writer.put(f"sources/{tag}-{name}", source).status_code == 201
    read = [f"{tag}-{name}" for name in ("source", "open", "quote", "none")]
    assert writer.patch(f"accounts/{tag}-account", {"sources": read}).status_code == 200
    return tag


def statement(tag: str, *evidence: dict[str, Any], **members: Any) -> dict[str, Any]:
    made: dict[str, Any] = a_record(tag)["statements"][0]
    del made["id"]
    return made | {"evidence": list(evidence)} | members


def evidence(
    tag: str, source: str = "source", words: str = WORDS, **members: Any
) -> dict[str, Any]:
    return span(f"{tag}-{source}", words) | members


def outcome(writer: Writer, sent: dict[str, Any]) -> list[str]:
    """Where the faults of a statement are; it is the same for POST, PUT, and a call record."""
    answer = writer.post("statements", sent)
    if answer.status_code == 201:
        return []
    assert told(answer) == INVALID, answer.text
    path = sent["account"].replace("account", "statement-2")
    again = writer.put(f"statements/{path}", sent)
    assert (told(again), again.json and again.json["errors"]) == (
        INVALID,
        content(answer)["errors"],
    )
    return faults(answer)


def at_end(*sources: str) -> dict[str, list[str]]:
    return {source: ["end"] for source in sources}


NO_DIGEST = "0" * 64
START = TEXT.index(WORDS)
END = START + len(WORDS)
# What is otherwise in the span, by the source that it is in: where the fault is told, if it is one.
SPANS: dict[str, tuple[dict[str, Any], dict[str, list[str]]]] = {
    "right": ({}, {"source": [], "open": [], "quote": [], "none": ["quote"]}),
    "without words": ({"quote": None}, {"source": [], "open": [], "quote": [], "none": []}),
    "empty": ({"end": START}, at_end("source", "quote", "none")),
    "backwards": ({"start": END, "end": START}, at_end("source", "none")),
    "past the end": (
        {"end": len(TEXT) + 1, "quote": None},
        at_end("source", "open", "quote", "none"),
    ),
    "far past the end": (
        {"start": 2**53 - 2, "end": 2**53 - 1, "quote": None},
        at_end("source", "none"),
    ),
    "one further": (
        {"start": START + 1, "end": END + 1},
        {"source": ["digest"], "open": [], "quote": [], "none": ["quote"]},
    ),
    "one further, without words": (
        {"start": START + 1, "end": END + 1, "quote": None},
        {"source": ["digest"], "open": [], "none": []},
    ),
    "another digest": (
        {"digest": NO_DIGEST},
        {"source": ["digest"], "open": ["digest"], "quote": ["digest"]},
    ),
    "another digest, without words": (
        {"digest": NO_DIGEST, "quote": None},
        {"source": ["digest"], "open": [], "quote": [], "none": []},
    ),
    "other words": (
        {"quote": WORDS.upper()},
        {"source": ["digest", "quote"], "open": ["digest"], "quote": ["digest"]},
    ),
    "words that are too short": ({"quote": WORDS[1:]}, {"source": ["quote"], "open": ["quote"]}),
    "words that are too long": ({"quote": WORDS + " "}, {"source": ["quote"], "quote": ["quote"]}),
    "words in other code points": (
        {"quote": WORDS.replace("Beta", "Be\u0301t")},
        {"source": ["digest", "quote"], "quote": ["digest"]},
    ),
    "no words": ({"quote": ""}, {"source": ["quote"], "quote": ["quote"], "none": ["quote"]}),
    "of no source of the account": ({}, {"other": ["source"]}),
    "the digest of other words with them": (
        {"quote": WORDS.upper(), "digest": digest(WORDS.upper())},
        {"source": ["digest"], "open": [], "quote": []},
    ),
}


@pytest.mark.parametrize(
    ("case", "source"), [(case, source) for case in SPANS for source in SPANS[case][1]]
)
def test_a_span_is_checked_as_far_as_can_be(
    writer: Writer, tag: str, case: str, source: str
) -> None:
    members, expected = SPANS[case]
    found = outcome(writer, statement(tag, evidence(tag, source, **members)))
    wanted = {f"/evidence/0/{member}" for member in expected[source]}
    assert set(found) == wanted


def test_offsets_count_code_points(writer: Writer, tag: str) -> None:
    for words in ("🌊 READ-OUT.", "🌊", "“", "by May,” she", TEXT, TEXT[-1:], "\n"):
        sent = statement(tag, evidence(tag, words=words), summary=f"{tag} {words}")
        assert outcome(writer, sent) == []


def test_every_wrong_span_is_told(writer: Writer, tag: str) -> None:
    sent = statement(
        tag,
        evidence(tag, "none"),
        evidence(tag, "open", end=10**6, quote=None),
        evidence(tag, "source", digest=NO_DIGEST),
        evidence(tag, "quote"),
        evidence(tag, "other"),
    )
    assert outcome(writer, sent) == [
        "/evidence/0/quote", "/evidence/1/end", "/evidence/2/digest", "/evidence/2/digest",
        "/evidence/4/source",
    ]  # fmt: skip


def test_a_span_stands_once(writer: Writer, tag: str) -> None:
    one = evidence(tag)
    assert outcome(writer, statement(tag, one, one)) == ["/evidence/1"]
    assert outcome(writer, statement(tag, one, one | {"quote": None})) == ["/evidence/1"]
    assert outcome(writer, statement(tag, one, evidence(tag, "quote"))) == []


def test_there_is_evidence(writer: Writer, tag: str) -> None:
    sent = statement(tag)
    assert outcome(writer, sent) == ["/evidence"]
    del sent["evidence"]
    assert outcome(writer, sent) == ["/evidence"]


# The words of the speaker

JOINED = "Open it by May, … or we dredge alone."
QUOTES: dict[str, tuple[str, str | None, list[str], list[str]]] = {
    # form, quote, the sources of its evidence, faults
    "direct, from the text": ("direct", "Open it by May,", ["source"], []),
    "mixed, from the text": ("mixed", "Open it by May,", ["source"], []),
    "fragments": ("direct", JOINED, ["source"], []),
    "all of it": ("direct", SAID, ["source"], []),
    "direct without words": ("direct", None, ["source"], ["/quote"]),
    "mixed without words": ("mixed", None, ["quote"], ["/quote"]),
    "indirect with words": ("indirect", "Open it by May,", ["source"], ["/quote"]),
    "indirect": ("indirect", None, ["source"], []),
    "words that are not there": ("direct", "Open it by June,", ["source"], ["/quote"]),
    "in other case": ("direct", "open it by may,", ["source"], ["/quote"]),
    "a fragment that is not there": ("direct", "Open it … or else", ["source"], ["/quote"]),
    "three dots": ("direct", "Open it by May, ... or we dredge alone.", ["source"], ["/quote"]),
    "an ellipsis without blanks": ("direct", "Open it by May,…or we", ["source"], ["/quote"]),
    "joined without a mark": ("direct", "Open it by May, or we dredge", ["source"], ["/quote"]),
    "in any order": ("direct", "or we dredge alone. … Open it by May,", ["source"], []),
    "from the words that are given": ("direct", JOINED, ["quote"], []),
    "not from the words that are given": ("direct", "Never", ["quote"], ["/quote"]),
    "rights to none of them": ("direct", None, ["none"], []),
    "mixed, rights to none": ("mixed", None, ["none"], []),
    "words, rights to none": ("direct", JOINED, ["none"], ["/quote"]),
    "rights to some": ("direct", JOINED, ["none", "source"], []),
    "rights to some, no words": ("direct", None, ["none", "quote"], ["/quote"]),
}


@pytest.mark.parametrize("case", QUOTES)
def test_quotes_follow_the_form_the_rights_and_the_evidence(
    writer: Writer, tag: str, case: str
) -> None:
    form, quote, sources, expected = QUOTES[case]
    spans = [
        evidence(tag, one, SAID, **({"quote": None} if one == "none" else {})) for one in sources
    ]
    sent = statement(tag, *spans, form=form, quote=quote, summary=f"{tag} {case}")
    assert outcome(writer, sent) == expected


def test_words_that_nobody_can_check_are_taken(writer: Writer, tag: str) -> None:
    unseen = evidence(tag, "quote", SAID, quote=None)
    sent = statement(tag, unseen, form="direct", quote="Whatever she said")
    assert outcome(writer, sent) == []


def test_an_empty_quote_is_none(writer: Writer, tag: str) -> None:
    for quote in ("", " ", " … ", "\n", "Open it …  … by May,", "Open it … "):
        sent = statement(tag, evidence(tag, words=SAID), form="direct", quote=quote)
        assert outcome(writer, sent) == ["/quote"], quote


# What a change of the source or of the account would break


def own(writer: Writer) -> str:
    tag = next(_tags)
    assert writer.put(f"calls/{tag}-call/record", a_record(tag)).status_code == 201
    return tag


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"rights": "none", "text": None}, False),
        ({"rights": "quote", "text": None}, True),
        ({"text": None}, True),
    ],
)
def test_rights_do_not_fall_below_what_is_quoted(
    writer: Writer, change: dict[str, Any], allowed: bool
) -> None:
    tag = own(writer)
    answer = writer.patch(f"sources/{tag}-source", change)
    if allowed:
        assert answer.status_code == 200
        assert writer.read(f"sources/{tag}-source")["text"] is None
    else:
        assert told(answer) == CONFLICT
        assert f"statements/{tag}-statement-1" in answer.text


def test_text_is_only_kept_where_it_may_be_shown(writer: Writer) -> None:
    path = f"sources/{own(writer)}-source"
    for rights in ("quote", "none"):
        answer = writer.patch(path, {"rights": rights})
        assert (told(answer), faults(answer)) == (INVALID, ["/text"])
    for kind, sent in (("text", ""), ("characters", len(TEXT) + 1), ("sha256", NO_DIGEST)):
        answer = writer.patch(path, {kind: sent})
        assert told(answer) == INVALID
        assert f"/{kind}" in faults(answer)
    # One that is sent measures itself; without it, somebody has to.
    measured = writer.post("sources", {"title": "Measured", "rights": "open", "text": "å🌊"})
    assert (content(measured)["characters"], content(measured)["sha256"]) == (2, digest("å🌊"))
    answer = writer.post("sources", {"title": "Unmeasured", "rights": "open"})
    assert (told(answer), faults(answer)) == (INVALID, ["/characters", "/sha256"])


def test_a_text_that_comes_later_must_bear_out_every_span(writer: Writer) -> None:
    tag = own(writer)
    path = f"sources/{tag}-source"
    assert writer.patch(path, {"text": None}).status_code == 200
    wrong = statement(tag, evidence(tag, start=START + 1, end=END + 1))
    made = writer.post("statements", wrong)
    assert made.status_code == 201
    answer = writer.patch(path, {"text": TEXT})
    assert told(answer) == CONFLICT
    assert content(made)["id"] in answer.text
    writer.delete(made.headers["Location"])
    assert writer.patch(path, {"text": TEXT}).status_code == 200
    answer = writer.patch(path, {"text": TEXT[:-1] + "!"})
    assert told(answer) == INVALID


def test_an_account_keeps_the_sources_of_its_statements(writer: Writer) -> None:
    tag = own(writer)
    answer = writer.patch(f"accounts/{tag}-account", {"sources": []})
    assert told(answer) == CONFLICT
    assert f"statements/{tag}-statement-1" in answer.text


def test_a_statement_moves_to_an_account_that_has_read_its_sources(writer: Writer) -> None:
    tag = own(writer)
    for name, sources in (("bare", []), ("read", [f"{tag}-source"])):
        account = {"call": f"{tag}-call", "genre": "briefing", "sources": sources}
        assert writer.put(f"accounts/{tag}-{name}", account).status_code == 201
    path = f"statements/{tag}-statement-1"
    answer = writer.patch(path, {"account": f"{tag}-bare"})
    assert (told(answer), faults(answer)) == (INVALID, ["/evidence/0/source"])
    assert content(writer.patch(path, {"account": f"{tag}-read"}))["account"]["genre"] == "briefing"
