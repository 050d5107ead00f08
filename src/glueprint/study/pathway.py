"""What the steps from the glue to the patient are at on one day: the pathway with a patient's own values.

The trial model goes from the loss of IKZF1 and IKZF3 to the tumour in one step. The two steps between them,
IRF4 and MYC, are of myeloma cells in culture, held at the patient's mean free concentration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import experiments
from glueprint.errors import GlueprintError
from glueprint.mechanism import Scenario

__all__ = ["FREE", "NODES", "SCHEMA", "Node", "table"]

Floats = NDArray[np.float64]
FREE = "free_nm"
CULTURE, HELD_H = "culture_myeloma", 72.0  # as long as the lab's assays of IRF4 and MYC in culture
LOSSES = ("hydrolysis_per_h", "wash_per_h")
HOURS = 24.0


@dataclass(frozen=True)
class Node:
    """One step of the pathway. output: of the trial model, or of the culture.   unit: "" for a share of the
    untreated level, or for what is 0 without drug.   cells: what it is in."""

    name: str
    output: str
    unit: str
    cells: str
    model: str = "trial"


NODES = (
    Node("free glue", FREE, "nM", "plasma"),
    Node("cereblon bound", "occupancy", "", "all cells"),
    Node("IKZF1, myeloma", "ikzf1_myeloma", "", "myeloma"),
    Node("IKZF3, myeloma", "ikzf3_myeloma", "", "myeloma"),
    Node("IRF4", "irf4", "", "myeloma", "culture"),
    Node("MYC", "myc", "", "myeloma", "culture"),
    Node("M-protein", "m_protein_g_per_l", "g/L", "tumour"),
    Node("kill of myeloma", "effect", "", "tumour"),
    Node("IKZF1, T cells", "ikzf1_tcell", "", "T cells"),
    Node("IKZF3, T cells", "ikzf3_tcell", "", "T cells"),
    Node("NK and CD8 activation", "immune_activation", "", "effector cells"),
    Node("partner's effect", "dex_effect", "", "all cells"),
    Node("IKZF1, progenitors", "ikzf1_progenitor", "", "marrow"),
    Node("neutrophils", "anc_1e9_per_l", "1e9/L", "blood"),
    Node("platelets", "platelets_1e9_per_l", "1e9/L", "blood"),
    Node("haemoglobin", "haemoglobin_g_per_dl", "g/dL", "blood"),
)
SCHEMA = {
    "node": pl.String, "cells": pl.String, "before": pl.Float64, "value": pl.Float64, "unit": pl.String,
    "model": pl.String, "reason": pl.String,
}  # fmt: skip


def table(
    scenario: Scenario, folds: Mapping[str, float], course: tuple[Floats, Floats], day: int
) -> pl.DataFrame:
    """Every step before treatment and on one day.

    scenario: whose glue.   folds: numbers of the compound by the end of their name, times what.
    course: (times,) hours and (times, steps of the trial model) values, hourly on that day.   day: from 1.
    Returns a row per node: its value before, its mean over the day, and a reason where there is none.
    """
    times_h, values = course
    on = (times_h >= HOURS * (day - 1)) & (times_h <= HOURS * day)
    means = dict(
        zip([one.output for one in NODES if one.model == "trial"], values[on].mean(axis=0), strict=True)
    )
    starts = dict(zip(means, values[0], strict=True))
    cultured, reason = _cultured(scenario, folds, means[FREE])
    rows = []
    for one in NODES:
        own = one.model == "trial"
        value = float(means[one.output]) if own else cultured.get(one.output)
        before = float(starts[one.output]) if own else 1.0
        why = "" if own else reason
        rows.append((one.name, one.cells, before, value, one.unit, one.model, why))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _cultured(scenario: Scenario, folds: Mapping[str, float], free_nm: float) -> tuple[dict[str, float], str]:
    """IRF4 and MYC of myeloma cells held at a free concentration; none, and why, for a glue whose file lacks
    what cells in culture need."""
    outputs = [one.output for one in NODES if one.model == "culture"]
    try:
        cells = experiments.grow(CULTURE, scenario)
    except GlueprintError as error:
        return {}, f"{error.code}: {error.message}"
    held = {name: 0.0 for name in LOSSES if name in cells.quantities}
    for ending, fold in folds.items():
        held |= {name: fold * cells.typical(name) for name in cells.quantities if name.endswith(ending)}
    found = cells.at([max(free_nm, 0.0) / _free_share(cells)], HELD_H, outputs, held)
    values = {name: float(value[0]) for name, value in found.items()}
    if not all(map(math.isfinite, values.values())):
        return {}, "the cells could not be followed at this concentration"
    return values, ""


@lru_cache(maxsize=16)
def _free_share(cells: experiments.Culture) -> float:
    """What of a dose acts where nothing of it is lost: the free concentration is in proportion to the dose,
    and no binding changes it, so that one well says it for all."""
    held = {name: 0.0 for name in LOSSES if name in cells.quantities}
    return float(cells.at([1.0], HELD_H, [FREE], held)[FREE][0])
