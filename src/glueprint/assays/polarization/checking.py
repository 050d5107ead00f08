"""Quality numbers of a plate from its controls and replicates, each with its limit and verdict."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays import quality
from glueprint.assays.polarization.plates import Brightness, Contents
from glueprint.assays.quality import verdicts

__all__ = ["rows"]

Floats = NDArray[np.float64]

# Zhang, Chung and Oldenburg 1999, doi 10.1177/108705719900400206: above 0.5 an excellent assay.
LEAST_Z = 0.5
# Common practice: a window of 100 mP leaves a few per cent noise at 3 mP a well.
LEAST_WINDOW_MP = 100.0
MOST_DRIFT_PERCENT = 20.0
ENOUGH = 2


def rows(plate: Contents, light: Brightness) -> list[dict[str, object]]:
    """The quality of one plate: a row a number, in the schema `verdicts.QUALITY`; unknown ones are null."""
    free, top = (part["polarization_mp"].drop_nulls().to_numpy() for part in (plate.free, plate.top))
    found = [
        _row("tracer_only_wells", float(free.size), "wells", f">= {ENOUGH}", free.size >= ENOUGH),
        _row("tracer_protein_wells", float(top.size), "wells", f">= {ENOUGH}", top.size >= ENOUGH),
    ]
    if free.size >= ENOUGH and top.size >= ENOUGH and free.mean() != top.mean():
        window = float(top.mean() - free.mean())
        z = quality.z_prime(top, free)
        found += [
            _row("z_prime", z, "", f">= {LEAST_Z:g}", z >= LEAST_Z),
            *_robust(top, free),
            _row("ssmd", quality.ssmd(top, free), "", "", None),
            _row("window", window, "mP", f">= {LEAST_WINDOW_MP:g}", window >= LEAST_WINDOW_MP),
            _row("tracer_only", float(free.mean()), "mP", "", None),
            _row("tracer_only_sd", float(free.std(ddof=1)), "mP", "", None),
            _row("tracer_protein", float(top.mean()), "mP", "", None),
            _row("tracer_protein_sd", float(top.std(ddof=1)), "mP", "", None),
        ]
    sd, dof = _replicates(plate)
    if dof:
        found += [_row("replicate_sd", sd, "mP", "", None), _row("replicate_dof", dof, "", "", None)]
    found.append(_row("intensity_ratio", light.ratio, "", "", None))
    if light.q is not None:
        found.append(_row("brightness_ratio", light.q, "", "> 0", light.q > 0.0))
    drift = _drift(plate)
    if drift is not None:
        limit = f"within {MOST_DRIFT_PERCENT:g}"
        found.append(_row("intensity_drift", drift, "%", limit, abs(drift) <= MOST_DRIFT_PERCENT))
    return [row | {"where": plate.plate} for row in found]


def _robust(top: Floats, free: Floats) -> list[dict[str, object]]:
    if np.median(top) == np.median(free):
        return []
    return [_row("robust_z_prime", quality.robust_z_prime(top, free), "", "", None)]


def _row(name: str, value: float, unit: str, limit: str, good: bool | None) -> dict[str, object]:
    # SSMD of controls without scatter is infinite, which no table of numbers needs.
    shown = value if np.isfinite(value) else None
    return verdicts.quality_row(name, "", shown, unit=unit, limit=limit, passed=good)


def _groups(plate: Contents) -> list[pl.DataFrame]:
    """Wells with the same content: each control, and each dose of each compound."""
    groups = [plate.free, plate.top]
    for wells in (*plate.compounds.values(), plate.titrated):
        groups += [part for _, part in wells.group_by(["concentration_nm"], maintain_order=True)]
    return groups


def _replicates(plate: Contents) -> tuple[float, float]:
    """Pooled standard deviation of replicates, mP, over controls and doses, and its degrees of freedom."""
    squares, dof = 0.0, 0
    for part in _groups(plate):
        values = part["polarization_mp"].drop_nulls().to_numpy()
        if values.size > 1:
            squares += float(np.sum((values - values.mean()) ** 2))
            dof += values.size - 1
    return (float(np.sqrt(squares / dof)) if dof else 0.0), float(dof)


def _drift(plate: Contents) -> float | None:
    """Change of total intensity across the columns of the plate, % of the mean, from wells of the same
    content that stand in several columns; None where none do."""
    across, light, reach = [], [], []
    for part in _groups(plate):
        wells = part.filter(pl.col("intensity").is_not_null())
        columns = wells["well"].str.extract(r"(\d+)$").cast(pl.Float64, strict=False)
        if wells.height > 1 and columns.null_count() == 0:
            x, y = columns.to_numpy(), wells["intensity"].to_numpy()
            across.append(x - x.mean())
            light.append(y / y.mean() - 1.0)
            reach.append(x)
    moved = np.concatenate(across) if across else np.zeros(1)
    squares = float(np.sum(moved**2))
    if squares == 0.0:
        return None
    every = np.concatenate(reach)
    slope = float(np.sum(moved * np.concatenate(light))) / squares
    return 100.0 * slope * float(every.max() - every.min())
