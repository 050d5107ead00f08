"""Myeloma lines under a dilution series: cells after days, over those of the vehicle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glueprint.experiments import lab
from glueprint.experiments.cultures import Culture
from glueprint.experiments.description import DAYS, OF_COMPOUND, Bench, Description
from glueprint.experiments.dilutions import (
    LOGGED,
    Asked,
    Besides,
    Curve,
    Dilutions,
    Drawing,
    HalfDose,
    Series,
    Signal,
    top_dose,
)
from glueprint.experiments.experiment import Reading
from glueprint.experiments.forward import half
from glueprint.experiments.settings import Setting, amounts, refusal

__all__ = ["DESCRIPTION"]

LINES = ("MM1S", "RPMI8226", "OPM2")
# Light of an ATP read-out from the wells of the vehicle: only its scale.
SIGNAL = Signal(LOGGED, "percent_of_vehicle", scale=1e6, of_vehicle=100.0, raw="light")
USUAL_DAYS = 5.0


def _names(name: str, lines: str | Path | Sequence[str | Path]) -> tuple[str | Path, ...]:
    names = (lines,) if isinstance(lines, str | Path) else tuple(lines)
    if not names:
        raise refusal(name, names, "at least one name or file of a myeloma line")
    if repeated := sorted({str(one) for one in names if names.count(one) > 1}):
        raise refusal(name, ", ".join(repeated), "every line once")
    return names


def _series(bench: Bench) -> list[Series]:
    return [_of_line(bench, bench.cells(line)) for line in bench["lines"]]


def _of_line(bench: Bench, cells: Culture) -> Series:
    name = cells.line.name if cells.line else ""
    return Series(name, cells, 24.0 * _days(bench, cells), SIGNAL, bench.values, {"line": name})


def _days(bench: Bench, cells: Culture) -> float:
    own = cells.line.assay_days.typical if cells.line and cells.line.assay_days else USUAL_DAYS
    return float(bench["days"] or own)


def _beside(bench: Bench, curves: Sequence[Curve]) -> Besides:
    """The dose of the model itself, as a four-parameter curve reads a switch a little low; and the days."""
    exposed = [(curve.series.shown, _days(bench, curve.series.cells)) for curve in curves]
    return Besides(
        readings=tuple(_exact(bench, curve) for curve in curves),
        assumptions=tuple(f"{line}: {days:g} days" for line, days in exposed),
    )


def _exact(bench: Bench, curve: Curve) -> Reading:
    series = curve.series
    measure = lab.exact(half(series.cells, series.values, "cells", series.hours)[0])
    claims = bench.claims(series.shown)
    label = bench.label(claims, series.cells.behind)
    note = "of the model without an assay" if measure else "half is never lost"
    return Reading.measured(f"IC50, {series.shown}, exact", measure, "nM", label, claims=claims, note=note)


DESCRIPTION = Description(
    name="proliferation",
    title="Proliferation of myeloma lines under a dilution series",
    question="Which dose leaves half of the vehicle's cells of each line, and how many are left at most?",
    model="culture_myeloma",
    settings={
        "lines": Setting(LINES, _names),
        "doses_nm": Setting(lab.decades(1.0, 1e5), amounts),
        # None takes each line's own.
        "days": Setting(None, DAYS),
        **OF_COMPOUND,
    },
    columns=("line", "dose_nm", "replicate", "light", "percent_of_vehicle"),
    protocol=Dilutions(
        series=_series,
        asks=(
            HalfDose("IC50, {}", claims="{}", level=0.5),
            Asked("cells at the highest dose, {}", top_dose, "% of vehicle"),
        ),
        drawings=(Drawing("Cells after exposure", "cells, % of vehicle"),),
        besides=_beside,
    ),
    assumptions=(
        "one threshold of IKZF1 and IKZF3 for all lines; they differ by their capacity to degrade",
        "the signal is proportional to the number of cells",
    ),
    noise_percent=5.0,
    # Two lines fall to 45 % alone, and meet their half where the curve is nearly flat: fewer leave it open.
    replicates=10,
)
