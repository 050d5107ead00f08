"""The ensemble engine against libroadrunner at equal achieved error, on one 28-state model.

`python -m benchmarks.engine --json` prints every number; `--quick` takes fewer patients; `--plot FILE.html`
draws work against precision; `--scale` goes up to a million patients (minutes). Peers run one patient at a
time with a restart at every dose, as their users would. The error of a patient is its largest relative
deviation over 26 states and all daily outputs, floor 1e-3 of the state's own maximum plus 1e-9 (the gut and
the absorption transit are left out: their troughs are below any absolute tolerance). Seconds are those of the
processor, so that ratios hold on a busy machine (`threads` and `scale`: of the wall). The reference is this
engine at accuracy 1e-12; its own error is bounded by libroadrunner's agreement at tight tolerance
(tests/engine/test_parity.py).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint import engine
from glueprint.engine import Doses, Model, Settings
from glueprint.engine.compiled import CompiledSolver
from glueprint.engine.reading import read
from glueprint.formulas.cache import Cache
from glueprint.formulas.compiler import host

MODEL = Path(__file__).with_name("engine.ant")
VARIED = (
    *("ktra", "ka", "CL", "Vc", "Q", "Vp", "kin", "fu"),
    *("kon", "koff", "kc", "crbn0", "kont", "koff1", "koff2", "kub1", "kub2", "kprot"),
    *("kdeg1", "sub10", "kdeg2", "sub20", "kd1", "kd2", "ktrn", "ktrp", "ec50n", "kg", "kkill"),
)
LEFT_OUT = ("gut", "absorbed")
SPREAD = 0.3  # standard deviation of the logarithm of each varied parameter
DOSE_NMOL = 14650.0  # 4 mg of 273 g/mol
DOSE_DAYS, CYCLE_DAYS = 21, 28
ACCURACIES = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7)
PEER_TOLERANCES = ((1e-5, 1e-8), (1e-6, 1e-9), (1e-8, 1e-11))
TARGET_ERROR = 1e-5  # at which the ratio is taken
FEW, REPEATS = (1, 2, 3, 8), 5
SCALE = (1_000, 10_000, 100_000, 1_000_000)
PART = 20_000  # patients drawn and simulated at a time

Floats = NDArray[np.float64]


def parameters(model: Model, patients: int, seed: int = 1) -> dict[str, Floats]:
    """Log-normal values around the model's, one row per patient."""
    rng = np.random.default_rng(seed)
    return {name: model.defaults[name] * np.exp(SPREAD * rng.standard_normal(patients)) for name in VARIED}


def run(
    model: Model, patients: int, accuracy: float, *, cycles: int = 1, threads: int = 1
) -> tuple[Any, float]:
    """Trajectories at the end of every day, and seconds of processor time."""
    settings = Settings.coarse(accuracy, threads=threads)
    ensemble = model.ensemble(parameters(model, patients), settings=settings)
    days = np.concatenate([np.arange(DOSE_DAYS) + CYCLE_DAYS * c for c in range(cycles)])
    doses = Doses.every_patient(patients, days * 24.0, "gut", DOSE_NMOL)
    times = np.arange(1, CYCLE_DAYS * cycles + 1) * 24.0
    before = time.process_time()
    result = ensemble.simulate(times, doses)
    return result, time.process_time() - before


def few_rows(model: Model) -> list[dict[str, float]]:
    """Milliseconds a patient where there are few, their making and dosing included."""
    times = np.arange(1, CYCLE_DAYS + 1) * 24.0
    rows = []
    for patients in FEW:
        spent = []
        for _ in range(REPEATS):
            before = time.process_time()
            run(model, patients, TARGET_ERROR)
            made = time.process_time()
            doses = Doses.every_patient(patients, np.arange(DOSE_DAYS) * 24.0, "gut", DOSE_NMOL)
            engine.verified(model, times, parameters(model, patients), doses=doses, patients=patients)
            spent.append((made - before, time.process_time() - made))
        coarse, checked = 1e3 * np.median(spent, axis=0) / patients
        rows.append({"patients": patients, "ms_per_patient": coarse, "verified_ms_per_patient": checked})
    return rows


def error_of(got: Floats, reference: Floats) -> Floats:
    """Largest relative deviation of every patient; arrays (patients, times, states)."""
    peak = np.abs(reference).max(axis=1, keepdims=True)
    deviation = np.abs(got - reference) / (np.abs(reference) + 1e-3 * peak + 1e-9)
    return np.asarray(deviation.max(axis=(1, 2)))


