"""Files of call records: NDJSON, or one document in JSON or YAML; each as it is or gzipped."""

import codecs
import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO

from api.exchange.bulk import Text
from api.exchange.documents import Unreadable, parse
from api.exchange.lines import Lines

LONGEST = 64 << 20  # bytes of one call record
GZIP = b"\x1f\x8b"
YAML = (".yaml", ".yml")
NDJSON = (".ndjson", ".jsonl")


class File:
    """A file of call records, read from its beginning to its end, once.

    The form is told by the name, or else by the beginning. Once it is read, `complete` says whether
    the end line of NDJSON was right; `whole` is all of it where it is one document.
    """

    def __init__(self, raw: IO[bytes], name: str) -> None:
        self.complete = True
        self.whole: bytes | None = None
        self._raw = raw
        suffixes = [one.lower() for one in Path(name).suffixes]
        self._suffix = next((one for one in reversed(suffixes) if one != ".gz"), "")
        buffered = io.BufferedReader(raw)  # type: ignore[type-var]
        packed = buffered.peek(len(GZIP))[: len(GZIP)] == GZIP
        self._file = io.BufferedReader(gzip.GzipFile(fileobj=buffered)) if packed else buffered

    @property
    def size(self) -> int | None:
        """The bytes of the file, where it is one that tells."""
        try:
            found = os.fstat(self._raw.fileno())
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    @property
    def position(self) -> int:
        """How many of them are read, where that can be told."""
        return self._raw.tell() if self._raw.seekable() else 0

    def texts(self) -> Iterator[Text]:
        """The call records in it."""
        try:
            yield from self._texts()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Unreadable(f"The gzip data is cut or damaged: {error}.") from None

    def _texts(self) -> Iterator[Text]:
        before: list[bytes] = []
        for line in iter(partial(self._file.readline, LONGEST + 1), b""):
            before.append(line if before else line.removeprefix(codecs.BOM_UTF8))
            if before[-1].strip():
                break
        first = before[-1] if before else b""
        if self._suffix in NDJSON or (self._suffix not in YAML and _is_object(first)):
            yield from self._lines(before)
        else:
            self.whole = body = b"".join(before) + self._file.read(LONGEST + 1)
            _limit(body)
            is_json = self._suffix == ".json" or first.lstrip().startswith(b"{")
            yield Text(0, body, yaml=self._suffix in YAML or not is_json)

    def _lines(self, before: list[bytes]) -> Iterator[Text]:
        def every() -> Iterator[bytes]:
            yield from before
            yield from iter(partial(self._file.readline, LONGEST + 1), b"")

        lines = Lines(every())
        for number, line in lines:
            _limit(line)
            yield Text(number, line)
        self.complete = lines.complete


def _is_object(line: bytes) -> bool:
    """Whether a line alone is a call record, or else the beginning of one."""
    try:
        return isinstance(parse(line), dict)
    except Unreadable:
        return False


def _limit(body: bytes) -> None:
    if len(body) > LONGEST:
        raise Unreadable(f"A call record is longer than {LONGEST >> 20} MiB.")
