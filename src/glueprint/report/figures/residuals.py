"""What is left between the readings of an assay and its fitted curves, over dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl

from glueprint.report.figures import panels, theme

__all__ = ["chart", "table"]

WIDTH, HEIGHT = 590, 170
SCHEMA = {"curve": pl.String, "dose": pl.Float64, "observed": pl.Float64, "fitted": pl.Float64,
          "residual": pl.Float64}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Which tables of a result hold readings and curves: columns of dose and value, what both share."""

    readings: str
    dose: str
    value: str
    curves: str
    at: str
    fitted: str
    keys: tuple[str, ...]
    words: str
    only: tuple[str, str] | None = None


PAIRS: Mapping[str, Pair] = {
    "growth": Pair(
        *("wells", "dose", "viability", "fitted", "dose", "fitted"),
        ("line", "compound", "experiment", "time_h"),
        "Viability less its curve, fraction",
        ("measure", "viability"),
    ),
    "fp": Pair(
        *("wells", "concentration_nm", "anisotropy", "curves", "dose_nm", "anisotropy"),
        ("plate", "sample"),
        "Anisotropy less its curve",
    ),
    "degradation": Pair(
        *("readings", "dose_nm", "fraction_remaining", "curves", "dose_nm", "fitted"),
        ("target", "compound", "experiment", "time_h"),
        "Fraction remaining less its curve",
    ),
}


def table(kind: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Each reading beside its curve at the same dose, and the difference.

    kind: "growth", "fp" or "degradation".   tables: of the result.   A reading at dose 0, or beyond its
    curve, has none.
    Returns columns curve, dose, observed, fitted, residual; no row for a kind without curves over dose.
    Source: linear between the points of the curve, over the logarithm of dose.
    """
    pair = PAIRS.get(kind)
    if pair is None or pair.curves not in tables:
        return pl.DataFrame(schema=SCHEMA)
    curves = tables[pair.curves]
    if pair.only:
        curves = curves.filter(pl.col(pair.only[0]) == pair.only[1])
    lines = curves.drop_nulls([pair.at, pair.fitted]).partition_by(*pair.keys, as_dict=True)
    rows = []
    for row in tables[pair.readings].iter_rows(named=True):
        line = lines.get(tuple(row[key] for key in pair.keys))
        dose, value = row[pair.dose], row[pair.value]
        if line is None or dose is None or value is None or not dose > 0:
            continue
        line = line.filter(pl.col(pair.at) > 0).sort(pair.at)
        x, y = line[pair.at].to_numpy(), line[pair.fitted].to_numpy()
        if not x.size or not x[0] * 0.999 <= dose <= x[-1] * 1.001:
            continue
        fitted = float(np.interp(np.log(dose), np.log(x), y))
        name = ", ".join(str(row[key]) for key in pair.keys if row[key] not in (None, ""))
        rows.append((name, float(dose), float(value), fitted, float(value) - fitted))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def chart(kind: str, tables: Mapping[str, pl.DataFrame]) -> alt.VConcatChart:
    """Residuals over dose with a line at 0.

    kind, tables: as in `table`.   Raises InputError GP-P005 where there is none.
    """
    found = table(kind, tables)
    if found.is_empty():
        raise panels.nothing("residuals", "no reading has a curve at its dose", "curves over dose")
    points = alt.Chart(theme.records(found.to_dicts())).mark_point(
        size=16, strokeWidth=1.0, color=theme.ARM_COLOURS[0], opacity=0.8
    )
    zero = alt.Chart(theme.records([{"residual": 0.0}])).mark_rule(color=theme.MUTED, strokeDash=[3, 3])
    x = alt.X("dose:Q", scale=alt.Scale(type="log"), title="Dose", axis=alt.Axis(format="~g", tickCount=6))
    y = alt.Y("residual:Q", title=PAIRS[kind].words)
    layer = alt.layer(zero.encode(y), points.encode(x, y)).properties(width=WIDTH, height=HEIGHT)
    return theme.styled(alt.vconcat(layer))  # type: ignore[no-any-return]
