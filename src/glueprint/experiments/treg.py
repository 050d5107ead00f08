"""Proliferation of regulatory T cells under IL-2 and a dilution series."""

from __future__ import annotations

from glueprint.experiments.description import DAYS, Bench, Description, in_cells
from glueprint.experiments.dilutions import (
    Asked,
    Dilutions,
    Drawing,
    HalfDose,
    Series,
    Signal,
    largest_inhibition,
)
from glueprint.experiments.lab import decades
from glueprint.experiments.settings import Setting, amounts

__all__ = ["DESCRIPTION"]

SIGNAL = Signal("treg_proliferation", "proliferation")
MOST = "fitted plateau; at most treg_max in the model (IMM-007 says up to 50 %)"


def _series(bench: Bench) -> list[Series]:
    return [Series("Treg", bench.cells(), 24.0 * bench["days"], SIGNAL, bench.values)]


DESCRIPTION = Description(
    name="treg",
    title="Regulatory T cells: proliferation under IL-2",
    question="At which dose, and how far at most, are regulatory T cells held back?",
    model="culture_treg",
    # A usual time; the source of the potency states none.
    settings={
        "doses_nm": Setting(decades(10.0, 1e5), amounts),
        "days": Setting(3.0, DAYS),
        **in_cells("t_cell"),
    },
    columns=("dose_nm", "replicate", "proliferation"),
    protocol=Dilutions(
        series=_series,
        asks=(
            HalfDose("IC50 relative, {}", claims="ic50"),
            Asked("largest inhibition, {}", largest_inhibition, "%", claims="largest", note=MOST),
        ),
        drawings=(Drawing("Treg proliferation", "proliferation, % of vehicle", scale=100.0),),
    ),
    assumptions=(
        "an arm of its own, a power of the occupancy of cereblon; its shape was not measured",
        "{days:g} days under IL-2; the source of the potency states no time",
        "blood Treg of patients move the other way (IMM-010): not for extrapolation",
    ),
    noise_percent=8.0,
    # The effect is a half at most: triplicates know its dose to tenfold and worse.
    replicates=6,
)
