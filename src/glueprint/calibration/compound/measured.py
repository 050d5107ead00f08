"""Rows of measured quantities: one shape for what an analysis gives and for what a user has analysed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import polars as pl

__all__ = [
    "CONCENTRATIONS",
    "EFFECTS",
    "MEASUREMENTS",
    "QUANTITIES",
    "Source",
    "log10_odds",
    "normal_z",
    "table_of",
]

TEXT, NUMBER = pl.String(), pl.Float64()
MEASUREMENTS = pl.Schema(
    {
        "assay": TEXT,
        "experiment": TEXT,
        "run": TEXT,
        "compound": TEXT,
        "quantity": TEXT,
        "target": TEXT,
        "cells": TEXT,
        "time_h": NUMBER,
        "dose_nm": NUMBER,
        "relation": TEXT,
        "value": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "unit": TEXT,
        "confidence": NUMBER,
        "log10_se": NUMBER,
        "shared_log10_se": NUMBER,
        "n": pl.Int64(),
        "role": TEXT,
        "file": TEXT,
        "sha256": TEXT,
        "flags": pl.List(TEXT),
        "why": TEXT,
    }
)
# Compared on log10 of nM: constants of binding and doses with half of an effect.
CONCENTRATIONS: Mapping[str, str] = {
    "kd": "dissociation constant of binding to cereblon",
    "ki": "inhibition constant from competition with a tracer",
    "rate_ec50": "dose with half of the added rate of loss",
    "dc50_absolute": "dose at which half of the substrate is gone",
    "dc50_relative": "dose with half of the loss that the highest doses show",
    "ic50_absolute": "dose that leaves half of what the vehicle shows",
    "ic50_relative": "dose half way between the plateaus of the curve",
    "gi50": "dose that halves the growth since time zero",
    "gr50": "dose that halves the growth rate",
    "gec50": "dose half way between the plateaus of the growth rate",
}
# Compared on log10 of odds, which at steady state are rho x occupancy.
EFFECTS: Mapping[str, str] = {
    "rate_max_over_k_deg": "greatest added rate of loss over the natural one (rho)",
    "dmax": "share that is lost at an infinite dose",
    "loss": "share that is lost at a dose",
}
QUANTITIES = {**CONCENTRATIONS, **EFFECTS}
DEFAULTS: Mapping[str, Any] = {
    "run": "",
    "target": "",
    "cells": "",
    "relation": "=",
    "unit": "nM",
    "confidence": 0.95,
    "n": 1,
    "role": "measured",
    "file": "",
    "sha256": "",
    "flags": [],
    "why": "",
}


@dataclass(frozen=True)
class Source:
    """Where measured quantities come from.

    file, sha256: the raw file, or several joined by "; ".   experiment: what compound and reference share:
    one plate, a set of membranes or of donors; the assay's own error is common to it.   cells: line or donor
    cells, "" where the analysis names them.
    """

    file: str
    sha256: str
    experiment: str
    cells: str = ""


def table_of(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a table of `MEASUREMENTS`; fields that a row lacks take their default, else null."""
    whole = [{name: row.get(name, DEFAULTS.get(name)) for name in MEASUREMENTS} for row in rows]
    return pl.DataFrame(whole, schema=MEASUREMENTS)


def normal_z(confidence: float) -> float:
    """Half-width of a central normal interval in standard deviations.

    >>> round(normal_z(0.95), 2)
    1.96
    """
    return NormalDist().inv_cdf(0.5 + 0.5 * min(max(confidence, 1e-6), 1.0 - 1e-9))


def log10_odds(share: float) -> float:
    """log10 of share / (1 - share), a share between 0 and 1."""
    return math.log10(share) - math.log10(1.0 - share)
