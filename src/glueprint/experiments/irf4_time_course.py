"""A myeloma line over days at one dose: substrates within hours, then IRF4 and MYC, then the cells."""

from __future__ import annotations

import numpy as np
import polars as pl

from glueprint.experiments import lab
from glueprint.experiments.cultures import Culture
from glueprint.experiments.description import BLOT_DETECTS, Bench, Description, Measured, in_cells
from glueprint.experiments.experiment import Label, Panel, Reading
from glueprint.experiments.settings import Setting, amounts, concentration

__all__ = ["DESCRIPTION"]

# Half of the substrates is gone within a quarter of an hour, so that the first wells are lysed before.
EARLY_H = (0.1, 0.25, 0.5)
TIMES_H = (*EARLY_H, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 48.0, 72.0, 96.0, 120.0, 168.0)
PROTEINS = {"IKZF1": "ikzf1", "IKZF3": "ikzf3", "IRF4": "irf4", "MYC": "myc"}
CELLS = "cells"
# A loss by this much shows on a blot.
FALLEN, HALF = 0.8, 0.5
BLOT_H, DAY_5_H = 8.0, 120.0
# What is drawn together, up to this hour: the substrates are gone before the others begin to fall.
SHOWN = {("IKZF1", "IKZF3"): 4.0, ("IRF4", "MYC"): 48.0}


def _follow(bench: Bench) -> Measured:
    """Treat cells once, lyse and count them at each time, and read when each thing falls."""
    cells, names = bench.cells(), [*PROTEINS.values(), CELLS]
    times = np.concatenate([[0.0], bench["times_h"]])
    found = cells.over([bench["dose_nm"]], times, names, bench.values)[0]
    plain = pl.DataFrame({"time_h": times, **dict(zip(names, found.T, strict=True))})
    wells = lab.wells(plain, names, bench.error, "irf4_time_course")
    parts = [
        wells.select(pl.lit(shown).alias("measured"), "time_h", "replicate", pl.col(name).alias("value"))
        for shown, name in {**PROTEINS, CELLS: CELLS}.items()
    ]
    return Measured(
        table=pl.concat(parts),
        readings=(*_halves(bench, wells), *_by_8_h(bench, cells, wells), *_cells(bench, cells, wells)),
        panels=_panels(bench, cells, wells),
        behind={"culture": cells.behind},
    )


def _halves(bench: Bench, wells: pl.DataFrame) -> list[Reading]:
    return [
        _falls(bench, wells, column, HALF, f"time to half, {name}", bench.worth)
        for name, column in PROTEINS.items()
    ]


def _falls(
    bench: Bench,
    wells: pl.DataFrame,
    column: str,
    level: float,
    name: str,
    label: Label,
    claims: tuple[str, ...] = (),
) -> Reading:
    """When a protein is down to a level: of each replicate between two tested times, then their mean."""
    # What is lost by turnover falls exponentially, so that its logarithm runs straight between two times.
    logs = wells.with_columns(pl.col(column).log())
    each = [
        lab.crossing(one["time_h"], one[column], float(np.log(level)))
        for _, one in logs.group_by("replicate", maintain_order=True)
    ]
    lost, first = f"{100 * (1 - level):g} %", float(bench["times_h"][0])
    hours = [hour for hour in each if hour is not None]
    if len(hours) < len(each):
        note = f"{lost} are never lost in {len(each) - len(hours)} of {len(each)} replicates"
        return Reading.measured(name, None, "h", label, claims=claims, note=note)
    if min(hours) < first:
        note = f"{lost} are lost before the first time; add earlier times"
        return Reading(name, first, "h", label, "<", claims=claims, note=note)
    measure = lab.mean_of(hours, bench.error)
    return Reading.measured(name, measure, "h", label, claims=claims, note=f"time with {lost} lost")


