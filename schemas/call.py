"""A call: one conversation between sides."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from schemas.base import Part, Read, Record
from schemas.fields import Coded, Edtf, Id, Items, Ref, Text
from schemas.vocabulary import DATE_BASES, MEDIA, RELATIONS, ROLES, STATUSES


class Attendance(Part):
    """One participant on a call."""

    participant = Ref(
        "participants", "id", "name", required=True, metadata={"description": "Who is on the call."}
    )
    office = Text(
        allow_none=True, load_default=None, metadata={"description": "The office held that day."}
    )
    side = Ref(
        "participants",
        "id",
        "name",
        allow_none=True,
        load_default=None,
        metadata={"description": "The state or organisation that they represent."},
    )
    role = Coded(ROLES, load_default="principal", metadata={"description": "Part on the call."})


class Stage(Part):
    """One stage in the life of a call."""

    stage = Coded(STATUSES, required=True, metadata={"description": "What happened."})
    on = Edtf(allow_none=True, load_default=None, metadata={"description": "When (EDTF)."})
    source = Ref(
        "sources",
        allow_none=True,
        load_default=None,
        metadata={"description": "Who says so: its id."},
    )
    note = Text(allow_none=True, load_default=None, metadata={"description": "In our words."})


class Related(Part):
    """Another call that this one belongs with, which need not be recorded here."""

    call = Id(required=True, metadata={"description": "The id of the other call."})
    relation = Coded(
        RELATIONS, required=True, metadata={"description": "How they belong together."}
    )


class Call(Record):
    """A call as it is written."""

    title = Text(required=True, metadata={"description": "A neutral title of ours."})
    status = Coded(STATUSES, load_default="held", metadata={"description": "Where it stands."})
    held_on = Edtf(
        allow_none=True,
        load_default=None,
        metadata={"description": "The day where it was placed from (EDTF)."},
    )
    held_on_basis = Coded(
        DATE_BASES,
        allow_none=True,
        load_default=None,
        metadata={"description": "How the day is known."},
    )
    medium = Coded(MEDIA, load_default="unknown", metadata={"description": "Means of the call."})
    initiated_by = Items(
        Ref("participants", "id", "name"), metadata={"description": "The sides that asked for it."}
    )
    participants = Items(
        fields.Nested(Attendance),
        key=lambda item: item["participant"],
        metadata={"description": "Who was on the call, for whom, in which role."},
    )
    lifecycle = Items(
        fields.Nested(Stage), key=None, metadata={"description": "The stages known, in order."}
    )
    related = Items(
        fields.Nested(Related),
        key=lambda item: (item["call"], item["relation"]),
        metadata={"description": "Calls that belong with this one."},
    )
    notes = Text(allow_none=True, load_default=None, metadata={"description": "In our words."})

    @validates_schema(skip_on_field_errors=True)
    def basis_is_explained(self, data: dict[str, Any], **_: Any) -> None:
        if data["held_on_basis"] == "external" and not (data["notes"] or "").strip():
            raise ValidationError(
                {"notes": ["Must say whence the date is, as held_on_basis is 'external'."]}
            )


class CallView(Read, Call):
    """One conversation between sides."""
