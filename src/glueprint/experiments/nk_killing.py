"""NK cells beside T cells kill their targets, with and without dexamethasone."""

from __future__ import annotations

from collections.abc import Sequence

from glueprint.experiments import lab
from glueprint.experiments.description import DAYS, Bench, Description, in_cells
from glueprint.experiments.dilutions import (
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
from glueprint.experiments.settings import Setting, amounts

__all__ = ["DESCRIPTION"]

ARMS = {"alone": 0.0, "with dexamethasone": 1.0}
UNTREATED = ("IMM-021",)
SIGNAL = Signal("nk_lysis", "lysis_percent", scale=100.0)


def _series(bench: Bench) -> list[Series]:
    cells, hours = bench.cells(), 24.0 * bench["days"]
    return [
        Series(arm, cells, hours, SIGNAL, {**bench.values, "dex_effect": effect}, {"arm": arm})
        for arm, effect in ARMS.items()
    ]


def _alone(bench: Bench, curves: Sequence[Curve]) -> Besides:
    """What only the arm without dexamethasone tells: the level before drug, and the dose that lifts it."""
    alone = curves[0]
    before = lab.mean_of(alone.at(0.0), bench.error)
    untreated = Reading.measured("lysis untreated", before, "%", "input", claims=UNTREATED)
    return Besides((untreated, HalfDose("EC50 relative, {}", kind="EC50").read(alone)))


DESCRIPTION = Description(
    name="nk_killing",
    title="Killing by NK cells, with and without dexamethasone",
    question="How much more do NK cells kill, from which dose, and what does dexamethasone leave of it?",
    model="culture_nk",
    settings={
        "doses_nm": Setting(lab.decades(0.1, 1e4), amounts),
        "days": Setting(3.0, DAYS),
        **in_cells("t_cell"),
    },
    columns=("arm", "dose_nm", "replicate", "lysis_percent"),
    protocol=Dilutions(
        series=_series,
        asks=(Asked("lysis at the highest dose, {}", top_dose, "%", claims="{}"),),
        drawings=(Drawing("Lysis of target cells", "lysis, %"),),
        besides=_alone,
    ),
    assumptions=(
        "NK cells are primed by the IL-2 of T cells",
        "that dexamethasone abolishes the gain is an input (IMM-022, IMM-026)",
        "the size of the gain is lenalidomide's (IMM-021, IMM-022), taken as the full effect",
        "{days:g} days with drug before the targets",
    ),
    # The gain is a quarter of the lysis before: with 8 % and triplicates its dose stays open.
    noise_percent=5.0,
    replicates=6,
)
