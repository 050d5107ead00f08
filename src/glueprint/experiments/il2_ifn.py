"""Stimulated T cells: IL-2 and interferon gamma over dose, and over time at one dose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import polars as pl

from glueprint.experiments import lab
from glueprint.experiments.cultures import Culture
from glueprint.experiments.description import HOURS, Bench, Description, in_cells
from glueprint.experiments.dilutions import (
    Asked,
    Besides,
    Curve,
    Dilutions,
    Drawing,
    HalfDose,
    Series,
    Signal,
    far_plateau,
)
from glueprint.experiments.experiment import Panel, Reading
from glueprint.experiments.settings import Setting, amounts, at_least, concentration

__all__ = ["DESCRIPTION"]

TIMES_H = (1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0)
OUTPUTS = {"IL-2": "il2", "IFN-gamma": "ifn_gamma"}
AP1, AP1_H = "ap1_fold", 6.0
# A rise by this factor is told from the scatter of an ELISA.
SEEN_FOLD = 1.2


def _series(bench: Bench) -> list[Series]:
    cells, values, hours = bench.cells(), _values(bench), bench["read_h"]
    return [
        Series(name, cells, hours, Signal(output, "fold"), values, {"cytokine": name, "time_h": hours})
        for name, output in OUTPUTS.items()
    ]


def _values(bench: Bench) -> dict[str, float]:
    return {**bench.values, "dex_effect": bench["dexamethasone"]}


def _course(bench: Bench, curves: Sequence[Curve]) -> Besides:
    """Wells over time at one dose."""
    cells, times, dose = curves[0].series.cells, bench["times_h"], bench["dose_nm"]
    names = [*OUTPUTS.values(), AP1]
    found = cells.over([dose], times, names, _values(bench))[0]
    plain = pl.DataFrame({"time_h": times, "dose_nm": dose, **dict(zip(names, found.T, strict=True))})
    wells = lab.wells(plain, names, bench.error, "il2_ifn/time")
    parts = [
        wells.with_columns(pl.lit(shown).alias("cytokine"), pl.col(output).alias("fold"))
        for shown, output in OUTPUTS.items()
    ]
    return Besides(
        readings=(_onset(bench, cells, wells), *_ap1(bench, cells, wells)),
        panels=(_panel(bench, cells, wells),),
        table=pl.concat(parts),
    )


def _onset(bench: Bench, cells: Culture, wells: pl.DataFrame) -> Reading:
    """The first tested time with more IL-2 than an ELISA scatters; the rise lies after the time before."""
    mean = wells.group_by("time_h", maintain_order=True).mean()
    times, seen = mean["time_h"].to_numpy(), np.flatnonzero(mean["il2"].to_numpy() >= SEEN_FOLD)
    first = int(seen[0]) if seen.size else -1
    before = float(times[first - 1]) if first > 0 else 0.0
    measure = (float(times[first]), before, float(times[first])) if seen.size else None
    claims = bench.claims("onset")
    note = f"first tested time with {SEEN_FOLD:g} fold at {bench['dose_nm']:g} nM, after the one before"
    label = bench.label(claims, cells.behind)
    return Reading.measured("first rise, IL-2", measure, "h", label, claims=claims, note=note)


def _ap1(bench: Bench, cells: Culture, wells: pl.DataFrame) -> list[Reading]:
    at = wells.filter(pl.col("time_h") == AP1_H)[AP1].to_numpy()
    if not at.size:
        return []
    claims = bench.claims("ap1")
    label = bench.label(claims, cells.behind)
    fold = lab.mean_of(at, bench.error)
    return [Reading.measured(f"AP-1 at {AP1_H:g} h", fold, "fold", label, claims=claims)]


def _panel(bench: Bench, cells: Culture, wells: pl.DataFrame) -> Panel:
    hours = np.linspace(0.0, float(bench["times_h"][-1]), lab.FINE)
    over = cells.over([bench["dose_nm"]], hours, list(OUTPUTS.values()), _values(bench))[0]
    return Panel(
        f"At {bench['dose_nm']:g} nM",
        "time",
        "fold of vehicle",
        lab.points({name: (wells["time_h"], wells[output]) for name, output in OUTPUTS.items()}),
        lab.points({name: (hours, over[:, i]) for i, name in enumerate(OUTPUTS)}),
    )


DESCRIPTION = Description(
    name="il2_ifn",
    title="IL-2 and interferon gamma of stimulated T cells",
    question="At which dose, how much and from when do stimulated T cells make more cytokine?",
    model="culture_t_cell",
    settings={
        "doses_nm": Setting(lab.decades(0.1, 1e4), amounts),
        "times_h": Setting(TIMES_H, amounts),
        "dose_nm": Setting(1000.0, concentration),
        "read_h": Setting(24.0, HOURS),
        "dexamethasone": Setting(0.0, partial(at_least, least=0.0, most=1.0)),
        **in_cells("t_cell"),
    },
    columns=("cytokine", "time_h", "dose_nm", "replicate", "fold"),
    protocol=Dilutions(
        series=_series,
        asks=(
            HalfDose("EC50 relative, {} at {read_h:g} h", kind="EC50"),
            Asked("largest fold, {} at {read_h:g} h", far_plateau, "fold", note="fitted far plateau"),
        ),
        drawings=(Drawing("After {read_h:g} h", "fold of vehicle"),),
        besides=_course,
    ),
    assumptions=(
        "cytokines follow AP-1, which follows the IKZF1 and IKZF3 lost in T cells",
        "size of the IL-2 gain from thalidomide (IMM-014 to IMM-016); interferon gamma is taken as IL-2",
        "dexamethasone {dexamethasone:g} of its full effect",
    ),
    noise_percent=8.0,
    replicates=3,
)
