"""Made-up call records of any size, the same ones each time; a smaller corpus begins a larger one.

    python -m benchmarks.corpus 100k > corpus.ndjson    # for `readout import`

Statements are `statement-0000000` and so on, about ten a call. Two sides tell of each call, in
documents of their own: half of these come with their text, the others with its digest. Topics,
sides and words follow Zipf's law. States and words are invented; the countries' codes are those of
places that have no government of their own.
"""

import hashlib
import sys
from collections.abc import Iterator
from itertools import accumulate, count, product
from random import Random
from typing import Any

import orjson

from schemas.vocabulary import ACTS, codes

Record = dict[str, Any]
SEED = 20220729
LEAST, MOST = 4, 16  # statements a call
# A step that shares no divisor with the number of syllables: neighbours then look unlike.
FAR = 7919
SYLLABLES = [a + b for a, b in product("bdfgklmnprstv", "aeiou")]
DAYS = 28
PEOPLE = ("speakers", "addressees", "targets")


def word(number: int, length: int) -> str:
    """A word of so many syllables, another for each number."""
    parts = []
    for _ in range(length):
        number, at = divmod(number, len(SYLLABLES))
        parts.append(SYLLABLES[at])
    return "".join(parts)


def zipf(number: int) -> list[float]:
    """Cumulative weights of so many things, the first the most frequent."""
    return list(accumulate(1 / rank for rank in range(1, number + 1)))


# In the order of how frequent they are.
WORDS = [word(n * FAR, 2 + n % 2) for n in range(4_000)]
COMMON = zipf(len(WORDS))
TOPICS: list[Record] = [
    {"id": f"topic-{n:02}", "label": word(n * FAR + 1, 4).capitalize()}
    # The first and the fourth have narrower ones, the others stand alone.
    | ({"broader": f"topic-{n % 2 * 3:02}"} if n >= 20 else {})
    for n in range(40)
]
BROADER = {topic["id"]: topic.get("broader") for topic in TOPICS}
ABOUT = zipf(len(TOPICS))
COUNTRIES = ["AQ", "BV", "HM", "TF", "GS", "UM", "IO", "SJ", "PN", "CC", "CX", "NF"]
OFTEN = zipf(len(COUNTRIES))
ACT_CODES = codes(ACTS)
ACT_WEIGHTS = list(accumulate(3 if act.position else 1 for act in ACTS))


def _side(number: int, country: str) -> dict[str, Record]:
    """A state with those who speak for it."""
    name = word(number * FAR + 2, 4).capitalize()
    return {
        role: {
            "id": f"{role}-{country.lower()}",
            "name": f"{title} {name}".strip(),
            "kind": kind,
            "country": country,
        }
        for role, title, kind in (
            ("state", "", "state"),
            ("ministry", "Ministry of", "organisation"),
            ("leader", "Leader of", "person"),
            ("minister", "Minister of", "person"),
        )
    }


SIDES = [_side(*one) for one in enumerate(COUNTRIES)]


def call_word(number: int) -> str:
    """The word that stands in three statements of a call and nowhere else."""
    return word(number * FAR, 5)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sentence(rng: Random, length: int) -> str:
    return " ".join(rng.choices(WORDS, cum_weights=COMMON, k=length)).capitalize() + "."


def distinct(rng: Random, of: list[Any], weights: list[float], number: int) -> list[Any]:
    """Some of a list, each once; fewer where the same are drawn again."""
    return list({id(one): one for one in rng.choices(of, cum_weights=weights, k=number)}.values())


def day(rng: Random) -> str:
    """A date in EDTF, now and then a vague one."""
    month = f"20{rng.randint(10, 25)}-{rng.randint(1, 12):02}"
    first = rng.randint(1, DAYS)
    match rng.randrange(20):
        case 0 | 1:
            return month
        case 2:
            return f"{month}-{first:02}/{month}-{DAYS}" if first < DAYS else month
    return f"{month}-{first:02}"


