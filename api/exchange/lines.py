"""NDJSON: its lines, and whether the end line agrees with them."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

LONGEST_END = 1_000  # bytes; no end line is longer


class Lines:
    """The lines of NDJSON with their numbers, blank ones left out.

    A last line `{"end": true, "count": …, "sha256": …}` is optional, and is not among them.
    `complete` says, once all are read, whether it was right.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.complete = True

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        digest = hashlib.sha256()
        count = 0
        ended = False
        for number, line in enumerate(self._lines, 1):
            blank = not line.strip()
            end = None if blank else _end(line)
            if ended and not blank:
                self.complete = False
            if end is not None:
                ended = True
                right = {"end": True, "count": count, "sha256": digest.hexdigest()}
                self.complete = self.complete and right.items() <= end.items()
                continue
            digest.update(line)
            if not blank:
                count += 1
                yield number, line


def _end(line: bytes) -> dict[str, Any] | None:
    """What an end line says; None where the line is none."""
    if len(line) > LONGEST_END:
        return None
    try:
        said = orjson.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) and "end" in said else None
