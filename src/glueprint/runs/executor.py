"""Executors: the same units of work one after another, on processes, or on a Dask cluster.

Which one is chosen decides how long it takes and never the numbers. An executor is anything with `run` and
`hands`.
"""

from __future__ import annotations

import ipaddress
import traceback
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError, InternalError

__all__ = ["KINDS", "Answers", "Choice", "Executor", "Failure", "Serial", "attempt", "lost", "start"]

KINDS = ("serial", "processes", "dask")
Kind = Literal["serial", "processes", "dask"]
LOSSES = 3  # workers that one unit may cost before it is blamed

Item = TypeVar("Item")
Answer = TypeVar("Answer")


Answers = Generator[tuple[int, Answer], None, None]


class Executor(Protocol):
    """Does work on items somewhere."""

    @property
    def hands(self) -> int:
        """How many items it works on at a time, at least 1; a cluster's workers may come and go."""
        ...

    def run(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> Answers[Answer]:
        """Yield (position of the item, answer) as answers come, each item once.

        work: importable by name on every worker.   items: taken as workers become free, so they may be
        generated.   The first error of `work` ends the run and is raised; a worker that dies is replaced and
        its item done again.
        """
        ...


@dataclass(frozen=True)
class Choice:
    """Which executor. workers: processes of our own.   address: a Dask scheduler that runs already.

    Who runs a scheduler can run code as its users (docs/runs.md), so elsewhere than on this machine it must
    be one of `tls://`. Raises InputError GP-R010, and GP-R020 for such an address without TLS.
    """

    kind: Kind = "serial"
    workers: int = 1
    address: str | None = None

    def __post_init__(self) -> None:
        for name, value, fine, expected in (
            ("executor", self.kind, self.kind in KINDS, f"one of {', '.join(KINDS)}"),
            ("workers", self.workers, self.workers >= 1, "a whole number of at least 1"),
            (
                "workers",
                self.workers,
                self.workers == 1 or self.kind != "serial",
                "executor processes or dask for more than one",
            ),
            (
                "address",
                self.address,
                self.address is None or self.kind == "dask",
                "executor dask beside it",
            ),
        ):
            if not fine:
                raise InputError(
                    "GP-R010",
                    f'{name} is "{value}"',
                    where=name,
                    expected=expected,
                    next_step="see docs/runs.md for the executors",
                )
        if self.address is not None:
            _refuse_open_wire(self.address)


def _refuse_open_wire(address: str) -> None:
    """Beyond this machine, only what is encrypted and knows who is at the other end."""
    scheme, found, rest = address.partition("://")
    place = rest if found else address
    if scheme == "tls" and found:
        return
    if (scheme == "tcp" or not found) and _is_this_machine(place):
        return
    raise InputError(
        "GP-R020",
        f'the scheduler "{address}" would be talked to without encryption',
        where="address",
        expected="tls://HOST:PORT, or tcp://127.0.0.1:PORT on this machine",
        next_step="start it with certificates, see docs/runs.md",
    )


def _is_this_machine(place: str) -> bool:
    host = place.rpartition(":")[0] if place.count(":") == 1 or "]" in place else place
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def start(choice: Choice) -> AbstractContextManager[Executor]:
    """The executor of this choice, ready; its workers end with the block.

    Raises EnvironmentProblemError GP-R009 (Dask is missing or does not answer).
    """
    if choice.kind == "processes":
        from glueprint.runs.processes import Processes

        return nullcontext(Processes(choice.workers))
    if choice.kind == "dask":
        from glueprint.runs import cluster

        return cluster.connect(choice.workers, choice.address)
    return nullcontext(Serial())


class Serial:
    """One item after another, here."""

    hands = 1

    def run(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> Answers[Answer]:
        """See `Executor.run`."""
        for place, item in enumerate(items):
            yield place, work(item)


@dataclass(frozen=True)
class Failure:
    """An error on its way from a worker."""

    error: GlueprintError


def attempt(work: Callable[[Item], Answer], item: Item) -> Answer | Failure:
    """On a worker: the answer, or the error as something that can travel."""
    try:
        return work(item)
    except GlueprintError as error:
        return Failure(error)
    except Exception as error:
        unknown = InternalError(
            "GP-R012",
            f"a worker met an unexpected {type(error).__name__}: {error}",
            next_step="report this with the command and its input; what was done is kept",
        )
        unknown.add_note(traceback.format_exc())
        return Failure(unknown)


def lost(place: int, how: str) -> EnvironmentProblemError:
    """The error for an item that ended its worker again and again."""
    return EnvironmentProblemError(
        "GP-R008",
        f"{LOSSES} workers ended while they worked on unit {place + 1}: {how}",
        where="executor",
        expected="workers that live until their unit is done",
        next_step="give them more memory or use fewer workers, and run again: what was done is kept",
    )
