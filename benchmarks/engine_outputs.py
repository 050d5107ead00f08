"""What outputs, events and a patient alone cost, beside libroadrunner at equal achieved error.

`python -m benchmarks.engine_outputs --json` takes the model of `benchmarks.engine` with outputs every day,
every hour and every quarter of an hour, with 31 events instead of doses, and one patient alone. The ratio is
of patients per second on one core at a median error of 1e-5, both tools measured in the same run; the
reference is this engine at accuracy 1e-12 with a stop at every output.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.engine import (
    DOSE_DAYS,
    DOSE_NMOL,
    INITIAL,
    MODEL,
    TARGET_ERROR,
    at_error,
    error_of,
    kept,
    parameters,
)
from benchmarks.engine import _quiet as quiet
from glueprint import engine
from glueprint.engine import Doses, Model, Settings
from glueprint.engine.reading import read

DAYS = 28
EVENTS, EVENT_DAYS = 31, 32
GRIDS = {"daily": 24.0, "hourly": 1.0, "quarter of an hour": 0.25}
ACCURACIES = (3e-5, 1e-5, 3e-6)
PEER_TOLERANCES = ((1e-5, 1e-8), (1e-6, 1e-9), (1e-7, 1e-10))
SAMPLE = 8  # patients whose error is measured, and whom the peer runs
WITH_EVENTS = """
  next_dose = 24;
  dosing: at (time >= next_dose): gut = gut + {dose}, next_dose = next_dose + 24;
