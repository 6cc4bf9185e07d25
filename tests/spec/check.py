"""Try the OpenAPI document as its users will: linters, generated clients, made-up requests.

python -m tests.spec.check            # all steps, as many at once as there are processors
python -m tests.spec.check redocly    # or some of them
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.live import READOUT, serving
from tests.writing import new_key

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "spec"
DOCUMENT = BUILD / "openapi.yaml"
TOOLS = BUILD / "venv" / "bin"
NODE = HERE / "node_modules" / ".bin"
OURS = Path(sys.executable).parent

# A step is given what runs a command, and the base URL of a server that it may read.
Run = Callable[..., None]
Step = Callable[[Run, str], None]


def document(run: Run, url: str) -> None:
    """Is the document valid, and the one that is committed?"""
    run(OURS / "openapi-spec-validator", DOCUMENT)
    run("cmp", DOCUMENT, ROOT / "openapi.yaml")


def redocly(run: Run, url: str) -> None:
    """Does it keep the rules that Redocly recommends, without a warning?"""
    run(NODE / "redocly", "lint", DOCUMENT, "--config", HERE / "redocly.yaml")


def spectral(run: Run, url: str) -> None:
    """Does it keep Spectral's rules, without a warning?"""
    ruleset = HERE / ".spectral.yaml"
    run(NODE / "spectral", "lint", DOCUMENT, "--ruleset", ruleset, "--fail-severity", "hint")


def typescript(run: Run, url: str) -> None:
    """Do the TypeScript types that it gives compile strictly, with a program that uses them?"""
    run(NODE / "openapi-typescript", DOCUMENT, "--output", BUILD / "readout.ts")
    run(NODE / "tsc", "--project", HERE)


def python(run: Run, url: str) -> None:
    """Does the Python client that it gives pass mypy, and find the positions on the grain deal?"""
    client = BUILD / "readout_client"
    run(
        *(TOOLS / "openapi-python-client", "generate", "--path", DOCUMENT, "--meta", "none"),
        *("--config", HERE / "python-client.yaml", "--fail-on-warning"),
        *("--output-path", client, "--overwrite"),
    )
    program = HERE / "client.py"
    run(TOOLS / "mypy", "--strict", "--config-file=", client, program, MYPYPATH=str(BUILD))
    run(TOOLS / "python", program, url, PYTHONPATH=str(BUILD))


def reading(run: Run, url: str) -> None:
    """Does any request that reads get an answer that the document does not describe?"""
    _schemathesis(run, url, "reading", "--include-method", "GET")


def writing(run: Run, url: str) -> None:
    """Does any request that writes, with a key? And does what all of them leave behind hold?"""
    with TemporaryDirectory() as folder, serving(Path(folder)) as own:
        database = f"sqlite:///{folder}/live.sqlite"
        key = new_key(database, "write", "retract")
        _schemathesis(run, own, "writing", *WRITING, READOUT_SPEC_URL=own, READOUT_SPEC_KEY=key)
        run(READOUT, "verify", READOUT_DATABASE_URL=database)


def _schemathesis(run: Run, url: str, which: str, *options: str, **environment: str) -> None:
    notes = BUILD / which  # It keeps some where it runs.
    notes.mkdir(exist_ok=True)
    run(
        *(OURS / "schemathesis", "--config-file", HERE / f"{which}.toml", "run", DOCUMENT),
        *("--url", url, "--checks", "all", *options),
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


def run_into(said: list[str], *command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command, which must succeed, and keep what it says."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=ENVIRONMENT | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said.append(done.stdout)
    done.check_returncode()


def tried(step: Step, url: str) -> tuple[str, bool]:
    """What a step says, and whether it succeeds."""
    began = time.monotonic()
    said = [f"\n== {step.__name__}: {step.__doc__}\n"]
    right = True
    try:
        step(partial(run_into, said), url)
    except subprocess.CalledProcessError as fault:
        right = False
        said.append(f"{Path(fault.cmd[0]).name} gave {fault.returncode}\n")
    said.append(f"-- {step.__name__}: {time.monotonic() - began:.1f} s\n")
    return "".join(said), right


def main(names: list[str]) -> None:
    """Run the steps, all of them even where one fails."""
    steps = {step.__name__: step for step in STEPS}
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
            said, right = done.result()
            print(said, end="", flush=True)
            if not right:
                failed.append(under_way[done])
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
