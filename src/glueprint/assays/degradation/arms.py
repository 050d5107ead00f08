"""Is it degradation? What the arms with MLN4924 (no neddylation) and cycloheximide (no synthesis) show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from glueprint.assays.findings import Finding

__all__ = ["judge"]

# Of the loss, MLN4924 must take back at least half before the loss counts as degradation by cullin ligases.
LEAST_RESCUE = 0.5
WORD, OTHERWISE = "degradation", "loss"
Key = tuple[str, str]


def judge(
    found: pl.DataFrame, confidence: float, findings: list[Finding]
) -> tuple[dict[Key, str], list[dict[str, Any]]]:
    """The word for what happens to each target under each compound, and a row per arm.

    found: a tidy table.   MLN4924: ln of the fraction with it over the fraction without, at the same dose
    and time, as a share of the loss; cycloheximide: ln of the fraction with the compound over that without,
    both in it. Pairs are averaged within experiments; the interval stands on experiments, on pairs where
    there is only one.
    Returns {(target, compound): "degradation" or "loss"}, rows of `ARMS_SCHEMA`.
    """
    words: dict[Key, str] = {}
    rows: list[dict[str, Any]] = []
    keys = (
        found.filter(pl.col("dose_nm") > 0.0).select("target", "compound").unique(maintain_order=True).rows()
    )
    for target, compound in keys:
        shared = (pl.col("dose_nm") == 0.0) & (pl.col("compound") == "")
        mine = found.filter((pl.col("target") == target) & ((pl.col("compound") == compound) | shared))
        mine = mine.filter(pl.col("washout_h").is_null() & (pl.col("fraction_remaining") > 0.0))
        levels = _levels(mine)
        arms = [arm for arm in ("MLN4924", "cycloheximide") if arm in mine["treatment"].unique().to_list()]
        own = []
        for arm in arms:
            pairs = _rescued(levels) if arm == "MLN4924" else _faster(levels)
            row = _row(pairs, confidence) | {"target": target, "compound": compound, "arm": arm}
            limit = LEAST_RESCUE if arm == "MLN4924" else 0.0
            row["what"] = (
                "share of the loss taken back" if arm == "MLN4924" else "further loss without synthesis, ln"
            )
            row["shown"] = bool(row["low"] is not None and row["low"] > 0.0 and row["value"] > limit)
            own.append(row)
        rows += own
        # One arm that contradicts is enough for the cautious word.
        words[target, compound] = WORD if own and all(row["shown"] for row in own) else OTHERWISE
        findings.append(_said(target, compound, own))
    return words, rows


def _levels(mine: pl.DataFrame) -> Mapping[tuple[str, str, float, float], float]:
    """Mean ln fraction by experiment, treatment, time and dose."""
    means = mine.group_by(["experiment", "treatment", "time_h", "dose_nm"], maintain_order=True).agg(
        pl.col("fraction_remaining").log().mean()
    )
    return {(e, t, float(h), float(d)): float(y) for e, t, h, d, y in means.rows()}


def _against(
    levels: Mapping[tuple[str, str, float, float], float], key: tuple[str, str, float, float]
) -> float:
    """Ln fraction less that of the vehicle of the same treatment and time, where there is one."""
    experiment, treatment, time_h, _ = key
    vehicle = levels.get((experiment, treatment, time_h, 0.0))
    if vehicle is None:
        others = [y for (e, t, _h, d), y in levels.items() if (e, t, d) == (experiment, treatment, 0.0)]
        vehicle = float(np.mean(others)) if others and treatment != "cycloheximide" else None
    if vehicle is None:
        # Without a vehicle of its own an arm stands against the fraction's own reference, except where
        # turnover moves it.
        vehicle = math.nan if treatment == "cycloheximide" else 0.0
    return levels[key] - vehicle


def _rescued(levels: Mapping[tuple[str, str, float, float], float]) -> dict[str, list[float]]:
    pairs: dict[str, list[float]] = {}
    for key in levels:
        experiment, treatment, time_h, dose = key
        plain = (experiment, "", time_h, dose)
        if treatment != "MLN4924" or dose == 0.0 or plain not in levels:
            continue
        lost = -_against(levels, plain)
        # A dose that loses little says nothing of what a rescue gives back.
        if lost > math.log(1.25):
            pairs.setdefault(experiment, []).append(1.0 + _against(levels, key) / lost)
    return pairs


def _faster(levels: Mapping[tuple[str, str, float, float], float]) -> dict[str, list[float]]:
    pairs: dict[str, list[float]] = {}
    for key in levels:
        experiment, treatment, _, dose = key
        if treatment == "cycloheximide" and dose > 0.0 and math.isfinite(found := -_against(levels, key)):
            pairs.setdefault(experiment, []).append(found)
    return pairs


def _row(pairs: Mapping[str, list[float]], confidence: float) -> dict[str, Any]:
    means = [float(np.mean(values)) for values in pairs.values()]
    used = means if len(means) > 1 else [value for values in pairs.values() for value in values]
    row: dict[str, Any] = {
        "experiments": len(means),
        "pairs": sum(map(len, pairs.values())),
        "low": None,
        "high": None,
    }
    row["value"] = float(np.mean(used)) if used else None
    if len(used) > 1:
        reach = float(
            student.ppf(0.5 + 0.5 * confidence, len(used) - 1) * np.std(used, ddof=1) / math.sqrt(len(used))
        )
        row |= {"low": float(np.mean(used)) - reach, "high": float(np.mean(used)) + reach}
    return row


def _said(target: str, compound: str, own: list[dict[str, Any]]) -> Finding:
    name = " ".join(part for part in (target, compound) if part) or "the target"
    if not own:
        return Finding(
            "GP-A152",
            "note",
            'called "loss": no arm with MLN4924 or cycloheximide',
            name,
            "an arm that separates degradation from synthesis",
            "add an arm with MLN4924",
        )
    said = "; ".join(
        f"{row['arm']}: {row['what']} "
        + ("not known" if row["value"] is None else f"{row['value']:.2f}")
        + ("" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})")
        + f", {row['experiments']} experiments"
        for row in own
    )
    shown = all(row["shown"] for row in own)
    return Finding(
        "GP-A152",
        "note" if shown else "warning",
        f'called "{WORD if shown else OTHERWISE}": {said}',
        name,
        "MLN4924 takes back at least half of the loss; cycloheximide leaves it",
        "" if shown else "repeat the arm in more experiments",
    )
