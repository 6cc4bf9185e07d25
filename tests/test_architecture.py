"""What ARCHITECTURE.md says of the house is so."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LONGEST = 300
LOGIC = [path for room in ("api", "schemas") for path in sorted((ROOT / room).rglob("*.py"))]


def rooms() -> list[str]:
    """The files and folders in the drawing of the house, as paths."""
    found: list[str] = []
    above = ""
    for line in PAGE.split("```\n")[1].splitlines():
        drawn = re.match(r"( *)((?:\S+(?:/|\.py)\s+)+)", line + "\n")
        assert drawn, line
        inside, names = drawn.groups()
        above = above if inside else names.split()[0]
        found += [above + name if inside else name for name in names.split()]
    return found


def test_the_rooms_drawn_are_there() -> None:
    assert [room for room in rooms() if not (ROOT / room).exists()] == []


def test_no_room_is_left_out() -> None:
    packages = {path.parent.relative_to(ROOT).as_posix() for path in LOGIC}
    assert packages - {room.rstrip("/") for room in rooms()} == set()


def test_imports_go_as_drawn() -> None:
    [drawn] = re.findall(r"^(cli, routes +-> .*)$", PAGE, re.MULTILINE)
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    checked = [set(re.findall(r"\w+", layer)) - {"api"} for layer in layers]
    assert [set(re.findall(r"\w+", layer)) for layer in drawn.split("->")] == checked


def test_every_file_named_is_there() -> None:
    named = re.findall(r"`((?:api|schemas|tests|migrations|seeds)/[\w./]*)`", PAGE)
    inside = re.findall(r"`((?:(?:web|routes|store|exchange)/)?\w+\.py)`", PAGE)
    named += [f"api/{name}" for name in inside]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_dependency_has_its_reason() -> None:
    def name(requirement: str) -> str:
        found = re.match(r"[\w.-]+", requirement)
        assert found
        return found[0]

    assert set(re.findall(r"^\| `([\w.-]+)` \|", PAGE, re.MULTILINE)) == {
        name(one) for one in PROJECT["project"]["dependencies"]
    }
    [tools] = re.findall(r"^For tests and tools: .*$", PAGE, re.MULTILINE)
    groups = PROJECT["dependency-groups"].values()
    wanted = {name(one) for group in groups for one in group}
    assert set(re.findall(r"`([\w.-]+)`", tools)) == wanted


def test_no_file_grows_too_long() -> None:
    lines = {p.relative_to(ROOT).as_posix(): len(p.read_text().splitlines()) for p in LOGIC}
    assert [path for path, count in lines.items() if count > LONGEST] == []
