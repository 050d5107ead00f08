"""The figure of any result of an assay, which `AssayResult.plot` asks for by name."""

from __future__ import annotations

from typing import Any

from glueprint.assays.contract import AssayResult
from glueprint.report.figures.growth import growth_curves

__all__ = ["of_result"]


def of_result(result: AssayResult) -> Any:
    """The figure of an assay's result, as one Altair chart.

    Raises InputError GP-P001 for a table that lacks a column.
    """
    return growth_curves(result.tables)