def kept(model: Model) -> list[int]:
    return [i for i, name in enumerate(model.species) if name not in LEFT_OUT]


def work_precision(model: Model, reference: Floats, patients: int) -> list[dict[str, float]]:
    """Speed on one thread and achieved error over a range of accuracies."""
    rows = []
    for accuracy in ACCURACIES:
        sample, _ = run(model, len(reference), accuracy)
        error = error_of(sample.values[:, :, kept(model)], reference)
        seconds = min(run(model, patients, accuracy)[1] for _ in range(3))
        rows.append(
            {
                "accuracy": accuracy,
                "steps": float(sample.steps[:, 0].mean()),
                "rejected": float(sample.steps[:, 1].mean()),
                "error_median": float(np.median(error)),
                "error_p95": float(np.quantile(error, 0.95)),
                "patients_per_s": patients / seconds,
            }
        )
    return rows


def roadrunner_rows(model: Model, reference: Floats, patients: int) -> list[dict[str, float]]:
    """libroadrunner (CVODE), restarted at every dose; empty where it is not installed."""
    try:
        import libsbml
        import roadrunner
    except ImportError:
        return []
    roadrunner.Logger.disableLogging()
    document, _ = read(MODEL)
    runner = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    values = parameters(model, len(reference))
    names = [model.species[i] for i in kept(model)]
    rows = []
    for relative, absolute in PEER_TOLERANCES:
        runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = relative, absolute
        before = time.process_time()
        with _quiet():
            got = np.array([_one_by_roadrunner(runner, values, i, names) for i in range(patients)])
        seconds = time.process_time() - before
        error = error_of(got, reference[:patients])
        rows.append(
            {
                "relative": relative,
                "absolute": absolute,
                "error_median": float(np.median(error)),
                "error_p95": float(np.quantile(error, 0.95)),
                "patients_per_s": patients / seconds,
            }
        )
    return rows


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """libroadrunner prints CVODE's warnings on standard output, line after line."""
    sys.stdout.flush()
    kept_output = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept_output, 1)
        os.close(kept_output)
        os.close(nowhere)


def _one_by_roadrunner(runner: Any, values: dict[str, Floats], patient: int, names: list[str]) -> Floats:
    """Daily values of one patient. Initial values follow the parameters, as in this engine."""
    runner.resetAll()
    for name, column in values.items():
        runner.model[name] = column[patient]
    runner.reset()
    for state, parameter in INITIAL.items():
        runner.model[state] = runner.model[parameter]
    runner.model["mprot"] = (
        runner.model["ksec"] / runner.model["kclm"] * (runner.model["sens0"] + runner.model["resist0"])
    )
    rows = []
    for day in range(CYCLE_DAYS):
        if day < DOSE_DAYS:
            runner.model["gut"] = runner.model["gut"] + DOSE_NMOL
        runner.simulate(day * 24.0, (day + 1) * 24.0, 2)
        rows.append([runner.model[name] for name in names])
    return np.array(rows)


INITIAL = {
    "crbn": "crbn0",
    "sub1": "sub10",
    "sub2": "sub20",
    **dict.fromkeys(("nprol", "nt1", "nt2", "nt3", "neut"), "neut0"),
    **dict.fromkeys(("pprol", "pt1", "pt2", "pt3", "plat"), "plat0"),
    "sens": "sens0",
    "resist": "resist0",
}


def compile_times() -> dict[str, float]:
    """Seconds from text to running code, cold and with the object on disk."""
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        for label in ("cold", "warm"):
            before = time.perf_counter()
            model = engine.compile(MODEL)
            read_in = time.perf_counter()
            CompiledSolver(model.system, model.hash, Cache(Path(folder))).machine  # noqa: B018 - compiles
            seconds[f"{label}_s"] = time.perf_counter() - before
            seconds[f"{label}_front_end_s"] = read_in - before
    return seconds


def _wall(model: Model, patients: int, threads: int) -> float:
    before = time.perf_counter()
    run(model, patients, TARGET_ERROR, threads=threads)
    return time.perf_counter() - before


def threads_row(model: Model, patients: int) -> dict[str, float]:
    """Gain of two threads over one."""
    one, two = (min(_wall(model, patients, threads) for _ in range(3)) for threads in (1, 2))
    return {"one_patients_per_s": patients / one, "two_patients_per_s": patients / two, "gain": one / two}


