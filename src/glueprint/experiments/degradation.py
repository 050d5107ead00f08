"""Ikaros and Aiolos over dose and time in a myeloma line, with its controls: the guide's blot, read like a
blot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from glueprint.assays import degradation as assay
from glueprint.experiments import lab
from glueprint.experiments.cultures import Culture, Later, grow
from glueprint.experiments.experiment import Experiment, Label, Panel, Reading
from glueprint.experiments.settings import amounts, at_least, chosen, concentration, prepared
from glueprint.mechanism import FORMS, Scenario, binding, compounds

__all__ = ["ARMS", "CULTURES", "DOSES_NM", "GUIDE_DOSES_NM", "GUIDE_TIMES_H", "TITLE", "run"]

TITLE = "Ikaros and Aiolos degradation, dose, time and controls, myeloma cells"
CULTURES = ("culture_myeloma",)
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


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    line: str | Path = "MM1S",
    doses_nm: Sequence[float] = DOSES_NM,
    times_h: Sequence[float] = GUIDE_TIMES_H,
    arm_dose_nm: float = 1000.0,
    wash_h: float = 6.0,
    form: str = "reduced",
    kd_nm: float | None = None,
    rho: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 1,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Treat cells, lyse at each time, and read fractions remaining, Dmax and DC50s as a lab would.

    compound: built-in name or TOML path.   line: name or TOML path of a myeloma line.   doses_nm, times_h:
    above zero; vehicle is added (the guide's own doses: GUIDE_DOSES_NM).   arm_dose_nm: of the controls
    (MLN4924, MG132, Q146H, CRBN knock-out, cycloheximide, wash-out at wash_h).   form: "reduced" or
    "kinetic".   kd_nm, rho: in place of the compound's and the line's.
    Returns `Experiment`; its table has arm, target, time_h, dose_nm, replicate, band, loading,
    fraction_remaining (band over loading, of the vehicle of the same arm and time).
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 without Kd or efficacy.
    """
    tested, times = lab.doses(amounts("doses_nm", doses_nm)), amounts("times_h", times_h)
    dose, wash = concentration("arm_dose_nm", arm_dose_nm), at_least("wash_h", wash_h, 0.0, above=True)
    error = lab.errors(noise_percent, replicates, seed)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    cells = grow("culture_myeloma", Scenario.of(glue, line=line, form=chosen("form", form, FORMS)))
    own = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    design = _blot(_lanes(cells, tested, times, own, arm="dose and time"), error, "degradation")
    controls = _controls(cells, times, (dose, wash), own, error)
    return Experiment(
        name="degradation",
        title=TITLE,
        compound=glue.name,
        table=pl.concat([design, controls]),
        readings=(
            *_readings(design, error, cells.worth),
            *_limits(cells, own),
            *_of_arms(controls, float(times[-1]), cells.worth),
        ),
        assumptions=(
            *said,
            *(
                f"rho {_rho(cells, own, target):.4g} for {target} in {line} (induced over natural loss)"
                for target in TARGETS
            ),
            "drug in the medium is all free; it hydrolyses as the medium of docs/mechanism.md",
            "the controls are switches of the model: what they do was put in",
            error.said,
        ),
        panels=_panels(cells, (tested, times), (dose, wash), own, (design, controls)),
        parameters=lab.sources({"culture": cells.behind}),
    )


def _lanes(
    cells: Culture,
    doses: lab.Floats,
    times: lab.Floats,
    values: Mapping[str, float],
    *,
    arm: str,
    later: Later = (),
) -> pl.DataFrame:
    """Levels of both targets without error, of untreated cells: one lane a dose and time."""
    found = cells.over(doses, times, [t.lower() for t in TARGETS], values, later=later)
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
    shared = lab.Error(error.noise_percent / np.sqrt(2.0), error.replicates, error.seed)
    bands = lab.wells(lanes, ["band", "loading"], shared, purpose)
    ratio = pl.col("band") / pl.col("loading")
    vehicle = ratio.filter(pl.col("dose_nm") == 0.0).mean().over("arm", "target", "time_h")
    return bands.with_columns(fraction_remaining=ratio / vehicle)


def _controls(
    cells: Culture, times: lab.Floats, at: tuple[float, float], own: Mapping[str, float], error: lab.Error
) -> pl.DataFrame:
    """The blots of all arms at one dose and at vehicle."""
    dose, wash = at
    doses = np.array([0.0, dose])
    parts = [
        _lanes(cells, doses, times, {**own, **arm.values}, arm=name, later=_washed(name, wash))
        for name, arm in ARMS.items()
    ]
    return _blot(pl.concat(parts), error, "degradation/arms")


