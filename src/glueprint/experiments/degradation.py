"""Ikaros and Aiolos over dose and time in a myeloma line, with its controls: the guide's blot, read like a
blot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from glueprint.assays import degradation as assay
from glueprint.experiments import lab
from glueprint.experiments.cultures import Culture, Later
from glueprint.experiments.description import BLOT_DETECTS, Bench, Description, Measured, in_cells
from glueprint.experiments.experiment import Panel, Reading
from glueprint.experiments.settings import Setting, amounts, at_least, chosen, concentration
from glueprint.mechanism import FORMS, binding

__all__ = ["ARMS", "DESCRIPTION", "DOSES_NM", "GUIDE_DOSES_NM", "GUIDE_TIMES_H"]

# Guide 1, "Ikaros and Aiolos Degradation Assay", procedure: 0.1, 1, 10 uM; 1, 3, 6, 24 h; vehicle control.
GUIDE_DOSES_NM = (100.0, 1000.0, 10000.0)
# All of these lie above the DC50 of pomalidomide, so that the guide's blot alone says no more than "below
# 100 nM"; with half decades below them, both sides of it are measured.
DOSES_NM = (1.0, 3.0, 10.0, 30.0, *GUIDE_DOSES_NM)
GUIDE_TIMES_H = (1.0, 3.0, 6.0, 24.0)
TARGETS = ("IKZF1", "IKZF3")
# Band intensities of untreated cells: only their scale.
BAND, LOADING = 2e4, 5e4
# Empties the medium within minutes.
WASHED_PER_H = 100.0
DESIGN = "dose and time"


@dataclass(frozen=True)
class Arm:
    """A control: what is changed in the cells, and the evidence that such a control exists."""

    values: Mapping[str, float]
    what: str
    claims: tuple[str, ...] = ()


ARMS: Mapping[str, Arm] = {
    "drug alone": Arm({}, "nothing changed"),
    "MLN4924": Arm({"neddylation": 0.0}, "no neddylation: the ligase is off", ("DEG-008",)),
    "MG132": Arm({"proteasome": 0.0}, "no proteasome"),
    "IKZF1 Q146H": Arm({"ikzf1_binds": 0.0}, "IKZF1 that the complex cannot hold", ("TER-012",)),
    "CRBN knock-out": Arm({"crbn_level": 0.0}, "no cereblon", ("DWN-007",)),
    "cycloheximide": Arm({"synthesis": 0.0}, "no synthesis, in the vehicle of this arm as well"),
    "wash-out": Arm({}, "drug washed out"),
}


def _blots(bench: Bench) -> Measured:
    """Treat cells, lyse at each time, and read fractions remaining, Dmax and DC50s as a lab would."""
    cells = bench.cells(form=bench["form"])
    doses, pair = lab.doses(bench["doses_nm"]), np.array([0.0, bench["arm_dose_nm"]])
    design = _blot(_lanes(bench, cells, doses, DESIGN), bench.error, "degradation")
    arms = pl.concat([_lanes(bench, cells, pair, arm) for arm in ARMS])
    controls = _blot(arms, bench.error, "degradation/arms")
    rhos = {target: _value(bench, cells, f"{target.lower()}_rho") for target in TARGETS}
    return Measured(
        table=pl.concat([design, controls]),
        readings=(*_of_design(bench, design), *_limits(bench, cells, rhos), *_of_arms(bench, controls)),
        panels=_panels(bench, cells, design, controls),
        behind={"culture": cells.behind},
        assumptions=tuple(
            f"rho {rho:.4g} for {target} in {bench['line']} (induced over natural loss)"
            for target, rho in rhos.items()
        ),
    )


def _levels(
    bench: Bench, cells: Culture, doses: lab.Floats, times: lab.Floats, arm: str, targets: tuple[str, ...]
) -> lab.Floats:
    """Levels (doses, times, targets) of an arm, without error."""
    washed: Later = ((bench["wash_h"], "wash_per_h", WASHED_PER_H),) if arm == "wash-out" else ()
    changed = ARMS[arm].values if arm in ARMS else {}
    names = [target.lower() for target in targets]
    return cells.over(doses, times, names, {**bench.values, **changed}, later=washed)


def _lanes(bench: Bench, cells: Culture, doses: lab.Floats, arm: str) -> pl.DataFrame:
    """Bands of both targets without error: one lane a dose and time."""
    times = bench["times_h"]
    found = _levels(bench, cells, doses, times, arm, TARGETS)
    parts = [
        pl.DataFrame(
            {
                "arm": arm,
                "target": target,
                "time_h": np.tile(times, doses.size),
                "dose_nm": np.repeat(doses, times.size),
                "band": BAND * found[:, :, i].ravel(),
                "loading": LOADING,
            }
        )
        for i, target in enumerate(TARGETS)
    ]
    return pl.concat(parts)


def _blot(lanes: pl.DataFrame, error: lab.Error, purpose: str) -> pl.DataFrame:
    """Lanes with errors in target and loading, and the fraction that a lab computes from them."""
    # Both bands err, independently; each gets its share, so that the ratio has the error asked for.
    shared = replace(error, noise_percent=error.noise_percent / np.sqrt(2.0))
    bands = lab.wells(lanes, ["band", "loading"], shared, purpose)
    ratio = pl.col("band") / pl.col("loading")
    vehicle = ratio.filter(pl.col("dose_nm") == 0.0).mean().over("arm", "target", "time_h")
    return bands.with_columns(fraction_remaining=ratio / vehicle)


def _of_design(bench: Bench, design: pl.DataFrame) -> Iterator[Reading]:
    for point in assay.analyse(design).points:
        at = f"{point.target} at {point.time_h:g} h"
        for kind, potency in (("relative", point.relative), ("absolute", point.absolute)):
            yield bench.error.read(Reading.of(f"DC50 {kind}, {at}", potency, bench.worth))
        dmax = None if point.dmax is None else (point.dmax, point.dmax_low, point.dmax_high)
        reading = Reading.measured(f"Dmax, {at}", dmax, "fraction", bench.worth, note=point.reason)
        yield bench.error.read(reading)


def _value(bench: Bench, cells: Culture, name: str) -> float:
    return float(cells.expanded(bench.values).get(name, cells.typical(name)))


def _limits(bench: Bench, cells: Culture, rhos: Mapping[str, float]) -> Iterator[Reading]:
    """What the design would show with enough doses and time at constant drug: closed forms."""
    kd = _value(bench, cells, "kd_nm")
    for target, rho in rhos.items():
        known = {"relative": binding.relative_dc50(kd, rho), "absolute": binding.absolute_dc50(kd, rho)}
        for kind, value in known.items():
            exact = (float(value), None, None) if np.isfinite(value) else None
            note = "closed form of the reduced model" if exact else "50 % loss is never reached"
            name = f"DC50 {kind}, {target} at steady state"
            yield Reading.measured(name, exact, "nM", bench.worth, note=note)


def _of_arms(bench: Bench, controls: pl.DataFrame) -> Iterator[Reading]:
    """What is left of each target in each arm at the last time, over the vehicle's wells of that arm."""
    last_h = float(bench["times_h"][-1])
    last = controls.filter(pl.col("time_h") == last_h).with_columns(ratio=pl.col("band") / pl.col("loading"))
    for (name, target), lanes in last.group_by("arm", "target", maintain_order=True):
        arm, treated = ARMS[str(name)], pl.col("dose_nm") > 0.0
        drug, vehicle = (lanes.filter(which)["ratio"].to_numpy() for which in (treated, ~treated))
        yield Reading.measured(
            f"{target} left at {last_h:g} h, {name}",
            lab.ratio_of(drug, vehicle, bench.error),
            "of its vehicle",
            bench.worth if not arm.values and name != "wash-out" else "input",
            claims=arm.claims,
            note=arm.what,
        )


