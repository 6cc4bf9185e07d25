"""A source: a document in which it is written what was said."""

import hashlib
from typing import Any

from marshmallow import ValidationError, post_load, validates_schema

from schemas.base import Read, Record
from schemas.fields import (
    LANGUAGE,
    SHA256,
    Coded,
    Edtf,
    Integer,
    LongText,
    Matching,
    Text,
    Url,
)
from schemas.vocabulary import RIGHTS, SOURCE_KINDS


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal: what sources and spans are known by."""
    return hashlib.sha256(text.encode()).hexdigest()


class Source(Record):
    """A source as it is written."""

    title = Text(required=True, metadata={"description": "The document's own title."})
    publisher = Text(
        allow_none=True, load_default=None, metadata={"description": "Who published it."}
    )
    url = Url(
        allow_none=True,
        load_default=None,
        metadata={"description": "Where it was published.", "format": "uri"},
    )
    obtained_from = Text(
        allow_none=True,
        load_default=None,
        metadata={"description": "Where our text of it is from."},
    )
    published_on = Edtf(
        allow_none=True, load_default=None, metadata={"description": "Date of publication (EDTF)."}
    )
    language = Matching(
        LANGUAGE,
        "a BCP 47 language tag such as en or zh-Hant",
        allow_none=True,
        load_default=None,
        metadata={"description": "BCP 47."},
    )
    kind = Coded(SOURCE_KINDS, load_default="other", metadata={"description": "Kind of publisher."})
    rights = Coded(RIGHTS, required=True, metadata={"description": "What of it may be shown."})
    characters = Integer(
        1,
        allow_none=True,
        load_default=None,
        metadata={"description": "Length of the text in Unicode code points."},
    )
    sha256 = Matching(
        SHA256,
        "a SHA-256 digest in 64 lower-case hexadecimal digits",
        allow_none=True,
        load_default=None,
        metadata={"description": "SHA-256 of the text in UTF-8."},
    )
    text = LongText(
        allow_none=True,
        load_default=None,
        metadata={"description": "The text, where rights are open; comes with the single record."},
    )

    @validates_schema(skip_on_field_errors=True)
    def text_and_digest_agree(self, data: dict[str, Any], **_: Any) -> None:
        text = data["text"]
        faults: dict[str, list[str]] = {}
        if text is None:
            for name in ("characters", "sha256"):
                if data[name] is None:
                    faults[name] = ["Required where the text is not given."]
        else:
            if data["rights"] != "open":
                faults["text"] = ["Accepted only where rights are 'open'."]
            if not text:
                faults["text"] = ["Must not be empty."]
            for name, right in (("characters", len(text)), ("sha256", digest(text))):
                if data[name] not in (None, right):
                    faults[name] = [f"Does not match the text, which gives {right}."]
        if faults:
            raise ValidationError(faults)

    @post_load
    def measure(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["text"] is not None:
            data["characters"] = len(data["text"])
            data["sha256"] = digest(data["text"])
        return data


class SourceView(Read, Source):
    """A document in which it is written what was said."""
