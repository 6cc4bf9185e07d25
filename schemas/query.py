"""Parameters of a query string, as marshmallow fields.

What arrives for one is the list of its values as they were given, one for each repetition.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from marshmallow import ValidationError, fields

from schemas.base import Plain
from schemas.fields import Text

MAX_VALUES = 50


class Query(Plain):
    """The parameters of a query string, of which a request gives a few; none has a default."""

    def _concerned(self, data: Mapping[str, Any]) -> Iterable[tuple[str, fields.Field[Any]]]:
        fields = self.load_fields
        return [(name, fields[name]) for name in {**data, **self._required} if name in fields]

    @cached_property
    def _required(self) -> dict[str, None]:
        return {name: None for name, field in self.load_fields.items() if field.required}


class Parameter(fields.Field[Any]):
    """A parameter of several values, by comma, by repetition or both; loaded as a tuple."""

    default_error_messages = {"required": "Required."}
    single = False

    def __init__(self, inner: fields.Field[Any], describes: str, **kwargs: Any) -> None:
        self.inner = inner
        super().__init__(metadata={"description": describes}, **kwargs)

    def texts(self, given: list[str]) -> list[str]:
        """The values as text, none of them empty."""
        texts = given if self.single else [text for raw in given for text in raw.split(",")]
        if self.single and len(texts) > 1:
            raise ValidationError("Takes one value, and was given more than once.")
        if len(texts) > MAX_VALUES:
            raise ValidationError(f"Takes at most {MAX_VALUES} values; this has {len(texts)}.")
        if "" in texts:
            raise ValidationError("Must not be empty; leave the parameter out instead.")
        return texts

    def parse(self, texts: list[str]) -> tuple[Any, ...]:
        """The values, each once."""
        found: list[Any] = []
        wrong: list[str] = []
        for text in texts:
            try:
                found.append(self.inner.deserialize(text))
            except ValidationError as error:
                wrong += [f"{text[:60]!r}: {message}" for message in error.messages]
        if wrong:
            raise ValidationError(wrong)
        return tuple(dict.fromkeys(found))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return self.parse(self.texts(value))


class Single(Parameter):
    """A parameter of one value."""

    single = True

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return self.parse(self.texts(value))[0]


class Choice(Text):
    """One of a few words."""

    def __init__(self, choices: Iterable[str], **kwargs: Any) -> None:
        self.codes = tuple(choices)
        super().__init__(**kwargs)

    def check(self, text: str) -> None:
        if text not in self.codes:
            raise ValidationError(f"Must be one of: {', '.join(self.codes)}.")


class Truth(fields.Boolean):
    """`true` or `false`, spelled so."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise ValidationError("Must be true or false.")
        return bool(value == "true")


class Whole(fields.Integer):
    """A whole number in decimal digits, from `least` to `most`."""

    def __init__(self, least: int, most: int | None = None, **kwargs: Any) -> None:
        self.least = least
        self.most = most
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        digits = value.isascii() and value.isdigit() and len(value) <= 16
        if not digits or not self.least <= int(value) <= (self.most or int(value)):
            upto = f" to {self.most}" if self.most else ""
            raise ValidationError(f"Must be a whole number from {self.least}{upto}.")
        return int(value)
