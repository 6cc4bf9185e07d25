"""Instants: RFC 3339 in, UTC text that sorts as time does out."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError

from schemas.fields import Matching

INSTANT = r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$"


class Instant(Matching):
    """An instant in RFC 3339; loaded as UTC text with microseconds, which sorts as time does."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(INSTANT, "an RFC 3339 instant such as 2022-07-29T12:00:00Z", **kwargs)

    def _deserialize(self, value: object, attr: str | None, data: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, attr, data, **kwargs)
        try:
            instant = datetime.fromisoformat(written.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError(f"Must be {self.wanted}.") from None
        return timestamp(instant)


def timestamp(instant: datetime) -> str:
    """UTC, microseconds, `Z`: 2022-07-29T12:00:00.000000Z."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
