"""How far a run is: units done, their rate, what remains, how many patients failed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from glueprint.boundary import clock
from glueprint.runs.store import disk_errors

__all__ = ["Counter", "Listener", "Step", "events_into", "silent"]

KIND, VERSION = "glueprint-progress", 1


@dataclass(frozen=True)
class Step:
    """One moment of a run.

    what: being done now.   done, total: units.   failed_patients: so far.   seconds: since the run began.
    here: units that this run computed itself; the rest was found from an earlier one.
    """

    what: str
    done: int
    total: int
    failed_patients: int
    seconds: float
    here: int

    @property
    def share(self) -> float:
        """Units done over all, 0 to 1."""
        return self.done / self.total if self.total else 1.0

    @property
    def per_second(self) -> float | None:
        """Units a second that this run computes; None before the first."""
        return self.here / self.seconds if self.here and self.seconds > 0 else None

    @property
    def remaining_s(self) -> float | None:
        """Seconds until all units are done at the present rate; None before the first."""
        return (self.total - self.done) / self.per_second if self.per_second else None


Listener = Callable[[Step], None]


@dataclass
class Counter:
    """Counts units for a listener. found: units that were there at the start."""

    listener: Listener
    total: int
    found: int = 0
    failed_patients: int = 0
    here: int = 0
    begun: float = field(default_factory=time.perf_counter)

    def tell(self, what: str, units: int = 0, failed: int = 0) -> None:
        """Something began or ended: `units` more are done, with `failed` patients."""
        self.here += units
        self.failed_patients += failed
        done = self.found + self.here
        seconds = round(time.perf_counter() - self.begun, 3)
        self.listener(Step(what, done, self.total, self.failed_patients, seconds, self.here))


def silent(*_told: object) -> None:
    """A listener for runs whose progress nobody wants to know."""


@contextmanager
def events_into(path: Path) -> Iterator[Listener]:
    """A listener that adds a JSON line to a file for every step, flushed, so that a page can follow it.

    Raises what `store.disk_errors` raises.
    """
    with disk_errors(path):
        stream = path.open("a", encoding="utf-8", buffering=1)

    def write(step: Step) -> None:
        event = {
            "kind": KIND,
            "version": VERSION,
            "utc": clock.text(),
            "what": step.what,
            "units_done": step.done,
            "units_total": step.total,
            "units_per_second": step.per_second,
            "remaining_s": step.remaining_s,
            "failed_patients": step.failed_patients,
            "seconds": step.seconds,
        }
        with disk_errors(path):
            stream.write(json.dumps(event) + "\n")

    with stream:
        yield write
