"""A simulated fluorescence polarisation plate: compounds compete with a tracer for cereblon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from glueprint.assays.plate import row_letters
from glueprint.assays.polarization import model, signal
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.layout_text import layout_text
from glueprint.assays.twins.plate_reads import COLUMNS, ROWS, PlateRead, gen5_polarization, outer_wells
from glueprint.assays.twins.refusals import not_among, too_many
from glueprint.curves import equilibria
from glueprint.documents import Document

__all__ = ["DOSES", "Made", "Truth", "files", "make"]

Floats = NDArray[np.float64]

CONTROL_COLUMNS = 2
DOSES = COLUMNS - CONTROL_COLUMNS
BLANK_ROWS = 4
# Gen5 prints five digits at most.
MOST_COUNTS = 99_999.0


class Truth(Document):
    """What is in the wells, how bright it is, and how well people pipette; defaults: docs/twins.md."""

    protein_nm: float = Field(default=100.0, gt=0.0, le=1e5)
    protein_cv: float = Field(default=0.2, ge=0.0, le=1.0)
    tracer_nm: float = Field(default=5.0, gt=0.0, le=1e5)
    tracer_kd_nm: float = Field(default=120.0, gt=0.0, le=1e6)
    tracer_kd_cv: float = Field(default=0.2, ge=0.0, le=1.0)
    ki_nm: dict[str, float] = Field(default={"pomalidomide": 156.6, "weaker analogue": 1500.0}, min_length=1)
    replicates: int = Field(default=3, ge=1, le=8)
    top_dose_nm: float = Field(default=30_000.0, gt=0.0, le=1e7)
    dilution: float = Field(default=3.0, gt=1.0, le=100.0)
    free_anisotropy: float = Field(default=0.05, ge=0.0, le=0.39)
    bound_anisotropy: float = Field(default=0.28, ge=0.0, le=0.39)
    brightness_ratio: float = Field(default=0.85, gt=0.0, le=10.0)
    g_factor: float = Field(default=1.05, gt=0.0, le=10.0)
    light_counts: float = Field(default=60_000.0, gt=0.0, le=1e6)
    blank_counts: float = Field(default=150.0, ge=0.0, le=1e5)
    counts_per_photon: float = Field(default=1.0, ge=0.0, le=100.0)
    volume_cv: float = Field(default=0.03, ge=0.0, le=0.5)
    dose_cv: float = Field(default=0.05, ge=0.0, le=0.5)
    series_cv: float = Field(default=0.0, ge=0.0, le=0.5)
    edge_evaporation: float = Field(default=0.02, ge=0.0, le=0.5)
    drift: float = Field(default=0.04, ge=-0.5, le=0.5)
    fluorescence_per_um: dict[str, float] = Field(default_factory=dict)
    fluorescence_anisotropy: float = Field(default=0.01, ge=0.0, le=0.39)


@dataclass(frozen=True)
class Made:
    """One plate with its layout, and what the seed drew."""

    truth: Truth
    drawn: dict[str, object]
    reads: tuple[PlateRead, ...]
    layout: str


def make(truth: Truth, draws: Draws) -> Made:
    """One plate: blanks and tracer in column 1, tracer with protein in column 2, ten doses to the right.

    What the laboratory believes of protein and tracer Kd is off by a log-normal error of the stated CVs.
    Raises InputError GP-A185 for more compounds than rows, GP-A183 for a fluorescent compound that is not
    there.
    Source: exact competition (`curves.equilibria`), optics of docs/polarization.md, noise of docs/twins.md.
    """
    names = list(truth.ki_nm)
    too_many(len(names) * truth.replicates, ROWS, "rows: compounds times replicates", "fp")
    not_among(truth.fluorescence_per_um, names, "fluorescence_per_um")
    dose = np.zeros((ROWS, COLUMNS))
    ki = np.full((ROWS, COLUMNS), 1.0)
    glow = np.zeros((ROWS, COLUMNS))
    planned = truth.top_dose_nm / truth.dilution ** np.arange(DOSES)
    for i, name in enumerate(names):
        rows = slice(i * truth.replicates, (i + 1) * truth.replicates)
        carried = np.cumprod(draws.factors(f"series {i}", DOSES, truth.series_cv))
        dose[rows, CONTROL_COLUMNS:] = planned * carried
        ki[rows] = truth.ki_nm[name]
        glow[rows] = truth.fluorescence_per_um.get(name, 0.0)
    light = _light(truth, (dose, ki, glow), draws)
    counts = draws.counted("counts", light, truth.counts_per_photon)
    counts[counts > MOST_COUNTS] = np.inf
    believed = {
        "stated_protein_nm": truth.protein_nm * draws.factors("protein", 1, truth.protein_cv)[0].item(),
        "stated_tracer_kd_nm": truth.tracer_kd_nm * draws.factors("Kd", 1, truth.tracer_kd_cv)[0].item(),
    }
    drawn: dict[str, object] = {name: float(f"{value:.4g}") for name, value in believed.items()}
    read = PlateRead("Plate 1", "fluorescence", {"parallel": counts[0], "perpendicular": counts[1]})
    return Made(truth, drawn, (read,), _layout(truth, believed))


def files(made: Made, mark: str) -> dict[str, bytes]:
    """The plate as Gen5 text and its layout; `mark` says in the file that it is simulated."""
    plate = gen5_polarization(made.reads[0], made.truth.g_factor, mark)
    return {"plate.txt": plate.encode(), "layout.toml": made.layout.encode()}


def _light(truth: Truth, wells: tuple[Floats, Floats, Floats], draws: Draws) -> Floats:
    """Expected counts (2, 8, 12) of both channels; wells: dose, Ki and fluorescence per uM, each (8, 12)."""
    dose, ki, glow = wells
    shape = dose.shape
    shrunk = 1.0 + truth.edge_evaporation * outer_wells()
    mix = draws.factors("volume", dose.size, truth.volume_cv).reshape(shape) * shrunk
    rival = dose * draws.factors("dose", dose.size, truth.dose_cv).reshape(shape) * shrunk
    protein, tracer = truth.protein_nm * mix, truth.tracer_nm * mix
    found = equilibria.competition_slopes(
        protein, tracer, rival, tracer_kd=np.full(shape, truth.tracer_kd_nm), ki=ki
    )
    bound = found.tracer_bound / tracer
    bound[BLANK_ROWS:, 0] = 0.0
    free, held = np.asarray(truth.free_anisotropy), np.asarray(truth.bound_anisotropy)
    r = model.mixed(free, held, bound, np.asarray(truth.brightness_ratio))[0]
    bright = truth.light_counts * mix * (1.0 - bound + truth.brightness_ratio * bound)
    bright[:BLANK_ROWS, 0] = 0.0
    used = len(truth.ki_nm) * truth.replicates
    bright[used:, CONTROL_COLUMNS:] = 0.0
    own = truth.light_counts * glow * rival / 1000.0
    parts = [signal.channels(r, bright, truth.g_factor),
             signal.channels(np.asarray(truth.fluorescence_anisotropy), own, truth.g_factor)]  # fmt: skip
    along = 1.0 + truth.drift * (np.arange(COLUMNS) - (COLUMNS - 1) / 2.0) / (COLUMNS - 1)
    return np.stack([sum(side) + truth.blank_counts for side in zip(*parts, strict=True)]) * along


def _layout(truth: Truth, believed: dict[str, float]) -> str:
    last = row_letters(ROWS - 1)
    used = row_letters(len(truth.ki_nm) * truth.replicates - 1)
    blocks: list[dict[str, object]] = [
        {"wells": f"A1:{row_letters(BLANK_ROWS - 1)}1", "role": "blank"},
        {"wells": f"{row_letters(BLANK_ROWS)}1:{last}1", "role": "tracer_only"},
        {"wells": f"A2:{last}2", "role": "tracer_protein"},
        {
            "wells": f"A3:{used}{COLUMNS}",
            "role": "competitor",
            "concentration": {"start": truth.top_dose_nm, "factor": truth.dilution, "direction": "right"},
            "sample": {"values": list(truth.ki_nm), "each": truth.replicates},
        },
    ]
    if used != last:
        blocks.append({"wells": f"{chr(ord(used) + 1)}3:{last}{COLUMNS}", "role": "empty"})
    assay = {
        "protein_nm": float(f"{believed['stated_protein_nm']:.4g}"),
        "protein_cv": truth.protein_cv,
        "tracer_nm": truth.tracer_nm,
        "tracer_cv": 0.0,
        "tracer_kd_nm": float(f"{believed['stated_tracer_kd_nm']:.4g}"),
        "tracer_kd_cv": truth.tracer_kd_cv,
        "g_factor": truth.g_factor,
    }
    return layout_text("fluorescence polarisation competition plate", blocks, assay=assay)
