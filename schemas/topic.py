"""A topic: what a statement is about, in a small thesaurus (SKOS broader and narrower)."""

from schemas.base import Read, Record
from schemas.fields import Items, Ref, Text


class Topic(Record):
    """A topic as it is written."""

    label = Text(required=True, metadata={"description": "The neutral name of the topic."})
    aliases = Items(Text(required=True), metadata={"description": "Names that people use for it."})
    broader = Ref(
        "topics",
        allow_none=True,
        load_default=None,
        metadata={"description": "The id of the next broader topic."},
    )
    description = Text(
        allow_none=True, load_default=None, metadata={"description": "Scope note: what it covers."}
    )


class TopicView(Read, Topic):
    """What a statement is about."""
