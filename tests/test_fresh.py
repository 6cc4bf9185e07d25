"""What one worker has written, the next read sees in every other: nothing that is kept is stale."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients import Client
from tests.conftest import KINDS
from tests.service import Service
from tests.writers import prepared, statement

TIMES = 10
LIST = f"statements?topic={statement('')['topics'][0]}&count=true&facets=topic,speaker"


def seen(client: Client, mark: str) -> tuple[int, int, list[int], str]:
    """How a statement is answered for; how many there are, counted and by facets; and a tag."""
    listed = client.send("GET", LIST)
    facets = [sum(one["count"] for one in facet) for facet in listed.json["facets"].values()]
    status = client.send("GET", f"statements/{mark}").status
    return status, listed.json["page"]["total"], facets, str(listed.headers["ETag"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_is_seen_by_the_next_read_in_every_worker(
    kind: str, new_database: Callable[..., str], tmp_path: Path
) -> None:
    url = new_database(kind)
    key = prepared(url)
    with Service(tmp_path, url) as service, service.clients(key) as clients:
        here, there = (of_one[0] for of_one in clients)
        for number in range(TIMES):
            mark = f"fresh-{number}"
            status, total, facets, tag = seen(there, mark)
            assert status == 404
            made = here.send("PUT", f"statements/{mark}", statement(mark))
            assert made.status == 201, made.body
            more = [facets[0] + len(made.json["topics"]), facets[1] + len(made.json["speakers"])]
            assert there.send("GET", LIST, headers={"If-None-Match": tag}).status == 200
            assert seen(there, mark)[:3] == (200, total + 1, more)
            headers = {"If-Match": made.headers["ETag"]}
            gone = here.send("DELETE", f"statements/{mark}?reason=test", headers=headers)
            assert gone.status == 204, gone.body
            assert seen(there, mark) == (410, total, facets, tag)
            here, there = there, here
