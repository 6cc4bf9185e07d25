"""What a request asks of one filter."""

from dataclasses import dataclass
from typing import Any

NONE = "none"
FEW = 50  # values of which each is looked for by itself


@dataclass(frozen=True)
class Value:
    """Its values, and whether `none` is one of them."""

    values: tuple[Any, ...]
    none: bool = False

    @property
    def shape(self) -> tuple[Any, ...]:
        """What of it changes the SQL: no value, one or several, or groups of them; and `none`."""
        groups = tuple(min(len(value), 2) for value in self.values if isinstance(value, tuple))
        return groups or min(len(self.values), 2), self.none

    @property
    def branches(self) -> int:
        """Of how many parts a page by several values is put together; 0 where in one piece.

        Powers of two, so that there are few shapes: anybody can ask for any number of values.
        """
        many = len(self.values)
        return min(1 << (many - 1).bit_length(), FEW) if 1 < many <= FEW else 0

    @property
    def filled(self) -> tuple[Any, ...]:
        """The values of the parts: the last one stands for those that are left, and counts once."""
        left = self.branches - len(self.values)
        return (*self.values, *self.values[-1:] * left) if self.branches else ()
