"""Kd of the tracer from a titration with protein: exact with depletion, the hyperbola beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from glueprint.assays.findings import Finding
from glueprint.assays.polarization import potencies, titration
from glueprint.assays.polarization import signal as optical
from glueprint.assays.polarization.penalised import LOG10_CONSTANT, Estimates
from glueprint.assays.polarization.plates import Contents
from glueprint.assays.polarization.result import CURVES, TITRATIONS
from glueprint.assays.polarization.settings import Amount, Optics
from glueprint.curves import Potency
from glueprint.errors import InputError

__all__ = ["TRACER", "Titrated", "of_plate", "saturation"]

Floats = NDArray[np.float64]

# Kd and Q come from each other; they stand still after a few turns.
TURNS, STANDSTILL = 30, 1e-10
LEAST_LEVELS = 4
DRAWN = 81
# The name under which a titration stands beside the compounds.
TRACER = "tracer titration"


def saturation(
    protein_nm: ArrayLike,
    response: ArrayLike,
    tracer: Amount,
    *,
    intensity: ArrayLike | None = None,
    brightness_ratio: float | None = None,
    confidence: float = 0.95,
) -> tuple[Potency, pl.DataFrame]:
    """Kd of a tracer from a titration with protein.

    protein_nm: (m,) total.   response: (m,) anisotropy, or any signal that is linear in what is bound; NaN is
    missing.   tracer: total.   intensity: (m,) total intensities, from which Q is found in turn with Kd.
    brightness_ratio: Q, where it is known; with neither, Q is 1.
    Returns the Kd and a table with the rows "quadratic" and "hyperbola" of `result.TITRATIONS`.
    Raises InputError GP-A063 for fewer than four protein concentrations above zero.
    Source: quadratic binding equation, docs/polarization.md, "Titration".
    """
    protein, signal = np.asarray(protein_nm, dtype=float), np.asarray(response, dtype=float)
    light = None if intensity is None else np.asarray(intensity, dtype=float)
    exact, plain, q = _both(protein, signal, tracer, (light, brightness_ratio), confidence)
    rows = [_row("quadratic", exact, exact, q), _row("hyperbola", plain, exact, q)]
    return potencies.constant("Kd", exact), pl.DataFrame(rows, schema=TITRATIONS)


def _both(
    protein: Floats,
    signal: Floats,
    tracer: Amount,
    light: tuple[Floats | None, float | None],
    confidence: float,
) -> tuple[Estimates, Estimates, float]:
    """The quadratic and the hyperbola of a titration, and Q; light: intensities, or Q where it is known."""
    intensity, brightness_ratio = light
    measured = np.isfinite(signal)
    levels = np.unique(protein[measured & (protein > 0.0)])
    if levels.size < LEAST_LEVELS:
        raise InputError(
            "GP-A063",
            f"{levels.size} protein concentrations above zero",
            where="titration",
            expected=f"at least {LEAST_LEVELS}, from well below to well above the Kd",
            next_step="measure more, or give the tracer Kd as a number",
        )
    q, q_sd = (1.0, 0.0) if brightness_ratio is None else (brightness_ratio, 0.0)
    if intensity is not None and brightness_ratio is None:
        q, q_sd = _with_brightness(protein, signal, tracer, intensity, confidence)
    exact = _fit(protein, signal, (tracer.value_nm, tracer.log_sd), (q, q_sd), confidence)
    nothing = titration.HYPERBOLA * float(levels.min())
    return exact, _fit(protein, signal, (nothing, 0.0), (q, q_sd), confidence), q


@dataclass(frozen=True)
class Titrated:
    """What the titration of a plate gave; empty where there is none."""

    kd: Potency | None = None
    table: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TITRATIONS))
    curves: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CURVES))
    findings: tuple[Finding, ...] = ()


def of_plate(plate: Contents, tracer: Amount | None, optics: Optics, confidence: float) -> Titrated:
    """The titration of a plate, its tracer without protein as the zero; nothing where there is none."""
    if plate.titrated.is_empty():
        return Titrated()
    if tracer is None:
        return Titrated(findings=(_no_tracer(plate.where),))
    wells = pl.concat([plate.free.with_columns(concentration_nm=pl.lit(0.0)), plate.titrated])
    light = wells["intensity"].fill_null(math.nan).to_numpy()
    known = (light if np.isfinite(light).all() else None, optics.brightness_ratio)
    protein, signal = wells["concentration_nm"].to_numpy(), wells["anisotropy"].to_numpy()
    exact, plain, q = _both(protein, signal, tracer, known, confidence)
    rows = [_row("quadratic", exact, exact, q), _row("hyperbola", plain, exact, q)]
    table = pl.DataFrame(rows, schema=TITRATIONS).with_columns(plate=pl.lit(plate.plate))
    drawn = [
        _drawn(plate.plate, name, found, protein)
        for name, found in ((TRACER, exact), (f"{TRACER}, hyperbola", plain))
    ]
    return Titrated(potencies.constant("Kd", exact), table, pl.concat(drawn))


def _drawn(plate: str, name: str, found: Estimates, protein: Floats) -> pl.DataFrame:
    """The fitted curve for the figure, from half a decade below to above the protein concentrations."""
    tested = protein[protein > 0.0]
    grid = 10.0 ** np.linspace(np.log10(tested.min()) - 0.5, np.log10(tested.max()) + 0.5, DRAWN)
    fitted, slopes = titration.response(found.theta, grid[None])
    variance = np.einsum("mi,ij,mj->m", slopes[0], found.covariance[0], slopes[0])
    reach = student.ppf(0.5 + 0.5 * found.confidence, found.t_dof[0]) * np.sqrt(np.maximum(variance, 0.0))
    return pl.DataFrame(
        {
            "plate": [plate] * DRAWN, "sample": [name] * DRAWN, "dose_nm": grid,
            "anisotropy": fitted[0], "low": fitted[0] - reach, "high": fitted[0] + reach,
            "polarization_mp": optical.mp_from_anisotropy(fitted[0]),
        }
    )  # fmt: skip


def _fit(
    protein: Floats, signal: Floats, tracer: tuple[float, float], q: tuple[float, float], confidence: float
) -> Estimates:
    stated = np.log([[tracer[0], q[0]]])
    widths = np.array([[tracer[1], q[1]]])
    return titration.fit(
        titration.Titration(protein[None], signal[None], stated, widths), confidence=confidence
    )


def _with_brightness(
    protein: Floats, signal: Floats, tracer: Amount, light: Floats, confidence: float
) -> tuple[float, float]:
    """Q and the standard deviation of its logarithm, in turn with the Kd that gives the fraction bound."""
    q, q_sd = 1.0, 0.0
    for _ in range(TURNS):
        found = _fit(protein, signal, (tracer.value_nm, tracer.log_sd), (q, q_sd), confidence)
        bound = titration.fraction(found.theta, protein[None])[0][0]
        before = q
        q, q_sd = titration.brightness(light, bound)
        if not math.isfinite(q):
            return 1.0, 0.0
        if abs(q / before - 1.0) < STANDSTILL:
            break
    return q, q_sd


def _row(model: str, found: Estimates, exact: Estimates, q: float) -> dict[str, object]:
    got, reference = potencies.interval(found), potencies.interval(exact)
    se = math.sqrt(float(found.covariance[0, LOG10_CONSTANT, LOG10_CONSTANT]))
    return {
        "plate": "", "model": model, "kd_nm": got.best_nm, "kd_low_nm": got.low_nm, "kd_high_nm": got.high_nm,
        "log10_kd_se": se, "free": float(found.theta[0, 0]), "bound": float(found.theta[0, 1]),
        "brightness_ratio": q, "rss": float(found.rss[0]), "dof": float(found.dof[0]),
        "factor": got.best_nm / reference.best_nm, "points": int(found.points[0]),
    }  # fmt: skip


def _no_tracer(where: str) -> Finding:
    return Finding(
        "GP-A064",
        "refusal",
        "no Kd from the titration: the tracer concentration is missing",
        where=where,
        expected="the total tracer in the wells, nM",
        next_step="give tracer; without it the depletion of protein cannot be known",
    )
