"""Try the OpenAPI document as its users will: linters, generated clients, made-up requests.

python -m tests.spec.check            # all steps, in the order below
python -m tests.spec.check redocly    # or some of them
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.live import READOUT, serving

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "spec"
DOCUMENT = BUILD / "openapi.yaml"
TOOLS = BUILD / "venv" / "bin"
NODE = HERE / "node_modules" / ".bin"
OURS = Path(sys.executable).parent


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    subprocess.run(command, cwd=cwd, env=ENVIRONMENT | environment, check=True)


def document(url: str) -> None:
    """Is the document valid, and the one that is committed?"""
    run(OURS / "openapi-spec-validator", DOCUMENT)
    run("cmp", DOCUMENT, ROOT / "openapi.yaml")


def redocly(url: str) -> None:
    """Does it keep the rules that Redocly recommends, without a warning?"""
    lint: list[str | Path] = [NODE / "redocly", "lint", DOCUMENT, "--config", HERE / "redocly.yaml"]
    done = subprocess.run(
        [*lint, "--format", "json"], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    totals = json.loads(done.stdout)["totals"]
    print(totals)
    if any(totals.values()) or done.returncode:
        run(*lint, "--format", "stylish")
        raise subprocess.CalledProcessError(1, lint)


def spectral(url: str) -> None:
    """Does it keep Spectral's rules, without a warning?"""
    ruleset = HERE / ".spectral.yaml"
    run(NODE / "spectral", "lint", DOCUMENT, "--ruleset", ruleset, "--fail-severity", "hint")


def typescript(url: str) -> None:
    """Do the TypeScript types that it gives compile strictly, with a program that uses them?"""
    run(NODE / "openapi-typescript", DOCUMENT, "--output", BUILD / "readout.ts")
    run(NODE / "tsc", "--project", HERE)


def python(url: str) -> None:
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


def reading(url: str) -> None:
    """Does any request to read get an answer that the document does not describe?"""
    schemathesis(url, "reading", "--include-method", "GET")


def writing(url: str) -> None:
    """Does any request to write, with a key, get an answer that the document does not describe?"""
    with TemporaryDirectory() as folder, serving(Path(folder)) as own:
        environment = os.environ | {
            "READOUT_DATABASE_URL": f"sqlite:///{Path(folder) / 'live.sqlite'}"
        }
        make = [
            READOUT,
            "keys",
            "create",
            "--name",
            "spec",
            "--scope",
            "write",
            "--scope",
            "retract",
        ]
        made = subprocess.run(make, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        schemathesis(own, "writing", READOUT_SPEC_URL=own, READOUT_SPEC_KEY=made.stdout.strip())


def schemathesis(url: str, which: str, *options: str, **environment: str) -> None:
    command: list[str | Path] = [OURS / "schemathesis", "--config-file", HERE / f"{which}.toml"]
    command += ["run", DOCUMENT, "--url", url, "--checks", "all", *options]
    # It keeps notes where it runs.
    run(*command, cwd=BUILD, PYTHONPATH=str(ROOT), **environment)


STEPS: list[Callable[[str], None]] = [
    document,
    redocly,
    spectral,
    typescript,
    python,
    reading,
]
# Node.js for the linters, and no word from any of these tools to its makers.
ENVIRONMENT = os.environ | {
    "PATH": f"{TOOLS}:{os.environ['PATH']}",
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "DO_NOT_TRACK": "1",
}


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
    with TemporaryDirectory() as folder, serving(Path(folder)) as url:
        for name in names or [step.__name__ for step in STEPS]:
            print(f"\n== {name}: {steps[name].__doc__}", flush=True)
            began = time.monotonic()
            try:
                steps[name](url)
            except subprocess.CalledProcessError as fault:
                print(f"{Path(fault.cmd[0]).name} gave {fault.returncode}")
                failed.append(name)
            print(f"-- {time.monotonic() - began:.1f} s", flush=True)
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
