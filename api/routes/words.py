"""How the document names a kind of record."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What the document says of a kind: its name in prose, and when to ask for it."""

    one: str
    many: str
    list_when: str
    one_when: str
    example: str
    list_example: Mapping[str, str]