def _by_8_h(bench: Bench, cells: Culture, wells: pl.DataFrame) -> list[Reading]:
    """What evidence says of IRF4 and MYC within 8 h."""
    claims = bench.claims("by_8_h")
    label = bench.label(claims, cells.behind)
    found = [_falls(bench, wells, "irf4", FALLEN, "IRF4 has fallen", label, claims)]
    at_8 = wells.filter(pl.col("time_h") == BLOT_H)
    for name in ("IRF4", "MYC") if at_8.height else ():
        left = lab.mean_of(at_8[PROTEINS[name]].to_numpy(), bench.error)
        found.append(Reading.measured(f"{name} left at 8 h", left, "fraction", label, claims=claims))
    return found


def _cells(bench: Bench, cells: Culture, wells: pl.DataFrame) -> list[Reading]:
    """When there are most cells, between the tested times beside, and what is left of them on day 5."""
    claims = bench.claims("by_day_5")
    label = bench.label(claims, cells.behind)
    mean = wells.group_by("time_h", maintain_order=True).agg(pl.col(CELLS).mean())
    days, most = mean["time_h"].to_numpy() / 24.0, int(np.argmax(mean[CELLS].to_numpy()))
    falls = most < days.size - 1
    peak = (float(days[most]), float(days[max(most - 1, 0)]), float(days[most + 1])) if falls else None
    note = "tested time with most cells, between its neighbours" if falls else "they grow to the end"
    found = [Reading.measured("cells begin to fall", peak, "days", label, claims=claims, note=note)]
    on_5 = wells.filter(pl.col("time_h") == DAY_5_H)[CELLS].to_numpy()
    if on_5.size:
        left = lab.mean_of(on_5, bench.error)
        found.append(Reading.measured("cells on day 5", left, "of those seeded", label, claims=claims))
    return found


def _panels(bench: Bench, cells: Culture, wells: pl.DataFrame) -> tuple[Panel, ...]:
    """Substrates over the first hours, IRF4 and MYC over two days, cells over all of it."""
    dose, last = bench["dose_nm"], float(bench["times_h"][-1])
    hours = np.linspace(0.0, last, lab.FINE)
    treated, vehicle = cells.over([dose, 0.0], hours, [CELLS], bench.values)[:, :, 0]
    grown = Panel(
        "Cells",
        "days",
        "of those seeded",
        lab.points({"treated": (wells["time_h"] / 24.0, wells[CELLS])}),
        lab.points({"treated": (hours / 24.0, treated), "vehicle": (hours / 24.0, vehicle)}),
        y_log=True,
    )
    return (*(_proteins(bench, cells, wells, names, until) for names, until in SHOWN.items()), grown)


def _proteins(
    bench: Bench, cells: Culture, wells: pl.DataFrame, names: tuple[str, ...], until_h: float
) -> Panel:
    seen = wells.filter(pl.col("time_h") <= until_h)
    hours = np.linspace(0.0, min(float(bench["times_h"][-1]), until_h), lab.FINE)
    columns = [PROTEINS[name] for name in names]
    fine = cells.over([bench["dose_nm"]], hours, columns, bench.values)[0]
    return Panel(
        f"{' and '.join(names)} at {bench['dose_nm']:g} nM",
        "time",
        "of untreated cells",
        lab.points({name: (seen["time_h"], seen[PROTEINS[name]]) for name in names}),
        lab.points({name: (hours, fine[:, i]) for i, name in enumerate(names)}),
    )


DESCRIPTION = Description(
    name="irf4_time_course",
    title="IRF4 and MYC, then death: a myeloma line over days",
    question="In which order, and when, do the substrates, IRF4 and MYC, and the cells fall?",
    model="culture_myeloma",
    settings={
        "dose_nm": Setting(1000.0, concentration),
        "times_h": Setting(TIMES_H, amounts),
        **in_cells("MM1S"),
    },
    columns=("measured", "time_h", "replicate", "value"),
    protocol=_follow,
    assumptions=(
        "half-life of IRF4 (4 h) and delay to death (48 h) are assumed, not tuned to DWN-004 or DWN-005; "
        "the day of the proliferation assay was set to day 5 because of DWN-005",
        "{dose_nm:g} nM once, at time 0; drug is lost by hydrolysis alone",
    ),
    noise_percent=8.0,
    replicates=3,
    detection={"fraction": BLOT_DETECTS},
)
