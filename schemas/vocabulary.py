"""The closed vocabularies of the record: each code with its definition.

`position` says whether an act takes a side; `plover` is the event type of the PLOVER ontology (the
Political Language Ontology for Verifiable Event Records) that corresponds to it, where one does.
"""

from typing import NamedTuple


class Code(NamedTuple):
    """One code of a vocabulary; `position` and `plover` are for acts alone."""

    code: str
    definition: str
    position: bool | None = None
    plover: str | None = None


Vocabulary = tuple[Code, ...]


def _acts(position: bool, *acts: tuple[str, str, str | None]) -> Vocabulary:
    return tuple(Code(code, definition, position, plover) for code, definition, plover in acts)


STATUSES: Vocabulary = (
    Code("requested", "One side asked for the call."),
    Code("announced", "The call was said to be coming, its time open."),
    Code("scheduled", "A time was set."),
    Code("rescheduled", "The time was moved."),
    Code("held", "The call took place."),
    Code("cancelled", "It was called off after it had been agreed."),
    Code("refused", "The other side declined it."),
    Code("disputed", "One side says that no call took place."),
)
DATE_BASES: Vocabulary = (
    Code("stated", "A recorded source says it."),
    Code("inferred", "It follows from what the recorded sources say."),
    Code("external", "It comes from elsewhere; the notes say whence."),
)
MEDIA: Vocabulary = (
    Code("phone", "By telephone."),
    Code("video", "By video link."),
    Code("unknown", "The sources do not say."),
)
ROLES: Vocabulary = (
    Code("principal", "Takes part in the conversation on behalf of a side or in person."),
    Code("interpreter", "Interprets."),
    Code("note-taker", "Takes the notes."),
    Code("aide", "Attends in support of a principal."),
)
RELATIONS: Vocabulary = (
    Code("follows", "This call comes after that one."),
    Code("told-with", "One document tells both calls."),
)
PARTICIPANT_KINDS: Vocabulary = (
    Code("person", "A human being."),
    Code("state", "A state, also one that is gone."),
    Code("organisation", "A ministry, an international organisation, another body."),
)
SOURCE_KINDS: Vocabulary = (
    Code("official", "Published by a side or an international body."),
    Code("news", "Published by a news organisation."),
    Code("archive", "From an archive or a documentary edition."),
    Code("other", "Anything else."),
)
RIGHTS: Vocabulary = (
    Code("open", "The text and quotes from it may be shown."),
    Code("quote", "Quotes may be shown, the text may not."),
    Code("none", "Offsets and digests alone may be shown."),
)
GENRES: Vocabulary = (
    Code("readout", "The summary that a side publishes after a call."),
    Code("joint-statement", "One text that several sides publish together."),
    Code("press-remarks", "What an official tells reporters, for attribution."),
    Code(
        "briefing",
        "What officials tell reporters about the call, on background or by a spokesperson.",
    ),
    Code("memorandum", "A record of the conversation kept by a side."),
    Code("transcript", "The words spoken, turn by turn."),
    Code("news-report", "What a news organisation tells in its own voice."),
)
COVERAGES: Vocabulary = (
    Code("whole", "All that the account itself says of the call is recorded."),
    Code("part", "Only some of it is recorded, or only excerpts are known."),
)
SETTINGS: Vocabulary = (
    Code("on-call", "Said on the call."),
    Code("about-call", "Said about the call to somebody else."),
    Code(
        "off-call",
        "Said at another time or place, or in the same remarks or document, neither on nor about"
        " the call.",
    ),
)
FORMS: Vocabulary = (
    Code(
        "direct",
        "The speaker's own words: in quotation marks, as a transcript's turn, or as the teller's"
        " own sentence.",
    ),
    Code("indirect", "The sense is reported, also where a quoted teller reports another."),
    Code("mixed", "The sense is reported with the speaker's own words in it."),
)
ACTS: Vocabulary = (
    *_acts(
        True,
        ("demand", "Presses another to act.", "REQUEST"),
        ("appeal", "Asks, advises or hopes, without pressure.", "REQUEST"),
        ("offer", "Puts terms, help, readiness or an invitation on the table.", "AGREE"),
        ("commitment", "Binds the speaker, or declares an aim.", None),
        ("agreement", "Says that the speakers share a view or have settled something.", "AGREE"),
        ("support", "Backs another, or another's act or view.", "SUPPORT"),
        ("concession", "Gives way on something held before.", "CONCEDE"),
        ("rejection", "Refuses a demand, plan or claim, or its legitimacy.", "REJECT"),
        ("denial", "Says that a claimed fact is untrue.", None),
        ("warning", "Names a bad consequence.", "THREATEN"),
        ("accusation", "Says that another has done or does wrong.", "ACCUSE"),
        ("assertion", "States a contested claim as fact, blaming nobody.", None),
        ("concern", "Voices worry, regret or disappointment.", None),
    ),
    *_acts(
        False,
        ("announcement", "Makes a plan or decision known.", None),
        ("briefing", "Informs of details.", None),
        ("discussion", "Says that a subject was gone into, with no view reported.", "CONSULT"),
        ("assessment", "Judges prospects or importance, or declines to.", None),
        ("characterisation", "Describes the call itself.", None),
        ("question", "Asks for information.", None),
        ("courtesy", "Greets, thanks, congratulates or condoles.", None),
    ),
)

VOCABULARIES: dict[str, Vocabulary] = {
    "acts": ACTS,
    "settings": SETTINGS,
    "forms": FORMS,
    "genres": GENRES,
    "coverages": COVERAGES,
    "statuses": STATUSES,
    "media": MEDIA,
    "roles": ROLES,
    "relations": RELATIONS,
    "held_on_bases": DATE_BASES,
    "participant_kinds": PARTICIPANT_KINDS,
    "source_kinds": SOURCE_KINDS,
    "rights": RIGHTS,
}

POSITION_ACTS = frozenset(act.code for act in ACTS if act.position)


def codes(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The bare codes, in the vocabulary's order."""
    return tuple(entry.code for entry in vocabulary)


# ISO 3166-1 alpha-2, with XK for Kosovo, which it leaves to its users.
_STATES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK
"""
# ISO 3166-3 alpha-4: states that are gone.
_FORMER_STATES = """
AIDJ ANHH BQAQ BUMM BYAA CSHH CSXX CTKI DDDE DYBJ FQHH FXFR GEHH HVBF JTUM MIUM NHVU NQAQ NTHH
PCHH PUUM PZPA RHZW SKIN SUHH TPTL VDVN WKUM YDYE YUCS ZRCD
"""
COUNTRIES = frozenset((_STATES + _FORMER_STATES).split())
