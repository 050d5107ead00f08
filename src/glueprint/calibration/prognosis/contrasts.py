"""Two groups that were treated alike and differ in one covariate, as a log ratio with its error."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from scipy.special import logit, ndtri

from glueprint.calibration.excluded import Excluded
from glueprint.evidence import Claim, Claims

__all__ = ["Contrast", "contrasts", "error_of_log_median", "left_out", "settings"]

# Two-sided 95 % of the standard normal.
NORMAL_95 = float(ndtri(0.975))


@dataclass(frozen=True)
class Contrast:
    """How much worse one group does than the other, for one step of a covariate.

    endpoint: "pfs" or "os" (log of a hazard ratio, or of the ratio of medians, which is the same for
    exponential times) or "orr" (difference of logits); positive is worse.   per_step, std_error: of one step.
    steps: how many steps lie between the groups.   source: trial or registry, the unit that is withheld.
    claims: ids behind it.   why: what was taken for granted.
    """

    covariate: str
    endpoint: str
    source: str
    steps: float
    per_step: float
    std_error: float
    claims: tuple[str, ...]
    why: str


@cache
def settings() -> Mapping[str, Any]:
    """The tables of calibration/data/prognosis.toml."""
    text = (files("glueprint.calibration") / "data" / "prognosis.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def contrasts(claims: Claims) -> tuple[Contrast, ...]:
    """All contrasts of the evidence, in the order of the file.

    claims: the evidence that holds their claims.
    Raises InputError GP-E001 for a claim that is not there.
    Source: own derivation, see docs/prognosis.md.
    """
    return tuple(_contrast(row, claims) for row in settings()["contrasts"])


def left_out() -> tuple[Excluded, ...]:
    """Claims that compare groups and are not used."""
    return tuple(Excluded(name, row["why"]) for row in settings()["left_out"] for name in row["claims"])


def _contrast(row: Mapping[str, Any], claims: Claims) -> Contrast:
    names: tuple[str, ...]
    if "ratio" in row:
        names = (row["ratio"],)
        log_ratio, error = _of_ratio(claims[row["ratio"]], row.get("p"))
    else:
        names = (row["worse"], row["better"])
        log_ratio, error = _of_groups(row, claims[row["worse"]], claims[row["better"]])
    steps = float(row.get("steps", 1.0))
    return Contrast(
        covariate=row["covariate"],
        endpoint=row["endpoint"],
        source=row["source"],
        steps=steps,
        per_step=log_ratio / steps,
        std_error=error / steps,
        claims=names,
        why=row.get("why", ""),
    )


def _of_ratio(claim: Claim, p: float | None) -> tuple[float, float]:
    """Log hazard ratio and its error, from the interval or from the p-value of a Wald test."""
    log_ratio = math.log(_value(claim))
    error = _of_interval(claim, math.log)
    if error is None and p is not None:
        error = abs(log_ratio) / float(ndtri(1.0 - p / 2.0))
    if error is None:
        raise ValueError(f"{claim.id}: a ratio without interval needs p")
    return log_ratio, error


def _of_groups(row: Mapping[str, Any], worse: Claim, better: Claim) -> tuple[float, float]:
    """The log ratio and its error of two medians, of two rates, or of two ratios against one average."""
    if worse.endpoint == "orr":
        one, other = _of_rate(worse, row.get("n_worse")), _of_rate(better, row.get("n_better"))
        return other[0] - one[0], math.hypot(one[1], other[1])
    if worse.endpoint.startswith("hr_"):
        one, other = _of_ratio(worse, None), _of_ratio(better, None)
        return one[0] - other[0], math.hypot(one[1], other[1])
    few, many = row.get("n_worse", worse.n), row.get("n_better", better.n)
    low, high = math.log(_value(worse)), math.log(_value(better))
    if row.get("complement"):
        # The whole arm's log median is close to the mean of its parts': the rest follows.
        high, many = (high - few / many * low) / (1.0 - few / many), many - few
    one_error = _of_interval(worse, math.log) or error_of_log_median(few)
    other_error = _of_interval(better, math.log) or error_of_log_median(many)
    return high - low, math.hypot(one_error, other_error)


def error_of_log_median(n: int) -> float:
    """Standard error of the log of a Kaplan-Meier median of n patients: 1/(ln 2 sqrt n).

    Source: the median of exponential times without censoring, Greenwood at 1/2 over the density there.
    """
    return 1.0 / (math.log(2.0) * math.sqrt(n))


def _of_rate(claim: Claim, n: int | None) -> tuple[float, float]:
    share, patients = _value(claim) / 100.0, n or claim.n
    if not patients:
        raise ValueError(f"{claim.id}: a rate needs its number of patients")
    return float(logit(share)), 1.0 / math.sqrt(patients * share * (1.0 - share))


def _of_interval(claim: Claim, scale: Callable[[float], float]) -> float | None:
    """Standard error from a printed 95 % interval, from the limit that is there if the other is not."""
    middle = scale(_value(claim))
    if claim.low and claim.high:
        return (scale(claim.high) - scale(claim.low)) / (2.0 * NORMAL_95)
    if claim.low:
        return (middle - scale(claim.low)) / NORMAL_95
    return None


def _value(claim: Claim) -> float:
    if claim.value is None:
        raise ValueError(f"{claim.id} states no number")
    return claim.value
