"""Programs that tests may kill, stop and start again, and waiting for what must come true.

They end with the test run, even where that dies without a word.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

# Ends a whole group of processes once whoever holds the other end of its input is gone.
WATCHDOG = 'read -r _; kill -s KILL -- "-$1"'


class Process:
    """A program in a process group of its own."""

    def __init__(self, command: Sequence[str | Path], output: Path, **options: Any) -> None:
        with output.open("ab") as out:
            self.inner = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **options,
            )
        self.output = output
        self.pid = self.inner.pid
        self._watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, "sh", str(self.pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ended(self) -> bool:
        if self.inner.returncode is not None:
            return True
        # It is only looked at: until it is waited for, its number is no other group's.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self, how: int) -> int:
        """Send it a signal, and wait for its exit code."""
        self.inner.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        """Wait until it ends, and give its exit code; what it left running is killed."""
        eventually(self.ended, f"the end of process {self.pid}", 90)
        return self.kill()

    def kill(self) -> int:
        """Kill it and all that it started, without a word."""
        if self.inner.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.inner.wait()
            self._watchdog.kill()
            self._watchdog.communicate()
        return self.inner.returncode


def children(pid: int) -> list[int]:
    """The processes that a process started, oldest first."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(told[1]) == pid and told[0] != "Z":
            found.append((int(told[19]), int(entry.parent.name)))
    return [one for _, one in sorted(found)]


def opened(pid: int) -> set[str]:
    """What a process has open: paths of files, and what else there is in `socket:[12]` form."""
    names = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            names.add(str(link.readlink()))
    return names


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def eventually(happens: Callable[[], T], what: str, seconds: float = 60) -> T:
    """Wait until something is true, and give it."""
    end = time.monotonic() + seconds
    while not (found := happens()):
        if time.monotonic() > end:
            raise AssertionError(f"within {seconds:g} seconds it did not come to this: {what}")
        time.sleep(0.02)
    return found
