"""Dose-response fits against SciPy, CurveCurator and drc: speed and accuracy side by side, in one run.

`python -m benchmarks.curves --json` prints every number; `--quick` takes fewer curves. Ten-point
four-parameter curves, half-log from 0.316 nM to 10 uM, pEC50 5.3 to 9.2, log-normal slopes, sd 0.04, fixed
seed. Every tool runs on one thread and sees the same curves; slow ones see the first of them. `same_optimum`
is the share of curves whose sum of squares lies within 1e-6 (relative) of the best that any tool found,
`within_1_percent` the share within 0.01; a failed fit counts as a miss. Peers start where their users would:
SciPy from the plateaus seen and the dose nearest half way, the others by themselves. CurveCurator (Python)
and drc (R) take part where they are installed; CurveCurator's fits are bounded.
"""

from __future__ import annotations

# ruff: noqa: E402 - threads are pinned before numpy is imported
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # a peer on two threads would be another measurement

import argparse
import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.special import expit

from glueprint import curves
from glueprint.curves import kernel
from glueprint.curves.search import FIRST
from glueprint.curves.status import Status
from glueprint.formulas.compiler import host

POINTS, SPREAD, NOISE, SEED = 10, 0.3, 0.04, 5
LOWEST, HIGHEST = 5.3, 9.2  # pEC50
SAME, NEAR = 1e-6, 1e-2
REPEATS = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """What a tool found for its curves: sums of squares (inf where it failed), which converged, seconds."""

    rss: Floats
    converged: NDArray[np.bool_]
    seconds: float
    version: str


def simulated(n: int) -> tuple[Floats, Floats]:
    """Doses (10,) in nM and responses (n, 10)."""
    rng = np.random.default_rng(SEED)
    dose = np.power(10.0, -0.5 + 0.5 * np.arange(POINTS))
    ec50 = 10.0 ** (9.0 - rng.uniform(LOWEST, HIGHEST, (n, 1)))
    slope = np.exp(rng.normal(0.0, SPREAD, (n, 1)))
    back = rng.uniform(0.0, 0.4, (n, 1))
    clean = back + (1.0 - back) / (1.0 + (dose / ec50) ** slope)
    return dose, np.asarray(clean + rng.normal(0.0, NOISE, clean.shape))


def rss_of(log10_dose: Floats, response: Floats, theta: Floats) -> Floats:
    """Sums of squares (n,) of front, back, log10 EC50 and slope (n, 4); inf where one is missing."""
    front, back, half, slope = (theta[:, i, None] for i in range(4))
    with np.errstate(all="ignore"):
        y = back + (front - back) * expit(-slope * np.log(10.0) * (log10_dose - half))
        rss = np.einsum("nm,nm->n", y - response, y - response)
    return np.where(np.isfinite(rss), rss, np.inf)


def ours(dose: Floats, response: Floats, *, intervals: bool = False) -> Run:
    """`curves.fit` from arrays to the frozen result: checks, starts, fits, errors, F test, status."""
    seconds = []
    for _ in range(REPEATS):
        before = time.perf_counter()
        fits = curves.fit("4pl", dose, response, intervals=intervals)
        seconds.append(time.perf_counter() - before)
    rss = rss_of(
        np.log10(dose), response, np.column_stack([fits.front, fits.back, fits.log10_ec50, fits.slope])
    )
    return Run(
        rss, fits.status != Status.NOT_CONVERGED, min(seconds), importlib.metadata.version("glueprint")
    )


def kernel_alone(dose: Floats, response: Floats) -> dict[str, float]:
    """The machine code without the Python around it: starts, and fits from the first starts."""
    task, n = curves.fit("4pl", dose, response, intervals=False).problem, len(response)
    begin, fit = [], []
    for _ in range(REPEATS):
        before = time.perf_counter()
        starts = kernel.starts(task)
        begin.append(time.perf_counter() - before)
        begun = starts[:FIRST].reshape(-1, 5)
        before = time.perf_counter()
        kernel.minimise(task, begun, np.tile(np.arange(n), FIRST))
        fit.append(time.perf_counter() - before)
    return {
        "grids_per_s": n / min(begin),
        "starts_per_curve": FIRST,
        "fits_from_one_start_per_s": FIRST * n / min(fit),
    }


