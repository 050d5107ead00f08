"""A myeloma line over days at one dose: substrates within hours, then IRF4 and MYC, then the cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from glueprint.experiments import lab, provenance
from glueprint.experiments.cultures import Culture, grow
from glueprint.experiments.experiment import Experiment, Panel, Reading
from glueprint.experiments.settings import amounts, concentration, prepared
from glueprint.mechanism import Scenario, compounds

__all__ = ["CULTURES", "TITLE", "run"]

TITLE = "IRF4 and MYC, then death: a myeloma line over days"
CULTURES = ("culture_myeloma",)
TIMES_H = (1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 48.0, 72.0, 96.0, 120.0, 168.0)
PROTEINS = {"IKZF1": "ikzf1", "IKZF3": "ikzf3", "IRF4": "irf4", "MYC": "myc"}
# A loss by this much shows on a blot.
FALLEN = 0.8
HALF = 0.5


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    dose_nm: float = 1000.0,
    times_h: Sequence[float] = TIMES_H,
    line: str | Path = "MM1S",
    kd_nm: float | None = None,
    rho: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 3,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Treat cells once, lyse and count them at each time, and read when each thing falls.

    compound: built-in name or TOML path.   dose_nm: at time 0.   times_h: above zero; time 0 is added.
    line: name or TOML path of a myeloma line.   kd_nm, rho: in place of the compound's and the line's.
    Returns `Experiment`; its table has measured, time_h, replicate, value (proteins of untreated cells, cells
    of those seeded).
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 for missing numbers.
    """
    times = np.concatenate([[0.0], amounts("times_h", times_h)])
    error = lab.errors(noise_percent, replicates, seed)
    dose = concentration("dose_nm", dose_nm)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    cells = grow("culture_myeloma", Scenario.of(glue, line=line))
    values = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    names = [*PROTEINS.values(), "cells"]
    hours = np.linspace(0.0, float(times[-1]), 4 * int(times[-1]) + 1)
    fine = cells.over([dose], hours, names, values)[0]
    vehicle = cells.over([0.0], hours, ["cells"], values)[0][:, 0]
    tested = cells.over([dose], times, names, values)[0]
    wide = pl.DataFrame({"time_h": times, **{name: tested[:, i] for i, name in enumerate(names)}})
    wide = lab.wells(wide, names, error, "irf4_time_course")
    named = {**PROTEINS, "cells": "cells"}
    table = pl.concat(
        [
            wide.select(pl.lit(shown).alias("measured"), "time_h", "replicate", pl.col(c).alias("value"))
            for shown, c in named.items()
        ]
    )
    return Experiment(
        name="irf4_time_course",
        title=TITLE,
        compound=glue.name,
        table=table,
        readings=_readings(cells, hours, fine, wide),
        assumptions=(
            *said,
            "half-life of IRF4 (4 h) and delay to death (48 h) are assumed, not tuned to DWN-004 or DWN-005; "
            "the day of the proliferation assay was set to day 5 because of DWN-005",
            f"{dose:g} nM once, at time 0; drug is lost by hydrolysis alone",
            error.said,
        ),
        panels=_panels(dose, hours, (fine, vehicle), wide),
        parameters=lab.sources({"culture": cells.behind}),
    )


def _readings(cells: Culture, hours: lab.Floats, fine: lab.Floats, wide: pl.DataFrame) -> tuple[Reading, ...]:
    found = []
    for i, name in enumerate(PROTEINS):
        halved = _first(hours, fine[:, i] <= HALF)
        found.append(
            Reading(
                f"time to half, {name}",
                halved,
                "h",
                cells.worth,
                "=" if halved is not None else "none",
                note="" if halved is not None else "half is never lost",
            )
        )
    irf4 = list(PROTEINS).index("IRF4")
    fallen = _first(hours, fine[:, irf4] <= FALLEN)
    claims = provenance.about(cells.glue, "irf4_time_course", "by_8_h")
    label = provenance.label(claims, cells.behind, cells.glue)
    found.append(
        Reading(
            "IRF4 has fallen",
            fallen,
            "h",
            label,
            "=" if fallen is not None else "none",
            claims=claims,
            note=f"first time with {100 * (1 - FALLEN):g} % lost",
        )
    )
    at_8 = wide.filter(pl.col("time_h") == 8.0)
    for name in ("IRF4", "MYC"):
        if at_8.height:
            left = float(at_8[PROTEINS[name]].mean())  # type: ignore[arg-type]
            found.append(Reading(f"{name} left at 8 h", left, "fraction", label, claims=claims))
    number = fine[:, len(PROTEINS)]
    peak = int(np.argmax(number))
    later = provenance.about(cells.glue, "irf4_time_course", "by_day_5")
    label = provenance.label(later, cells.behind, cells.glue)
    dying = float(hours[peak]) / 24.0 if peak < hours.size - 1 else None
    found.append(
        Reading(
            "cells begin to fall",
            dying,
            "days",
            label,
            "=" if dying is not None else "none",
            claims=later,
            note="death outruns growth" if dying is not None else "they grow to the end",
        )
    )
    day_5 = float(np.interp(120.0, hours, number)) if hours[-1] >= 120.0 else None
    if day_5 is not None:
        found.append(Reading("cells on day 5", day_5, "of those seeded", label, claims=later))
    return tuple(found)


def _first(hours: lab.Floats, holds: np.typing.NDArray[np.bool_]) -> float | None:
    return float(hours[int(np.argmax(holds))]) if holds.any() else None


def _panels(
    dose: float, hours: lab.Floats, lines: tuple[lab.Floats, lab.Floats], wide: pl.DataFrame
) -> tuple[Panel, ...]:
    fine, vehicle = lines
    early = hours <= 48.0
    seen = wide.filter(pl.col("time_h") <= 48.0)
    days = wide["time_h"] / 24.0
    return (
        Panel(
            f"Proteins at {dose:g} nM",
            "time",
            "of untreated cells",
            lab.points({n: (seen["time_h"], seen[c]) for n, c in PROTEINS.items()}),
            lab.points({n: (hours[early], fine[early, i]) for i, n in enumerate(PROTEINS)}),
        ),
        Panel(
            "Cells",
            "days",
            "of those seeded",
            lab.points({"treated": (days, wide["cells"])}),
            lab.points(
                {"treated": (hours / 24.0, fine[:, len(PROTEINS)]), "vehicle": (hours / 24.0, vehicle)}
            ),
            y_log=True,
        ),
    )