def _washed(arm: str, wash_h: float) -> Later:
    return ((wash_h, "wash_per_h", WASHED_PER_H),) if arm == "wash-out" else ()


def _readings(design: pl.DataFrame, error: lab.Error, worth: Label) -> tuple[Reading, ...]:
    found: list[Reading] = []
    for point in assay.analyse(design).points:
        at = f"{point.target} at {point.time_h:g} h"
        for kind, potency in (("relative", point.relative), ("absolute", point.absolute)):
            found.append(error.read(Reading.of(f"DC50 {kind}, {at}", potency, worth)))
        note = "" if error.exact or point.dmax_se is None else f"standard error {point.dmax_se:.2g}"
        found.append(Reading(f"Dmax, {at}", point.dmax, "fraction", worth, note=note))
    return tuple(found)


def _rho(cells: Culture, own: Mapping[str, float], target: str) -> float:
    return float(cells.expanded(own).get(f"{target.lower()}_rho", cells.typical(f"{target.lower()}_rho")))


def _limits(cells: Culture, own: Mapping[str, float]) -> tuple[Reading, ...]:
    """What the design would show with enough doses and time at constant drug: closed forms."""
    found = []
    kd = float(cells.expanded(own).get("kd_nm", cells.typical("kd_nm")))
    for target in TARGETS:
        rho = _rho(cells, own, target)
        for kind, value in (
            ("relative", binding.relative_dc50(kd, rho)),
            ("absolute", binding.absolute_dc50(kd, rho)),
        ):
            known = float(value) if np.isfinite(value) else None
            relation = "none" if known is None else "="
            note = "closed form of the reduced model" if known else "50 % loss is never reached"
            name = f"DC50 {kind}, {target} at steady state"
            found.append(Reading(name, known, "nM", cells.worth, relation, note=note))
    return tuple(found)


def _of_arms(controls: pl.DataFrame, last_h: float, worth: Label) -> list[Reading]:
    """What is left of each target in each arm at the last time."""
    means = controls.filter((pl.col("dose_nm") > 0.0) & (pl.col("time_h") == last_h))
    rows = means.group_by("arm", "target", maintain_order=True).agg(pl.col("fraction_remaining").mean())
    return [
        Reading(
            f"{target} left at {last_h:g} h, {arm}",
            left,
            "of its vehicle",
            worth if arm == "drug alone" else "input",
            claims=ARMS[arm].claims,
            note=ARMS[arm].what,
        )
        for arm, target, left in rows.rows()
    ]


def _panels(
    cells: Culture,
    axes: tuple[lab.Floats, lab.Floats],
    at: tuple[float, float],
    own: Mapping[str, float],
    tables: tuple[pl.DataFrame, pl.DataFrame],
) -> tuple[Panel, ...]:
    (tested, times), (dose, wash) = axes, at
    design, controls = (t.filter(pl.col("target") == "IKZF1") for t in tables)
    fine = lab.grid(tested)
    by_dose = cells.over(fine, times, ["ikzf1"], own)[:, :, 0]
    hours = np.linspace(0.0, float(times[-1]), 3 * lab.FINE)
    arms = {}
    for name, arm in ARMS.items():
        both = cells.over([0.0, dose], hours, ["ikzf1"], {**own, **arm.values}, later=_washed(name, wash))[
            :, :, 0
        ]
        arms[name] = hours, both[1] / both[0]
    seen = {t: design.filter(pl.col("time_h") == t) for t in times}
    treated = {n: controls.filter((pl.col("arm") == n) & (pl.col("dose_nm") > 0.0)) for n in ARMS}
    return (
        Panel(
            "IKZF1 over dose",
            "dose",
            "IKZF1, of vehicle",
            lab.points({f"{t:g} h": (w["dose_nm"], w["fraction_remaining"]) for t, w in seen.items()}),
            lab.points({f"{t:g} h": (fine, by_dose[:, i]) for i, t in enumerate(times)}),
        ),
        Panel(
            f"IKZF1 at {dose:g} nM, controls",
            "time",
            "IKZF1, of its vehicle",
            lab.points({n: (w["time_h"], w["fraction_remaining"]) for n, w in treated.items()}),
            lab.points(arms),
        ),
    )