def _model(x: Floats, front: float, back: float, half: float, ln_slope: float) -> Floats:
    return np.asarray(back + (front - back) * expit(-np.exp(ln_slope) * np.log(10.0) * (x - half)))


def _jacobian(x: Floats, front: float, back: float, half: float, ln_slope: float) -> Floats:
    steep = np.exp(ln_slope) * np.log(10.0)
    t = steep * (x - half)
    share = expit(-t)
    bend = (front - back) * share * (1.0 - share)
    return np.stack([share, 1.0 - share, bend * steep, -bend * t], axis=1)


def by_scipy(dose: Floats, response: Floats, *, jacobian: bool) -> Run:
    """`curve_fit(method="lm")` curve by curve, on log10 EC50 and ln slope as we do."""
    x = np.log10(dose)
    theta = np.full((len(response), 4), np.nan)
    slopes = _jacobian if jacobian else None
    before = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        for i, y in enumerate(response):
            middle = x[np.argmin(np.abs(y - 0.5 * (y[0] + y[-1])))]
            try:
                theta[i], _ = curve_fit(_model, x, y, p0=(y[0], y[-1], middle, 0.0), method="lm", jac=slopes)
            except RuntimeError:
                continue  # stays missing, and is counted
    seconds = time.perf_counter() - before
    theta[:, 3] = np.exp(np.minimum(theta[:, 3], 700.0))
    found = ~np.isnan(theta).any(axis=1)
    return Run(rss_of(x, response, theta), found, seconds, scipy.__version__)


def by_curve_curator(dose: Floats, response: Floats) -> Run | None:
    """CurveCurator's logistic model with its standard optimiser; None where it is not installed."""
    try:
        from curve_curator.models import LogisticModel  # type: ignore[import-not-found]
    except ImportError:
        return None
    theta = np.full((len(response), 4), np.nan)
    x = np.log10(dose) - 9.0  # molar
    before = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i, y in enumerate(response):
            model = LogisticModel()
            model.set_boundaries(x)
            model.efficiently_fit_ols(x, y, noise=np.std(y))
            fitted = model.get_fitted_params()
            theta[i] = fitted["front"], fitted["back"], 9.0 - fitted["pec50"], fitted["slope"]
    seconds = time.perf_counter() - before
    found = ~np.isnan(theta).any(axis=1)
    version = importlib.metadata.version("curve_curator")
    return Run(rss_of(np.log10(dose), response, theta), found, seconds, version)


DRC = """
suppressMessages(library(drc))
table <- as.matrix(read.csv(commandArgs(TRUE)[1], header = FALSE))
dose <- table[1, ]
result <- matrix(NA_real_, nrow(table) - 1, 4)
seconds <- system.time(for (i in 2:nrow(table)) {
  fit <- suppressWarnings(try(drm(table[i, ] ~ dose, fct = LL2.4()), silent = TRUE))
  if (!inherits(fit, "try-error")) result[i - 1, ] <- coef(fit)
})[["elapsed"]]
write.table(result, commandArgs(TRUE)[2], sep = ",", row.names = FALSE, col.names = FALSE, na = "nan")
cat(seconds, as.character(packageVersion("drc")))
"""


