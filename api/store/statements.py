"""Statements: one thing said, in one account of one call."""

from typing import Any

from sqlalchemy import Column, Index, Table

from api.store import accounts, calls, participants, sources, topics
from api.store.counts import Counts
from api.store.filters import Among, Every, Is, Linked, Since, Until, Updated, Words
from api.store.gathering import Gathering
from api.store.records import Entry, Records
from api.store.tables import among, days, flag, link, listed, ordered, record, refers, text
from schemas import dates
from schemas.base import Look, Written
from schemas.fields import Coded, Country
from schemas.record import VIEWS
from schemas.vocabulary import ACTS, FORMS, GENRES, POSITION_ACTS, SETTINGS

_ORDER = ("earliest", "latest", "id")
_CODED = ("genre", "setting", "form", "act")

table = record(
    "statements",
    refers("account", accounts.table),
    refers("call", calls.table),
    text("genre"),
    text("setting"),
    text("form"),
    text("act"),
    flag("position"),
    flag("self_reported", null=True),
    flag("joint"),
    *days(),
    among("genre", GENRES),
    among("setting", SETTINGS),
    among("form", FORMS),
    among("act", ACTS),
    *ordered("statements", *_ORDER),
    # Of one account or call there are few, vague or not.
    *(Index(None, column, *_ORDER) for column in ("account", "call")),
    *(index for column in _CODED for index in ordered("statements", column, *_ORDER)),
    *(Index(None, column, "id") for column in _CODED),
)


def _carried(*more: str) -> list[Column[Any]]:
    return [*(text(name, null=True) for name in more), flag("position"), *days()]


def _link(name: str, target: Table, *more: str, positions: bool = False) -> Table:
    by = [("target",), *([("target", "position")] if positions else [])]
    also = [Index(None, column, "record") for column in more]
    by += [(column,) for column in more]
    return link(table, name, target, *_carried(*more), *also, by=by)


about = _link("topics", topics.table, positions=True)
speakers = _link("speakers", participants.table, "country", positions=True)
addressees = _link("addressees", participants.table)
targets = _link("targets", participants.table, "country")
sides = _link("sides", participants.table)
written_in = _link("sources", sources.table)
# What one said on a topic is a range of an index. Who may be named, the two lists see to.
said_about = listed(
    table, "said_about", text("target"), text("speaker"), *_carried(), by=[("target", "speaker")]
)


def self_reported(written: Written, account: Written, call: Written, look: Look) -> bool | None:
    """Whether the speakers belong to the account's sides: all, none, or None where it is not known.

    On the call somebody belongs to the side given there; anybody else to the one side, among those
    of the call and the account, that they are, else that has their country.
    """
    given = {one["participant"]["id"]: one["side"] for one in call["participants"]}
    candidates = {side["id"] for side in given.values() if side}
    own = {side["id"] for side in account["sides"]}
    candidates |= own
    found: set[bool | None] = set()
    for speaker in written["speakers"]:
        on_call = given.get(speaker)
        if on_call:
            belongs: set[str] = {on_call["id"]}
        elif speaker in candidates:
            belongs = {speaker}
        else:
            country = look("participants", speaker)["country"]
            belongs = {side for side in candidates if country and _country(look, side) == country}
            if country is None or len(belongs) > 1:
                found.add(None)
                continue
        found.add(bool(belongs & own))
    return found.pop() if len(found) == 1 else None


def _country(look: Look, participant: str) -> str | None:
    country: str | None = look("participants", participant)["country"]
    return country


def derive(written: Written, look: Look) -> Entry:
    """The row of a statement, with what follows from its account, call and speakers."""
    account = look("accounts", written["account"])
    call = look("calls", account["call"]["id"])
    earliest, latest = dates.days(written["said_on"]) if written["said_on"] else (None, None)
    position = written["act"] in POSITION_ACTS
    reported = self_reported(written, account, call, look)
    carried = {"position": position, "earliest": earliest, "latest": latest}

    def to(ids: list[str]) -> list[dict[str, object]]:
        return [{"target": one, **carried} for one in dict.fromkeys(ids)]

    def to_people(ids: list[str]) -> list[dict[str, object]]:
        return [{"target": one, "country": _country(look, one), **carried} for one in ids]

    topics_said, said_by = to(written["topics"]), to_people(written["speakers"])
    return Entry(
        columns={
            "account": written["account"],
            "call": call["id"],
            "genre": account["genre"],
            "setting": written["setting"],
            "form": written["form"],
            "act": written["act"],
            "self_reported": reported,
            "joint": len(written["speakers"]) > 1,
            **carried,
        },
        links={
            about: topics_said,
            speakers: said_by,
            addressees: to(written["addressees"]),
            targets: to_people(written["targets"]),
            sides: to([side["id"] for side in account["sides"]]),
            written_in: to([span["source"] for span in written["evidence"]]),
            said_about: [
                {**topic, "speaker": one["target"]} for topic in topics_said for one in said_by
            ],
        },
        words=[
            written["quote"] or "",
            written["summary"],
            *(look("topics", topic)["label"] for topic in written["topics"]),
        ],
        derived={"call": call["id"], "position": position, "self_reported": reported},
    )


STATEMENTS = Records(
    table,
    VIEWS["statements"],
    derive,
    filters={
        "topic": Linked(
            about.c.target,
            "What it is about, narrower topics included.",
            facet=True,
            widens=True,
            paired={"speaker": said_about.c.speaker},
        ),
        "topic_all": Every(about.c.target, "What it is about, every one of them.", widens=True),
        "speaker": Linked(speakers.c.target, "Who said it.", facet=True),
        "speaker_all": Every(speakers.c.target, "Who said it, every one of them."),
        "addressee": Linked(addressees.c.target, "Whom it was said to."),
        "target": Linked(targets.c.target, "Whom it is aimed at."),
        "call": Among(table.c.call, "The call.", facet=True),
        "account": Among(table.c.account, "The account in which it stands."),
        "side": Linked(sides.c.target, "Whose telling it stands in.", facet=True),
        "source": Linked(written_in.c.target, "The document in which it is written."),
        "country": Linked(
            speakers.c.country, "The state that a speaker speaks for.", Country(), facet=True
        ),
        "target_country": Linked(
            targets.c.country, "The state that a target speaks for.", Country()
        ),
        "act": Among(table.c.act, "What it does.", Coded(ACTS), facet=True),
        "setting": Among(table.c.setting, "Where it was said.", Coded(SETTINGS), facet=True),
        "form": Among(table.c.form, "Own words or their sense.", Coded(FORMS), facet=True),
        "genre": Among(table.c.genre, "Form of the telling.", Coded(GENRES), facet=True),
        "position": Is(table.c.position, "Whether the act takes a side."),
        "self_reported": Is(table.c.self_reported, "Whether the speakers' own side tells it."),
        "joint": Is(table.c.joint, "Whether it has more than one speaker."),
        "said_from": Since(table.c.latest, "Said on this day or later (EDTF)."),
        "said_to": Until(table.c.earliest, "Said on this day or earlier (EDTF)."),
        "updated_since": Updated(table.c.updated_at),
        "q": Words(
            "Full text over quote, summary and topic labels: words, "
            '`"a phrase"`, `-not`, `prefix*`.'
        ),
    },
    default_sort="said_on",
    dated="said_on",
    links=(about, speakers, addressees, targets, sides, written_in, said_about),
    gathering=Gathering(calls.topics_said, calls.table, table, about),
    counts=Counts(about, addressees, {"topic": about, "speaker": speakers}),
)
