"""Wells of cultures to IC50s, GI50s and GR metrics, per experiment and pooled over experiments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from glueprint.assays.contract import Observations, tables_of
from glueprint.assays.findings import Finding
from glueprint.assays.growth import potencies, rates
from glueprint.assays.growth.plates import cultures_table
from glueprint.assays.growth.potencies import Curves
from glueprint.assays.growth.reading import Culture, cultures
from glueprint.assays.growth.result import Named, Result
from glueprint.assays.growth.settings import Settings
from glueprint.assays.quality import exclusions, lack, logistics, verdicts
from glueprint.assays.quality.outliers import Readings
from glueprint.assays.wells import Wells
from glueprint.curves.pooling import PooledPotency, pool
from glueprint.curves.potency import Reason
from glueprint.curves.status import Status
from glueprint.errors import InputError

__all__ = ["analyse"]

SMOOTH = 60
Row = dict[str, Any]
# line, compound, definition, unit, time
Key = tuple[str, str, str, str, float | None]
# Cultures that a finding names before it only counts.
NAMED = 8


def analyse(observations: pl.DataFrame | Observations, settings: Settings | None = None) -> Result:
    """Fit viability (or divided cells) and growth rate against dose, per line, compound and experiment.

    observations: a table with dose_nm (or dose with dose_unit), one of viability, viability_percent, signal
    or generation with count, and where there are such: line, compound, experiment, role (treated, control,
    time0, blank), time_h, doubling_time_h; or the `Wells` of a plate, as `cultures_table` takes them.
    Returns `Result`. A potency beyond the doses is a limit; experiments are pooled, wells never.
    Raises InputError GP-A160 to GP-A164, GP-A172, GP-A175, GP-A193, GP-A201 to GP-A214.
    Source: own derivation, docs/growth.md.
    """
    chosen = settings or Settings()
    found, findings = _cultures(Observations.of(observations), chosen)
    growing = _growing(found, findings)
    every = [potencies.of_viability(found, chosen)]
    if growing:
        every.append(potencies.of_growth_rate(growing, chosen))
    named = [one for part in every for one in _named(part)]
    pooled = _pooled(named, chosen.confidence)
    _said(every[0], findings)
    odd, of_wells, of_fits = _suspects(every[0], chosen)
    findings += of_wells
    joint = tuple(_joint(key, one) for key, one in pooled.items())
    return Result(
        settings=chosen,
        tables=tables_of(
            Result.SCHEMAS,
            {
                "wells": [row for one in found for row in _wells(one)],
                "curves": _curve_rows(every[0]),
                "growth_rate": [_growth(part, i) for part in every[1:] for i in range(len(growing))],
                "potencies": [*_pooled_rows(pooled), *_rows(named, pooled)],
                "fitted": [row for part in every for row in _fitted(part)],
                "suspects": odd,
                "excluded": [row for one in found for row in one.left_out],
            },
        ),
        potencies=tuple(one.potency for one in (*joint, *named) if one.unit == "nM"),
        quality=pl.DataFrame([*map(_control, found), *of_fits], schema=verdicts.QUALITY),
        findings=tuple(findings),
        named=(*joint, *named),
    )


def _cultures(given: Observations, settings: Settings) -> tuple[list[Culture], list[Finding]]:
    """The cultures of a table or of a plate, and what was noticed so far."""
    findings = [*given.findings]
    if not isinstance(given, Wells):
        if settings.channel is not None:
            raise InputError(
                "GP-A158",
                f'channel "{settings.channel}" of a table, which has none',
                where="setting channel",
                expected="no channel, or a plate",
                next_step="leave it out",
            )
        return cultures(given.table, settings, findings), findings
    table, noticed = cultures_table(
        given.table, given.assay, channel=settings.channel, exclude=settings.exclude
    )
    findings += noticed
    # Blanks are no part of the table, so what is left out is marked, and said, before.
    again: list[Finding] = []
    made = cultures(table, replace(settings, exclude=()), again)
    return made, findings + [one for one in again if one.code not in exclusions.SAID]


def _control(one: Culture) -> Row:
    cv = 100.0 * one.control_se * one.control_wells**0.5
    return verdicts.quality_row("CV of the control", one.name, cv if np.isfinite(cv) else None, unit="%")


def _about(one: Culture) -> Row:
    return {"line": one.line, "compound": one.compound, "experiment": one.experiment, "time_h": one.time_h}


def _growing(found: list[Culture], findings: list[Finding]) -> list[Culture]:
    """The cultures whose control's divisions are known."""
    resting = [one for one in found if one.at_zero is not None and one.divisions is None]
    findings.extend(
        Finding(
            "GP-A170",
            "refusal",
            f"the control does not grow as cells do (time zero is {one.at_zero:.3g} of it)",
            one.name,
            "more cells in the control than at time zero",
            "no GR metrics and no GI50 for this culture",
        )
        for one in resting
    )
    growing = [one for one in found if one.divisions is not None]
    if not growing and not resting:
        findings.append(
            Finding(
                "GP-A167",
                "note",
                "neither time zero nor a doubling time: no GR metrics, no GI50",
                "",
                "wells of role time0, or columns time_h and doubling_time_h",
                "IC50s of lines that divide at different rates cannot be compared",
            )
        )
    return growing


