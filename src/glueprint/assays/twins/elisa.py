"""Simulated TNF-alpha ELISA plates: stimulated cells of several donors with compounds, one plate a donor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from glueprint.assays.plate import row_letters
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.layout_text import layout_text
from glueprint.assays.twins.plate_reads import COLUMNS, ROWS, PlateRead, outer_wells, softmax
from glueprint.assays.twins.refusals import too_many
from glueprint.documents import Document

__all__ = ["DOSES", "Made", "Truth", "absolute_nm", "files", "make"]

Floats = NDArray[np.float64]

STANDARD_COLUMNS = 2
FIRST_DOSE = STANDARD_COLUMNS + 1
DOSES = COLUMNS - FIRST_DOSE
UNSTIMULATED = 3
MOST_DONORS = 20
HALF = 0.5


class Truth(Document):
    """Donors, compounds, the standard curve and the noise; defaults: docs/twins.md."""

    ic50_nm: dict[str, float] = Field(default={"pomalidomide": 13.0}, min_length=1)
    slope: float = Field(default=1.0, gt=0.0, le=10.0)
    max_inhibition: float = Field(default=0.95, gt=0.0, le=1.0)
    donors: int = Field(default=4, ge=1, le=MOST_DONORS)
    donor_sd_log10_ic50: float = Field(default=0.25, ge=0.0, le=3.0)
    donor_cv_level: float = Field(default=0.4, ge=0.0, le=3.0)
    replicates: int = Field(default=3, ge=1, le=8)
    top_dose_nm: float = Field(default=1000.0, gt=0.0, le=1e7)
    dilution: float = Field(default=3.0, gt=1.0, le=100.0)
    stimulated_pg_per_ml: float = Field(default=2000.0, gt=0.0, le=1e6)
    unstimulated_pg_per_ml: float = Field(default=100.0, ge=0.0, le=1e6)
    sample_dilution: float = Field(default=5.0, ge=1.0, le=1e4)
    top_standard_pg_per_ml: float = Field(default=1000.0, gt=0.0, le=1e6)
    standard_dilution: float = Field(default=2.0, gt=1.0, le=20.0)
    od_zero: float = Field(default=0.06, ge=0.0, le=4.0)
    od_top: float = Field(default=3.2, gt=0.0, le=10.0)
    od_ec50_pg_per_ml: float = Field(default=400.0, gt=0.0, le=1e6)
    od_slope: float = Field(default=1.1, gt=0.0, le=10.0)
    od_cv: float = Field(default=0.03, ge=0.0, le=0.5)
    od_power: float = Field(default=1.5, ge=0.0, le=2.0)
    od_650: float = Field(default=0.042, ge=0.0, le=1.0)
    od_ceiling: float = Field(default=4.0, gt=0.0, le=10.0)
    volume_cv: float = Field(default=0.02, ge=0.0, le=0.5)
    dose_cv: float = Field(default=0.05, ge=0.0, le=0.5)
    culture_cv: float = Field(default=0.08, ge=0.0, le=2.0)
    edge_colour: float = Field(default=0.01, ge=-0.5, le=0.5)
    toxic_ic50_nm: float | None = Field(default=None, gt=0.0)
    viability_cv: float = Field(default=0.03, ge=0.0, le=0.3)


@dataclass(frozen=True)
class Made:
    """One plate a donor with the layout of all, and what the seed drew."""

    truth: Truth
    drawn: dict[str, Any]
    reads: tuple[PlateRead, ...]
    layout: str


def absolute_nm(truth: Truth, ic50_nm: float) -> float | None:
    """The dose of 50 % inhibition between the controls, nM; None where no dose inhibits so much.

    Source: max x^h/(x^h + IC50^h) = 1/2 solved for x.
    """
    if truth.max_inhibition <= HALF:
        return None
    return float(ic50_nm * (HALF / (truth.max_inhibition - HALF)) ** (1.0 / truth.slope))


def make(truth: Truth, draws: Draws) -> Made:
    """Plates of standards (columns 1 and 2), controls (column 3) and doses (columns 4 to 12), one a donor.

    Raises InputError GP-A185 for more compounds than rows.
    Source: four-parameter standard curve, inhibition of docs/elisa.md, noise of docs/twins.md.
    """
    too_many(len(truth.ic50_nm) * truth.replicates, ROWS, "rows: compounds times replicates", "elisa")
    shifts = 10.0 ** (truth.donor_sd_log10_ic50 * draws.normal("potency", truth.donors))
    levels = truth.stimulated_pg_per_ml * draws.factors("level", truth.donors, truth.donor_cv_level)
    reads, blocks, donors = [], [], {}
    for i in range(truth.donors):
        name = f"Donor {i + 1}"
        ic50 = {compound: value * shifts[i].item() for compound, value in truth.ic50_nm.items()}
        inside, alive = _wells(truth, (ic50, levels[i].item(), i), draws)
        reads.append(_read(truth, inside, (name, i), draws))
        blocks += _blocks(truth, name, alive)
        donors[name] = {
            "stimulated_pg_per_ml": _short(levels[i].item()),
            "relative_ic50_nm": {compound: _short(value) for compound, value in ic50.items()},
            "absolute_ic50_nm": {
                compound: _short(found)
                for compound, value in ic50.items()
                if (found := absolute_nm(truth, value)) is not None
            },
        }
    return Made(truth, donors, tuple(reads), layout_text("TNF-alpha ELISA", blocks))


def files(made: Made, mark: str) -> dict[str, bytes]:
    """The plates as SoftMax Pro text and their layout; `mark` says in the file that they are simulated."""
    plate = softmax(made.reads, mark, decimals=4)
    return {"plate.txt": plate.encode(), "layout.toml": made.layout.encode()}


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _wells(truth: Truth, donor: tuple[dict[str, float], float, int], draws: Draws) -> tuple[Floats, Floats]:
    """Concentrations in the assay wells of one donor, pg/mL (8, 12), NaN where nothing is; and the share of
    living cells (8, 12)."""
    ic50, level, nth = donor
    shape, size = (ROWS, COLUMNS), ROWS * COLUMNS
    lost, alive = np.zeros(shape), np.ones(shape)
    planned = truth.top_dose_nm / truth.dilution ** np.arange(DOSES)
    dose = planned * draws.factors(f"dose {nth}", size, truth.dose_cv).reshape(shape)[:, FIRST_DOSE:]
    tnf = np.full(shape, np.nan)
    tnf[:, FIRST_DOSE - 1] = truth.unstimulated_pg_per_ml
    tnf[UNSTIMULATED:, FIRST_DOSE - 1] = level
    for i, half in enumerate(ic50.values()):
        rows = slice(i * truth.replicates, (i + 1) * truth.replicates)
        here = dose[rows]
        lost[rows, FIRST_DOSE:] = truth.max_inhibition / (1.0 + (half / here) ** truth.slope)
        tnf[rows, FIRST_DOSE:] = level
        if truth.toxic_ic50_nm is not None:
            alive[rows, FIRST_DOSE:] = 1.0 / (1.0 + here / truth.toxic_ic50_nm)
    floor = np.fmin(tnf, truth.unstimulated_pg_per_ml)
    tnf = (floor + (tnf - floor) * (1.0 - lost)) * alive
    inside = tnf * draws.factors(f"culture {nth}", size, truth.culture_cv).reshape(shape)
    inside /= truth.sample_dilution
    standards = truth.top_standard_pg_per_ml / truth.standard_dilution ** np.arange(ROWS)
    standards[-1] = 0.0
    inside[:, :STANDARD_COLUMNS] = standards[:, None]
    seen = alive * draws.factors(f"viability {nth}", size, truth.viability_cv).reshape(shape)
    return inside, seen


def _read(truth: Truth, inside: Floats, plate: tuple[str, int], draws: Draws) -> PlateRead:
    """Optical densities at 450 and 650 nm of wells with `inside`, pg/mL."""
    name, nth = plate
    x = inside * draws.factors(f"volume {nth}", inside.size, truth.volume_cv).reshape(inside.shape)
    with np.errstate(divide="ignore"):
        colour = (truth.od_top - truth.od_zero) / (1.0 + (truth.od_ec50_pg_per_ml / x) ** truth.od_slope)
    mean = (truth.od_zero + np.nan_to_num(colour)) * (1.0 + truth.edge_colour * outer_wells())
    z = draws.normal(f"od {nth}", 2 * inside.size).reshape(2, *inside.shape)
    behind = truth.od_650 * (1.0 + 0.02 * z[1])
    od = mean + truth.od_cv * mean ** (truth.od_power / 2.0) * z[0] + behind
    od = np.where(od > truth.od_ceiling, np.inf, np.round(od, 4))
    return PlateRead(name, "absorbance", {"450": od, "650": np.round(behind, 4)})


def _blocks(truth: Truth, donor: str, alive: Floats) -> list[dict[str, object]]:
    last = row_letters(ROWS - 1)
    used = len(truth.ic50_nm) * truth.replicates
    doses = f"A{FIRST_DOSE + 1}:{row_letters(used - 1)}{COLUMNS}"
    factor, top = truth.standard_dilution, truth.top_standard_pg_per_ml
    about = {"donor": donor, "experiment": "1", "dilution": truth.sample_dilution, "plate": donor}
    percent = [[round(100.0 * value, 1) for value in row] for row in alive.tolist()]
    controls = [row[FIRST_DOSE - 1] for row in percent]
    treated = [value for row in percent[:used] for value in row[FIRST_DOSE:]]

    def viable(values: list[float], direction: str) -> dict[str, object]:
        return {"viability_percent": {"values": values, "direction": direction}}

    rest = f"{row_letters(used)}{FIRST_DOSE + 1}:{last}{COLUMNS}"
    empty: list[dict[str, object]] = [{"plate": donor, "wells": rest, "role": "empty"}] if used < ROWS else []
    return [
        *empty,
        {
            "plate": donor,
            "wells": f"A1:{last}{STANDARD_COLUMNS}",
            "role": "standard",
            "concentration": {"start": top, "factor": factor, "zero": True},
            "concentration_unit": "pg/mL",
        },
        {
            **about,
            "wells": f"A{FIRST_DOSE}:{row_letters(UNSTIMULATED - 1)}{FIRST_DOSE}",
            "role": "unstimulated",
            "extra": viable(controls[:UNSTIMULATED], "down"),
        },
        {
            **about,
            "wells": f"{row_letters(UNSTIMULATED)}{FIRST_DOSE}:{last}{FIRST_DOSE}",
            "role": "stimulated",
            "extra": viable(controls[UNSTIMULATED:], "down"),
        },
        {
            **about,
            "wells": doses,
            "role": "compound",
            "concentration": {"start": truth.top_dose_nm, "factor": truth.dilution, "direction": "right"},
            "sample": {"values": list(truth.ic50_nm), "each": truth.replicates},
            "extra": viable(treated, "right"),
        },
    ]