def scale_rows(model: Model) -> list[dict[str, float]]:
    """Cost and peak memory from a thousand to a million patients, a cycle each, reduced as they come."""
    rows = []
    days = np.arange(DOSE_DAYS) * 24.0
    times = np.arange(1, CYCLE_DAYS + 1) * 24.0
    for patients in SCALE:
        before, lowest = time.perf_counter(), np.inf
        for start in range(0, patients, PART):
            size = min(PART, patients - start)
            ensemble = model.ensemble(
                parameters(model, size, seed=start), settings=Settings.coarse(TARGET_ERROR)
            )
            doses = Doses.every_patient(size, days, "gut", DOSE_NMOL)
            part = ensemble.simulate(times, doses, outputs=["neut"])
            lowest = min(lowest, float(part.values.min()))
        rows.append(
            {
                "patients": patients,
                "patients_per_s": patients / (time.perf_counter() - before),
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "lowest_neutrophils": lowest,
            }
        )
    return rows


def at_error(rows: list[dict[str, float]], error: float, which: str = "error_median") -> float:
    """Speed at an error, interpolated between measured points on logarithmic axes."""
    ordered = sorted(rows, key=lambda row: row[which])
    errors = np.log([row[which] for row in ordered])
    speeds = np.log([row["patients_per_s"] for row in ordered])
    return float(np.exp(np.interp(np.log(error), errors, speeds)))


def measure(*, quick: bool, scale: bool) -> dict[str, Any]:
    """All numbers of the report."""
    model = engine.compile(MODEL)
    sample, patients, peers = (16, 256, 4) if quick else (256, 4096, 48)
    reference = run(model, sample, 1e-12)[0].values[:, :, kept(model)]
    ours = work_precision(model, reference, patients)
    theirs = roadrunner_rows(model, reference, min(peers, sample))
    year, seconds = run(model, patients // 8, TARGET_ERROR, cycles=12)
    report: dict[str, Any] = {
        "machine": {
            "cpu": host().cpu,
            "lanes": host().width,
            "cores": os.cpu_count(),
            "system": platform.platform(),
        },
        "model": {"states": len(model.system.states), "reactions": len(model.reactions)},
        "compile": compile_times(),
        "work_precision": ours,
        "libroadrunner": theirs,
        "few": few_rows(model),
        "threads": threads_row(model, patients),
        "twelve_cycles_patients_per_s": len(year.status) / seconds,
        "patients_per_s_at_p95_error_2e-5": at_error(ours, 2e-5, "error_p95"),
    }
    if scale:
        report["scale"] = scale_rows(model)
    if theirs:
        known = sorted(row["error_median"] for row in theirs)
        error = min(max(TARGET_ERROR, known[0]), known[-1])
        report["ratio_at_error"] = error
        report["ratio_to_libroadrunner"] = at_error(ours, error) / at_error(theirs, error)
    return report


def plot(report: dict[str, Any], path: Path) -> None:
    """Work against precision, as one offline page."""
    import altair as alt
    import polars as pl

    rows = [{**row, "tool": "Glueprint"} for row in report["work_precision"]]
    rows += [{**row, "tool": "libroadrunner"} for row in report["libroadrunner"]]
    names = ("tool", "error_median", "patients_per_s")
    table = pl.DataFrame([{name: row[name] for name in names} for row in rows])
    chart = (
        alt.Chart(table)
        .mark_line(point=True)
        .encode(
            x=alt.X("error_median", scale=alt.Scale(type="log"), title="achieved relative error, median"),
            y=alt.Y("patients_per_s", scale=alt.Scale(type="log"), title="patients per second and core"),
            color=alt.Color("tool", title=None),
        )
        .properties(width=520, height=340, title="One 28-day cycle of a 28-state model")
    )
    chart.save(str(path), inline=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON (otherwise a few lines)")
    parser.add_argument("--quick", action="store_true", help="few patients: checks that it runs")
    parser.add_argument("--scale", action="store_true", help="also up to a million patients: minutes")
    parser.add_argument("--plot", type=Path, help="also write a work-precision plot, HTML")
    options = parser.parse_args()
    report = measure(quick=options.quick, scale=options.scale)
    if options.plot:
        plot(report, options.plot)
    if options.json:
        json.dump(report, sys.stdout, indent=2)
        print()
        return
    for row in report["work_precision"]:
        print("  ".join(f"{key} {value:.3g}" for key, value in row.items()))
    for key in (
        "libroadrunner",
        "ratio_to_libroadrunner",
        "few",
        "threads",
        "compile",
        "twelve_cycles_patients_per_s",
        "patients_per_s_at_p95_error_2e-5",
        "scale",
    ):
        print(key, report.get(key))


if __name__ == "__main__":
    main()
