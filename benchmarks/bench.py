"""What requests cost, by size of the database: the tables of README.md and docs/speed.md.

    make bench                                              # = python -m benchmarks.bench 1k 100k
    make bench DATABASE=postgresql SIZES="1k 100k 1M"

All sizes are served at the same time and asked in turn, so that whatever else the machine does
falls on each alike. The figure to trust is CPU: of all processes of the server, and of PostgreSQL.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from benchmarks import corpus, questions
from benchmarks.databases import Databases, kept, opened, run
from benchmarks.load import TICKS, Taken, drive, memory, watched
from benchmarks.questions import Question, get
from tests.clients import Client
from tests.processes import eventually
from tests.service import WORKERS, Service
from tests.writing import new_key

OUTPUT = Path("build")
STARTS = 3
WARMING = 0.3  # seconds of each question, before those that count


@dataclass
class Site:
    """A service of one size, and what was found out about it."""

    databases: Databases
    size: str
    folder: Path
    facts: dict[str, float] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    taken: dict[str, list[Taken]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.statements = corpus.size(self.size)
        name, imported = kept(self.databases, self.size)
        self.copy = f"{name}_run"
        self.databases.copy(name, self.copy)
        url = self.databases.url(self.copy)
        run("migrate", url=url)
        seconds, peak = run("export", "--output", os.devnull, url=url)
        self.key = new_key(url, "write")
        self._start(url)
        self.client = Client(self.service.url)
        self.facts |= {
            "Database, MB": self.databases.size(self.copy) / 1e6,
            "Cold start: from exec to the first 200 of `/readyz`, s": self.cold,
            "Import by `readout import`, statements/s": imported["a_second"],
            "— its memory, all its processes, MB": imported["all"],
            "Export by `readout export`, statements/s": self.statements / seconds,
            "— its memory, MB": peak.all,
        }

    def _start(self, url: str) -> None:
        """Start the service some times; the last one stays."""
        starts = []
        for number in range(STARTS):
            began = time.perf_counter()
            if number == 0:
                self.service = Service(self.folder, url)
            else:
                self.service.start()
            eventually(self._ready, "that it is ready", 600)
            starts.append(time.perf_counter() - began)
            if number < STARTS - 1:
                self.service.stop()
        self.cold = statistics.median(starts)

    def _ready(self) -> bool:
        return Client(self.service.url).once("GET", "/readyz").status == 200

    def ask(self, question: Question, seconds: float, *, counts: bool) -> None:
        pids = [self.service.process.pid, *self.databases.pids]
        requests, clients = cycle(question.requests), question.clients
        taken = drive(self.service.port, requests, question.status, seconds, clients, pids)
        if counts:
            self.taken.setdefault(question.name, []).append(taken)

    def stream(self) -> None:
        """Let everything stream out of a worker, and tell what memory workers took and take."""
        request = iter([get("/v1/records")])
        pid, workers = self.service.process.pid, self.service.workers()
        before = max(memory(one, "RssAnon") for one in workers)
        with watched(pid) as peak:
            taken = drive(self.service.port, request, 200, 0, 1, [])
        self.facts |= {
            "All of `GET /v1/records`, statements/s": self.statements / taken.seconds,
            "A worker's own memory after the other requests, at most, MB": before,
            "— while `/v1/records` streams, at most, MB": peak.one,
            "— with what it maps of files, MB": max(memory(one, "VmRSS") for one in workers),
        }

    def close(self) -> None:
        self.service.stop()
        self.databases.drop(self.copy)


def rounds(sites: list[Site], names: list[str], number: int, seconds: float) -> None:
    """Ask each site each question in turn, again and again."""
    for at in range(number + 1):
        print(f"Round {at} of {number} …", file=sys.stderr)
        for name in names:
            for site in sites:
                [question] = [one for one in site.questions if one.name == name]
                site.ask(question, seconds if at else WARMING, counts=at > 0)


def figure(value: float) -> str:
    """A number with as many digits as mean something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def row(question: Question, sites: list[Site]) -> str:
    """A line of the table of requests."""
    name = question.name
    taken = [site.taken[name] for site in sites]
    units = [[one.size / 1e6 if question.by_size else len(one.waits) for one in t] for t in taken]
    cpu = [
        statistics.median(1000 * one.cpu / unit for one, unit in zip(t, u, strict=True))
        for t, u in zip(taken, units, strict=True)
    ]
    rates = [
        statistics.median(unit / one.seconds for one, unit in zip(t, u, strict=True))
        for t, u in zip(taken, units, strict=True)
    ]
    waits = [sorted(1000 * wait for one in t for wait in one.waits) for t in taken]
    halves = [each[len(each) // 2] for each in waits]
    tails = [each[len(each) * 99 // 100] for each in waits]
    sizes = [sum(o.size for o in t) / sum(len(o.waits) for o in t) / 1000 for t in taken]
    beside = [" / ".join(map(figure, each)) for each in (rates, halves, tails, sizes)]
    return "| " + " | ".join([name, *map(figure, cpu), f"{cpu[-1] / cpu[0]:.2f}", *beside]) + " |"


def tables(sites: list[Site]) -> str:
    sizes = [site.size for site in sites]
    heads = [f"CPU ms at {size}" for size in sizes] + [f"{sizes[-1]} : {sizes[0]}"]
    heads += [f"{head}, {' / '.join(sizes)}" for head in ("requests/s", "p50 ms", "p99 ms", "kB")]
    lines = [f"| request | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    lines += [row(one, sites) for one in sites[0].questions]
    lines += ["", f"| | {' | '.join(sizes)} |", "|---" * (len(sites) + 1) + "|"]
    for fact in sites[0].facts:
        lines.append(f"| {fact} | {' | '.join(figure(site.facts[fact]) for site in sites)} |")
    return "\n".join(lines)


def busy() -> float:
    """The seconds of CPU that all of the machine has taken so far."""
    user, nice, system, _, _, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / TICKS


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("sizes", nargs="*", default=["1k", "100k"])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each question in a round")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        opened(given.database) as databases,
        ExitStack() as ends,
    ):
        sites = []
        for size in sorted(given.sizes, key=corpus.size):
            folder = Path(scratch, size)
            folder.mkdir()
            sites.append(Site(databases, size, folder))
            ends.callback(sites[-1].close)
        print("Looking for what to ask …", file=sys.stderr)
        chosen = questions.choose(sites[0].client)
        for site in sites:
            site.questions = questions.ask(site.client, site.statements, chosen, site.key)
        *reads, post = [one.name for one in sites[0].questions]
        began, before = time.perf_counter(), busy()
        rounds(sites, reads, given.rounds, given.seconds)
        print("Streaming everything …", file=sys.stderr)
        for site in sites:
            site.stream()
        rounds(sites, [post], given.rounds, given.seconds)  # What it writes would change the rest.
        taken = [one for site in sites for each in site.taken.values() for one in each]
        requests, cores = sum(len(one.waits) for one in taken), os.cpu_count() or 1
        ours = sum(one.cpu + one.own_cpu for one in taken)
        others = (busy() - before - ours) / (time.perf_counter() - began) / cores
        sizes = " ".join(site.size for site in sites)
        text = f"""`make bench DATABASE={given.database} SIZES="{sizes}"`: {databases.title}, \
Python {platform.python_version()}, {cores} cores that the load generator shares; {WORKERS} \
workers; medians of {given.rounds} rounds of {given.seconds:g} s a request. The load generator \
took {1000 * sum(one.own_cpu for one in taken) / requests:.2f} ms of CPU a request beside what \
stands here, and other work {100 * others:.0f} % of the cores.

{tables(sites)}
"""
    OUTPUT.mkdir(exist_ok=True)
    output = OUTPUT / f"bench-{given.database}.md"
    output.write_text(text)
    print(f"{text}\nThis is in {output}, to be pasted.")


if __name__ == "__main__":
    main()
