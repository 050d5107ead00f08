"""(S), (R) and the racemate in a medium that turns one into the other: what is left, and how it acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glueprint.experiments import lab
from glueprint.experiments.cultures import Culture
from glueprint.experiments.description import HOURS, Bench, Description, in_cells
from glueprint.experiments.dilutions import Besides, Curve, Dilutions, Drawing, HalfDose, Series, Signal
from glueprint.experiments.experiment import Panel, Reading
from glueprint.experiments.settings import Setting, amounts, refusal

__all__ = ["DESCRIPTION"]

FORMS = {"(S)": "S", "racemate": "racemate", "(R)": "R"}
STILL = {"inversion_s_to_r_per_h": 0.0, "inversion_r_to_s_per_h": 0.0, "hydrolysis_per_h": 0.0}
SIGNAL = Signal("ikzf1", "ikzf1")
# Word for the culture medium, whose constants are the model's own.
CULTURE = "culture"
# The medium is followed for a day after this much of (S).
DAY_H, START_NM = 24.0, 100.0
BOTH = ["drug_s_nm", "drug_r_nm"]
CHIRAL = "of the constants of the medium, as chiral HPLC would read them, without error"


def _medium(name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise refusal(name, value, f'the name of a medium, or "{CULTURE}" for culture medium')
    return None if value == CULTURE else value


def _series(bench: Bench) -> list[Series]:
    # All of them first: without a ratio of affinities it refuses, and names the number.
    glues = {form: bench.glue.enantiomer(short) for form, short in FORMS.items()}
    found = []
    for form, glue in glues.items():
        cells = bench.cells(glue=glue, medium=bench["medium"])
        for still in (True, False):
            values = {**bench.values, **(STILL if still else {})}
            keys = {"form": form, "stabilised": still}
            shown = f"{form}, stabilised" if still else form
            found.append(Series(shown, cells, bench["time_h"], SIGNAL, values, keys, drawn=form))
    return found


def _chemistry(bench: Bench, curves: Sequence[Curve]) -> Besides:
    """How fast the medium inverts and hydrolyses, and what that makes of the ratio of potencies."""
    cells = curves[0].series.cells
    return Besides(
        readings=(*_ratios(bench, curves), *_half_lives(bench, cells)),
        panels=(_in_the_medium(bench, cells),),
        assumptions=(
            f"inversion and hydrolysis of {bench['medium'] or 'culture medium'}, first order; "
            "both hydrolyse alike",
        ),
    )


def _ratios(bench: Bench, curves: Sequence[Curve]) -> list[Reading]:
    found = []
    for still, name, note in (
        (True, "potency ratio (S) over (R), stabilised", "far below saturation the ratio of Kd put in"),
        (False, "potency ratio (S) over (R), in the medium", ""),
    ):
        at = {c.series.keys["form"]: c for c in curves if c.series.keys["stabilised"] is still}
        of = [bench.error.read(Reading.of("", at[f].potency("DC50", 0.5), "input")) for f in ("(R)", "(S)")]
        claims = bench.claims("ratio") if still else ()
        label = "input" if still else bench.worth
        found.append(Reading.measured(name, lab.over(*of), "fold", label, claims=claims, note=note))
    return found


def _half_lives(bench: Bench, cells: Culture) -> list[Reading]:
    """Half-lives of racemisation and of the drug, arithmetic on the constants of the compound's file."""
    times = np.linspace(0.0, DAY_H, 25)
    s, r = cells.over([START_NM], times, BOTH, bench.values)[0].T
    total = s + r
    rates = {
        "racemisation half-life": (np.log((s - r) / total), bench.claims("racemisation")),
        "drug half-life": (np.log(total), ()),
    }
    found = []
    for name, (logs, claims) in rates.items():
        rate = -float(np.polyfit(times, logs, 1)[0])
        half = (float(np.log(2.0)) / rate, None, None) if rate > 0.0 else None
        found.append(Reading.measured(name, half, "h", "input", claims=claims, note=CHIRAL))
    return found


def _in_the_medium(bench: Bench, cells: Culture) -> Panel:
    seen, fine = np.arange(0.0, DAY_H + 1.0, 4.0), np.linspace(0.0, DAY_H, lab.FINE)
    points, lines = (cells.over([START_NM], times, BOTH, bench.values)[0].T for times in (seen, fine))
    return Panel(
        f"{START_NM:g} nM of (S) in the medium",
        "time",
        "nM",
        lab.points({"(S)": (seen, points[0]), "(R)": (seen, points[1])}),
        lab.points({"(S)": (fine, lines[0]), "(R)": (fine, lines[1])}),
    )


DESCRIPTION = Description(
    name="enantiomers",
    title="Enantiomers: inversion, hydrolysis and potency of (S), (R) and the racemate",
    question="How much do the enantiomers differ in potency, and how much of that does the medium leave?",
    model="culture_myeloma",
    settings={
        "medium": Setting("serum", _medium),
        "doses_nm": Setting(lab.decades(0.1, 1e4), amounts),
        "time_h": Setting(6.0, HOURS),
        **in_cells("MM1S"),
    },
    columns=("form", "stabilised", "dose_nm", "replicate", "ikzf1"),
    protocol=Dilutions(
        series=_series,
        asks=(HalfDose("DC50 of IKZF1 at {time_h:g} h, {}", kind="DC50", level=0.5),),
        drawings=tuple(
            Drawing(f"IKZF1 at {{time_h:g}} h, {title}", "IKZF1, of untreated", where={"stabilised": still})
            for title, still in (("stabilised", True), ("in the medium", False))
        ),
        besides=_chemistry,
    ),
    assumptions=("once bound, both enantiomers act alike; Kd of (R) over (S) from thalidomide (BIN-006)",),
    noise_percent=8.0,
    # What the medium leaves of the difference is a third: triplicates do not tell it from none.
    replicates=6,
)
