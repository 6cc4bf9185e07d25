"""Work done ahead, in processes beside, while this one does what comes after it."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import parent_process
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

MOST_WORKERS = 4
WAITING = 2  # for each worker: done or under way
NICER = 5


def ahead(
    work: Callable[[Given], Made],
    given: Iterator[Given],
    within: Callable[[], AbstractContextManager[None]],
) -> Generator[tuple[Given, Made]]:
    """What is given with what is made of it, in order, each worker `within` a context.

    A single piece of work is done here: starting a process takes longer.
    """
    first = next(given, None)
    second = next(given, None)
    if first is None:
        return
    if second is None:
        yield first, work(first)
        return
    count = min(os.cpu_count() or 1, MOST_WORKERS)
    waiting: deque[tuple[Given, Future[Made]]] = deque()
    with ProcessPoolExecutor(count, initializer=_begin, initargs=(within,)) as pool:
        try:
            waiting += ((one, pool.submit(work, one)) for one in (first, second))
            for one in given:
                waiting.append((one, pool.submit(work, one)))
                if len(waiting) > WAITING * count:
                    done, made = waiting.popleft()
                    yield done, made.result()
            while waiting:
                done, made = waiting.popleft()
                yield done, made.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(within: Callable[[], AbstractContextManager[None]]) -> None:
    """In a worker: end with the parent, whatever ends that, and not before.

    Ctrl-C on a terminal reaches every process of the command.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICER)  # What comes after goes first: it is what the others wait for.
    within().__enter__()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
