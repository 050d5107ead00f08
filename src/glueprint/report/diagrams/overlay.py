"""What a dose does to every species of a map: fold changes from a run, and their colours."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from glueprint.errors import InputError
from glueprint.mechanism import Compound, Scenario, models
from glueprint.report.diagrams import glyphs
from glueprint.report.diagrams.drawing import box_of
from glueprint.report.diagrams.scenes import Scene
from glueprint.report.figures.theme import ARM_COLOURS, GRID, INK, MUTED

__all__ = ["COLUMNS", "fills", "folds", "key", "marks"]

COLUMNS = {"species": pl.String, "untreated": pl.Float64, "treated": pl.Float64, "fold": pl.Float64}
FALLS, RISES = ARM_COLOURS[0], ARM_COLOURS[1]
FULL = 4.0  # doublings or halvings at which the colour is full
SMALLEST = 1e-6  # below this an untreated level is none: nM, or a share
# Levels on a natural logarithmic scale; their fold is the exponential of the difference.
LOGARITHMIC = ("log_cells",)
OPACITY = (0.05, 0.6)  # darker would hide the labels


def folds(
    scene: Scene,
    compound: Compound,
    *,
    dose_nm: float,
    time_h: float,
) -> pl.DataFrame:
    """Every species with and without the compound, after the same time in the culture models of a map.

    dose_nm: total in the medium at time 0, nM.   time_h: hours.
    Returns columns species (as on the map), untreated, treated (in the model's unit) and fold; no fold where
    the untreated cell has none of it.
    Raises InputError GP-P031 for a dose or time that is not above 0, and as `mechanism.models.build`.
    """
    for name, value in (("dose_nm", dose_nm), ("time_h", time_h)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(
                "GP-P031",
                f"{name} is {value:g}",
                where=name,
                expected="a number above 0",
                next_step="correct the number",
            )
    rows: dict[str, tuple[float, float]] = {}
    for use in scene.chart.models:
        model = models.build(use.model, Scenario(compound, form=use.form))
        doses = np.array([0.0, dose_nm])
        result = model.ensemble({"dose_nm": doses}).simulate([0.0, time_h], outputs=list(model.species))
        for place, name in enumerate(model.species):
            levels = result.values[:, -1, place]
            shared = name if name in scene.nodes else f"{use.part}/{name}"
            rows.setdefault(shared, (float(levels[0]), float(levels[1])))
    table = [(name, *levels, _fold(name, *levels)) for name, levels in rows.items()]
    return pl.DataFrame(table, schema=COLUMNS, orient="row")


def _fold(name: str, untreated: float, treated: float) -> float | None:
    if name.rpartition("/")[2] in LOGARITHMIC:
        return math.exp(treated - untreated)
    return treated / untreated if untreated > SMALLEST else None


def fills(scene: Scene, table: pl.DataFrame) -> dict[str, tuple[str, float]]:
    """Colour and opacity of each species: blue falls, orange rises, full at 16-fold; new is orange.

    Raises InputError GP-P032 if the table lacks a species of the map.
    """
    known = _known(scene, table)
    return {name: _fill(*row) for name, row in known.items()}


def _known(scene: Scene, table: pl.DataFrame) -> dict[str, tuple[float, float | None]]:
    rows = {row["species"]: (row["treated"], row["fold"]) for row in table.iter_rows(named=True)}
    missing = sorted({node.species for node in scene.nodes.values()} - rows.keys())
    if missing:
        raise InputError(
            "GP-P032",
            f"the table says nothing of {', '.join(missing[:6])}",
            where=scene.chart.name,
            expected="a row for every species of the map",
            next_step="make the table with `overlay.folds` for this map",
        )
    return rows


def _fill(treated: float, fold: float | None) -> tuple[str, float]:
    if fold is None:
        return (RISES, OPACITY[1] / 2) if treated > SMALLEST else (GRID, OPACITY[0])
    doublings = math.log2(max(fold, 1e-9))
    share = min(abs(doublings) / FULL, 1.0)
    return (RISES if doublings > 0 else FALLS, OPACITY[0] + share * (OPACITY[1] - OPACITY[0]))


def marks(scene: Scene, table: pl.DataFrame) -> str:
    """The fold written beneath each node that is not a clone of another, as SVG."""
    known, seen, drawn = _known(scene, table), set(), []
    for node in scene.nodes.values():
        if node.species in seen:
            continue
        seen.add(node.species)
        box, words = box_of(node), said(*known[node.species])
        if words:
            small = (
                node.place.glyph == "simple chemical"
            )  # its number would hide arrows: beneath, not on the rim
            right, low = (box.x + 13, 9.0) if small else (box.x + box.width / 2 + 6, 0.0)
            drawn.append(glyphs.tag(right, box.y + box.height / 2 + low, words))
    return "".join(drawn)


def said(treated: float, fold: float | None) -> str:
    """A fold in few characters: "×0.12", "<0.01", "new"; empty where there is nothing, treated or not."""
    if fold is None:
        return "new" if treated > SMALLEST else ""
    if fold < 0.01:
        return "<0.01"
    return f"×{fold:.2f}" if fold < 1 else f"×{fold:.1f}" if fold < 10 else f"×{fold:.3g}"


def key(x: float, y: float, words: str) -> str:
    """The key of the colours: from a sixteenth over the same to sixteen times."""
    drawn = [glyphs.text(x, y + 4, words, size=12, weight=600, anchor="start")]
    left = x + 560
    steps = (-4, -3, -2, -1, 0, 1, 2, 3, 4)
    for place, doublings in enumerate(steps):
        token, opacity = _fill(1.0, 2.0**doublings)
        at = left + 44 * place
        drawn.append(
            f'<rect x="{at:g}" y="{y - 12:g}" width="44" height="14" fill="{token}" '
            f'fill-opacity="{opacity:.2f}" stroke="{MUTED}" stroke-width="0.6"/>'
        )
        label = f"{2**doublings:g}" if doublings >= 0 else f"1/{2**-doublings:g}"
        drawn.append(glyphs.text(at + 22, y + 16, label, size=10, fill=INK if doublings == 0 else MUTED))
    return "".join(drawn)
