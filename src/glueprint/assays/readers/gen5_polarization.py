"""Whether the polarization that a file prints follows from the intensities that it prints."""

from __future__ import annotations

import numpy as np
import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.readers.text import short

__all__ = ["check_polarization"]

# mP are printed as whole numbers and counts too, so each may be off by half of its last digit.
HALF = 0.5
# With fewer wells the G factor that the file used cannot be told from rounding.
FEWEST = 8


def check_polarization(table: pl.DataFrame, source: str) -> tuple[dict[str, str], list[Finding]]:
    """The G factor that turns the printed intensities into the printed mP, and wells that do not follow it.

    table: a plate's table; without the channels parallel, perpendicular and mP nothing is checked.
    Returns metadata ("g_factor") and findings.
    Source: mP = 1000 (par - G perp) / (par + G perp), solved for G.
    """
    wide = table.filter(pl.col("value").is_not_null()).pivot(
        on="channel", index=["plate", "well"], values="value"
    )
    if not {"parallel", "perpendicular", "mP"} <= set(wide.columns):
        return {}, []
    wide = wide.drop_nulls(["parallel", "perpendicular", "mP"])
    wide = wide.filter(
        (pl.col("parallel") > 0.0) & (pl.col("perpendicular") > 0.0) & (pl.col("mP").abs() < 999.0)
    )
    if wide.height < FEWEST:
        return {}, []
    par, perp, printed = (wide[name].to_numpy() for name in ("parallel", "perpendicular", "mP"))
    polarization = printed / 1000.0
    factor = float(np.median(par / perp * (1.0 - polarization) / (1.0 + polarization)))
    total = par + factor * perp
    computed = 1000.0 * (par - factor * perp) / total
    # First order of rounding both counts and the mP, and as much again for the median.
    slack = HALF + 2000.0 * HALF * factor * (par + perp) / total**2
    wrong = np.abs(computed - printed) > 2.0 * slack
    if not wrong.any():
        return {"g_factor": f"{factor:.4f}"}, []
    wells = short(str(well) for well in wide.filter(pl.Series(wrong))["well"])
    finding = Finding(
        "GP-A025",
        "warning",
        f"{int(wrong.sum())} of {wide.height} printed mP do not follow from the printed intensities "
        f"with G = {factor:.3f}: {wells}",
        where=source,
        expected="mP = 1000 (parallel - G perpendicular) / (parallel + G perpendicular)",
        next_step="analyse the intensities, not the printed mP",
    )
    return {"g_factor": f"{factor:.4f}"}, [finding]
