"""Strict marshmallow fields: what JSON calls a string is a string, an integer an integer.

marshmallow's own fields coerce ("5" to 5, "yes" to true) and let through what databases refuse
(NUL, lone surrogates), so each kind of value that a record holds has its field here, with the
limits of the contract and a message that says what would be right.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, missing

from schemas import dates, slugs
from schemas.vocabulary import COUNTRIES, Vocabulary, codes

MAX_TEXT = 10_000
MAX_ITEMS = 500
MAX_INTEGER = 2**53 - 1  # what every JSON reader keeps exact (RFC 8259, section 6)

URL = r"^https?://[^\s/?#][^\s]*$"
LANGUAGE = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
SHA256 = r"^[0-9a-f]{64}$"


def clean(value: object, longest: int = MAX_TEXT) -> str:
    """The text itself, where it is text that every database and every JSON reader can hold."""
    if not isinstance(value, str):
        raise ValidationError(f"Must be text (a JSON string), not {json_type(value)}.")
    if len(value) > longest:
        raise ValidationError(f"Must be at most {longest:,} characters; this has {len(value):,}.")
    if "\0" in value:
        raise ValidationError("Must not contain NUL (U+0000).")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValidationError(
                f"Must not contain a lone surrogate (at character {error.start})."
            ) from None
    return value


def json_type(value: object) -> str:
    """What JSON calls the type of a value, with its article, for messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case Mapping():
            return "an object"
        case _:
            return "a list"


class Bare(fields.Field[Any]):
    """A field that checks its value itself, once it is there: our records have no other.

    marshmallow would prepare to call validators and processors for each value, which takes longer
    than the check.
    """

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **kwargs: Any) -> Any:
        if value is missing or value is None:
            return super().deserialize(value, attr, data, **kwargs)
        return self._deserialize(value, attr, data, **kwargs)


class Text(Bare, fields.String):
    """Text kept as it was sent; `required` text is not blank either."""

    default_error_messages = {
        "required": "Required.",
        "null": "Must not be null.",
        "blank": "Must not be blank.",
    }
    longest = MAX_TEXT
    pattern: str | None = None

    def _deserialize(self, value: object, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = clean(value, self.longest)
        if self.required and not text.strip():
            raise self.make_error("blank")
        self.check(text)
        return text

    def check(self, text: str) -> None:
        """Raise where text of this kind is further limited."""


class LongText(Text):
    """The text of a source: its length is limited in UTF-8."""

    longest = 1024 * 1024

    def check(self, text: str) -> None:
        size = len(text.encode())
        if size > self.longest:
            raise ValidationError(f"Must be at most 1 MiB in UTF-8; this has {size:,} bytes.")


class Matching(Text):
    """Text of one pattern, matched whole; `wanted` says in words what that is."""

    def __init__(self, pattern: str, wanted: str, **kwargs: Any) -> None:
        self.pattern = pattern
        self.wanted = wanted
        self._whole = re.compile(pattern.removeprefix("^").removesuffix("$"))
        super().__init__(**kwargs)

    def check(self, text: str) -> None:
        if not self._whole.fullmatch(text):
            raise ValidationError(f"Must be {self.wanted}.")


class Url(Matching):
    """An absolute http or https URL."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(URL, "an absolute http or https URL", **kwargs)

    def check(self, text: str) -> None:
        super().check(text)
        try:
            parts = urlsplit(text)
            right = bool(parts.hostname) and parts.port != 0
        except ValueError:  # The host or the port cannot be.
            right = False
        if not right:
            raise ValidationError(f"Must be {self.wanted}.")


class Id(Text):
    """The id of a record: a slug that its client chose."""

    longest = 80
    pattern = slugs.SLUG

    def check(self, text: str) -> None:
        if not slugs.is_slug(text):
            raise ValidationError(
                "Must be lower-case letters a-z, digits and single hyphens between them,"
                " at most 80 characters."
            )
        if text == "none":
            raise ValidationError("The id 'none' is reserved: in filters it means 'without any'.")


class Coded(Text):
    """A code of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary, **kwargs: Any) -> None:
        self.codes = codes(vocabulary)
        super().__init__(**kwargs)

    def check(self, text: str) -> None:
        if text not in self.codes:
            raise ValidationError(f"Must be one of: {', '.join(self.codes)}.")