class Telling:
    """One side's account of a call, and the document that it stands in."""

    def __init__(self, rng: Random, call: str, held_on: str, own: int, other: int) -> None:
        self.rng = rng
        self.own, self.other = SIDES[own], SIDES[other]
        self.role = rng.choice(("leader", "minister"))
        self.name = f"{call}-{COUNTRIES[own].lower()}"
        self.rights = "open" if rng.random() < 0.5 else "quote"
        self.text = f"{self.own['ministry']['name']} on a call."
        self.statements: list[Record] = []
        self.account: Record = {
            "id": self.name,
            "call": call,
            "sides": [self.own["state"]["id"]],
            "genre": rng.choice(("readout", "readout", "press-remarks", "briefing")),
            "given_by": self.own["ministry"]["id"],
            "given_on": held_on,
            "coverage": rng.choice(("whole", "part")),
            "sources": [self.name],
        }

    def add(self, number: int, mark: str) -> None:
        """Tell one statement more; `mark` stands in its summary."""
        rng = self.rng
        said = sentence(rng, rng.randint(10, 24))
        start = len(self.text) + 1
        self.text += f" {said}"
        speaker, hearer = self.own[self.role]["id"], self.other[self.role]["id"]
        chance = rng.random()
        if chance < 0.3:
            speaker, hearer = hearer, speaker
        form = rng.choices(("direct", "indirect", "mixed"), (5, 4, 1))[0]
        setting = rng.choices(("on-call", "about-call", "off-call"), (8, 1, 1))[0]
        targets = distinct(rng, SIDES, OFTEN, rng.randrange(3))
        topics = distinct(rng, TOPICS, ABOUT, rng.choice((0, 1, 1, 2, 2, 3)))
        span = {"source": self.name, "start": start, "end": len(self.text), "digest": digest(said)}
        self.statements.append(
            {
                "id": f"statement-{number:07}",
                "account": self.name,
                "speakers": [] if chance > 0.95 else [speaker],
                "addressees": [hearer] if setting == "on-call" else [],
                "targets": [side["state"]["id"] for side in targets],
                "setting": setting,
                "form": form,
                "act": rng.choices(ACT_CODES, cum_weights=ACT_WEIGHTS)[0],
                "topics": [topic["id"] for topic in topics],
                "quote": {"direct": said, "mixed": said[: len(said) // 2]}.get(form),
                "summary": f"{sentence(rng, rng.randint(8, 16))[:-1]}{mark}.",
                "evidence": [span | {"quote": said}],
            }
        )

    def source(self) -> Record:
        told: Record = {
            "id": self.name,
            "title": f"{self.own['ministry']['name']}: {self.name}",
            "publisher": self.own["ministry"]["name"],
            "url": f"https://example.org/{self.name}",
            "published_on": self.account["given_on"],
            "language": "en",
            "kind": "official",
            "rights": self.rights,
        }
        if self.rights == "open":
            return told | {"text": self.text}
        return told | {"characters": len(self.text), "sha256": digest(self.text)}

    def attendance(self) -> Record:
        who, side = self.own[self.role]["id"], self.own["state"]["id"]
        return {"participant": who, "office": self.role.capitalize(), "side": side}


def newspaper(rng: Random, call: str, held_on: str, tellings: list[Telling]) -> Record:
    """A report that may not be quoted; it carries one statement of each telling as well."""
    name, text = f"{call}-report", sentence(rng, 200)
    for telling in tellings:
        telling.account["sources"].append(name)
        for statement in telling.statements[:1]:
            span = {"source": name, "start": 0, "end": 40, "digest": digest(text[:40])}
            statement["evidence"].append(span)
    told = {"id": name, "title": f"On {call}", "published_on": held_on, "kind": "news"}
    return told | {"rights": "none", "characters": len(text), "sha256": digest(text)}


def record(rng: Random, number: int, first: int, most: int) -> Record:
    """A call record whose statements are numbered from `first`, and are at most so many."""
    call, held_on = f"call-{number:06}", day(rng)
    one = other = rng.choices(range(len(SIDES)), cum_weights=OFTEN)[0]
    while other == one:
        other = rng.choices(range(len(SIDES)), cum_weights=OFTEN)[0]
    tellings = [Telling(rng, call, held_on, *pair) for pair in ((one, other), (other, one))]
    for place in range(min(rng.randint(LEAST, MOST), most)):
        mark = f" {call_word(number)}" if place < 3 else ""
        rng.choice(tellings).add(first + place, mark)
    sources = []
    if rng.random() < 0.4:
        sources.append(newspaper(rng, call, held_on, tellings))
    sources += [telling.source() for telling in tellings]
    statements = [said for telling in tellings for said in telling.statements]
    named = {name for said in statements for kind in PEOPLE for name in said[kind]}
    named |= {part["id"] for side in (SIDES[one], SIDES[other]) for part in side.values()}
    topics = {topic for said in statements for topic in said["topics"]}
    topics |= {broader for topic in topics if (broader := BROADER[topic])}
    return {
        "call": {
            "id": call,
            "title": f"Call of {SIDES[one]['state']['name']} and {SIDES[other]['state']['name']}",
            "held_on": held_on,
            "held_on_basis": "stated",
            "medium": rng.choice(("phone", "phone", "video")),
            "initiated_by": [SIDES[one]["state"]["id"]],
            "participants": [telling.attendance() for telling in tellings],
            "lifecycle": [{"stage": "held", "on": held_on, "source": tellings[0].name}],
        },
        "participants": [who for side in SIDES for who in side.values() if who["id"] in named],
        "topics": [topic for topic in TOPICS if topic["id"] in topics],
        "sources": sources,
        "accounts": [telling.account for telling in tellings],
        "statements": statements,
    }


def lines(statements: int) -> Iterator[bytes]:
    """Call records with so many statements in all, in NDJSON."""
    rng = Random(SEED)
    made = 0
    for number in count():
        if made >= statements:
            return
        one = record(rng, number, made, statements - made)
        made += len(one["statements"])
        yield orjson.dumps(one) + b"\n"


def size(named: str) -> int:
    """The number in a name such as 1k, 100k, 1M."""
    number = named.lower().replace("k", "000").replace("m", "000000")
    if not number.isdigit():
        raise ValueError(f"{named!r} is no size such as 1k, 100k or 1M.")
    return int(number)


if __name__ == "__main__":
    sys.stdout.buffer.writelines(lines(size(sys.argv[1])))
