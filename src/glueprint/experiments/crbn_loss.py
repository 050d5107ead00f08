"""Resistance by loss of cereblon: potency and response of a myeloma line against the level that is left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from glueprint.experiments import lab
from glueprint.experiments.description import DAYS, Bench, Description, in_cells
from glueprint.experiments.dilutions import (
    LOGGED,
    Asked,
    Besides,
    Curve,
    Dilutions,
    Drawing,
    HalfDose,
    Series,
    Signal,
    top_dose,
)
from glueprint.experiments.experiment import Panel, Reading
from glueprint.experiments.settings import Setting, amounts, concentration

__all__ = ["DESCRIPTION"]

# Of the line's own. No dose leaves half of the cells up to a fifth; steps are close where the response turns.
LEVELS = (0.0, 0.05, 0.1, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0)
SIGNAL = Signal(LOGGED, "percent_of_vehicle", of_vehicle=100.0)
# Shares of the line's own; a larger number is a per cent.
MOST = 10.0
LESS = "above 1: less cereblon, less response; the claims are of months without progression"


def _series(bench: Bench) -> list[Series]:
    cells, hours = bench.cells(), 24.0 * bench["days"]
    return [
        Series(
            f"{100 * level:g} %",
            cells,
            hours,
            SIGNAL,
            {**bench.values, "crbn_level": float(level)},
            {"level": float(level)},
            about="" if level else "resistant",
        )
        for level in bench["levels"]
    ]


def _by_level(bench: Bench, measured: Sequence[Curve]) -> Besides:
    """The response at one dose against the level: how far it falls, and where half of it is lost."""
    dose, levels = bench["dose_nm"], bench["levels"]
    left = [curve.own(dose) for curve in measured]
    claims = bench.claims("outcome")
    label = bench.label(claims, measured[0].series.cells.behind)
    ratio = lab.ratio_of(left[0], left[-1], bench.error) if len(left) > 1 else None
    note = LESS if ratio else "one level alone"
    name = f"cells left at {dose:g} nM, least over most cereblon"
    return Besides(
        readings=(
            Reading.measured(name, ratio, "ratio", label, claims=claims, note=note),
            _half_lost(bench, levels, left),
        ),
        panels=(_panel(dose, levels, left, measured),),
    )


def _half_lost(bench: Bench, levels: lab.Floats, left: list[lab.Floats]) -> Reading:
    """The level of cereblon half way between the cells left with least and with most of it."""
    rows = np.array(left).T
    # Each replicate with ends of its own, so that their error is in the scatter.
    found = [lab.crossing(levels, row, 0.5 * float(row[0] + row[-1])) for row in rows]
    each = [level for level in found if level is not None]
    measure = lab.mean_of(each, bench.error) if len(levels) > 1 and len(each) == len(rows) else None
    note = "half way between the cells left with least and with most of it"
    name = f"cereblon with half of the response to {bench['dose_nm']:g} nM"
    return Reading.measured(name, measure, "of the line's", bench.worth, note=note)


def _panel(dose: float, levels: lab.Floats, left: list[lab.Floats], measured: Sequence[Curve]) -> Panel:
    steps = np.linspace(0.0, max(1.0, float(levels[-1])), lab.FINE)
    return Panel(
        f"At {dose:g} nM",
        "level",
        "cells, % of vehicle",
        lab.points({f"{dose:g} nM": (np.repeat(levels, [w.size for w in left]), np.concatenate(left))}),
        lab.points({f"{dose:g} nM": (steps, _line(measured[0].series, dose, steps))}),
    )


def _line(series: Series, dose: float, levels: lab.Floats) -> lab.Floats:
    """The model over levels of cereblon at one dose, % of the vehicle of the same level."""
    both = np.concatenate([np.zeros(levels.size), np.full(levels.size, dose)])
    values = {**series.values, "crbn_level": np.tile(levels, 2)}
    logs = series.cells.at(both, series.hours, [LOGGED], values)[LOGGED]
    return np.asarray(100.0 * np.exp(logs[levels.size :] - logs[: levels.size]))


DESCRIPTION = Description(
    name="crbn_loss",
    title="Resistance: response of a myeloma line against its level of cereblon",
    question="How much cereblon may a line lose before the compound fails, and what does each loss cost?",
    model="culture_myeloma",
    settings={
        "levels": Setting(LEVELS, partial(amounts, zero=True, most=MOST)),
        "doses_nm": Setting(lab.decades(1.0, 1e5), amounts),
        "dose_nm": Setting(1000.0, concentration),
        "days": Setting(5.0, DAYS),
        **in_cells("MM1S"),
    },
    columns=("level", "dose_nm", "replicate", "percent_of_vehicle"),
    protocol=Dilutions(
        series=_series,
        asks=(
            HalfDose("IC50 at {} cereblon", claims="{}", level=0.5),
            Asked("cells at the highest dose, {} cereblon", top_dose, "% of vehicle"),
        ),
        drawings=(Drawing("Cells, by cereblon left", "cells, % of vehicle"),),
        besides=_by_level,
        also="dose_nm",
    ),
    assumptions=(
        "what the ligase does is proportional to the level of cereblon",
        "line {line}, {days:g} days",
    ),
    noise_percent=5.0,
    replicates=6,
)
