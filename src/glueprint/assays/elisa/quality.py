"""Is the plate to be believed: recovery of standards, controls in their ranges, what the samples say of
dilution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from glueprint.assays.elisa.calibration import EVIDENCE_LEVEL
from glueprint.assays.elisa.results import NOT_PARALLEL, PARALLEL_RATIO, Scale
from glueprint.assays.elisa.standards import Standards
from glueprint.assays.findings import Finding

__all__ = ["LEVELS", "STANDARDS", "curve_findings", "of_plate", "of_standards", "sample_findings"]

TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
STANDARDS = pl.Schema(
    {"plate": TEXT, "well": TEXT, "sample": TEXT, "nominal": NUMBER, "signal": NUMBER, "flag": TEXT,
     "concentration": NUMBER, "recovery_percent": NUMBER, "unit": TEXT}
)  # fmt: skip
LEVELS = pl.Schema(
    {"plate": TEXT, "sample": TEXT, "nominal": NUMBER, "n": COUNT, "mean_signal": NUMBER, "sd_signal": NUMBER,
     "cv_signal_percent": NUMBER, "mean_concentration": NUMBER, "cv_concentration_percent": NUMBER,
     "recovery_percent": NUMBER, "unit": TEXT}
)  # fmt: skip
SHOWN = 6

Row = dict[str, Any]


def of_standards(known: Standards, scale: Scale) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows of the standards, well by well and level by level, and quality rows on recovery."""
    table = known.table
    found = scale.concentrations(table["signal"].fill_null(np.nan).to_numpy())
    wells: list[Row] = []
    for row, value in zip(table.to_dicts(), found.tolist(), strict=True):
        nominal = row["concentration"]
        number = value if np.isfinite(value) else None
        wells.append(
            {"plate": scale.plate, "well": row["well"], "sample": row["sample"], "nominal": nominal,
             "signal": row["signal"], "flag": row["flag"], "concentration": number, "unit": scale.unit,
             "recovery_percent": None if number is None or nominal == 0.0 else 100.0 * number / nominal}
        )  # fmt: skip
    levels = [
        _level([w for w in wells if w["nominal"] == x], scale) for x in sorted({w["nominal"] for w in wells})
    ]
    low, high = scale.settings.recovery_percent
    quality = [
        _quality("recovery of standard", f"{_at(scale)}, {level['nominal']:g} {scale.unit}".rstrip(),
                 (level["recovery_percent"], "%"), f"{low:g} to {high:g}",
                 low <= level["recovery_percent"] <= high)
        for level in levels
        if level["recovery_percent"] is not None
    ]  # fmt: skip
    return wells, levels, quality


def _level(wells: Sequence[Row], scale: Scale) -> Row:
    signal = np.array([w["signal"] for w in wells if w["signal"] is not None])
    found = np.array([w["concentration"] for w in wells if w["concentration"] is not None])
    nominal = wells[0]["nominal"]
    several = signal.size > 1
    return {
        "plate": scale.plate,
        "sample": wells[0]["sample"],
        "nominal": nominal,
        "n": int(signal.size),
        "mean_signal": float(signal.mean()) if signal.size else None,
        "sd_signal": float(signal.std(ddof=1)) if several else None,
        "cv_signal_percent": float(100.0 * signal.std(ddof=1) / signal.mean())
        if several and signal.mean()
        else None,
        "mean_concentration": float(found.mean()) if found.size else None,
        "cv_concentration_percent": float(100.0 * found.std(ddof=1) / found.mean())
        if found.size > 1 and found.mean() != 0.0
        else None,
        "recovery_percent": float(100.0 * found.mean() / nominal) if found.size and nominal > 0.0 else None,
        "unit": scale.unit,
    }


def curve_findings(scale: Scale) -> list[Finding]:
    """Findings on the fit itself: weights, evidence for 5PL, lack of fit, the range."""
    curve, place = scale.curve, _at(scale)
    assert curve is not None
    found = []
    if scale.settings.weights == "replicates" and curve.weighting.startswith("none: too few"):
        found.append(
            Finding("GP-A090", "warning", f"unweighted fit, {curve.weighting.removeprefix('none: ')}", place,
                    "replicates of standards or samples",
                    "read samples in duplicate, or choose weights yourself")
        )  # fmt: skip
    if curve.evidence and curve.shape.name.startswith("5pl"):
        text = "fits better than 4pl: F = {f:.3g}, p = {p:.2g}, AICc {aicc_5pl:.4g} against {aicc_4pl:.4g}"
        message = f"{curve.shape.name} {text.format(**curve.evidence)}"
        found.append(Finding("GP-A106", "note", message, place))
    if curve.shape.name == "power" and scale.settings.model == "auto":
        found.append(
            Finding("GP-A109", "note",
                    "the standards show no upper plateau: the curve is the power law that 4pl ends in", place,
                    "", "for a plateau, read higher standards; results between standards do not need it")
        )  # fmt: skip
    if curve.lack_of_fit_p < EVIDENCE_LEVEL:
        found.append(
            Finding("GP-A091", "warning",
                    f"the curve misses its standards by more than their replicates differ "
                    f"(p = {curve.lack_of_fit_p:.2g}); "
                    "intervals use the larger error", place,
                    "residuals of the size of the replicates' scatter",
                    "look at the figure: a hook, a dilution error of one standard, or another model")
        )  # fmt: skip
    if scale.range.lloq is None:
        found.append(
            Finding("GP-A096", "warning",
                    f"nowhere between the standards is the CV below {scale.settings.cv_limit_percent:g} %: "
                    "no result is reported as a value", place, "a quantification range",
                    "more replicates, or a higher limit (cv_limit_percent)")
        )  # fmt: skip
    return found


