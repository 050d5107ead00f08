"""Resistance by loss of cereblon: potency and response of a myeloma line against the level that is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from glueprint.experiments import lab, provenance
from glueprint.experiments.cultures import Culture, grow
from glueprint.experiments.experiment import Experiment, Panel, Reading
from glueprint.experiments.proliferation import cells_of_vehicle
from glueprint.experiments.settings import amounts, at_least, concentration, prepared
from glueprint.mechanism import Scenario, compounds

__all__ = ["CULTURES", "TITLE", "run"]

TITLE = "Resistance: response of a myeloma line against its level of cereblon"
CULTURES = ("culture_myeloma",)
LEVELS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
DOSES_NM = lab.decades(1.0, 1e5)


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    levels: Sequence[float] = LEVELS,
    doses_nm: Sequence[float] = DOSES_NM,
    dose_nm: float = 1000.0,
    days: float = 5.0,
    line: str | Path = "MM1S",
    kd_nm: float | None = None,
    rho: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 3,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Run the proliferation assay at every level of cereblon, and read IC50 and response.

    compound: built-in name or TOML path.   levels: cereblon over that of the line, ascending, 0 is a
    knock-out.   dose_nm: at which the response is compared.   line: name or TOML path of a myeloma line.
    Returns `Experiment`; its table has level, dose_nm, replicate, percent_of_vehicle.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 for missing numbers.
    """
    tested = lab.doses(amounts("doses_nm", doses_nm))
    shares = amounts("levels", levels, zero=True, most=100.0)
    error = lab.errors(noise_percent, replicates, seed)
    span, dose = at_least("days", days, 0.0, above=True, most=365.0), concentration("dose_nm", dose_nm)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    cells = grow("culture_myeloma", Scenario.of(glue, line=line))
    own = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    parts = []
    for level in shares:
        left = cells_of_vehicle(cells, tested, span, {**own, "crbn_level": float(level)})
        wells = pl.DataFrame({"level": float(level), "dose_nm": tested, "percent_of_vehicle": 100.0 * left})
        parts.append(lab.wells(wells, ["percent_of_vehicle"], error, f"crbn_loss/{level:g}"))
    readings = [
        r for level, wells in zip(shares, parts, strict=True) for r in _readings(wells, level, cells, error)
    ]
    readings.append(_response(cells, shares, (span, dose), own))
    return Experiment(
        name="crbn_loss",
        title=TITLE,
        compound=glue.name,
        table=pl.concat(parts),
        readings=tuple(readings),
        assumptions=(
            *said,
            "what the ligase does is proportional to the level of cereblon",
            f"line {line}, {span:g} days",
            error.said,
        ),
        panels=_panels(cells, (tested, shares), (span, dose), own, parts),
        parameters=lab.sources({"culture": cells.behind}),
    )


def _readings(wells: pl.DataFrame, level: float, cells: Culture, error: lab.Error) -> list[Reading]:
    claims = provenance.about(cells.glue, "crbn_loss", "resistant") if level == 0.0 else ()
    potency, _ = lab.read_potency(wells, "percent_of_vehicle", level=0.5)
    label = provenance.label(claims, cells.behind, cells.glue)
    return [error.read(Reading.of(f"IC50 at {100 * level:g} % cereblon", potency, label, claims=claims))]


def _response(
    cells: Culture, shares: lab.Floats, at: tuple[float, float], own: Mapping[str, float]
) -> Reading:
    """How many more cells are left with the least cereblon than with the most."""
    span, dose = at
    low, full = (
        float(cells_of_vehicle(cells, np.array([dose]), span, {**own, "crbn_level": float(level)})[0])
        for level in (shares[0], shares[-1])
    )
    claims = provenance.about(cells.glue, "crbn_loss", "outcome")
    return Reading(
        f"cells left at {dose:g} nM, least over most cereblon",
        low / full,
        "ratio",
        provenance.label(claims, cells.behind, cells.glue),
        claims=claims,
        note="above 1: less cereblon, less response; the claims are of months without progression",
    )


def _panels(
    cells: Culture,
    axes: tuple[lab.Floats, lab.Floats],
    at: tuple[float, float],
    own: Mapping[str, float],
    parts: list[pl.DataFrame],
) -> tuple[Panel, ...]:
    (tested, shares), (span, dose) = axes, at
    fine = lab.grid(tested)
    names = [f"{100 * level:g} %" for level in shares]
    by_dose = {
        n: cells_of_vehicle(cells, fine, span, {**own, "crbn_level": float(x)})
        for n, x in zip(names, shares, strict=True)
    }
    steps = np.linspace(0.0, max(1.0, float(shares[-1])), lab.FINE)
    levels = np.concatenate([steps, steps])
    both = np.concatenate([np.zeros(steps.size), np.full(steps.size, dose)])
    logs = cells.at(both, 24.0 * span, ["log_cells"], {**own, "crbn_level": levels})["log_cells"]
    by_level = np.exp(logs[steps.size :] - logs[: steps.size])
    near = [
        w.filter((pl.col("dose_nm") - dose).abs() <= 1e-9 * dose)["percent_of_vehicle"].to_numpy()
        for w in parts
    ]
    seen = {f"{dose:g} nM": (np.repeat(shares, [n.size for n in near]), np.concatenate(near))}
    return (
        Panel(
            "Cells, by cereblon left",
            "dose",
            "cells, % of vehicle",
            lab.points(
                {n: (w["dose_nm"], w["percent_of_vehicle"]) for n, w in zip(names, parts, strict=True)}
            ),
            lab.points({n: (fine, 100.0 * y) for n, y in by_dose.items()}),
        ),
        Panel(
            f"At {dose:g} nM",
            "level",
            "cells, % of vehicle",
            lab.points(seen),
            lab.points({f"{dose:g} nM": (steps, 100.0 * by_level)}),
        ),
    )
