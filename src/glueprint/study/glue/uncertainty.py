"""Where the uncertainty of a predicted trial comes from, and which experiment would narrow it most.

The virtual trials of the planned dose are the sample. An outcome is regressed on what differs between them:
the compound's ratio and efficacies, its pharmacokinetics, and the reference's outcome in the same trial,
which stands for all that is not known of patients. Sobol indices are those of the regression's surface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.calibration import prediction
from glueprint.calibration.compound import COORDINATES, CompoundPosterior, covariance_of
from glueprint.inference import ResponseSurface, features, response_surface
from glueprint.runs import streams
from glueprint.study.glue.answers import Column
from glueprint.trials import ParameterDraws

__all__ = ["ASKED", "GAINS", "SHARES", "Sample", "gains", "sample_of", "shares"]

Floats = NDArray[np.float64]
TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
SHARES = pl.Schema(
    {
        "endpoint": TEXT, "source": TEXT, "first_order": NUMBER, "first_order_low": NUMBER,
        "first_order_high": NUMBER, "total": NUMBER, "total_low": NUMBER, "total_high": NUMBER,
        "replicates": COUNT,
    }
)  # fmt: skip
GAINS = pl.Schema(
    {
        "endpoint": TEXT, "experiment": TEXT, "assay": TEXT, "what": TEXT, "of_compound": NUMBER,
        "of_all": NUMBER, "replicates": COUNT,
    }
)  # fmt: skip
ASSAYS, PK, PATIENTS, CHANCE = "assays", "pharmacokinetics", "patients", "chance"
SOURCES = (ASSAYS, PK, PATIENTS)
ASKED = ("orr", "neutropenia_grade_3_4", "median_pfs")
# Rows of the surface at which its indices are read, and draws of the surface.
ROWS, DRAWN = 8000, 200
# With fewer trials than this many a regression of so many inputs says nothing.
FEWEST = 39
PURPOSE = "study/glue/uncertainty"


@dataclass(frozen=True)
class Sample:
    """One outcome over the trials, and what differs between them.

    inputs: (n, p), each of mean 0 and SD 1.   source: (p,) place in SOURCES.   scale: (p,) units of each
    input; of the compound's coordinates in log10.   outcome: (n,) on the scale of regression.
    """

    endpoint: str
    inputs: Floats
    source: NDArray[np.int64]
    scale: Floats
    outcome: Floats

    @cached_property
    def surface(self) -> ResponseSurface:
        """The outcome's expectation over the inputs."""
        return response_surface(self.inputs, self.outcome[:, None], np.zeros(self.inputs.shape[1]))


def sample_of(
    endpoint: str, columns: tuple[Column, Column], draws: ParameterDraws, beside: ParameterDraws
) -> Sample | None:
    """The sample of an endpoint, None where too few trials have it.

    columns: of the glue and of the reference, trial by trial.   draws, beside: theirs, a row a trial.
    """
    own, other = (column.values(endpoint) for column in columns)
    both = own.join(other, on="replicate", suffix="_reference", maintain_order="left").filter(
        pl.col("value").is_finite() & pl.col("value_reference").is_finite()
    )
    if both.height < FEWEST:
        return None
    at = (both.get_column("replicate").to_numpy() - 1) % draws.values.shape[0]
    unit, patients = both.get_column("unit")[0], _size(columns[0], endpoint)
    scale_of = prediction.nearly_normal(endpoint, unit, patients)
    outcome = scale_of(both.get_column("value").to_numpy())
    parts = [
        (ASSAYS, _coordinates(draws, beside)[at]),
        (PK, _pharmacokinetics(draws, beside)[at]),
        (PATIENTS, scale_of(both.get_column("value_reference").to_numpy())[:, None]),
    ]
    inputs = np.concatenate([values for _, values in parts], axis=1)
    source = np.repeat([SOURCES.index(name) for name, _ in parts], [v.shape[1] for _, v in parts])
    scale = inputs.std(axis=0, ddof=1)
    varies = scale > 1e-9
    centred = (inputs - inputs.mean(axis=0))[:, varies] / scale[varies]
    return Sample(endpoint, centred, source[varies], scale[varies], outcome)


def shares(samples: Mapping[str, Sample], seed: int) -> pl.DataFrame:
    """First-order and total Sobol indices of each source, with the 95 % intervals that the regression's own
    uncertainty leaves; of schema SHARES.

    A source's first-order index is the share of the variance that would go if it were known, its total index
    the share that would stay if all else were. "chance" is what no input explains: the trial's size.
    Source: Jansen 1999, doi:10.1016/S0010-4655(98)00154-4, by groups of inputs.
    """
    rows = []
    for sample in samples.values():
        for source, (first, total) in _indices(sample, seed).items():
            low, middle, high = np.quantile([first, total], (0.025, 0.5, 0.975), axis=1)
            rows.append(
                {
                    "endpoint": sample.endpoint, "source": source, "first_order": middle[0],
                    "first_order_low": low[0], "first_order_high": high[0], "total": middle[1],
                    "total_low": low[1], "total_high": high[1], "replicates": sample.outcome.size,
                }
            )  # fmt: skip
    return pl.DataFrame(rows, schema=SHARES)


