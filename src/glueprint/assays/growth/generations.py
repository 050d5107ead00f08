"""Generations of dividing cells (CFSE) to one signal a well."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from glueprint.assays.growth import rates
from glueprint.assays.growth.settings import Settings
from glueprint.assays.intake import number
from glueprint.errors import InputError

__all__ = ["divided"]


def divided(found: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """One row a well with the division index chosen as its signal, from one row a generation."""
    labels = [name for name in found.columns if name not in ("generation", "count", "signal")]
    wells: dict[tuple[Any, ...], dict[int, float]] = {}
    for i, row in enumerate(found.to_dicts()):
        generation, count = (
            number(row["generation"], i, "generation", "GP-A161"),
            number(row["count"], i, "count", "GP-A161"),
        )
        if (
            generation is None
            or generation < 0
            or generation != int(generation)
            or generation > 60
            or (count or 0.0) < 0.0
        ):
            raise InputError(
                "GP-A172",
                f'generation "{row["generation"]}" with count "{row["count"]}"',
                where=f"row {i}",
                expected="whole generations from 0 and counts of zero or more",
                next_step="correct the row",
            )
        well = wells.setdefault(tuple(row[name] for name in labels), {})
        if int(generation) in well:
            raise InputError(
                "GP-A172",
                f"generation {int(generation)} twice in one well",
                where=f"row {i}",
                expected="one row a generation of a well",
                next_step="add a column well, so that wells are told apart",
            )
        well[int(generation)] = count or 0.0
    rows = []
    for key, counts in wells.items():
        cells = np.array([counts.get(i, 0.0) for i in range(max(counts) + 1)])
        index = rates.divided_percent(cells) if settings.index == "divided" else rates.division_index(cells)
        rows.append(
            dict(zip(labels, key, strict=True)) | {"signal": float(index) if cells.sum() > 0.0 else None}
        )
    return pl.DataFrame(rows, infer_schema_length=None)