def by_drc(dose: Floats, response: Floats) -> Run | None:
    """drc's `drm` with LL2.4 (log ED50) through Rscript; None where either is not installed."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        script, given, found = (Path(folder) / name for name in ("fit.R", "given.csv", "found.csv"))
        script.write_text(DRC, encoding="utf-8")
        np.savetxt(given, np.vstack([dose, response]), delimiter=",")
        done = subprocess.run(
            [rscript, str(script), str(given), str(found)], capture_output=True, text=True, check=False
        )
        if "there is no package called" in done.stderr:
            return None
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        b, c, d, e = np.loadtxt(found, delimiter=",", ndmin=2).T
    seconds, version = done.stdout.split()
    # drc's b is below 0 for curves written from the other plateau: the same curve with the plateaus swapped.
    front, back = np.where(b > 0.0, d, c), np.where(b > 0.0, c, d)
    theta = np.stack([front, back, e / np.log(10.0), np.abs(b)], axis=1)
    rss = rss_of(np.log10(dose), response, theta)
    return Run(rss, np.isfinite(rss), float(seconds), version)


def measure(*, quick: bool) -> dict[str, Any]:
    """All numbers of the report."""
    n, slow = (500, 20) if quick else (10_000, 500)
    dose, response = simulated(n)
    before = time.perf_counter()
    curves.fit("4pl", dose, response[:8])
    first = time.perf_counter() - before
    runs: dict[str, Run | None] = {"glueprint": ours(dose, response)}
    peers: dict[str, Callable[[], Run | None]] = {
        "scipy_lm": lambda: by_scipy(dose, response, jacobian=False),
        "scipy_lm_jacobian": lambda: by_scipy(dose, response, jacobian=True),
        "curve_curator": lambda: by_curve_curator(dose, response[:slow]),
        "drc": lambda: by_drc(dose, response[:slow]),
    }
    for name, fit in peers.items():
        runs[name] = fit()
    with_intervals = ours(dose, response, intervals=True)
    present = {name: run for name, run in runs.items() if run is not None}
    best = np.full(n, np.inf)
    for run in present.values():
        best[: run.rss.size] = np.minimum(best[: run.rss.size], run.rss)
    rows = {name: _row(run, best, runs["glueprint"]) for name, run in present.items()}
    return {
        "machine": {
            "cpu": host().cpu,
            "lanes": host().width,
            "cores": os.cpu_count(),
            "threads_used": 1,
            "system": platform.platform(),
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "curves": n,
        "points": POINTS,
        "tools": rows,
        "not_installed": sorted(runs.keys() - present.keys()),
        "kernel": kernel_alone(dose, response),
        "with_intervals_fits_per_s": n / with_intervals.seconds,
        "seconds_with_intervals_10000": 10_000 * with_intervals.seconds / n,
        "first_call_s": first,
    }


def _row(run: Run, best: Floats, reference: Run | None) -> dict[str, Any]:
    assert reference is not None
    n = run.rss.size
    miss = (run.rss - best[:n]) / best[:n]
    speed, ours_per_s = n / run.seconds, reference.rss.size / reference.seconds
    return {
        "version": run.version,
        "curves": n,
        "fits_per_s": speed,
        "converged": float(np.mean(run.converged)),
        "converged_fits_per_s": speed * float(np.mean(run.converged)),
        "same_optimum": float(np.mean(miss <= SAME)),
        "within_1_percent": float(np.mean(miss <= NEAR)),
        "converged_elsewhere": float(np.mean(run.converged & (miss > NEAR))),
        "glueprint_is_faster_by": ours_per_s / speed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON (otherwise a few lines)")
    parser.add_argument("--quick", action="store_true", help="few curves: checks that it runs")
    options = parser.parse_args()
    report = measure(quick=options.quick)
    if options.json:
        json.dump(report, sys.stdout, indent=2)
        print()
        return
    for name, row in report["tools"].items():
        print(name, "  ".join(f"{key} {value:.4g}" for key, value in row.items() if key != "version"))
    for key in ("kernel", "seconds_with_intervals_10000", "first_call_s", "not_installed", "machine"):
        print(key, report[key])


if __name__ == "__main__":
    main()
