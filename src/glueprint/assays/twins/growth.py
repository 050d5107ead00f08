"""Simulated growth assays: luminescence of lines under compounds, with a plate of time zero beside each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from glueprint.assays.plate import row_letters
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.layout_text import layout_text
from glueprint.assays.twins.plate_reads import COLUMNS, ROWS, PlateRead, outer_wells, softmax
from glueprint.assays.twins.refusals import too_many
from glueprint.documents import Document

__all__ = ["DOSES", "Made", "Truth", "expected", "files", "make"]

Floats = NDArray[np.float64]

# Blanks in column 1, cells without compound in columns 2 and 12, doses between.
FIRST_DOSE, DOSES = 2, 9
ZERO_COLUMNS = 2
# SoftMax Pro blocks in one file, and patience.
MOST_PLATES = 60


class Truth(Document):
    """Lines, compounds, plates and noise; defaults: docs/twins.md."""

    effect_on: Literal["growth rate", "viability"] = "growth rate"
    ec50_nm: dict[str, float] = Field(default={"pomalidomide": 128.0}, min_length=1)
    slope: float = Field(default=1.2, gt=0.0, le=10.0)
    bottom: float = Field(default=0.1, ge=-1.0, lt=1.0)
    doubling_time_h: dict[str, float] = Field(default={"line A": 26.0, "line B": 38.0}, min_length=1)
    time_h: float = Field(default=72.0, gt=0.0, le=1000.0)
    experiments: int = Field(default=3, ge=1, le=30)
    experiment_sd_log10_ec50: float = Field(default=0.1, ge=0.0, le=2.0)
    experiment_cv_doubling: float = Field(default=0.05, ge=0.0, le=1.0)
    replicates: int = Field(default=4, ge=1, le=8)
    top_dose_nm: float = Field(default=10_000.0, gt=0.0, le=1e7)
    dilution: float = Field(default=3.0, gt=1.0, le=100.0)
    seeded_cells: float = Field(default=2000.0, gt=0.0, le=1e6)
    rlu_per_cell: float = Field(default=25.0, gt=0.0, le=1e5)
    blank_rlu: float = Field(default=300.0, ge=0.0, le=1e6)
    rlu_per_photon: float = Field(default=5.0, ge=0.0, le=1e4)
    rlu_ceiling: float = Field(default=5e6, gt=0.0, le=1e9)
    seeding_cv: float = Field(default=0.05, ge=0.0, le=1.0)
    read_cv: float = Field(default=0.03, ge=0.0, le=1.0)
    dose_cv: float = Field(default=0.05, ge=0.0, le=0.5)
    edge_loss: float = Field(default=0.02, ge=-0.5, le=0.9)


@dataclass(frozen=True)
class Made:
    """The plates with the layout of all, and what the seed drew."""

    truth: Truth
    drawn: dict[str, Any]
    reads: tuple[PlateRead, ...]
    layout: str


def expected(truth: Truth, dose_nm: Floats, ec50_nm: float, divisions: float) -> Floats:
    """Cells at the end as a share of those without compound, at doses (n,), any shape.

    divisions: of the cells without compound during the assay.
    Source: a logistic of the viability, or of the growth rate inhibition GR with x/x_control =
    2^(divisions (log2(GR + 1) - 1)), Hafner et al. 2016, doi 10.1038/nmeth.3853.
    """
    with np.errstate(divide="ignore"):
        curve = truth.bottom + (1.0 - truth.bottom) / (1.0 + (dose_nm / ec50_nm) ** truth.slope)
    if truth.effect_on == "viability":
        return np.asarray(np.maximum(curve, 0.0))
    return np.asarray(2.0 ** (divisions * (np.log2(np.maximum(curve, -0.999) + 1.0) - 1.0)))


def make(truth: Truth, draws: Draws) -> Made:
    """One plate a line and experiment with doses falling to the right, and one read at time zero.

    Raises InputError GP-A185 for more compounds than rows, or more plates than a file should hold.
    Source: exponential growth, noise of docs/twins.md.
    """
    too_many(len(truth.ec50_nm) * truth.replicates, ROWS, "rows: compounds times replicates", "growth")
    pairs = [(line, nth) for line in truth.doubling_time_h for nth in range(truth.experiments)]
    too_many(2 * len(pairs), MOST_PLATES, "plates: lines times experiments times 2", "growth")
    reads, blocks, drawn = [], [], {}
    for line, nth in pairs:
        shifts = truth.experiment_sd_log10_ec50 * draws.normal(f"EC50 {line} {nth}", len(truth.ec50_nm))
        pace = draws.factors(f"pace {line} {nth}", 1, truth.experiment_cv_doubling).item()
        ec50 = {
            name: value * float(10.0**shift)
            for (name, value), shift in zip(truth.ec50_nm.items(), shifts, strict=True)
        }
        divisions = truth.time_h / (truth.doubling_time_h[line] * pace)
        name = f"{line}, experiment {nth + 1}"
        cells = _cells(truth, ec50, divisions, (f"{line} {nth}", draws))
        for time, inside in zip((0.0, truth.time_h), cells, strict=True):
            plate = f"{name}, {time:g} h"
            reads.append(_read(truth, inside, plate, draws))
            blocks += _blocks(truth, (plate, line, nth), time)
        drawn[name] = {
            "divisions": float(f"{divisions:.6g}"),
            "ec50_nm": {compound: float(f"{value:.6g}") for compound, value in ec50.items()},
        }
    return Made(truth, drawn, tuple(reads), layout_text("growth assay, luminescence", blocks))


def files(made: Made, mark: str) -> dict[str, bytes]:
    """The plates as SoftMax Pro text, and their layout."""
    plate = softmax(made.reads, mark, decimals=0)
    return {"plate.txt": plate.encode(), "layout.toml": made.layout.encode()}


def _cells(
    truth: Truth, ec50: dict[str, float], divisions: float, context: tuple[str, Draws]
) -> tuple[Floats, Floats]:
    """Cells in each well (8, 12) at time zero and at the end, NaN where nothing is, 0 in blanks."""
    name, draws = context
    shape, size = (ROWS, COLUMNS), ROWS * COLUMNS
    seeded = [
        truth.seeded_cells * draws.factors(f"seeding {time} {name}", size, truth.seeding_cv).reshape(shape)
        for time in ("0", "end")
    ]
    start = np.where(np.arange(COLUMNS) <= ZERO_COLUMNS, seeded[0], np.nan)
    dose = np.zeros(shape)
    half = np.ones(shape)
    planned = truth.top_dose_nm / truth.dilution ** np.arange(DOSES)
    doses = slice(FIRST_DOSE, FIRST_DOSE + DOSES)
    for i, value in enumerate(ec50.values()):
        rows = slice(i * truth.replicates, (i + 1) * truth.replicates)
        dose[rows, doses] = planned
        half[rows] = value
    dose *= draws.factors(f"dose {name}", size, truth.dose_cv).reshape(shape)
    share = np.empty(shape)
    for value in ec50.values():
        share[half == value] = expected(truth, dose[half == value], value, divisions)
    share[half == 1.0] = 1.0
    end = seeded[1] * 2.0**divisions * share * (1.0 - truth.edge_loss * outer_wells())
    end[len(ec50) * truth.replicates :, doses] = np.nan
    start[:, 0] = end[:, 0] = 0.0
    return start, end


def _read(truth: Truth, cells: Floats, plate: str, draws: Draws) -> PlateRead:
    """Relative light units (8, 12) of wells with these cells."""
    factor = draws.factors(f"read {plate}", cells.size, truth.read_cv).reshape(cells.shape)
    light = truth.blank_rlu + truth.rlu_per_cell * np.nan_to_num(cells) * factor
    counts = draws.counted(f"photons {plate}", light, truth.rlu_per_photon)
    counts[counts > truth.rlu_ceiling] = np.inf
    return PlateRead(plate, "luminescence", {"luminescence": counts})


def _blocks(truth: Truth, plate: tuple[str, str, int], time_h: float) -> list[dict[str, object]]:
    name, line, nth = plate
    last = row_letters(ROWS - 1)
    about: dict[str, object] = {
        "plate": name,
        "experiment": str(nth + 1),
        "extra": {"line": line, "time_h": f"{time_h:g}"} if time_h else {"line": line},
    }
    blank = {**about, "wells": f"A1:{last}1", "role": "blank"}
    if time_h == 0.0:
        cells = {**about, "wells": f"A2:{last}{1 + ZERO_COLUMNS}", "role": "time0"}
        return [blank, cells, {**about, "wells": f"A{2 + ZERO_COLUMNS}:{last}{COLUMNS}", "role": "empty"}]
    used = len(truth.ec50_nm) * truth.replicates
    doses = f"A{FIRST_DOSE + 1}:{row_letters(used - 1)}{FIRST_DOSE + DOSES}"
    rest = f"{row_letters(used)}{FIRST_DOSE + 1}:{last}{FIRST_DOSE + DOSES}"
    empty = [{**about, "wells": rest, "role": "empty"}] if used < ROWS else []
    treated = {
        **about,
        "wells": doses,
        "role": "compound",
        "concentration": {"start": truth.top_dose_nm, "factor": truth.dilution, "direction": "right"},
        "sample": {"values": list(truth.ec50_nm), "each": truth.replicates},
    }
    return [blank, {**about, "wells": f"A2:{last}2, A12:{last}12", "role": "vehicle"}, treated, *empty]
