"""What one more experiment would tell: the covariance of ratio and efficacies that is expected after it.

Nothing is fitted again. The draws say how each row of a plate would move with the parameters, and the fit
says how large the errors of assay, run and compound are; from both follows what a linear estimate of the
parameters would be left with (Bayes linear). Errors stand at their medians.

Source: Goldstein and Wooff 2007, Bayes Linear Statistics, chapter 3; own derivation of the errors,
docs/your-glue-fit.md, "The next experiment".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.calibration.compound.dossier import Dossier
from glueprint.calibration.compound.forward import readers
from glueprint.calibration.compound.latents import SUBSTRATES
from glueprint.calibration.compound.likelihood import Terms, terms
from glueprint.calibration.compound.measured import table_of

__all__ = ["AFTER", "COORDINATES", "NEXT_RUNS", "covariance_of", "next_runs"]

Floats = NDArray[np.float64]
Row = dict[str, Any]
Values = Mapping[str, Floats]

COORDINATES = ("kd_ratio", *(f"efficacy:{name}" for name in SUBSTRATES))
PAIRS = tuple((i, j) for i in range(len(COORDINATES)) for j in range(i, len(COORDINATES)))
# Columns that hold a covariance of log10 of the coordinates, its upper triangle row by row.
AFTER = tuple(f"{COORDINATES[i]} x {COORDINATES[j]}" for i, j in PAIRS)
NEXT_RUNS = pl.Schema(
    {"experiment": pl.String(), "assay": pl.String(), "what": pl.String()}
    | dict.fromkeys(AFTER, pl.Float64())
)
NOW, RUN, PERFECT = "as it is", "one more run, the reference beside it", "without any error of its own"
# What is planned where no such assay was made; as precise as a good assay's repeat (likelihood.reading).
PLANNED: Mapping[str, tuple[Row, ...]] = {
    "fp": ({"quantity": "ki"},),
    "degradation": tuple(
        {"quantity": quantity, "target": target, "cells": "MM1S", "unit": unit}
        for target in SUBSTRATES
        for quantity, unit in (("rate_ec50", "nM"), ("rate_max_over_k_deg", "dimensionless"))
    ),
}


@dataclass(frozen=True)
class _Candidate:
    experiment: str
    assay: str
    what: str
    rows: Sequence[Row]


def next_runs(dossier: Dossier, values: Values) -> pl.DataFrame:
    """What is left of the uncertainty after each experiment that could be made.

    dossier: what was measured.   values: parameters (n,) by name, draws of the posterior.
    Returns a row for "as it is", two for each experiment of the dossier (one more run, and one without any
    error, which no repeat can beat), and one for each kind of assay that the dossier lacks, of schema
    NEXT_RUNS: the expected covariance of log10 of COORDINATES.
    """
    draws = np.log10(np.stack([values[name] for name in COORDINATES], axis=1))
    now = np.cov(draws.T)
    found = [_row("", "", NOW, now)]
    found += [
        _row(one.experiment, one.assay, one.what, _after(one, dossier.compound, values, draws))
        for one in (*_repeats(dossier), *_lacking(dossier))
    ]
    return pl.DataFrame(found, schema=NEXT_RUNS)


def covariance_of(row: Mapping[str, Any]) -> Floats:
    """The covariance (3, 3) of log10 of COORDINATES that a row of NEXT_RUNS holds."""
    found = np.zeros((len(COORDINATES),) * 2)
    for (i, j), name in zip(PAIRS, AFTER, strict=True):
        found[i, j] = found[j, i] = row[name]
    return found


def _row(experiment: str, assay: str, what: str, covariance: Floats) -> dict[str, object]:
    cells = {name: float(covariance[i, j]) for (i, j), name in zip(PAIRS, AFTER, strict=True)}
    return {"experiment": experiment, "assay": assay, "what": what, **cells}


def _repeats(dossier: Dossier) -> Iterator[_Candidate]:
    """Each experiment made once more, with the reference on every plate."""
    keys = [(row["assay"], row["experiment"]) for row in dossier.fitted]
    for assay, experiment in dict.fromkeys(keys):
        own = [
            row
            for row, key in zip(dossier.fitted, keys, strict=True)
            if key == (assay, experiment) and row["compound"] == dossier.compound and row["relation"] == "="
        ]
        first = own[0]["run"] if own else ""
        rows = _with_reference([row for row in own if row["run"] == first], dossier.reference)
        if rows:
            yield _Candidate(experiment, assay, RUN, rows)
            yield _Candidate(experiment, assay, PERFECT, rows)


def _lacking(dossier: Dossier) -> Iterator[_Candidate]:
    """An experiment of each kind that tells most and that nobody made."""
    made = {row["assay"] for row in dossier.fitted if row["compound"] == dossier.compound}
    for assay, planned in PLANNED.items():
        if assay not in made:
            head = {"assay": assay, "experiment": "planned", "compound": dossier.compound, "value": 1.0}
            rows = table_of({**head, **row} for row in planned).to_dicts()
            yield _Candidate("", assay, RUN, _with_reference(rows, dossier.reference))


def _with_reference(rows: Sequence[Row], reference: str) -> list[Row]:
    return [*rows, *({**row, "compound": reference} for row in rows if row["compound"] != reference)]


def _after(one: _Candidate, compound: str, values: Values, draws: Floats) -> Floats:
    """Expected covariance (3, 3) after an experiment."""
    shown = readers(one.rows, compound).shown(values)
    fine = np.isfinite(shown).all(axis=0)
    joint = np.cov(np.concatenate([draws, shown[:, fine]], axis=1).T)
    k = draws.shape[1]
    within = joint[k:, k:]
    if one.what == PERFECT:
        # The least that keeps the sum of squares solvable; no experiment is as exact.
        within = within + 1e-8 * np.eye(within.shape[0])
    else:
        within = within + _errors(terms(one.rows), values)[np.ix_(fine, fine)]
    after = joint[:k, :k] - joint[:k, k:] @ np.linalg.solve(within, joint[k:, :k])
    return np.asarray(0.5 * (after + after.T))


def _errors(given: Terms, values: Values) -> Floats:
    """Covariance (r, r) of all errors of an experiment of its own, at their medians."""
    tau, run, own = (
        np.array([np.median(values[name])]) for name in ("tau_log10", "run_log10", "repeat_log10")
    )
    return np.asarray(given.common(tau, run)[0] + own[0] ** 2 * given.own + np.diag(given.se**2))
