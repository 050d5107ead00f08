"""Dose and time to DC50s, Dmax, rates and recovery: one experiment at a time, then pooled over
experiments."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from glueprint.assays.contract import Observations, tables_of
from glueprint.assays.degradation import joint, per_time, pooled, quantities, reading, recovery
from glueprint.assays.degradation.arms import judge
from glueprint.assays.degradation.joint import Joint, Measured
from glueprint.assays.degradation.reading import Lanes
from glueprint.assays.degradation.result import Result, TimePoint
from glueprint.assays.degradation.settings import Settings
from glueprint.assays.degradation.suspects import suspects
from glueprint.assays.findings import Finding
from glueprint.assays.intake.numbers import finite
from glueprint.assays.quality import exclusions, verdicts

__all__ = ["analyse"]

LACK_ALPHA = 0.01
SMOOTH = 60
RELATIONS = {0: "=", -1: "<", 1: ">"}


def analyse(observations: pl.DataFrame | Observations, settings: Settings | None = None) -> Result:
    """Fit fractions remaining over dose and time, and read Dmax, both DC50s at every time, rates and
    recovery.

    observations: columns time_h, dose_nm (0 is vehicle; or dose with dose_unit), fraction_remaining (of
    vehicle; or log_ratio; or signal, raw, beside its vehicle), and where there are such: target, compound,
    experiment, membrane, lane, treatment (MLN4924, cycloheximide), relation ("<" below detection), washout_h.
    Returns `Result`. A DC50 outside the doses is a limit; one that 50 % loss never reaches says so.
    Raises InputError GP-A009, GP-A010, GP-A141 to GP-A145, GP-A195, GP-A240.
    Source: own derivation, docs/degradation.md.
    """
    chosen, given = settings or Settings(), Observations.of(observations)
    findings = [*given.findings]
    whole, said = exclusions.marked(given.table, chosen.exclude, by=("membrane", "lane"), what="lanes")
    findings += said
    whole = whole.with_columns(pl.int_range(1, whole.height + 1).alias(exclusions.ROW))
    used = whole.filter(pl.col(exclusions.COLUMN) == "")
    tidy = reading.tidy(reading.usable(used, findings, chosen.time_h))
    lanes = reading.experiments(tidy, findings)
    _warn(lanes, findings)
    words, arms = judge(tidy, chosen.confidence, findings)
    together = [one for one in lanes if chosen.method != "per-time" and joint.can(one)]
    apart = [one for one in lanes if one not in together]
    _methods(together, apart, chosen, findings)
    fits = _joint(together, chosen, findings)
    parts = [point for fit in fits for point in _points(fit)]
    parts += per_time.time_points(apart, chosen, findings)
    parts = [_worded(part, words) for part in parts]
    odd, of_lanes = suspects(fits, apart, chosen)
    findings += of_lanes
    points = pooled.points(parts, chosen.confidence)
    _limits(points, findings)
    rates = [row for fit in fits for row in _rates(fit)]
    rates = pooled.rates([*rates, *recovery.recovery(tidy, chosen.confidence, findings)], chosen.confidence)
    return Result(
        settings=chosen,
        tables=tables_of(
            Result.SCHEMAS,
            {
                "points": [point.row() for point in points],
                "experiments": [part.row() for part in parts],
                "rates": rates,
                "arms": arms,
                "readings": [row for one in lanes for row in _readings(one)],
                "curves": [row for fit in fits for row in _curves(fit)],
                "suspects": odd,
                "excluded": _excluded(whole),
            },
        ),
        potencies=tuple(potency for point in points for potency in (point.relative, point.absolute)),
        quality=pl.DataFrame([_lack(fit) for fit in fits], schema=verdicts.QUALITY),
        findings=tuple(findings),
        points=tuple(points),
        parts=tuple(parts),
    )


def _lack(fit: Joint) -> dict[str, object]:
    """Whether turnover at constant drug describes the lanes, where replicates can tell."""
    p_value = fit.lack_p if math.isfinite(fit.lack_p) else None
    return verdicts.quality_row(
        "p of a lack of fit",
        fit.lanes.name,
        p_value,
        limit=f"above {LACK_ALPHA:g}",
        passed=None if p_value is None else p_value >= LACK_ALPHA,
    )


def _excluded(whole: pl.DataFrame) -> list[dict[str, object]]:
    """The lanes that were left out, with what was left in them."""
    rows = []
    for nth, row in enumerate(whole.to_dicts()):
        if row[exclusions.COLUMN]:
            lane = ":".join(
                str(row[name]) for name in ("membrane", "lane") if row.get(name) not in (None, "")
            )
            left, log = (finite(row.get(name)) for name in ("fraction_remaining", "log_ratio"))
            rows.append(
                {
                    "where": lane or f"row {nth + 1}",
                    "curve": str(row.get("target") or ""),
                    "sample": str(row.get("compound") or row.get("sample") or ""),
                    "x": finite(row.get("dose_nm")),
                    "value": math.exp(log) if left is None and log is not None else left,
                    "reason": row[exclusions.COLUMN],
                }
            )
    return rows


def _worded(part: TimePoint, words: dict[tuple[str, str], str]) -> TimePoint:
    return replace(part, process=words.get((part.target, part.compound), "loss"))


def _warn(lanes: list[Lanes], findings: list[Finding]) -> None:
    for one in lanes:
        if not one.has_vehicle:
            findings.append(
                Finding(
                    "GP-A146",
                    "warning",
                    "no vehicle rows: the vehicle is taken as exactly 1",
                    one.name,
                    "two or more vehicle lanes",
                    "give the vehicle lanes: their error is missing in the intervals",
                )
            )
        censored = int((one.side != 0).sum())
        if censored:
            findings.append(
                Finding(
                    "GP-A151",
                    "note",
                    f"{censored} lanes beyond detection enter as limits, not as numbers",
                    one.name,
                )
            )
        below = int((one.fraction < 0.0).sum())
        if below:
            findings.append(
                Finding(
                    "GP-A151",
                    "note",
                    f"{below} fractions below zero are kept as they are",
                    one.name,
                    next_step="a net volume below background; give the detection limit with relation <",
                )
            )


def _methods(together: list[Lanes], apart: list[Lanes], settings: Settings, findings: list[Finding]) -> None:
    for one in apart:
        if settings.method == "joint":
            findings.append(
                Finding(
                    "GP-A149",
                    "refusal",
                    f"{one.times_h.size} times, {one.doses_nm.size} doses, {one.fraction.size} "
                    "readings: dose and time cannot be fitted together",
                    one.name,
                    "two doses, two times, more readings than parameters",
                    "method per-time, or a larger design",
                )
            )
        else:
            findings.append(
                Finding(
                    "GP-A149",
                    "note",
                    f"a logistic at each time ({one.times_h.size} times, {one.doses_nm.size} doses): "
                    "no rates",
                    one.name,
                )
            )
    findings.extend(
        Finding(
            "GP-A149",
            "note",
            f"dose and time fitted together ({one.times_h.size} times, {one.doses_nm.size} doses)",
            one.name,
        )
        for one in together
    )
    if settings.method == "joint":
        apart.clear()


def _joint(lanes: list[Lanes], settings: Settings, findings: list[Finding]) -> list[Joint]:
    if not lanes:
        return []
    logarithm = settings.error == "proportional"
    if settings.error == "auto":
        logarithm = sum(joint.likelier(one) for one in lanes) > 0.0
        findings.append(
            Finding(
                "GP-A148",
                "note",
                f"errors taken as {'proportional' if logarithm else 'constant'}: the likelier",
            )
        )
    elif logarithm and any((one.fraction <= 0.0).any() for one in lanes):
        logarithm = False
        findings.append(
            Finding(
                "GP-A148",
                "warning",
                "fractions at or below zero have no logarithm: errors are taken as constant",
            )
        )
    fits = [joint.fit(one, settings, logarithm=logarithm) for one in lanes]
    for fit in fits:
        _said(fit, findings)
    return fits


def _said(fit: Joint, findings: list[Finding]) -> None:
    name = fit.lanes.name
    if fit.slope_held:
        findings.append(
            Finding(
                "GP-A154",
                "note",
                f"{fit.lanes.doses_nm.size} doses cannot show a slope: it is held at 1",
                name,
                f"{joint.DOSES_FOR_SLOPE} or more doses",
                "add doses between the steepest two",
            )
        )
    if not fit.shown:
        findings.append(
            Finding(
                "GP-A155",
                "warning",
                f"no effect of dose (F test, p = {fit.effect_p:.2g})",
                name,
                "",
                "no Dmax; the DC50 is above the highest dose",
            )
        )
    if fit.hooked:
        findings.append(
            Finding(
                "GP-A150",
                "warning",
                f"a hook (F test, p = {fit.hook_p:.2g}): high doses lose less",
                name,
                "",
                "Dmax is the top of the curve; a molecular glue should have none: look at the highest doses",
            )
        )
    elif fit.hook_p == fit.hook_p:
        findings.append(
            Finding("GP-A150", "note", f"no hook shown (F test, p = {fit.hook_p:.2g}): monotone", name)
        )
    if fit.lack_p < LACK_ALPHA:
        findings.append(
            Finding(
                "GP-A156",
                "warning",
                f"turnover at constant drug does not describe these lanes (p = {fit.lack_p:.2g})",
                name,
                "replicates that scatter as much as the curve misses",
                "drug used up, rebound, or a membrane apart? look at the times; compare method per-time",
            )
        )


def _points(fit: Joint) -> list[TimePoint]:
    found = []
    for time_h in fit.lanes.times_h.tolist():
        dmax = joint.dmax_of(fit, time_h)
        share = None if dmax is None else dmax.value * (1.0 - dmax.value)
        found.append(
            TimePoint(
                target=fit.lanes.target,
                time_h=time_h,
                model="turnover with hook" if fit.hooked else "turnover",
                doses=int(fit.lanes.doses_nm.size) + int(fit.lanes.has_vehicle),
                points=int(fit.sample.y.size),
                dmax=None if dmax is None else dmax.value,
                dmax_se=None if dmax is None or dmax.error is None or share is None else dmax.error * share,
                dmax_low=None if dmax is None else dmax.low,
                dmax_high=None if dmax is None else dmax.high,
                relative=joint.potency(fit, time_h, "relative"),
                absolute=joint.potency(fit, time_h, "absolute"),
                status="FINE" if fit.shown else "NO_EFFECT",
                reason="" if fit.shown else "no effect: the flat line fits as well (F test)",
                compound=fit.lanes.compound,
                experiment=fit.lanes.experiment,
                method="joint",
            )
        )
    return found


def _rates(fit: Joint) -> list[dict[str, Any]]:
    """Rates, half-lives and the plateau of one experiment; nothing without an effect."""
    if not fit.shown:
        return []
    about = {
        "target": fit.lanes.target,
        "compound": fit.lanes.compound,
        "experiment": fit.lanes.experiment,
        "experiments": 1,
        "relation": "=",
    }
    rows = []
    for name, (quantity, unit) in joint.RATES.items():
        free = fit.sample.free[quantity.solved]
        found = (
            joint.ln(quantity, fit)
            if free
            else Measured(float(np.exp(fit.fit.theta[quantity.solved])), None, None, None)
        )
        rows.append(about | _cells(name, found, unit) | {"note": "" if free else "held"})
        longest = float(fit.lanes.times_h[-1])
        if name in ("k_deg", "rate_at_full_dose"):
            half = "natural_half_life" if name == "k_deg" else "half_time_at_full_dose"
            row = (
                about
                | {"name": half, "unit": "h"}
                | recovery.half_life(found.value, found.low, found.high, longest)
            )
            rows.append(row | {"note": "beyond the time observed" if row["relation"] == ">" else ""})
    rows.extend(
        about | _cells("observed_rate", joint.ln(quantities.observed(dose), fit), "1/h") | {"dose_nm": dose}
        for dose in fit.lanes.doses_nm.tolist()
    )
    steady = joint.dmax_of(fit, quantities.LONG)
    if steady is not None:
        rows.append(about | _cells("dmax_at_steady_state", steady, ""))
    return rows


def _cells(name: str, found: Measured, unit: str) -> dict[str, Any]:
    return {"name": name, "value": found.value, "low": found.low, "high": found.high, "unit": unit}


def _readings(one: Lanes) -> list[dict[str, Any]]:
    return [
        {
            "target": one.target,
            "compound": one.compound,
            "experiment": one.experiment,
            "time_h": time,
            "dose_nm": dose,
            "fraction_remaining": left,
            "relation": RELATIONS[side],
        }
        for dose, time, left, side in zip(
            one.dose_nm.tolist(), one.time_h.tolist(), one.fraction.tolist(), one.side.tolist(), strict=True
        )
    ]


def _curves(fit: Joint) -> list[dict[str, Any]]:
    """The fitted fraction of the vehicle over dose at each time, and over time at each dose."""
    doses, times = fit.lanes.doses_nm, fit.lanes.times_h
    grid = np.geomspace(doses[0] / 3.0, doses[-1] * 3.0, SMOOTH)
    over_dose = [(dose, time) for time in times.tolist() for dose in grid.tolist()]
    over_time = [
        (dose, time) for dose in doses.tolist() for time in np.linspace(0.0, times[-1], SMOOTH).tolist()
    ]
    dose, time = np.array([*over_dose, *over_time]).T
    zero = np.zeros(dose.size, dtype=np.int64)
    theta = fit.fit.theta.copy()
    theta[quantities.VEHICLE] = 0.0
    where = replace(fit.sample, dose_nm=dose, time_h=time, y=np.zeros(dose.size), side=zero, membrane=zero)
    value = where.curve(theta[None])[0][0]
    left = np.exp(value) if fit.sample.logarithm else value
    about = {"target": fit.lanes.target, "compound": fit.lanes.compound, "experiment": fit.lanes.experiment}
    return [
        about | {"dose_nm": d, "time_h": t, "fitted": y}
        for d, t, y in zip(dose.tolist(), time.tolist(), left.tolist(), strict=True)
    ]


def _limits(points: list[TimePoint], findings: list[Finding]) -> None:
    """Which doses would turn limits into values."""
    for key in dict.fromkeys((p.target, p.compound) for p in points):
        mine = [p for p in points if (p.target, p.compound) == key]
        below = [p for p in mine if p.absolute.relation == "<"]
        if below:
            edge = below[0].absolute.value_nm
            at = ", ".join(f"{p.time_h:g}" for p in below)
            findings.append(
                Finding(
                    "GP-A157",
                    "warning",
                    f"DC50 only known as below {edge:.4g} nM at {at} h",
                    " ".join(part for part in key if part),
                    "doses on both sides of the DC50",
                    "add lower doses; `glueprint assay design` says which would tell most",
                )
            )
