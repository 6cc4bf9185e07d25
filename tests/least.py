"""The least that makes a record of each kind, for tests of what a schema takes."""

from hashlib import sha256
from typing import Any

from marshmallow import ValidationError

from schemas.problem import faults
from schemas.record import WRITTEN

DIGEST = sha256(b"Word").hexdigest()
SPAN = {"source": "paper", "start": 0, "end": 4, "digest": DIGEST}
LEAST: dict[str, dict[str, Any]] = {
    "calls": {"id": "a-call", "title": "A call"},
    "participants": {"id": "somebody", "name": "Somebody", "kind": "person"},
    "topics": {"id": "a-topic", "label": "A topic"},
    "sources": {"id": "paper", "title": "Paper", "rights": "open", "text": "Word"},
    "accounts": {"id": "told", "call": "a-call", "genre": "readout"},
    "statements": {
        "id": "said", "account": "told", "setting": "on-call", "form": "indirect",
        "act": "concern", "summary": "A summary.", "evidence": [SPAN],
    },
}  # fmt: skip
ATTENDANCE = {"participant": "somebody"}
STAGE = {"stage": "held"}
# An object of each list of objects.
INSIDE: dict[str, dict[str, Any]] = {
    "evidence": SPAN,
    "participants": ATTENDANCE,
    "lifecycle": STAGE,
    "related": {"call": "another", "relation": "follows"},
}


def at_fault(kind: str, /, **members: Any) -> list[str]:
    """The JSON Pointers of what is wrong with the least record of a kind, these members changed."""
    try:
        WRITTEN[kind].load({**LEAST[kind], **members})
    except ValidationError as error:
        return sorted({fault.pointer for fault in faults(error.messages)})
    return []
