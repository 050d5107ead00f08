"""Substrates compete for one pool of cereblon: more of one spares the other. Kinetic form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from glueprint.experiments import lab
from glueprint.experiments.cultures import Culture
from glueprint.experiments.description import HOURS, Bench, Description, in_cells
from glueprint.experiments.dilutions import Besides, Curve, Dilutions, Drawing, HalfDose, Series, Signal
from glueprint.experiments.experiment import Reading
from glueprint.experiments.settings import Setting, amounts, chosen

__all__ = ["DESCRIPTION"]

FOLDS = (1.0, 3.0, 10.0, 30.0, 100.0)
OF_ALL = ("DEG-015",)


def _cells(bench: Bench) -> tuple[Culture, str, str]:
    """The cells with the names of the target and its competitor."""
    cells = bench.cells(form="kinetic")
    known = {
        name.removesuffix("_abundance_nm") for name in cells.quantities if name.endswith("_abundance_nm")
    }
    followed = [name for name in cells.glue.known_substrates if name.lower() in known]
    target = chosen("target", bench["target"], followed)
    others = [name for name in followed if name != target]
    return cells, target, chosen("competitor", bench["competitor"], others)


def _series(bench: Bench) -> list[Series]:
    cells, target, competitor = _cells(bench)
    usual = f"{competitor.lower()}_abundance_nm"
    signal = Signal(target.lower(), "fraction_remaining", of_vehicle=1.0)
    return [
        Series(
            f"{fold:g} x {competitor}",
            cells,
            bench["time_h"],
            signal,
            {**bench.values, usual: cells.typical(usual) * float(fold)},
            {"fold": float(fold)},
        )
        for fold in bench["folds"]
    ]


def _spared(bench: Bench, curves: Sequence[Curve]) -> Besides:
    """What is left of the target at the middle dose, with most over with least of the competitor."""
    cells, target, competitor = _cells(bench)
    tested = curves[0].wells["dose_nm"].unique().sort()
    middle = float(tested[tested.len() // 2])
    ratio = lab.ratio_of(curves[-1].own(middle), curves[0].own(middle), bench.error)
    note = f"{target} left, most over least {competitor}, at {middle:g} nM; above 1: it is spared"
    usual = cells.typical(f"{competitor.lower()}_abundance_nm")
    return Besides(
        # Competition is built into the model, so its direction is no prediction.
        readings=(Reading.measured(f"{target} spared", ratio, "ratio", "input", claims=OF_ALL, note=note),),
        assumptions=(
            f"{competitor}: {usual:g} nM, assumed; cereblon: {cells.typical('crbn_nm'):g} nM (ABU-001)",
        ),
    )


DESCRIPTION = Description(
    name="neosubstrate_competition",
    title="Competition of neosubstrates for cereblon",
    question="How much of one substrate must a cell make before another is spared?",
    model="culture_myeloma",
    settings={
        "competitor": Setting("IKZF3"),
        "target": Setting("IKZF1"),
        "folds": Setting(FOLDS, partial(amounts, most=1e4)),
        "doses_nm": Setting(lab.decades(1.0, 1e4), amounts),
        "time_h": Setting(4.0, HOURS),
        **in_cells("MM1S"),
    },
    columns=("fold", "dose_nm", "replicate", "fraction_remaining"),
    protocol=Dilutions(
        series=_series,
        asks=(HalfDose("DC50 of {target} at {}", kind="DC50", level=0.5),),
        drawings=(
            Drawing("{target} after {time_h:g} h, {competitor} over-expressed", "{target}, of vehicle"),
        ),
        besides=_spared,
    ),
    assumptions=(
        "every substrate draws on one pool of cereblon: that they compete is built in, how much follows",
    ),
    noise_percent=8.0,
    replicates=3,
)