def of_plate(scale: Scale, levels: list[Row], samples: list[Row]) -> tuple[list[Row], list[Finding]]:
    """Quality rows of one plate and findings on standards and controls that fail."""
    curve, place = scale.curve, _at(scale)
    out: list[Row] = []
    if curve is not None:
        out += [
            _quality("R squared", place, (curve.r_squared, ""), "", None),
            _quality("lack of fit p", place, (curve.lack_of_fit_p, ""), f"above {EVIDENCE_LEVEL:g}",
                     None if np.isnan(curve.lack_of_fit_p) else curve.lack_of_fit_p >= EVIDENCE_LEVEL),
            _quality("LLOQ", place, (scale.range.lloq, scale.unit),
                     f"CV {scale.settings.cv_limit_percent:g} %", None),
            _quality("ULOQ", place, (scale.range.uloq, scale.unit),
                     f"CV {scale.settings.cv_limit_percent:g} %", None),
        ]  # fmt: skip
    findings = _bad_standards(scale, levels)
    for row in samples:
        if row["role"] == "control":
            out += _control(row, scale, findings)
    return out, findings


def _bad_standards(scale: Scale, levels: list[Row]) -> list[Finding]:
    low, high = scale.settings.recovery_percent
    bad = [
        row
        for row in levels
        if row["recovery_percent"] is not None and not low <= row["recovery_percent"] <= high
    ]
    if not bad:
        return []
    named = ", ".join(f"{row['nominal']:g} ({row['recovery_percent']:.0f} %)" for row in bad)
    return [
        Finding("GP-A097", "warning", f"standards recovered outside {low:g} to {high:g} %: {named}",
        _at(scale),
                f"{low:g} to {high:g} %", "look at these standards in the figure; they stay in the fit")
    ]  # fmt: skip


def _control(row: Row, scale: Scale, findings: list[Finding]) -> list[Row]:
    """A control in its acceptance range, if the layout gives one (columns expected_low and expected_high)."""
    low, high = row["expected_low"], row["expected_high"]
    name = f"control {row['sample']}"
    value = row["result"]
    limit = "" if low is None and high is None else f"{_end(low)} to {_end(high)}"
    passed: bool | None = None
    if limit:
        passed = value is not None and (low is None or value >= low) and (high is None or value <= high)
        if not passed:
            said = f"{value:.4g}" if value is not None else f"{row['relation']} {row['limit'] or ''}".strip()
            findings.append(
                Finding("GP-A098", "warning", f"{name} is {said} {scale.unit}".rstrip(), _at(scale),
                        f"{limit} {scale.unit}".rstrip(), "do not report the plate before the cause is known")
            )  # fmt: skip
    return [_quality(name, _at(scale), (value, scale.unit), limit, passed)]


def sample_findings(scale: Scale, dilutions: list[Row], samples: list[Row]) -> list[Finding]:
    """Findings on extrapolated, censored and non-parallel samples."""
    found, place = [], _at(scale)
    beyond = [row for row in dilutions if row["status"] == "extrapolated"]
    if beyond:
        found.append(
            Finding("GP-A099", "warning",
                    f"{len(beyond)} results lie above the top standard and are reported as > ULOQ: "
                    f"{_names(beyond)}", place,
                    "concentrations within the standards",
                    "dilute further; the extrapolated number stays in the table")
        )  # fmt: skip
    outside = [row for row in dilutions if row["relation"] in ("<", ">") and row["status"] != "extrapolated"]
    if outside:
        found.append(
            Finding("GP-A107", "note", f"limits, not values: {len(outside)}, {_names(outside)}", place)
        )
    found += [
        Finding("GP-A105", "warning",
                f"the dilutions of {row['sample']} disagree {row['parallelism_ratio']:.3g}-fold "
                f"(slope {row['parallelism_slope']:.2g}, p = {row['parallelism_p']:.2g})", place,
                f"results of all dilutions within {PARALLEL_RATIO:g}-fold",
                "do not report their mean: a matrix effect, a hook or a pipetting error")
        for row in samples
        if row["status"] == NOT_PARALLEL
    ]  # fmt: skip
    return found


def _names(rows: Sequence[Row]) -> str:
    names = [
        " ".join(part for part in (row["sample"] or row["role"], row["donor"], f"({row['wells']})") if part)
        for row in rows
    ]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more


def _quality(
    name: str, where: str, measured: tuple[float | None, str], limit: str, passed: bool | None
) -> Row:
    value, unit = measured
    number = None if value is None or not np.isfinite(value) else float(value)
    return {"name": name, "where": where, "value": number, "unit": unit, "limit": limit,
            "verdict": "" if passed is None else ("pass" if passed else "fail")}  # fmt: skip


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:g}"


def _at(scale: Scale) -> str:
    return f'plate "{scale.plate}"'
