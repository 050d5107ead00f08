"""Another process for all tests of trials: an interpreter that loads everything takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context

import pytest

from glueprint.runs import executor


class Elsewhere:
    """Every unit in the other process, and the answers from the last to the first.

    tests/trials/test_running.py has processes as they are; what starts and replaces them, tests/runs.
    """

    hands = 1

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def run(self, work, items):
        """See `executor.Executor.run`."""
        coming = [self._pool.submit(executor.attempt, work, item) for item in items]
        for place in reversed(range(len(coming))):
            answer = coming[place].result()
            if isinstance(answer, executor.Failure):
                raise answer.error
            yield place, answer


@pytest.fixture(scope="session")
def other_process() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def elsewhere(other_process, monkeypatch):
    """Whoever asks for processes gets the one that runs; gives the choices that were asked for."""
    asked: list[executor.Choice] = []

    def start(choice):
        asked.append(choice)
        return nullcontext(Elsewhere(other_process) if choice.kind == "processes" else executor.Serial())

    monkeypatch.setattr(executor, "start", start)
    return asked
