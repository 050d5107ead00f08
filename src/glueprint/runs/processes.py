"""The executor of our own processes: a pipe to each worker, and a new worker for one that dies.

Python's own pool gives up altogether when one of its processes is killed, and leaves the others behind when
its owner is. Here a death costs the unit that the worker had in hand, and workers whose owner has gone find
their pipe closed and end.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from glueprint.runs.executor import LOSSES, Answers, Failure, attempt, lost

__all__ = ["Processes", "pin"]

PATIENCE_S = 5.0  # for a worker to end by itself

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Work = Callable[[Any], Any]
Task = tuple[int, Any]


class Processes:
    """Workers on this machine."""

    def __init__(self, workers: int) -> None:
        self.hands = workers

    def run(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> Answers[Answer]:
        """See `Executor.run`. Raises EnvironmentProblemError GP-R008 for an item that kills its workers."""
        fresh, again = enumerate(items), deque[Task]()
        losses = Counter[int]()
        crew: list[_Worker] = []
        busy: list[_Worker] = []
        try:
            for number in range(self.hands):
                crew.append(_Worker(number, self.hands, work))  # noqa: PERF401 - a part of them is ended, too
            idle = crew.copy()
            while True:
                while idle and (task := again.popleft() if again else next(fresh, None)):
                    busy.append(idle.pop(0).begin(task))
                if not busy:
                    return
                for worker in _ready(busy):
                    busy.remove(worker)
                    idle.append(worker)
                    place, item = worker.task
                    answer = worker.answer()
                    if isinstance(answer, _Death):
                        losses[place] += 1
                        if losses[place] >= LOSSES:
                            raise lost(place, answer.how)
                        again.append((place, item))
                    elif isinstance(answer, Failure):
                        raise answer.error
                    else:
                        yield place, answer
        finally:
            # A second Ctrl-C waits: a worker left alive would go on writing into a folder that is given back.
            with _no_interrupt():
                _dismiss(crew)


class _Death:
    """What is left of a worker that ended with a task in hand."""

    def __init__(self, code: int | None) -> None:
        self.how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


class _Worker:
    """A place for a process; a new one takes it when the old one has died."""

    def __init__(self, number: int, of: int, work: Work) -> None:
        self._number, self._of, self._work = number, of, work
        self.task: Task = (-1, None)
        self._start()

    def _start(self) -> None:
        # A fresh interpreter: a fork of a process with threads may hang.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, self._work, self._number, self._of), daemon=True
        )
        with _no_interrupt():
            self.process.start()
        theirs.close()

    def begin(self, task: Task) -> _Worker:
        """Give a task, to a new process if the old one is gone."""
        self.task = task
        try:
            self.pipe.send(task[1])
        except OSError:
            self._replace()
            self.pipe.send(task[1])
        return self

    def answer(self) -> Any:
        """What came, or a `_Death`; then a new process has taken the place."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            return _Death(self._replace())

    def _replace(self) -> int | None:
        self.process.join()
        self.pipe.close()
        code = self.process.exitcode
        self._start()
        return code


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ctrl-C waits until the block ends; a process started in it never hears it, nor while it imports."""
    mask = getattr(signal, "pthread_sigmask", None)
    if mask is None:
        yield
        return
    before = mask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        mask(signal.SIG_SETMASK, before)


def _ready(busy: list[_Worker]) -> list[_Worker]:
    pipes = set(wait([worker.pipe for worker in busy]))
    return [worker for worker in busy if worker.pipe in pipes]


def _dismiss(crew: list[_Worker]) -> None:
    """End all workers: the idle find their pipe closed; the others are ended, their unit is not kept."""
    for worker in crew:
        worker.pipe.close()
        worker.process.terminate()
    for worker in crew:
        worker.process.join(PATIENCE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(pipe: Connection, work: Work, number: int, of: int) -> None:
    """The life of a worker: items in, answers out, until the pipe closes."""
    # Ctrl-C goes to the whole group; the owner decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pin(number, of)
    while True:
        try:
            pipe.send(attempt(work, pipe.recv()))
        except (EOFError, OSError):
            return


def pin(number: int, of: int) -> None:
    """Give this process its share of the processors, so that the threads of several workers do not contend.

    number: of this worker, from 0.   of: how many workers share the machine.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    if affinity is None:
        return
    mine = sorted(affinity(0))
    share = mine[number::of] or [mine[number % len(mine)]]
    os.sched_setaffinity(0, share)
