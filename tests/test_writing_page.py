"""The page on writing: typed in order at a server of its own, it answers what it shows."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live import READOUT, serving

PAGE = Path(__file__).parents[1] / "docs" / "writing.md"
HOST = "http://127.0.0.1:8000"
END = "=== that block ended with"

pytestmark = [
    pytest.mark.skipif(not shutil.which(program), reason=f"there is no {program} here")
    for program in ("curl", "jq")
]


class Block(NamedTuple):
    """What is to be typed, and what the page shows of what comes of it, if anything."""

    typed: str
    shown: str | None
    line: int


def blocks() -> Iterator[Block]:
    """The fenced blocks to type; one without a language, next after it, shows its output."""
    page = PAGE.read_text()
    fences = list(re.finditer(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    for fence, after in zip(fences, [*fences[1:], None], strict=True):
        language, typed = fence.groups()
        if language == "sh":
            shown = after[2] if after and after[1] == "" else None
            yield Block(typed, shown, page.count("\n", 0, fence.start()) + 1)


BLOCKS = list(blocks())


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """What each block printed and how it ended, all typed into one shell."""
    folder = tmp_path_factory.mktemp("writing")
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/readout").symlink_to(READOUT)
    typed = "".join(f'{block.typed}\necho "{END} $?"\n' for block in BLOCKS)
    with serving(folder) as url:
        env = os.environ | {"READOUT_DATABASE_URL": f"sqlite:///{folder / 'live.sqlite'}"}
        done = subprocess.run(
            ["sh", "-c", f"exec 2>&1\n{typed}".replace(HOST, url)],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )
    printed = re.findall(rf"(.*?){END} (\d+)\n", done.stdout, re.DOTALL)
    assert len(printed) == len(BLOCKS), done.stdout[-2000:]
    return printed


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=[f"line {b.line}" for b in BLOCKS])
def test_every_block_gives_what_is_shown(number: int, outputs: list[tuple[str, str]]) -> None:
    shown, (printed, status) = BLOCKS[number].shown, outputs[number]
    if shown is None:
        assert status == "0", printed
        assert not re.search(' [45][0-9][0-9]$|"status":[45]', printed, re.MULTILINE), printed
    else:
        pattern = re.escape(shown.strip()).replace("…", ".*?")
        assert re.fullmatch(pattern, printed.strip(), re.DOTALL), printed