class Country(Text):
    """A state: ISO 3166-1 alpha-2 (and XK), or ISO 3166-3 alpha-4 for one that is gone."""

    pattern = "^[A-Z]{2}([A-Z]{2})?$"

    def check(self, text: str) -> None:
        if text not in COUNTRIES:
            raise ValidationError(
                "Must be an ISO 3166-1 alpha-2 code (or XK), or the ISO 3166-3 alpha-4 code of a"
                " state that is gone, in capitals."
            )


class Edtf(Text):
    """A date of the record: EDTF (ISO 8601-2) levels 0 and 1."""

    longest = 40
    pattern = dates.PATTERN

    def check(self, text: str) -> None:
        try:
            dates.days(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Integer(Bare, fields.Integer):
    """A JSON integer (5 and 5.0, which JSON does not tell apart) from `least` up to 2^53 - 1."""

    default_error_messages = {"required": "Required.", "null": "Must not be null."}

    def __init__(self, least: int = 0, **kwargs: Any) -> None:
        self.least = least
        super().__init__(**kwargs)

    def _deserialize(self, value: object, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(f"Must be an integer, not {json_type(value)}.")
        if not self.least <= value <= MAX_INTEGER:
            raise ValidationError(f"Must be between {self.least} and {MAX_INTEGER}.")
        return value


class Flag(fields.Boolean):
    """True or false, derived by the server."""


class Ref(Id):
    """The id of another record of `kind`; `shows` are the members of it that readers see here.

    A writer may give an object with an `id` instead, as readers get it: its other members are
    ignored.
    """

    def __init__(self, kind: str, *shows: str, **kwargs: Any) -> None:
        self.kind = kind
        self.shows = shows
        super().__init__(**kwargs)

    def _deserialize(self, value: object, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, Mapping):
            if "id" not in value:
                raise ValidationError("Must be an id, or an object with an id.")
            value = value["id"]
        return super()._deserialize(value, attr, data, **kwargs)


class Items(Bare, fields.List[Any]):
    """A list in stored order, empty where left out, at most `most` long, without repetitions.

    `key` is what makes two items the same; None where repetitions make sense.
    """

    default_error_messages = {
        "null": "Must be a list; an empty one is [].",
        "required": "Required.",
    }

    def __init__(
        self,
        inner: fields.Field[Any],
        *,
        least: int = 0,
        most: int | None = MAX_ITEMS,
        key: Callable[[Any], Any] | None = lambda item: item,
        **kwargs: Any,
    ) -> None:
        self.least = least
        self.most = most
        self.key = key
        if not least:
            kwargs.setdefault("load_default", list)
        super().__init__(inner, required=bool(least), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError(f"Must be a list, not {json_type(value)}.")
        if self.most is not None and len(value) > self.most:
            raise ValidationError(f"Must have at most {self.most} items; this has {len(value)}.")
        if len(value) < self.least:
            raise ValidationError(f"Must have at least {self.least} item.")
        items = self._each(value, **kwargs)
        if self.key is not None and len(items) > 1:
            seen: dict[Any, int] = {}
            firsts = [seen.setdefault(self.key(item), place) for place, item in enumerate(items)]
            repeats: dict[str | int, Any] = {
                place: [f"Repeats item {first} of the list."]
                for place, first in enumerate(firsts)
                if first != place
            }
            if repeats:
                raise ValidationError(repeats)
        return items

    def _each(self, value: list[Any], **kwargs: Any) -> list[Any]:
        """Each item loaded. No more than `MAX_ITEMS` wrong ones are told, however long the list."""
        items: list[Any] = []
        wrong: dict[str | int, Any] = {}
        for place, item in enumerate(value):
            try:
                items.append(self.inner.deserialize(item, **kwargs))
            except ValidationError as error:
                wrong[place] = error.messages
                if len(wrong) == MAX_ITEMS:
                    break
        if wrong:
            raise ValidationError(wrong)
        return items
