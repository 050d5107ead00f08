"""The figure of any result of an assay, which `AssayResult.plot` asks for by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from glueprint.assays.contract import AssayResult
from glueprint.report.figures.binding import binding_curves
from glueprint.report.figures.blot import blots
from glueprint.report.figures.degradation import degradation_curves
from glueprint.report.figures.elisa import elisa_plate
from glueprint.report.figures.growth import growth_curves

__all__ = ["of_result"]


def of_result(result: AssayResult) -> Any:
    """The figure of an assay's result, as one Altair chart.

    Raises InputError GP-P001 for a table that lacks a column.
    """
    return FIGURES[result.ASSAY](result)


FIGURES: Mapping[str, Callable[[Any], Any]] = {
    "blot": lambda result: blots(
        {one.boxes.file.membrane: (one.tables, one.pictures["blot"].values) for one in result.membranes}
    ),
    "degradation": lambda result: degradation_curves(result.tables),
    "elisa": lambda result: elisa_plate(result.tables, signal=result.signal),
    "growth": lambda result: growth_curves(result.tables),
    "polarization": lambda result: binding_curves(result.tables),
}
