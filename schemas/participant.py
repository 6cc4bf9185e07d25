"""A participant: a person or body that takes part in calls, speaks, or tells what was said."""

from schemas.base import Read, Record
from schemas.fields import Coded, Country, Items, Text
from schemas.vocabulary import PARTICIPANT_KINDS


class Participant(Record):
    """A participant as it is written."""

    name = Text(required=True, metadata={"description": "The name in common use."})
    kind = Coded(PARTICIPANT_KINDS, required=True, metadata={"description": "What it is."})
    country = Country(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "The state spoken for: ISO 3166-1 alpha-2 (and XK), ISO 3166-3 alpha-4"
            " for one that is gone; null for bodies of several states."
        },
    )
    aliases = Items(Text(required=True), metadata={"description": "Other names in use."})
    description = Text(
        allow_none=True, load_default=None, metadata={"description": "Who or what it is."}
    )


class ParticipantView(Read, Participant):
    """A person or body that takes part in calls, speaks, or tells what was said."""
