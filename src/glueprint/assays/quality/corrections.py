"""Correction of position effects by controls that are scattered over the plate, always said in a finding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.plate import well_name, well_place
from glueprint.assays.quality import exclusions, positions
from glueprint.assays.wells import ALIKE, Wells

__all__ = ["CONTROLS", "by_controls"]

# Roles whose wells hold the same wherever they are.
CONTROLS = ("vehicle", "negative", "positive", "stimulated", "unstimulated", "tracer_only", "control")


def by_controls(wells: Wells, *, degree: int = 1) -> Wells:
    """The wells with every value divided by a smooth surface through the controls of its plate and channel.

    wells: as `layout.apply` gives them.   degree: 1 (a plane) or 2 (a quadratic).
    Returns `Wells` with a finding a plate and channel: how far the controls spread before, and after with
    each left out in turn. Where that is no better, the values stay as they are and the finding says so.
    Raises InputError GP-A053 where the controls cannot carry a surface.
    """
    parts, findings = [], []
    for (plate, channel), part in wells.table.group_by("plate", "channel", maintain_order=True):
        corrected, finding = _part(part, degree, f'plate "{plate}", channel "{channel}"')
        parts.append(corrected)
        findings.append(finding)
    table = pl.concat(parts) if parts else wells.table
    return replace(wells, table=table, findings=(*wells.findings, *findings))


def _part(part: pl.DataFrame, degree: int, where: str) -> tuple[pl.DataFrame, Finding]:
    names = part["well"].to_list()
    places = np.array([well_place(name) if well_name(name) == name else (0, 0) for name in names])
    # Controls of two donors differ by biology, which no surface may take for position.
    content = pl.struct(ALIKE).rank("dense").cast(pl.String)
    used = pl.col("role").is_in(CONTROLS)
    if exclusions.COLUMN in part.columns:
        used &= pl.col(exclusions.COLUMN) == ""
    group = part.select(pl.when(used).then(content).otherwise(pl.lit("")).alias("group"))
    values = part["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    found = positions.polynomial(values, (places[:, 0], places[:, 1]), group["group"].to_list(), degree)
    shape = "plane" if degree == 1 else "quadratic"
    spread = (
        f"controls spread {found.before:.2f} % before and {found.after:.2f} % after, each left out in turn"
    )
    if found.after >= found.before:
        return part, Finding("GP-A052", "note", f"no correction: a {shape} does not help ({spread})", where)
    corrected = part.with_columns(pl.col("value") / pl.Series(found.factor))
    said = f"values divided by a {shape} through the controls: {spread}"
    return corrected, Finding(
        "GP-A052", "warning", said, where, next_step="compare with the uncorrected result"
    )
