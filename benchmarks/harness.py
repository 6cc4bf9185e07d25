"""The corpus of a benchmark harness as call records, for `make bench-corpus`.

    python -m benchmarks.harness 100k    # $BENCH_DATA/100k/bench.sqlite -> readout.sqlite beside it

The harness compares answers with its own reference before it times them, so what it asks for by
name must be found under names of ours: its integer ids with leading zeros, its kinds as addressees,
its texts as summaries, and topics whose labels hold no word that a search could find.
"""

import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from schemas.vocabulary import COUNTRIES

DATA = Path(os.environ.get("BENCH_DATA", Path(tempfile.gettempdir()) / "bench-data"))
READOUT = str(Path(sys.executable).with_name("readout"))
# Only `position` takes a side in the harness, so the other kinds become acts that take none.
ACTS = {
    "position": "assertion",
    "demand": "announcement",
    "offer": "briefing",
    "question": "question",
    "remark": "assessment",
    "readout": "discussion",
}
MEDIA = {"phone": "phone", "video": "video"}
SYMBOLS = "◆◇○●□■△▲▽▼"
POSTED_SOURCES = 20  # the harness posts statements to any call from its first sources
Row = tuple[Any, ...]


def symbols(number: int) -> str:
    """A label without a word, another for each number."""
    return "".join(SYMBOLS[int(digit)] for digit in str(number))


def source_record(row: Row) -> dict[str, Any]:
    """A source of the harness; nobody has its text."""
    number, title, publisher, url, published_on = row
    return {
        "id": f"s{number:07}",
        "title": title,
        "publisher": publisher,
        "url": url,
        "published_on": published_on,
        "rights": "quote",
        "characters": 1_000_000,
        "sha256": hashlib.sha256(url.encode()).hexdigest(),
    }


def records(db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """The corpus, one call record after another."""
    states = sorted(COUNTRIES)
    people = {
        number: {
            "id": slug,
            "name": name,
            "kind": "person",
            "country": states[sum(country.encode()) % len(states)],
        }
        for number, slug, name, country in db.execute(
            "SELECT id, slug, name, country FROM participants"
        )
    }
    # The harness posts statements by the number of a speaker.
    numbered = [{"id": f"p{one}", "name": f"No. {one}", "kind": "person"} for one in people]
    kinds = [{"id": kind, "name": f"Those told {kind}s", "kind": "organisation"} for kind in ACTS]
    topics = {
        number: {"id": slug, "label": symbols(number)}
        for number, slug in db.execute("SELECT id, slug FROM topics")
    }
    first = [row[0] for row in db.execute("SELECT id FROM sources LIMIT ?", (POSTED_SOURCES,))]
    for number, held_on, title, medium in db.execute(
        "SELECT id, held_on, title, medium FROM calls ORDER BY id"
    ).fetchall():
        on_call = [
            row[0]
            for row in db.execute(
                "SELECT participant_id FROM call_participants WHERE call_id = ? ORDER BY 1",
                (number,),
            )
        ]
        said = db.execute(
            "SELECT id, speaker_id, source_id, kind, said_on, text FROM statements"
            " WHERE call_id = ? ORDER BY id",
            (number,),
        ).fetchall()
        about = defaultdict(list)
        for statement, topic in db.execute(
            "SELECT statement_id, topic_id FROM statement_topics"
            " JOIN statements ON id = statement_id WHERE call_id = ? ORDER BY 1, 2",
            (number,),
        ):
            about[statement].append(topic)
        sources = sorted({*first, *(row[2] for row in said)})
        marks = ",".join("?" * len(sources))
        documents = db.execute(f"SELECT * FROM sources WHERE id IN ({marks})", sources)
        yield {
            "call": {
                "id": f"c{number:07}",
                "title": title,
                "held_on": held_on,
                "medium": MEDIA.get(medium, "unknown"),
                "participants": [{"participant": people[one]["id"]} for one in on_call],
            },
            "participants": [
                *(people[one] for one in sorted({*on_call, *(row[1] for row in said)})),
                *kinds,
                *(numbered if number == 1 else ()),
            ],
            "topics": [
                topics[one] for one in sorted({t for found in about.values() for t in found})
            ],
            "sources": [source_record(row) for row in documents],
            "accounts": [
                {
                    "id": f"c{number:07}-account",
                    "call": f"c{number:07}",
                    "genre": "news-report",
                    "sources": [f"s{one:07}" for one in sources],
                }
            ],
            "statements": [
                statement_record(number, row, people, [topics[one]["id"] for one in about[row[0]]])
                for row in said
            ],
        }


def statement_record(
    call: int, row: Row, people: dict[int, dict[str, Any]], about: list[str]
) -> dict[str, Any]:
    """A statement of the harness."""
    number, speaker, source, kind, said_on, text = row
    return {
        "id": f"{number:08}",
        "account": f"c{call:07}-account",
        "speakers": [people[speaker]["id"]],
        "addressees": [kind],
        "setting": "on-call",
        "form": "indirect",
        "act": ACTS[kind],
        "topics": about,
        "said_on": said_on,
        "summary": text,
        "evidence": [
            {
                "source": f"s{source:07}",
                "start": 0,
                "end": len(text),
                "digest": hashlib.sha256(text.encode()).hexdigest(),
            }
        ],
    }


def main(size: str) -> None:
    """Write the call records, import them, and make a key for the harness to write with."""
    folder = DATA / size
    corpus = folder / "bench.sqlite"
    if not corpus.exists():
        sys.exit(f"There is no {corpus}: make it with the harness's own gen.py --size {size}.")
    lines = folder / "readout.ndjson"
    with sqlite3.connect(f"file:{corpus}?mode=ro", uri=True) as db, lines.open("wb") as out:
        for record in records(db):
            out.write(orjson.dumps(record) + b"\n")
    database = folder / "readout.sqlite"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    environ = os.environ | {"READOUT_DATABASE_URL": f"sqlite:///{database}"}
    subprocess.run([READOUT, "migrate"], env=environ, check=True)
    subprocess.run([READOUT, "import", str(lines)], env=environ, check=True)
    make_key = [READOUT, "keys", "create", "--name", "bench", "--scope", "write"]
    key = subprocess.run(make_key, env=environ, check=True, stdout=subprocess.PIPE).stdout
    (folder / "readout.key").write_bytes(key)
    # The harness runs the program from its own folder.
    program = DATA / "readout"
    program.unlink(missing_ok=True)
    program.symlink_to(READOUT)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "100k")