def _panels(bench: Bench, cells: Culture, design: pl.DataFrame, controls: pl.DataFrame) -> tuple[Panel, ...]:
    """IKZF1 over dose at each time, and over time in each arm."""
    times, dose = bench["times_h"], bench["arm_dose_nm"]
    fine, hours = lab.grid(lab.doses(bench["doses_nm"])), np.linspace(0.0, float(times[-1]), 3 * lab.FINE)
    by_dose = _levels(bench, cells, fine, times, DESIGN, TARGETS[:1])[:, :, 0]
    arms = {
        name: _levels(bench, cells, np.array([0.0, dose]), hours, name, TARGETS[:1])[:, :, 0] for name in ARMS
    }
    first = pl.col("target") == TARGETS[0]
    seen = {f"{time:g} h": design.filter(first, pl.col("time_h") == time) for time in times}
    treated = {name: controls.filter(first, pl.col("arm") == name, pl.col("dose_nm") > 0.0) for name in ARMS}
    return (
        Panel(
            "IKZF1 over dose",
            "dose",
            "IKZF1, of vehicle",
            lab.points(
                {name: (lanes["dose_nm"], lanes["fraction_remaining"]) for name, lanes in seen.items()}
            ),
            lab.points({name: (fine, by_dose[:, i]) for i, name in enumerate(seen)}),
        ),
        Panel(
            f"IKZF1 at {dose:g} nM, controls",
            "time",
            "IKZF1, of its vehicle",
            lab.points(
                {name: (lanes["time_h"], lanes["fraction_remaining"]) for name, lanes in treated.items()}
            ),
            lab.points({name: (hours, both[1] / both[0]) for name, both in arms.items()}),
        ),
    )


DESCRIPTION = Description(
    name="degradation",
    title="Ikaros and Aiolos degradation, dose, time and controls, myeloma cells",
    question="Which dose degrades half of Ikaros and Aiolos by when, how much at most, and through cereblon?",
    model="culture_myeloma",
    settings={
        "doses_nm": Setting(DOSES_NM, amounts),
        "times_h": Setting(GUIDE_TIMES_H, amounts),
        "arm_dose_nm": Setting(1000.0, concentration),
        "wash_h": Setting(6.0, partial(at_least, least=0.0, above=True)),
        "form": Setting("reduced", partial(chosen, allowed=FORMS)),
        **in_cells("MM1S"),
    },
    columns=("arm", "target", "time_h", "dose_nm", "replicate", "band", "loading", "fraction_remaining"),
    protocol=_blots,
    assumptions=(
        "drug in the medium is all free; it hydrolyses as the medium of docs/mechanism.md",
        "the controls are switches of the model: what they do was put in",
    ),
    noise_percent=12.0,
    replicates=3,
    detection={"of its vehicle": BLOT_DETECTS},
)
