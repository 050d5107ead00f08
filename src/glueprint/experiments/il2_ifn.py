"""Stimulated T cells: IL-2 and interferon gamma over dose, and over time at one dose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from glueprint.experiments import lab, provenance
from glueprint.experiments.cultures import Culture, grow
from glueprint.experiments.experiment import Experiment, Panel, Reading
from glueprint.experiments.settings import amounts, at_least, concentration, prepared
from glueprint.mechanism import Scenario, compounds

__all__ = ["CULTURES", "TITLE", "run"]

TITLE = "IL-2 and interferon gamma of stimulated T cells"
CULTURES = ("culture_t_cell",)
DOSES_NM = lab.decades(0.1, 1e4)
TIMES_H = (1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0)
OUTPUTS = {"IL-2": "il2", "IFN-gamma": "ifn_gamma"}
# A rise by this factor is told from the scatter of an ELISA.
SEEN_FOLD = 1.2


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    doses_nm: Sequence[float] = DOSES_NM,
    times_h: Sequence[float] = TIMES_H,
    dose_nm: float = 1000.0,
    read_h: float = 24.0,
    line: str | Path = "t_cell",
    dexamethasone: float = 0.0,
    kd_nm: float | None = None,
    rho: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 3,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Measure cytokines over dose at `read_h`, and over time at `dose_nm`.

    compound: built-in name or TOML path.   doses_nm, times_h: above zero; vehicle is added.
    line: name or TOML path of a T-cell type.   dexamethasone: its effect, 0 none to 1 full.
    kd_nm, rho: in place of the compound's and the cells'.
    Returns `Experiment`; its table has cytokine, time_h, dose_nm, replicate, fold (of vehicle).
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 for missing numbers.
    """
    tested = lab.doses(amounts("doses_nm", doses_nm))
    times = amounts("times_h", times_h)
    error = lab.errors(noise_percent, replicates, seed)
    dose, at_h = concentration("dose_nm", dose_nm), at_least("read_h", read_h, 0.0, above=True, most=1e4)
    dex = at_least("dexamethasone", dexamethasone, 0.0, most=1.0)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    cells = grow("culture_t_cell", Scenario.of(glue, line=line))
    values = {**(parameters or {}), "dex_effect": dex} | ({} if rho is None else {"rho": rho})
    series = lab.dose_series(
        cells, tested, at_h, list(OUTPUTS.values()), values, error=error, purpose="il2_ifn/dose"
    )
    course = _course(cells, times, dose, values, error)
    by_dose = [
        _long(series.with_columns(time_h=pl.lit(at_h)), name, column) for name, column in OUTPUTS.items()
    ]
    by_time = [_long(course, name, column) for name, column in OUTPUTS.items()]
    return Experiment(
        name="il2_ifn",
        title=TITLE,
        compound=glue.name,
        table=pl.concat([*by_dose, *by_time]),
        readings=_readings(by_dose, course, cells, error, (at_h, dose)),
        assumptions=(
            *said,
            "cytokines follow AP-1, which follows the IKZF1 and IKZF3 lost in T cells",
            "size of the IL-2 gain from thalidomide (IMM-014 to IMM-016); interferon gamma is taken as IL-2",
            f"dexamethasone {dex:g} of its full effect",
            error.said,
        ),
        panels=_panels(cells, (tested, times), (at_h, dose), values, (by_dose, by_time)),
        parameters=lab.sources({"culture": cells.behind}),
    )


def _course(
    cells: Culture, times: lab.Floats, dose: float, values: Mapping[str, float], error: lab.Error
) -> pl.DataFrame:
    """Wells over time at one dose: time_h, dose_nm, the outputs, AP-1, replicate."""
    names = [*OUTPUTS.values(), "ap1_fold"]
    found = cells.over([dose], times, names, values)[0]
    plain = pl.DataFrame({"time_h": times, "dose_nm": dose, **{n: found[:, i] for i, n in enumerate(names)}})
    return lab.wells(plain, names, error, "il2_ifn/time")


def _long(wells: pl.DataFrame, cytokine: str, column: str) -> pl.DataFrame:
    return wells.select(
        pl.lit(cytokine).alias("cytokine"), "time_h", "dose_nm", "replicate", pl.col(column).alias("fold")
    )


def _readings(
    by_dose: list[pl.DataFrame],
    course: pl.DataFrame,
    cells: Culture,
    error: lab.Error,
    at: tuple[float, float],
) -> tuple[Reading, ...]:
    read_h, dose = at
    found = []
    for name, wells in zip(OUTPUTS, by_dose, strict=True):
        potency, fits = lab.read_potency(wells, "fold", kind="EC50")
        found += [
            error.read(Reading.of(f"EC50 relative, {name} at {read_h:g} h", potency, cells.worth)),
            lab.plateau(f"largest fold, {name} at {read_h:g} h", fits, cells.worth, unit="fold"),
        ]
    mean = course.group_by("time_h", maintain_order=True).mean()
    seen = mean.filter(pl.col("il2") >= SEEN_FOLD)["time_h"]
    claims = provenance.about(cells.glue, "il2_ifn", "onset")
    note = f"first tested time with {SEEN_FOLD:g} fold at {dose:g} nM"
    found.append(
        Reading(
            "first rise, IL-2",
            float(seen[0]) if seen.len() else None,
            "h",
            provenance.label(claims, cells.behind, cells.glue),
            "=" if seen.len() else "none",
            claims=claims,
            note=note,
        )
    )
    six = mean.filter(pl.col("time_h") == 6.0)["ap1_fold"]
    if six.len():
        claims = provenance.about(cells.glue, "il2_ifn", "ap1")
        found.append(
            Reading(
                "AP-1 at 6 h",
                float(six[0]),
                "fold",
                provenance.label(claims, cells.behind, cells.glue),
                claims=claims,
            )
        )
    return tuple(found)


def _panels(
    cells: Culture,
    axes: tuple[lab.Floats, lab.Floats],
    at: tuple[float, float],
    values: Mapping[str, float],
    tables: tuple[list[pl.DataFrame], list[pl.DataFrame]],
) -> tuple[Panel, ...]:
    (tested, times), (read_h, dose) = axes, at
    by_dose, by_time = tables
    hours = np.linspace(0.0, float(times[-1]), lab.FINE)
    over = cells.over([dose], hours, list(OUTPUTS.values()), values)[0]
    curves = {n: lab.model_line(cells, tested, read_h, column, values) for n, column in OUTPUTS.items()}
    return (
        Panel(
            f"After {read_h:g} h",
            "dose",
            "fold of vehicle",
            lab.points({n: (w["dose_nm"], w["fold"]) for n, w in zip(OUTPUTS, by_dose, strict=True)}),
            lab.points(curves),
        ),
        Panel(
            f"At {dose:g} nM",
            "time",
            "fold of vehicle",
            lab.points({n: (w["time_h"], w["fold"]) for n, w in zip(OUTPUTS, by_time, strict=True)}),
            lab.points({n: (hours, over[:, i]) for i, n in enumerate(OUTPUTS)}),
        ),
    )
