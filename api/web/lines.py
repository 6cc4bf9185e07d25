"""NDJSON bodies: their lines, and whether the end line agrees with them."""

import hashlib
from collections.abc import Iterator

import orjson


class Lines:
    """The lines of an NDJSON body with their numbers, blank ones left out.

    A last line `{"end": true, "count": …, "sha256": …}` is optional, and is not among them.
    `complete` says, once all are read, whether it was right.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.complete = True

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        digest = hashlib.sha256()
        count = 0
        ended = False
        for number, line in enumerate(self._body.splitlines(keepends=True), 1):
            if not line.strip():
                digest.update(line)
                continue
            if ended:
                self.complete = False
            if line.lstrip().startswith(b'{"end"'):
                ended = True
                self.complete = self.complete and _agrees(line, count, digest.hexdigest())
                continue
            digest.update(line)
            count += 1
            yield number, line


def _agrees(line: bytes, count: int, digest: str) -> bool:
    try:
        end = orjson.loads(line)
    except ValueError:
        return False
    return bool(end == {"end": True, "count": count, "sha256": digest})
