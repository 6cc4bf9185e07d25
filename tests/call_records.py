"""Call records that the tests make for themselves: each with ids and names of its own."""

from typing import Any

from schemas.source import digest

TEXT = (
    "🌊 READ-OUT. The minister of Alpha pressed Beta to open the lock. “Open it by May,” she said, "
    "“or we dredge alone.” They also spoke about the tides.\n"
)


def span(source: str, words: str, text: str = TEXT) -> dict[str, Any]:
    """Evidence: where the words stand in a text."""
    start = text.index(words)
    return {
        "source": source,
        "start": start,
        "end": start + len(words),
        "quote": words,
        "digest": digest(words),
    }


def a_record(tag: str) -> dict[str, Any]:
    """A call record of its own, every id and name of which begins with the tag.

    Two sides, Alpha (Norway) and Beta (Sweden), whose minister (of Alpha) demands something about
    the lock, under locks, in Alpha's account; the source's text is held.
    """

    def participant(name: str, kind: str, country: str, *aliases: str) -> dict[str, Any]:
        return {
            "id": f"{tag}-{name}",
            "name": f"{tag} {name.title()}",
            "kind": kind,
            "country": country,
            "aliases": list(aliases),
            "description": None,
        }

    def topic(name: str, broader: str | None = None) -> dict[str, Any]:
        return {
            "id": f"{tag}-{name}",
            "label": f"{tag} {name.title()}",
            "aliases": [],
            "broader": broader and f"{tag}-{broader}",
            "description": None,
        }

    def attendance(name: str, side: str) -> dict[str, Any]:
        return {
            "participant": f"{tag}-{name}",
            "office": "Minister",
            "side": f"{tag}-{side}",
            "role": "principal",
        }

    def statement(number: int, words: str, **members: Any) -> dict[str, Any]:
        return {
            "id": f"{tag}-statement-{number}",
            "account": f"{tag}-account",
            "speakers": [f"{tag}-minister"],
            "attribution": None,
            "addressees": [f"{tag}-beta"],
            "targets": [f"{tag}-beta"],
            "setting": "on-call",
            "form": "indirect",
            "act": "demand",
            "topics": [f"{tag}-lock"],
            "said_on": "2031-05-02",
            "quote": None,
            "summary": f"{tag} minister wants the lock open, says number {number}.",
            "evidence": [span(f"{tag}-source", words)],
        } | members

    return {
        "call": {
            "id": f"{tag}-call",
            "title": f"{tag} call on the lock",
            "status": "held",
            "held_on": "2031-05-02",
            "held_on_basis": "stated",
            "medium": "phone",
            "initiated_by": [f"{tag}-alpha"],
            "participants": [attendance("minister", "alpha"), attendance("envoy", "beta")],
            "lifecycle": [
                {
                    "stage": "held",
                    "on": "2031-05-02",
                    "source": f"{tag}-source",
                    "note": None,
                }
            ],
            "related": [],
            "notes": None,
        },
        "participants": [
            participant("alpha", "state", "NO", f"{tag} Alfa"),
            participant("beta", "state", "SE"),
            participant("envoy", "person", "SE"),
            participant("minister", "person", "NO"),
        ],
        "topics": [topic("lock", "locks"), topic("locks")],
        "sources": [
            {
                "id": f"{tag}-source",
                "title": f"{tag} bulletin",
                "publisher": f"{tag} press",
                "url": "https://example.org/bulletin",
                "obtained_from": None,
                "published_on": "2031-05-03",
                "language": "en",
                "kind": "official",
                "rights": "open",
                "characters": len(TEXT),
                "sha256": digest(TEXT),
                "text": TEXT,
            }
        ],
        "accounts": [
            {
                "id": f"{tag}-account",
                "call": f"{tag}-call",
                "sides": [f"{tag}-alpha"],
                "genre": "readout",
                "given_by": f"{tag}-minister",
                "given_on": "2031-05-03",
                "coverage": "whole",
                "sources": [f"{tag}-source"],
            }
        ],
        "statements": [
            statement(1, "pressed Beta to open the lock"),
            statement(
                2,
                "“Open it by May,” she said, “or we dredge alone.”",
                form="direct",
                act="warning",
                quote="Open it by May, … or we dredge alone.",
            ),
        ],
    }
