"""Sprouting of endothelium under VEGF and bFGF: an empirical arm of assumed potency, without cereblon."""

from __future__ import annotations

from glueprint.experiments.description import DAYS, Bench, Description
from glueprint.experiments.dilutions import Asked, Dilutions, Drawing, HalfDose, Series, Signal, far_plateau
from glueprint.experiments.lab import decades
from glueprint.experiments.settings import Setting, amounts, concentration

__all__ = ["DESCRIPTION"]

FACTORS = {"VEGF": "vegf", "bFGF": "bfgf"}
ASSUMED = "assumed: no potency is in the evidence; cereblon does not drive it (BIN-019)"


def _series(bench: Bench) -> list[Series]:
    cells, hours = bench.cells(), 24.0 * bench["days"]
    stated = {f"{f}_ic50_nm": bench[f"{f}_ic50_nm"] for f in FACTORS.values()}
    values = {**bench.values, **{name: value for name, value in stated.items() if value is not None}}
    return [
        Series(shown, cells, hours, Signal(f"{factor}_response", "sprouting"), values, {"factor": shown})
        for shown, factor in FACTORS.items()
    ]


DESCRIPTION = Description(
    name="angiogenesis",
    title="Angiogenesis: sprouting under VEGF and bFGF (assumed)",
    question="What would a plate show of the potency that was assumed against each growth factor?",
    model="culture_endothelium",
    settings={
        "doses_nm": Setting(decades(10.0, 1e5), amounts),
        "days": Setting(4.0, DAYS),
        "kd_nm": Setting(None),
        "vegf_ic50_nm": Setting(None, concentration),
        "bfgf_ic50_nm": Setting(None, concentration),
    },
    columns=("factor", "dose_nm", "replicate", "sprouting"),
    protocol=Dilutions(
        series=_series,
        asks=(
            HalfDose("IC50 relative, {}", label="input", note=ASSUMED),
            Asked("sprouting left, {}", far_plateau, "of vehicle", label="input", note="fitted far plateau"),
        ),
        drawings=(Drawing("Sprouting (assumed potency)", "sprouting, % of vehicle", scale=100.0),),
    ),
    assumptions=(
        "potency and plateau are assumed: no IC50 is in the evidence (ANG-002)",
        "not driven by cereblon: binding and the anti-angiogenic effect do not go together (BIN-019)",
        "alike for every compound until a potency is given",
    ),
    noise_percent=8.0,
    replicates=3,
    # A culture needs an affinity, though only the compound's name matters here.
    needs=("kd_nm",),
    through_cereblon=False,
)
