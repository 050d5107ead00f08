"""Myeloma lines under a dilution series: cells after days, over those of the vehicle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from glueprint.experiments import lab, provenance
from glueprint.experiments.cultures import Culture, grow
from glueprint.experiments.experiment import Experiment, Mark, Panel, Reading
from glueprint.experiments.settings import amounts, at_least, prepared, refusal
from glueprint.mechanism import Scenario, compounds

__all__ = ["CULTURES", "TITLE", "cells_of_vehicle", "run"]

TITLE = "Proliferation of myeloma lines under a dilution series"
CULTURES = ("culture_myeloma",)
LINES = ("MM1S", "RPMI8226", "OPM2")
DOSES_NM = lab.decades(1.0, 1e5)
# Light of an ATP read-out from the wells of the vehicle: only its scale.
LIGHT = 1e6
USUAL_DAYS = 5.0
HOURS_PER_DAY = 24.0


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    lines: Sequence[str | Path] = LINES,
    doses_nm: Sequence[float] = DOSES_NM,
    days: float | None = None,
    kd_nm: float | None = None,
    rho: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 3,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Count cells by their light after some days, and read the dose that leaves half of vehicle's.

    compound: built-in name or TOML path.   lines: names or TOML paths of myeloma lines.   doses_nm: above
    zero; vehicle is added.   days: of exposure; None takes each line's own.   kd_nm, rho: in place of the
    compound's and the lines'.
    Returns `Experiment`; its table has line, dose_nm, replicate, light, percent_of_vehicle.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 for missing numbers, and what
    `lines.load` raises.
    """
    tested = lab.doses(amounts("doses_nm", doses_nm))
    error = lab.errors(noise_percent, replicates, seed)
    exposure = None if days is None else at_least("days", days, 0.0, above=True, most=365.0)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    values = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    cultures = [grow("culture_myeloma", Scenario.of(glue, line=name)) for name in _names(lines)]
    tables, readings, points, curves, marks = [], list[Reading](), {}, {}, list[Mark]()
    for cells in cultures:
        name = cells.line.name if cells.line else ""
        span = exposure or _days(cells)
        wells = _plate(name, tested, cells_of_vehicle(cells, tested, span, values), error)
        tables.append(wells)
        claims = provenance.about(glue, "proliferation", name)
        readings += _readings(wells, name, cells, claims, error)
        fine = lab.grid(tested)
        points[name] = wells["dose_nm"].to_numpy(), wells["percent_of_vehicle"].to_numpy()
        curves[name] = fine, 100.0 * cells_of_vehicle(cells, fine, span, values)
        marks += provenance.marks(name, claims)
    drawn = lab.points(points), lab.points(curves)
    return Experiment(
        name="proliferation",
        title=TITLE,
        compound=glue.name,
        table=pl.concat(tables),
        readings=tuple(readings),
        assumptions=(
            *said,
            "one threshold of IKZF1 and IKZF3 for all lines; they differ by their capacity to degrade",
            *(f"{c.line.name}: {exposure or _days(c):g} days" for c in cultures if c.line),
            "the signal is proportional to the number of cells",
            error.said,
        ),
        panels=(Panel("Cells after exposure", "dose", "cells, % of vehicle", *drawn, tuple(marks)),),
        parameters=lab.sources({c.line.name: c.behind for c in cultures if c.line}),
    )


def _names(lines: str | Path | Sequence[str | Path]) -> tuple[str | Path, ...]:
    names = (lines,) if isinstance(lines, str | Path) else tuple(lines)
    if not names:
        raise refusal("lines", names, "at least one name or file of a myeloma line")
    return names


def _plate(name: str, tested: lab.Floats, left: lab.Floats, error: lab.Error) -> pl.DataFrame:
    """Light of every well, and its share of the mean of vehicle's."""
    plain = pl.DataFrame({"line": name, "dose_nm": tested, "light": LIGHT * left})
    wells = lab.wells(plain, ["light"], error, f"proliferation/{name}")
    vehicle = float(np.mean(wells.filter(pl.col("dose_nm") == 0.0)["light"].to_numpy()))
    return wells.with_columns(percent_of_vehicle=100.0 * pl.col("light") / vehicle)


def cells_of_vehicle(
    cells: Culture, doses_nm: lab.Floats, days: float, values: Mapping[str, float]
) -> lab.Floats:
    """Cells at every dose (n,) over those of the vehicle, 0 to 1 and above."""
    both = np.concatenate([[0.0], doses_nm])
    logs = cells.at(both, HOURS_PER_DAY * days, ["log_cells"], values)["log_cells"]
    return np.asarray(np.exp(logs[1:] - logs[0]))


def _days(cells: Culture) -> float:
    return cells.line.assay_days.typical if cells.line and cells.line.assay_days else USUAL_DAYS


def _readings(
    wells: pl.DataFrame, name: str, cells: Culture, claims: tuple[str, ...], error: lab.Error
) -> list[Reading]:
    label = provenance.label(claims, cells.behind, cells.glue)
    potency, _ = lab.read_potency(wells, "percent_of_vehicle", level=0.5)
    top = float(wells.filter(pl.col("dose_nm") == wells["dose_nm"].max())["percent_of_vehicle"].mean())  # type: ignore[arg-type]
    return [
        error.read(Reading.of(f"IC50, {name}", potency, label, claims=claims)),
        Reading(f"cells at the highest dose, {name}", top, "% of vehicle", cells.worth),
    ]
