"""An account: one teller's telling of one call."""

from schemas.base import Read, Record
from schemas.fields import Coded, Edtf, Items, Ref
from schemas.vocabulary import COVERAGES, GENRES


class Account(Record):
    """An account as it is written."""

    call = Ref(
        "calls", "id", "title", "held_on", required=True, metadata={"description": "The call told."}
    )
    sides = Items(
        Ref("participants", "id", "name"),
        metadata={"description": "Whose telling it is; none for a third party's."},
    )
    genre = Coded(GENRES, required=True, metadata={"description": "Form of the original telling."})
    given_by = Ref(
        "participants",
        "id",
        "name",
        allow_none=True,
        load_default=None,
        metadata={"description": "Who gave it."},
    )
    given_on = Edtf(
        allow_none=True, load_default=None, metadata={"description": "When it was given (EDTF)."}
    )
    coverage = Coded(
        COVERAGES,
        load_default="part",
        metadata={"description": "Whether all that it says of the call is recorded."},
    )
    sources = Items(
        Ref("sources", "id", "title", "publisher", "url"),
        metadata={"description": "The documents in which we read it."},
    )


class AccountView(Read, Account):
    """One teller's telling of one call."""
