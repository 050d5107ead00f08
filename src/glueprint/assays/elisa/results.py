"""Tables of one plate: every well, every dilution and every sample, with limits where a number would be
invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from glueprint.assays.elisa import inversion
from glueprint.assays.elisa.calibration import Calibration
from glueprint.assays.elisa.settings import Settings
from glueprint.assays.elisa.shapes import Floats
from glueprint.assays.quality import exclusions

__all__ = [
    "DILUTIONS",
    "NOT_PARALLEL",
    "PARALLEL_RATIO",
    "REPLICATES_DIFFER",
    "SAMPLES",
    "WELLS",
    "Scale",
    "dilution_rows",
    "sample_rows",
    "well_rows",
]

TEXT, NUMBER, COUNT, FLAG = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()
WHAT: Mapping[str, Any] = {
    "plate": TEXT, "role": TEXT, "sample": TEXT, "donor": TEXT, "experiment": TEXT, "group": TEXT,
    "layout_concentration": NUMBER, "layout_unit": TEXT,
}  # fmt: skip
RESULT: Mapping[str, Any] = {
    "relation": TEXT, "limit": NUMBER, "status": TEXT, "unit": TEXT,
}  # fmt: skip
WELLS = pl.Schema(
    {"well": TEXT, **WHAT, "dilution": NUMBER, "signal": NUMBER, "flag": TEXT, "concentration": NUMBER,
     "adjusted": NUMBER, **RESULT}
)  # fmt: skip
DILUTIONS = pl.Schema(
    {**WHAT, "dilution": NUMBER, "wells": TEXT, "n": COUNT, "mean_signal": NUMBER,
    "cv_signal_percent": NUMBER,
     "mean_concentration": NUMBER, "sd_concentration": NUMBER, "cv_concentration_percent": NUMBER,
     "mean_adjusted": NUMBER, "concentration": NUMBER, "low": NUMBER, "high": NUMBER, "adjusted": NUMBER,
     "adjusted_low": NUMBER, "adjusted_high": NUMBER, **RESULT, "signal_in_range": FLAG, "signal_cv_ok": FLAG,
     "counts": FLAG}
)  # fmt: skip
SAMPLES = pl.Schema(
    {**WHAT, "dilutions": COUNT, "dilutions_used": COUNT, "result": NUMBER, "low": NUMBER, "high": NUMBER,
    **RESULT,
     "expected_low": NUMBER, "expected_high": NUMBER, "parallelism_ratio": NUMBER,
     "parallelism_slope": NUMBER,
     "parallelism_p": NUMBER}
)  # fmt: skip
# Dilutions that differ by less than this are of no consequence, however sure: 80 to 125 %, as for
# bioequivalence.
PARALLEL_RATIO = 1.25
NOT_PARALLEL = "not_parallel"
# Technical replicates whose concentrations differ by more than the limit: the value stands, in doubt.
REPLICATES_DIFFER = "replicates_differ"
PARALLEL_LEVEL = 0.05
KEY = ("role", "sample", "donor", "experiment", "group", "concentration", "concentration_unit")


@dataclass(frozen=True)
class Scale:
    """How one plate turns signals into concentrations. curve: None where it could not be fitted."""

    plate: str
    curve: Calibration | None
    range: inversion.Range
    unit: str
    settings: Settings

    def on_fit(self, signal: Floats) -> Floats:
        """Signals (n,) on the scale of the fit; NaN where a logarithm does not exist."""
        if self.settings.response == "linear":
            return signal
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log10(np.where(signal > 0.0, signal, np.nan)))

    def concentrations(self, signal: Floats) -> Floats:
        """Back-calculated concentrations (n,); NaN where there is none."""
        if self.curve is None:
            return np.full(signal.shape, np.nan)
        found = self.curve.invert(self.on_fit(signal))
        return np.where(np.isfinite(found), found, np.nan)

    def verdict(self, signal: float, concentration: float, flag: str) -> tuple[str, float | None, str]:
        """Relation, limit (before dilution) and status of one result."""
        lloq, uloq, curve = self.range.lloq, self.range.uloq, self.curve
        if curve is None:
            return "none", None, "no_curve"
        if flag not in ("", "above_range", "below_range"):
            return "none", None, "excluded" if flag.startswith(exclusions.FLAG) else "no_reading"
        if lloq is None or uloq is None:
            return "none", None, "no_quantification_range"
        ends = curve.mean(np.array([curve.lowest, curve.highest]))
        rising = bool(ends[1] > ends[0])
        if flag:
            return (">", uloq, flag) if (flag == "above_range") == rising else ("<", lloq, flag)
        if not np.isfinite(concentration):
            high = bool(float(self.on_fit(np.array([signal]))[0]) > float(np.mean(ends))) == rising
            return (">", uloq, "beyond_upper_plateau") if high else ("<", lloq, "beyond_lower_plateau")
        if concentration < lloq:
            return "<", lloq, "below_lloq"
        if concentration > curve.highest:
            return ">", uloq, "extrapolated"
        if concentration > uloq:
            return ">", uloq, "above_uloq"
        return "=", None, "in_range"


def well_rows(rows: pl.DataFrame, scale: Scale) -> list[dict[str, Any]]:
    """Every well that is no blank with its concentration, before (`concentration`) and after dilution
    (`adjusted`)."""
    signal = rows["signal"].fill_null(np.nan).to_numpy()
    found = scale.concentrations(signal)
    out = []
    for row, value in zip(rows.to_dicts(), found.tolist(), strict=True):
        relation, limit, status = scale.verdict(_number(row["signal"]), value, row["flag"])
        dilution = row["dilution"]
        out.append(
            _what(row, scale)
            | {"well": row["well"], "dilution": dilution, "signal": row["signal"], "flag": row["flag"],
               "concentration": _kept(value), "adjusted": _kept(value * dilution), "relation": relation,
               "limit": None if limit is None else limit * dilution, "status": status, "unit": scale.unit}
        )  # fmt: skip
    return out


def dilution_rows(rows: pl.DataFrame, scale: Scale) -> list[dict[str, Any]]:
    """Replicate wells of one sample at one dilution: means over wells, and the result of their mean
    signal."""
    out = []
    # An unnamed sample is its own well.
    rows = rows.with_columns(
        sample=pl.when((pl.col("sample") == "") & pl.col("role").is_in(["sample", "control"]))
        .then(pl.col("well"))
        .otherwise(pl.col("sample"))
    )
    for _, wells in rows.group_by([*KEY, "dilution"], maintain_order=True):
        out.append(_dilution(wells, scale))
    bounded = [row for row in out if row["concentration"] is not None or row["relation"] in ("<", ">")]
    means = np.array([_number(row["mean_signal"]) for row in bounded])
    keep = np.isfinite(scale.on_fit(means)) if bounded else np.zeros(0, dtype=bool)
    if scale.curve is not None and keep.any():
        chosen = [row for row, kept in zip(bounded, keep, strict=True) if kept]
        counts = np.array([float(row["n"]) for row in chosen])
        bounds = inversion.intervals(
            scale.curve, scale.on_fit(means[keep]), counts, scale.settings.confidence
        )
        for row, (low, high) in zip(chosen, bounds.tolist(), strict=True):
            row["low"], row["high"] = _kept(low), _kept(high)
            row["adjusted_low"], row["adjusted_high"] = (
                _kept(low * row["dilution"]),
                _kept(high * row["dilution"]),
            )
    return out


def _dilution(wells: pl.DataFrame, scale: Scale) -> dict[str, Any]:
    first, settings = wells.to_dicts()[0], scale.settings
    signal = wells["signal"].drop_nulls().to_numpy()
    each = scale.concentrations(signal)
    each = each[np.isfinite(each)]
    mean = float(signal.mean()) if signal.size else np.nan
    value = float(scale.concentrations(np.array([mean]))[0])
    # One well above the range makes the mean of its group a lower limit, and likewise below.
    flags = [flag for flag in wells["flag"] if flag]
    flag = next((f for f in flags if f.endswith("_range")), flags[0] if flags and not signal.size else "")
    relation, limit, status = scale.verdict(mean, value, flag)
    cv_signal = _cv_percent(signal)
    # Wells of donors are cultures of their own, so that their scatter is biology.
    technical = first["role"] in ("sample", "control") and not first["donor"] and each.size > 1
    if technical and relation == "=" and (_cv_percent(each) or 0.0) > settings.replicate_cv_percent:
        status = REPLICATES_DIFFER
    in_range = settings.signal_range is None or settings.signal_range[0] <= mean <= settings.signal_range[1]
    cv_limit = settings.signal_cv_limit_percent
    cv_ok = cv_limit is None or (cv_signal is not None and cv_signal <= cv_limit)
    own_rule = settings.signal_range is not None
    allowed = relation == "=" or (own_rule and np.isfinite(value) and scale.curve is not None)
    return _what(first, scale) | {
        "expected_low": first["expected_low"],
        "expected_high": first["expected_high"],
        "dilution": first["dilution"],
        "wells": ", ".join(wells["well"]),
        "n": int(signal.size),
        "mean_signal": _kept(mean),
        "cv_signal_percent": cv_signal,
        "mean_concentration": float(each.mean()) if each.size else None,
        "sd_concentration": float(each.std(ddof=1)) if each.size > 1 else None,
        "cv_concentration_percent": _cv_percent(each),
        "mean_adjusted": float(each.mean() * first["dilution"]) if each.size else None,
        "concentration": _kept(value),
        "low": None, "high": None, "adjusted_low": None, "adjusted_high": None,
        "adjusted": _kept(value * first["dilution"]),
        "relation": relation,
        "limit": None if limit is None else limit * first["dilution"],
        "status": status,
        "unit": scale.unit,
        "signal_in_range": bool(in_range),
        "signal_cv_ok": bool(cv_ok),
        "counts": bool(allowed and in_range and cv_ok),
    }  # fmt: skip


def sample_rows(dilutions: list[dict[str, Any]], scale: Scale) -> list[dict[str, Any]]:
    """One row a sample: the geometric mean of the dilutions that count, or the limit that they leave."""
    samples: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in dilutions:
        samples.setdefault(tuple(row[name] for name in WHAT), []).append(row)
    return [_sample(rows, scale) for rows in samples.values()]


def _sample(rows: list[dict[str, Any]], scale: Scale) -> dict[str, Any]:
    used = [row for row in rows if row["counts"] and row["concentration"]]
    out = {name: rows[0][name] for name in (*WHAT, "expected_low", "expected_high")} | {
        "dilutions": len(rows), "dilutions_used": len(used), "unit": scale.unit, "result": None, "low": None,
        "high": None, "limit": None, "parallelism_ratio": None, "parallelism_slope": None,
        "parallelism_p": None,
    }  # fmt: skip
    agree = all(row["status"] != REPLICATES_DIFFER for row in used)
    if used and scale.curve is not None:
        return (
            out
            | {"relation": "=", "status": "in_range" if agree else REPLICATES_DIFFER}
            | _joined(used, scale.curve, scale.settings.confidence)
        )
    for relation, choose in (("<", min), (">", max)):
        if all(row["relation"] == relation for row in rows):
            # The least diluted well sets the sharpest limit below, the most diluted the sharpest above.
            sharpest = choose(rows, key=lambda row: float(row["dilution"]))
            return out | {
                "relation": relation, "limit": sharpest["limit"], "status": sharpest["status"],
                "low": sharpest["adjusted_low"], "high": sharpest["adjusted_high"],
            }  # fmt: skip
    status = "no_dilution_counts" if any(row["relation"] in "<>=" for row in rows) else rows[0]["status"]
    return out | {"relation": "none", "status": status}


def _joined(used: list[dict[str, Any]], curve: Calibration, confidence: float) -> dict[str, Any]:
    """Geometric mean over dilutions; their errors share one curve, so its part does not average out."""
    adjusted = np.array([row["adjusted"] for row in used])
    if len(used) == 1:
        return {
            "result": float(adjusted[0]),
            "low": used[0]["adjusted_low"],
            "high": used[0]["adjusted_high"],
        }
    x = np.array([row["concentration"] for row in used])
    sampling, gradient = inversion.sd_log(curve, x, np.array([float(row["n"]) for row in used]))
    covariance = np.diag(sampling) + gradient @ curve.covariance @ gradient.T
    log = np.log(adjusted)
    centre = float(log.mean())
    reach = float(student.ppf(0.5 + 0.5 * confidence, curve.dof) * np.sqrt(covariance.mean()))
    found: dict[str, Any] = {
        "result": float(np.exp(centre)), "low": float(np.exp(centre - reach)),
        "high": float(np.exp(centre + reach)),
        "parallelism_ratio": float(adjusted.max() / adjusted.min()),
    }  # fmt: skip
    log_dilution = np.log([row["dilution"] for row in used])
    if np.ptp(log_dilution) > 0.0:
        found |= _parallelism(log, log_dilution, covariance, curve.dof)
        if found["parallelism_p"] < PARALLEL_LEVEL and found["parallelism_ratio"] > PARALLEL_RATIO:
            return found | {"status": NOT_PARALLEL}
    return found


def _parallelism(log: Floats, log_dilution: Floats, covariance: Floats, dof: int) -> dict[str, float]:
    """Slope of ln result on ln dilution by generalised least squares, and the p value of its being zero."""
    design = np.stack([np.ones_like(log_dilution), log_dilution], axis=1)
    weighted = np.linalg.solve(covariance, design)
    spread = np.linalg.inv(design.T @ weighted)
    slope = float((spread @ (weighted.T @ log))[1])
    statistic = abs(slope) / float(np.sqrt(spread[1, 1]))
    return {"parallelism_slope": slope, "parallelism_p": float(2.0 * student.sf(statistic, dof))}


def _what(row: Mapping[str, Any], scale: Scale) -> dict[str, Any]:
    return {
        "plate": scale.plate, "role": row["role"], "sample": row["sample"], "donor": row["donor"],
        "experiment": row["experiment"], "group": row["group"], "layout_concentration": row["concentration"],
        "layout_unit": row["concentration_unit"],
    }  # fmt: skip


def _cv_percent(values: Floats) -> float | None:
    """100 SD / mean with n - 1; 0 of a single value, as plate programs print it; None without a value."""
    if not values.size or values.mean() == 0.0:
        return None
    return float(100.0 * values.std(ddof=1) / values.mean()) if values.size > 1 else 0.0


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _kept(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