def _named(part: Curves) -> list[Named]:
    return [
        Named(one.line, one.compound, one.experiment, definition, one.unit, potency)
        for definition, values in part.potencies.items()
        for one, potency in zip(part.cultures, values, strict=True)
        if potency is not None
    ]


def _pooled(named: list[Named], confidence: float) -> dict[Key, PooledPotency]:
    """Pools by line, compound, definition, unit and time, where there are two experiments or more."""
    groups: dict[Key, list[Named]] = {}
    for one in named:
        groups.setdefault(_group(one), []).append(one)
    return {
        key: pool(
            [one.potency for one in mine],
            experiment=[one.experiment for one in mine],
            confidence=confidence,
        )
        for key, mine in groups.items()
        if len(mine) > 1
    }


def _group(one: Named) -> Key:
    return one.line, one.compound, one.definition, one.unit, one.potency.time_h


def _joint(key: Key, one: PooledPotency) -> Named:
    line, compound, definition, unit, _ = key
    return Named(line, compound, "", definition, unit, one.potency)


def _pooled_rows(pooled: dict[Key, PooledPotency]) -> list[Row]:
    return [
        _row(_joint(key, one)) | {"tau": one.tau_experiment if one.tau_donor is None else one.tau_donor}
        for key, one in pooled.items()
    ]


def _rows(named: list[Named], pooled: dict[Key, PooledPotency]) -> list[Row]:
    """One row an experiment; `expected` is its potency in the light of the others."""
    shrunk = {
        (*key, part["experiment"]): part["expected_nm"]
        for key, one in pooled.items()
        for part in one.parts.to_dicts()
    }
    return [_row(one) | {"expected": shrunk.get((*_group(one), one.experiment))} for one in named]


def _row(one: Named) -> Row:
    potency = one.potency
    return {
        "line": one.line,
        "compound": one.compound,
        "experiment": one.experiment,
        "definition": one.definition,
        "relation": potency.relation,
        "value": potency.value_nm,
        "low": potency.low_nm,
        "high": potency.high_nm,
        "unit": one.unit,
        "n": potency.n,
        "time_h": potency.time_h,
        "log10_se": potency.log10_se,
        "reasons": "; ".join(potency.explanations),
    }


def _suspects(
    part: Curves, settings: Settings
) -> tuple[pl.DataFrame, list[Finding], list[dict[str, object]]]:
    """Wells and doses that the rest of their curve contradicts, and how far curves miss their doses."""
    cultures = part.cultures
    fits = potencies.viability_fits(cultures, settings, heavy=True, intervals=False)
    whole = logistics.of_logistics(fits, [one.name for one in cultures], [one.wells for one in cultures])

    def fitted(i: int, without: frozenset[str]) -> Readings:
        if not without:
            return whole[i]
        kept = cultures[i].without(without)
        fits = potencies.viability_fits((kept,), settings, heavy=True, intervals=False)
        return logistics.of_logistics(fits, [kept.name], [kept.wells])[0]

    units = {one.unit for one in cultures}
    odd, said = verdicts.judged(len(cultures), fitted, unit=units.pop() if len(units) == 1 else "")
    names, missed = [one.name for one in whole], [lack.of_curve(one) for one in whole]
    quality = [
        verdicts.quality_row("p of a lack of fit", name, one.p if np.isfinite(one.p) else None)
        for name, one in zip(names, missed, strict=True)
    ]
    return odd, [*said, *lack.said(names, missed)], quality


