"""Try the OpenAPI document as its users will: linters, generated clients, made-up requests.

python -m tests.spec.check            # all steps, as many at once as there are processors
python -m tests.spec.check redocly    # or some of them
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TextIO

from tests.live import READOUT, serving

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "spec"
DOCUMENT = BUILD / "openapi.yaml"
TOOLS = BUILD / "venv" / "bin"
NODE = HERE / "node_modules" / ".bin"
OURS = Path(sys.executable).parent

Step = Callable[["Trial"], None]


class Trial:
    """What a step is given: the base URL of a server that it may read, and where its words go."""

    def __init__(self, url: str, words: TextIO) -> None:
        self.url = url
        self.words = words

    def run(self, *command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
        """Run a command, which must succeed."""
        env = ENVIRONMENT | environment
        out = self.words.fileno()
        subprocess.run(command, cwd=cwd, env=env, check=True, stdout=out, stderr=out)

    def told(self, *command: str | Path, **environment: str) -> str:
        """What a command prints, whether it succeeds or not."""
        env = ENVIRONMENT | environment
        pipe, errors = subprocess.PIPE, self.words.fileno()
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=pipe, stderr=errors, text=True)
        return done.stdout


def document(trial: Trial) -> None:
    """Is the document valid, and the one that is committed?"""
    trial.run(OURS / "openapi-spec-validator", DOCUMENT)
    trial.run("cmp", DOCUMENT, ROOT / "openapi.yaml")


def redocly(trial: Trial) -> None:
    """Does it keep the rules that Redocly recommends, without a warning?"""
    lint: list[str | Path] = [NODE / "redocly", "lint", DOCUMENT, "--config", HERE / "redocly.yaml"]
    totals = json.loads(trial.told(*lint, "--format", "json"))["totals"]
    if any(totals.values()):
        trial.run(*lint, "--format", "stylish")
        raise subprocess.CalledProcessError(1, lint)


def spectral(trial: Trial) -> None:
    """Does it keep Spectral's rules, without a warning?"""
    ruleset = HERE / ".spectral.yaml"
    trial.run(NODE / "spectral", "lint", DOCUMENT, "--ruleset", ruleset, "--fail-severity", "hint")


def typescript(trial: Trial) -> None:
    """Do the TypeScript types that it gives compile strictly, with a program that uses them?"""
    trial.run(NODE / "openapi-typescript", DOCUMENT, "--output", BUILD / "readout.ts")
    trial.run(NODE / "tsc", "--project", HERE)


def python(trial: Trial) -> None:
    """Does the Python client that it gives pass mypy, and find the positions on the grain deal?"""
    client = BUILD / "readout_client"
    trial.run(
        *(TOOLS / "openapi-python-client", "generate", "--path", DOCUMENT, "--meta", "none"),
        *("--config", HERE / "python-client.yaml", "--fail-on-warning"),
        *("--output-path", client, "--overwrite"),
    )
    program = HERE / "client.py"
    strict = ("--strict", "--config-file=")
    trial.run(TOOLS / "mypy", *strict, client, program, MYPYPATH=str(BUILD))
    trial.run(TOOLS / "python", program, trial.url, PYTHONPATH=str(BUILD))


def reading(trial: Trial) -> None:
    """Does any request that reads get an answer that the document does not describe?"""
    _schemathesis(trial, trial.url, "reading", "--include-method", "GET")


def writing(trial: Trial) -> None:
    """Does any request that writes, with a key? And does what all of them leave behind hold?"""
    with TemporaryDirectory() as folder, serving(Path(folder)) as url:
        database = {"READOUT_DATABASE_URL": f"sqlite:///{Path(folder) / 'live.sqlite'}"}
        scopes = ("--scope", "write", "--scope", "retract")
        key = trial.told(READOUT, "keys", "create", "--name", "spec", *scopes, **database).strip()
        _schemathesis(trial, url, "writing", *WRITING, READOUT_SPEC_URL=url, READOUT_SPEC_KEY=key)
        trial.run(READOUT, "verify", **database)


def _schemathesis(trial: Trial, url: str, which: str, *options: str, **environment: str) -> None:
    notes = BUILD / which  # It keeps some where it runs.
    notes.mkdir(exist_ok=True)
    trial.run(
        *(OURS / "schemathesis", "--config-file", HERE / f"{which}.toml"),
        *("run", DOCUMENT, "--url", url, "--checks", "all", *options),
        cwd=notes,
        PYTHONPATH=str(ROOT),
        **environment,
    )


# Those that take longest come first.
STEPS: list[Step] = [writing, reading, python, spectral, typescript, redocly, document]
# What reads one record goes along, to see what became of it.
WRITING = (
    *("--include-method", "POST", "--include-method", "PUT"),
    *("--include-method", "PATCH", "--include-method", "DELETE"),
    *("--include-path-regex", r"^/v1/[a-z]+/\{id\}(/record)?$"),
)
# Node.js for the linters, and no word from any of these tools to its makers.
ENVIRONMENT = os.environ | {
    "PATH": f"{TOOLS}:{os.environ['PATH']}",
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "DO_NOT_TRACK": "1",
}


def tried(step: Step, url: str) -> tuple[str, bool]:
    """What a step says, and whether it succeeds."""
    began = time.monotonic()
    right = True
    with TemporaryFile("w+") as words:
        words.write(f"\n== {step.__name__}: {step.__doc__}\n")
        words.flush()
        try:
            step(Trial(url, words))
        except subprocess.CalledProcessError as fault:
            right = False
            words.seek(0, os.SEEK_END)
            words.write(f"{Path(fault.cmd[0]).name} gave {fault.returncode}\n")
        words.seek(0, os.SEEK_END)
        words.write(f"-- {step.__name__}: {time.monotonic() - began:.1f} s\n")
        words.seek(0)
        return words.read(), right


def main(names: list[str]) -> None:
    """Run the steps, all of them even where one fails."""
    steps = {step.__name__: step for step in [*STEPS, writing]}
    if unknown := set(names) - set(steps):
        sys.exit(f"No step is called {', '.join(unknown)}; there are {', '.join(steps)}.")
    BUILD.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_bytes(
        subprocess.run([READOUT, "openapi"], check=True, stdout=subprocess.PIPE).stdout
    )
    failed = []
    with (
        TemporaryDirectory() as folder,
        serving(Path(folder)) as url,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        under_way = {pool.submit(tried, steps[name], url): name for name in names or steps}
        for done in as_completed(under_way):
            words, right = done.result()
            print(words, end="", flush=True)
            if not right:
                failed.append(under_way[done])
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
