"""Where in a YAML or JSON text something stands, so that a fault can be shown there."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from api.exchange.documents import CoreSchema, parse_yaml


class Place(NamedTuple):
    """A line and a column of a text, from 1, the columns in code points."""

    line: int
    column: int


class Unparsed(Exception):
    """The text is neither YAML nor JSON; `place` is where that shows."""

    def __init__(self, place: Place, detail: str) -> None:
        super().__init__(detail)
        self.place = place
        self.detail = detail


class Located:
    """A parsed text, `document`, and where each part of it stands."""

    def __init__(self, text: str) -> None:
        self._text = text.removeprefix("\ufeff")
        try:
            self.document = self._parsed()
            self._root: Node | None = _yaml().compose(self._text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            told = error.problem or error.context or "Cannot be read."
            raise Unparsed(self._at(mark.index if mark else 0), _sentence(told)) from None
        except ReaderError as error:
            told = f"The character U+{error.character:04X} is not allowed in YAML."
            raise Unparsed(self._at(error.position), told) from None
        except (YAMLError, ValueError) as error:
            raise Unparsed(Place(1, 1), _sentence(str(error))) from None
        except RecursionError:
            raise Unparsed(Place(1, 1), "Nested too deeply.") from None

    def place(self, pointer: str) -> Place:
        """Where that stands to which a JSON Pointer leads; else what would hold it.

        A member of an object stands where its name does.
        """
        node, index = self._root, 0
        if node is not None:
            index = node.start_mark.index
        for step in pointer.split("/")[1:]:
            found = next(_inside(node, step.replace("~1", "/").replace("~0", "~")), None)
            if found is None:
                break
            mark, node = found
            index = mark.start_mark.index
        return self._at(index)

    def _parsed(self) -> Any:
        # Of two escapes for one character, as JSON has beyond U+FFFF, YAML makes two.
        if re.search(r"\\u[dD]", self._text):
            try:
                return json.loads(self._text, object_pairs_hook=_members)
            except ValueError:
                pass  # It is no JSON, or has a name twice: what YAML says of it has a place.
        return parse_yaml(self._text)

    def _at(self, index: int) -> Place:
        before = self._text.rfind("\n", 0, index)
        return Place(self._text.count("\n", 0, index) + 1, index - before)


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = CoreSchema
    return yaml


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("A name stands twice.")
    return members


def _inside(node: Node | None, step: str) -> Iterator[tuple[Node, Node]]:
    """What one step of a pointer leads to: the node that shows its place, and its value."""
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if isinstance(name, ScalarNode) and name.value == step:
                yield name, value
    elif isinstance(node, SequenceNode) and step.isdecimal() and int(step) < len(node.value):
        item = node.value[int(step)]
        yield item, item


def _sentence(told: str) -> str:
    told = told.splitlines()[0].strip()
    return told[:1].upper() + told[1:] + ("" if told.endswith((".", "!", "?")) else ".")
