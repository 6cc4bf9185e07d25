"""Answers that are sent as they are made."""

from collections.abc import Iterator

import pytest
from werkzeug.test import create_environ

from api.web.answers import NDJSON, stream
from api.web.at_hand import held


def test_what_fails_before_the_first_piece_can_still_be_told() -> None:
    failing = (b"%d" % (1 // number) for number in (0, 1))
    with held(create_environ()), pytest.raises(ZeroDivisionError):
        stream(failing, NDJSON)


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_what_makes_the_pieces_is_closed_with_the_answer(taken: int) -> None:
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"one"
            yield b"two"
            yield b"three"
        finally:
            closed.append(True)

    with held(create_environ()):
        answer = stream(pieces(), NDJSON)
        sent = iter(answer.response)
        assert [next(sent) for _ in range(taken)] == [b"one", b"two"][:taken]
        assert not closed
        answer.close()
    assert closed


@pytest.mark.parametrize("sent", [[], [b""], [b"", b"one"], [b"one"]])
def test_every_piece_is_sent_once(sent: list[bytes]) -> None:
    with held(create_environ()):
        assert b"".join(stream(iter(sent), NDJSON).response) == b"".join(sent)  # type: ignore[arg-type]
