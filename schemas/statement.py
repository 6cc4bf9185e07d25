"""A statement: one thing said, in one account of one call."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from schemas.base import Part, Read, Record
from schemas.fields import SHA256, Coded, Edtf, Flag, Integer, Items, Matching, Ref, Text
from schemas.vocabulary import ACTS, FORMS, SETTINGS

FRAGMENTS = " … "  # What stands between the fragments of a quote.


class Span(Part):
    """Where it is written: a half-open range of code points (W3C TextPositionSelector)."""

    source = Ref(
        "sources",
        "id",
        "title",
        "publisher",
        "url",
        required=True,
        metadata={"description": "The document."},
    )
    start = Integer(required=True, metadata={"description": "First code point of the span."})
    end = Integer(1, required=True, metadata={"description": "Code point after the span's last."})
    quote = Text(
        allow_none=True,
        load_default=None,
        metadata={"description": "The words there, where the source's rights allow."},
    )
    digest = Matching(
        SHA256,
        "a SHA-256 digest in 64 lower-case hexadecimal digits",
        required=True,
        metadata={"description": "SHA-256 of the span in UTF-8."},
    )

    @validates_schema(skip_on_field_errors=True)
    def runs_forward(self, data: dict[str, Any], **_: Any) -> None:
        if data["end"] <= data["start"]:
            raise ValidationError({"end": ["Must be greater than start (the span is half-open)."]})


def _people(description: str) -> Items:
    return Items(
        Ref("participants", "id", "name", "country"), metadata={"description": description}
    )


class Statement(Record):
    """A statement as it is written."""

    call = Ref(
        "calls",
        "id",
        "title",
        "held_on",
        dump_only=True,
        metadata={"description": "The call of its account."},
    )
    account = Ref(
        "accounts",
        "id",
        "sides",
        "genre",
        "given_by",
        required=True,
        metadata={"description": "In whose telling it was said."},
    )
    speakers = _people(
        "Who said it; several where it was joint, none where the source names nobody."
    )
    attribution = Text(
        allow_none=True,
        load_default=None,
        metadata={"description": "The source's own words for the speaker."},
    )
    addressees = _people("Those spoken to.")
    targets = _people("Those at whom the act is aimed.")
    setting = Coded(SETTINGS, required=True, metadata={"description": "Where it was said."})
    form = Coded(FORMS, required=True, metadata={"description": "Own words or the sense of them."})
    act = Coded(ACTS, required=True, metadata={"description": "What the statement does."})
    position = Flag(dump_only=True, metadata={"description": "Whether the act takes a side."})
    self_reported = Flag(
        dump_only=True,
        allow_none=True,
        metadata={
            "description": "Whether the speakers' own side tells it; null: mixed or unknown."
        },
    )
    topics = Items(Ref("topics", "id", "label"), metadata={"description": "What it is about."})
    said_on = Edtf(allow_none=True, metadata={"description": "When it was said (EDTF)."})
    quote = Text(
        allow_none=True,
        load_default=None,
        metadata={"description": "The speaker's own words, fragments joined by ' … '."},
    )
    summary = Text(required=True, metadata={"description": "One sentence of ours, third person."})
    evidence = Items(
        fields.Nested(Span),
        least=1,
        key=lambda span: (span["source"], span["start"], span["end"]),
        metadata={"description": "Exactly where it is written."},
    )

    @validates_schema(skip_on_field_errors=True)
    def quote_follows_form(self, data: dict[str, Any], **_: Any) -> None:
        quote = data["quote"]
        if quote is None:
            return
        if data["form"] == "indirect":
            raise ValidationError({"quote": ["Must be null where the form is 'indirect'."]})
        if not all(fragment.strip() for fragment in quote.split(FRAGMENTS)):
            raise ValidationError({"quote": ["Must not be blank, nor any fragment of it."]})


class StatementView(Read, Statement):
    """One thing said, in one account of one call."""