def gains(samples: Mapping[str, Sample], posterior: CompoundPosterior) -> pl.DataFrame:
    """By how much each experiment that could be made would lower the variance of each outcome; of schema
    GAINS, the most telling first.

    of_compound: share of the variance that comes from ratio and efficacies; of_all: of the whole variance.
    Source: delta method at the mean slopes of the surface; docs/your-glue.md, "The next experiment".
    """
    table = posterior.next_runs.to_dicts()
    now, others = covariance_of(table[0]), table[1:]
    rows = []
    for sample in samples.values():
        slope, variance = _slope(sample), float(np.var(sample.outcome, ddof=1))
        own = float(slope @ now @ slope)
        for row in others:
            fall = own - float(slope @ covariance_of(row) @ slope)
            rows.append(
                {
                    "endpoint": sample.endpoint, "experiment": row["experiment"], "assay": row["assay"],
                    "what": row["what"], "of_compound": fall / own if own > 0 else 0.0,
                    "of_all": min(fall / variance, 1.0), "replicates": sample.outcome.size,
                }
            )  # fmt: skip
    found = pl.DataFrame(rows, schema=GAINS)
    return found.sort("of_compound", descending=True, maintain_order=True)


def _slope(sample: Sample) -> Floats:
    """Mean slope (3,) of the outcome over log10 of COORDINATES."""
    surface = sample.surface
    step, found = 0.1, np.zeros(len(COORDINATES))
    for place in np.flatnonzero(sample.source == SOURCES.index(ASSAYS)):
        ahead, behind = sample.inputs.copy(), sample.inputs.copy()
        ahead[:, place] += step
        behind[:, place] -= step
        rise = (surface.mean(ahead) - surface.mean(behind)).mean() / (2.0 * step)
        found[place] = rise / sample.scale[place]
    return found


def _indices(sample: Sample, seed: int) -> dict[str, tuple[Floats, Floats]]:
    """First-order and total index (k,) of each source, and of chance, in draws of the surface."""
    weights, chance = _weights(sample, seed)
    # Two samples of inputs, in which every source comes as a whole from one of the trials.
    first, second = (
        _mixed(sample, np.floor(sample.outcome.size * uniform).astype(np.int64))
        for uniform in (
            streams.uniforms(seed, f"{PURPOSE}/rows {k}", np.arange(ROWS), len(SOURCES)) for k in (1, 2)
        )
    )
    there, elsewhere = features(first) @ weights, features(second) @ weights
    explained = 0.5 * (there.var(axis=0) + elsewhere.var(axis=0))
    whole = explained + chance
    found = {}
    for place, source in enumerate(SOURCES):
        mixed = np.where(sample.source == place, second, first)
        swapped = features(mixed) @ weights
        # What stays when only this source differs, and what goes when only it is the same.
        total = 0.5 * ((there - swapped) ** 2).mean(axis=0)
        alone = explained - 0.5 * ((elsewhere - swapped) ** 2).mean(axis=0)
        found[source] = (np.clip(alone, 0.0, total) / whole, total / whole)
    found[CHANCE] = (chance / whole, chance / whole)
    return found


def _weights(sample: Sample, seed: int) -> tuple[Floats, Floats]:
    """Draws of the surface's weights (f, k), with the variance (k,) of chance in each."""
    surface, n = sample.surface, sample.outcome.size
    f = surface.weights.size
    normal = streams.normals(seed, f"{PURPOSE}/{sample.endpoint}", np.arange(DRAWN), f + n)
    # The variance of chance by its residuals: scaled inverse chi-squared.
    chance = surface.covariance[0, 0] * n / (normal[:, f:] ** 2).sum(axis=1)
    spectrum, directions = np.linalg.eigh(surface.spread[0])
    root = directions * np.sqrt(np.maximum(spectrum, 0.0))
    away = normal[:, :f] @ root.T * np.sqrt(chance)[:, None]
    return surface.weights + away.T, chance


def _mixed(sample: Sample, rows: NDArray[np.int64]) -> Floats:
    """Inputs (m, p) whose sources come from the rows (m, sources)."""
    return sample.inputs[rows[:, sample.source], np.arange(sample.source.size)]


def _size(column: Column, endpoint: str) -> float:
    found = column.endpoints.filter(pl.col("endpoint") == endpoint).get_column("n").mean()
    return float(found) if isinstance(found, int | float) else 100.0


def _coordinates(draws: ParameterDraws, beside: ParameterDraws) -> Floats:
    """log10 of ratio and efficacies (m, 3), as the draws of glue and reference have them."""
    own, other = _columns(draws), _columns(beside)
    capacities = {name.removesuffix("_capacity"): name for name in other if name.endswith("_capacity")}
    found = [own["kd_nm"] / other["kd_nm"]]
    for coordinate in COORDINATES[1:]:
        substrate = coordinate.removeprefix("efficacy:").lower()
        pair = next(p for p in capacities if p.startswith(f"{substrate}_") and f"{p}_rho" in own)
        found.append(own[f"{pair}_rho"] / other[capacities[pair]])
    return np.log10(np.stack(found, axis=1))


def _pharmacokinetics(draws: ParameterDraws, beside: ParameterDraws) -> Floats:
    """Logarithms (m, k) of the numbers of the glue's own that differ between trials."""
    own, other = _columns(draws), _columns(beside)
    names = [
        name for name in own if name not in other and not name.endswith("_rho") and (own[name] > 0).all()
    ]
    return np.log(np.stack([own[name] for name in names], axis=1)) if names else np.zeros((_rows(draws), 0))


def _columns(draws: ParameterDraws) -> dict[str, Floats]:
    return dict(zip(draws.names, draws.values.T, strict=True))


def _rows(draws: ParameterDraws) -> int:
    return int(draws.values.shape[0])