def _said(part: Curves, findings: list[Finding]) -> None:
    pairs = [
        (one, potency)
        for one, potency in zip(part.cultures, part.potencies["absolute IC50"], strict=True)
        if potency is not None
    ]
    for code, reason, message, remedy in (
        ("GP-A171", Reason.NO_EFFECT, "no effect of dose (F test)", "the IC50 is above the highest dose"),
        (
            "GP-A236",
            Reason.TURNS,
            "the response turns back at high doses: no IC50",
            "look at the highest doses",
        ),
        (
            "GP-A166",
            Reason.NOT_REACHED,
            "the curve levels off above 50 % of the control: no absolute IC50",
            "compare the relative IC50 together with Emax",
        ),
    ):
        names = [one.name for one, potency in pairs if reason in potency.reasons]
        if names:
            findings.append(
                Finding(code, "note", f"{message}, {len(names)} curves", listed(names), "", remedy)
            )
    alone = [one.name for one in part.cultures if not np.isfinite(one.control_se)]
    if alone:
        findings.append(
            Finding(
                "GP-A169",
                "note",
                f"fewer than two control wells, so no error of the control, {len(alone)} cultures: not in"
                " the absolute IC50",
                listed(alone),
                "two or more control wells",
                "give the single control wells, not their mean",
            )
        )
    units = sorted({one.unit for one in part.cultures if one.unit != "nM"})
    if units:
        findings.append(
            Finding(
                "GP-A176",
                "note",
                f"doses in {', '.join(units)} are not molar: values stay in that unit",
                "",
                "",
                "convert with the molar mass to compare with nM",
            )
        )


def listed(names: list[str]) -> str:
    """The first names, and how many more."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _curve_rows(part: Curves) -> list[Row]:
    at_top = part.fits.predict(part.fits.problem.highest_dose[:, None])[:, 0]
    return [_curve(part, i, float(at_top[i])) for i in range(len(part.cultures))]


def _curve(part: Curves, i: int, at_top: float) -> Row:
    one, fits = part.cultures[i], part.fits
    shown = Status(int(fits.status[i])) not in (Status.TOO_FEW_POINTS, Status.NOT_CONVERGED)
    highest = float(fits.problem.highest_dose[i])
    return _about(one) | {
        "doubling_time_h": one.doubling_time_h,
        "divisions": one.divisions,
        "wells": int(fits.points[i]),
        "doses": int(fits.problem.distinct_doses[i]),
        "control_wells": one.control_wells,
        "top": float(fits.front[i]) if shown else None,
        "bottom": float(fits.back[i]) if shown else None,
        "slope": float(fits.slope[i]) if shown else None,
        "highest_dose": highest,
        "unit": one.unit,
        "emax_percent": 100.0 * (1.0 - at_top) if shown else None,
        "effect_p": float(fits.effect_p[i]),
        "status": Status(int(fits.status[i])).name,
        "reason": fits.reasons[i],
    }


def _growth(part: Curves, i: int) -> Row:
    one, fits = part.cultures[i], part.fits
    gr = rates.gr_value(one.viability, one.divisions or np.nan)
    doses = np.unique(one.dose[one.dose > 0.0])
    means = np.array([float(gr[one.dose == dose].mean()) for dose in doses])
    status = Status(int(fits.status[i]))
    shown = status in (Status.FINE, Status.BELOW_TESTED, Status.ABOVE_TESTED, Status.NO_DEGREES)
    return _about(one) | {
        "divisions": one.divisions,
        "divisions_from": "time zero" if one.at_zero is not None else "doubling time",
        "gr_max": float(means[-1]),
        "gr_inf": float(fits.back[i]) if shown else None,
        "gr_slope": float(fits.slope[i]) if shown else None,
        "gr_aoc": rates.area_over_curve(doses, means) if doses.size > 1 else None,
        "effect_p": float(fits.effect_p[i]),
        "status": status.name,
    }


def _wells(one: Culture) -> list[Row]:
    gr = rates.gr_value(one.viability, one.divisions) if one.divisions else np.full(one.dose.size, np.nan)
    return [
        _about(one)
        | {
            "well": well,
            "dose": dose,
            "unit": one.unit,
            "viability": value,
            "gr": g if np.isfinite(g) else None,
        }
        for well, dose, value, g in zip(
            one.wells, one.dose.tolist(), one.viability.tolist(), gr.tolist(), strict=True
        )
    ]


def _fitted(part: Curves) -> list[Row]:
    measure = "GR" if "GR50" in part.potencies else "viability"
    rows = []
    share = np.linspace(0.0, 1.0, SMOOTH)
    low, high = (
        np.log10(part.fits.problem.lowest_dose)[:, None],
        np.log10(part.fits.problem.highest_dose)[:, None],
    )
    grids = 10.0 ** (low + (high - low) * share)
    curves = part.fits.predict(grids)
    for i, one in enumerate(part.cultures):
        if Status(int(part.fits.status[i])) in (Status.TOO_FEW_POINTS, Status.NOT_CONVERGED):
            continue
        grid, fitted = grids[i], curves[i]
        rows += [
            _about(one) | {"measure": measure, "dose": x, "fitted": y}
            for x, y in zip(grid.tolist(), fitted.tolist(), strict=True)
        ]
    return rows