end
"""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """What both tools do: a model, its output times, and whether doses are events of the model."""

    name: str
    model: Model
    text: str
    times: Floats
    has_events: bool


def tasks() -> list[Task]:
    """The grids of outputs, then the events."""
    plain = MODEL.read_text(encoding="utf-8")
    model = engine.compile(plain)
    grids = [
        Task(name, model, plain, _multiples(every, round(DAYS * 24 / every)), has_events=False)
        for name, every in GRIDS.items()
    ]
    eventful = plain.rstrip().removesuffix("end") + WITH_EVENTS.format(dose=DOSE_NMOL)
    days = _multiples(24.0, EVENT_DAYS)
    return [*grids, Task(f"{EVENTS} events", engine.compile(eventful), eventful, days, has_events=True)]


def _multiples(every: float, count: int) -> Floats:
    return np.asarray(np.arange(1, count + 1) * every, dtype=np.float64)


def ours(task: Task, patients: int, settings: Settings) -> tuple[Any, float]:
    """Trajectories of the first patients, and seconds."""
    values = {
        name: column[:patients] for name, column in parameters(task.model, max(patients, SAMPLE)).items()
    }
    ensemble = task.model.ensemble(values, settings=settings)
    doses = None
    if not task.has_events:
        doses = Doses.every_patient(patients, np.arange(DOSE_DAYS) * 24.0, "gut", DOSE_NMOL)
    before = time.perf_counter()
    result = ensemble.simulate(task.times, doses)
    return result, time.perf_counter() - before


def theirs(task: Task, relative: float, absolute: float) -> tuple[Floats, float]:
    """Values (patients, times, states) of libroadrunner, and seconds."""
    import libsbml
    import roadrunner

    roadrunner.Logger.disableLogging()
    document, _ = read(task.text)
    runner = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = relative, absolute
    names = [task.model.species[i] for i in kept(task.model)]
    runner.timeCourseSelections = names
    values = parameters(task.model, SAMPLE)
    before = time.perf_counter()
    with quiet():
        rows = np.array([_one(runner, task, {k: v[i] for k, v in values.items()}) for i in range(SAMPLE)])
    return rows, time.perf_counter() - before


def _one(runner: Any, task: Task, values: dict[str, float]) -> Floats:
    runner.resetAll()
    for name, value in values.items():
        runner.model[name] = value
    runner.reset()
    for state, parameter in INITIAL.items():
        runner.model[state] = runner.model[parameter]
    m = runner.model
    m["mprot"] = m["ksec"] / m["kclm"] * (m["sens0"] + m["resist0"])
    if task.has_events:
        return np.array(runner.simulate(0.0, task.times[-1], task.times.size + 1))[1:]
    per_day = round(24.0 / task.times[0])
    parts = []
    for day in range(DAYS):
        if day < DOSE_DAYS:
            m["gut"] = m["gut"] + DOSE_NMOL
        parts.append(np.array(runner.simulate(day * 24.0, (day + 1) * 24.0, per_day + 1))[1:])
    return np.concatenate(parts)


def compared(task: Task, patients: int) -> dict[str, Any]:
    """Speed and error of both tools, and their ratio at equal error."""
    exact = Settings.coarse(1e-12, threads=1, stop_at_outputs=True)
    reference = ours(task, SAMPLE, exact)[0].values[:, :, kept(task.model)]
    mine, peer = [], []
    for accuracy in ACCURACIES:
        settings = Settings.coarse(accuracy, threads=1)
        got = ours(task, SAMPLE, settings)[0]
        seconds = min(ours(task, patients, settings)[1] for _ in range(2))
        error = error_of(got.values[:, :, kept(task.model)], reference)
        mine.append(_row(error, patients / seconds, accuracy=accuracy, steps=float(got.steps[:, 0].mean())))
    for relative, absolute in PEER_TOLERANCES:
        got_there, seconds = theirs(task, relative, absolute)
        peer.append(_row(error_of(got_there, reference), SAMPLE / seconds, relative=relative))
    return {"ours": mine, "libroadrunner": peer, "ratio": _ratio(mine, peer)}


def _row(error: Floats, speed: float, **more: float) -> dict[str, float]:
    return {
        **more,
        "error_median": float(np.median(error)),
        "error_p95": float(np.quantile(error, 0.95)),
        "patients_per_s": speed,
    }


def _ratio(mine: list[dict[str, float]], peer: list[dict[str, float]]) -> dict[str, float]:
    """Of speeds at an error that both have."""
    errors = [sorted(row["error_median"] for row in rows) for rows in (mine, peer)]
    error = float(np.clip(TARGET_ERROR, max(e[0] for e in errors), min(e[-1] for e in errors)))
    return {"at_error": error, "ratio": at_error(mine, error) / at_error(peer, error)}


def alone(task: Task) -> dict[str, float]:
    """One patient by himself, the ensemble's making included: seconds and ratio by each control of errors."""
    exact = Settings.coarse(1e-12, threads=1, stop_at_outputs=True)
    reference = ours(task, SAMPLE, exact)[0].values[:, :, kept(task.model)]
    got_there, seconds = theirs(task, 1e-6, 1e-9)
    peer = seconds / SAMPLE
    found = {"libroadrunner_s": peer, "libroadrunner_error": float(np.median(error_of(got_there, reference)))}
    one = reference[:1]
    for name, settings in (("coarse", Settings.coarse(TARGET_ERROR)), ("default", Settings())):
        mine = _fastest(partial(ours, task, 1, settings))
        found[f"{name}_s"], found[f"{name}_ratio"] = mine, peer / mine
        values = ours(task, 1, settings)[0].values[:, :, kept(task.model)]
        found[f"{name}_error"] = float(error_of(values, one)[0])
    return found


def _fastest(call: Callable[[], Any]) -> float:
    def once() -> float:
        before = time.perf_counter()
        call()
        return time.perf_counter() - before

    return min(once() for _ in range(5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON (otherwise a few lines)")
    parser.add_argument("--patients", type=int, default=512, help="that this engine runs at once")
    options = parser.parse_args()
    everything = tasks()
    report: dict[str, Any] = {task.name: compared(task, options.patients) for task in everything}
    report["one patient"] = alone(everything[0])
    if options.json:
        json.dump(report, sys.stdout, indent=2)
        print()
        return
    for name, found in report.items():
        print(name, found.get("ratio", found))


if __name__ == "__main__":
    main()
