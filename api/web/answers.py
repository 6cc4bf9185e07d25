"""Answers: the form that the client accepts, an ETag over its bytes, 304, compression, streams."""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence

from flask import Response

from api.web.at_hand import request
from api.web.problems import ProblemError

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
HTML = "text/html"
YAML = "application/yaml"

SMALLEST_COMPRESSED = 1_000  # bytes; below that compression saves nothing
COMPRESSION = 5
ALWAYS = (("Cache-Control", "no-cache"), ("Vary", "Accept, Accept-Encoding"))
TAG = 24  # hexadecimal digits of a digest are enough to tell versions apart
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_WEIGHT = re.compile(r"[0-9]{1,3}(\.[0-9]{0,9})?|\.[0-9]{1,9}")


def accepted(offers: Sequence[str]) -> str:
    """The form among those offered that the client likes best; ties go to the first."""
    header = request.headers.get("Accept")
    if not header or header == "*/*":
        return offers[0]
    weights = _weights(header)
    liked = [_liking(weights, offer) for offer in offers]
    if max(liked) <= 0:
        raise ProblemError("not-acceptable", f"{request.path} answers in: {', '.join(offers)}.")
    return offers[liked.index(max(liked))]


def _weights(header: str) -> dict[str, float]:
    """What an Accept header lists, in lower case, each with its weight (RFC 9110, 12.4.2).

    Parameters other than `q` tell no forms of ours apart, and a weight that is none counts as 1:
    clients write `charset=utf-8` and `q=.2`, and mean well.
    """
    found: dict[str, float] = {}
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights = [_weight(text[2:]) for text in parameters if text.startswith("q=")]
        found[name] = max(found.get(name, 0.0), weights[0] if weights else 1.0)
    return found


def _weight(text: str) -> float:
    return min(float(text), 1.0) if _WEIGHT.fullmatch(text) else 1.0


def _liking(weights: dict[str, float], offer: str) -> float:
    """How much a media type is liked: what names it most exactly has the say."""
    ranges = (offer, f"{offer.split('/')[0]}/*", "*/*", "*")
    return next((weights[one] for one in ranges if one in weights), 0.0)


def _content_type(mimetype: str) -> str:
    return f"{mimetype}; charset=utf-8" if mimetype.startswith("text/") else mimetype


def _takes_gzip() -> bool:
    header = request.headers.get("Accept-Encoding")
    if not header:
        return False
    weights = _weights(header)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def answer(
    body: bytes,
    mimetype: str = JSON,
    *,
    number: int | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Response:
    """An answer with its ETag, or 304 where the client has it already.

    The ETag is strong, so it differs with the form and the coding; `number` (of a revision) stands
    before its digest.
    """
    packed = len(body) >= SMALLEST_COMPRESSED and _takes_gzip()
    # Processors have instructions for SHA-256, which so takes half the time of BLAKE2.
    digest = hashlib.sha256(body)
    digest.update(mimetype.encode() + (b" gzip" if packed else b""))
    tag = digest.hexdigest()[:TAG]
    if number is not None:
        tag = f"{number}-{tag}"
    made = [*headers, *ALWAYS, ("ETag", f'"{tag}"')]
    known = request.headers.get("If-None-Match") if request.method in ("GET", "HEAD") else None
    if known is not None and (known == f'"{tag}"' or request.if_none_match.contains_weak(tag)):
        return Response(status=304, headers=made)
    if packed:
        body = gzip.compress(body, COMPRESSION, mtime=0)
        made.append(("Content-Encoding", "gzip"))
    made.append(("Content-Type", _content_type(mimetype)))
    return Response(body, headers=made)


def stream(
    chunks: Iterable[bytes], mimetype: str, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """An answer sent as it is made; it has no ETag."""
    made = [*headers, *ALWAYS, ("Content-Type", _content_type(mimetype))]
    if _takes_gzip():
        made.append(("Content-Encoding", "gzip"))
        chunks = _packed(chunks)
    return Response(_begun(chunks), headers=made)


def _begun(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, the first of them made at once: what fails till then can still be answered."""

    def pieces() -> Iterator[bytes]:
        made = iter(chunks)
        try:
            first = next(made, b"")
            yield b""
            if first:
                yield first
            yield from made
        finally:
            if close := getattr(made, "close", None):
                close()

    begun = pieces()
    next(begun)
    return begun


def _packed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(COMPRESSION, zlib.DEFLATED, _GZIP_WINDOW)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
