"""Rows of the endpoints table from patients: rates, medians, curves at a time, hazard ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from glueprint.survival import (
    KaplanMeier,
    clopper_pearson,
    cox,
    cumulative_incidence,
    kaplan_meier,
    log_rank,
    rmst,
    turnbull,
)

__all__ = [
    "Cohort",
    "Counted",
    "Row",
    "Times",
    "hazard_ratio",
    "incidences",
    "interval_median",
    "mean_difference",
    "median",
    "odds_ratio",
    "plain",
    "rates",
    "restricted_mean",
    "survival_at",
]

Row = dict[str, Any]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
LEVEL = 0.95
INTERVAL = "95% CI"


@dataclass(frozen=True)
class Counted:
    """Of how many patients a number is, and how many of them have the event; None where none is counted."""

    n: int
    events: int | None

    @classmethod
    def of(cls, flags: Bools) -> Counted:
        """All patients, (n,), and those with the flag."""
        return cls(int(flags.size), int(flags.sum()))


@dataclass(frozen=True)
class Times:
    """Times to one event in months, (n,), whether it happened, arm and stratum; patients without it are left
    out."""

    time: Floats
    event: Bools
    arm: NDArray[np.str_]
    stratum: Integers

    @property
    def size(self) -> int:
        """Patients."""
        return int(self.time.size)

    @property
    def counted(self) -> Counted:
        """Patients and events."""
        return Counted.of(self.event)

    def of(self, chosen: Bools) -> Times:
        """The chosen patients, (n,) flags."""
        return Times(self.time[chosen], self.event[chosen], self.arm[chosen], self.stratum[chosen])

    @cached_property
    def curve(self) -> KaplanMeier | None:
        """Their Kaplan-Meier curve, estimated once; None without patients."""
        return kaplan_meier(self.time, self.event, level=LEVEL) if self.size else None


@dataclass(frozen=True)
class Cohort:
    """Columns of the patients table as arrays, (n,) each: what is estimated from them needs no table.

    A missing number is NaN. Each finding of `rates` is a flag.
    """

    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of_table(cls, patients: pl.DataFrame) -> Cohort:
        """All patients of a table."""
        return cls({column.name: column.to_numpy() for column in patients})

    @property
    def size(self) -> int:
        """Patients."""
        return int(self.columns["arm"].size)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """One column."""
        return self.columns[name]

    def of(self, chosen: Bools) -> Cohort:
        """The chosen patients, (n,) flags."""
        return Cohort({name: column[chosen] for name, column in self.columns.items()})

    def times(self, name: str) -> Times:
        """Columns `<name>_months` and `<name>_event`; a missing time leaves the patient out."""
        return self.times_to(self[f"{name}_months"], self[f"{name}_event"])

    def times_to(self, months: Floats, event: Bools) -> Times:
        """The given times and events, (n,), with arm and stratum; NaN leaves the patient out."""
        known = ~np.isnan(months)
        return Times(months[known], event[known], self["arm"][known], self["stratum"][known])


def _row(name: str, unit: str, counted: Counted, method: str) -> Row:
    return {
        "endpoint": name,
        "unit": unit,
        "n": counted.n,
        "events": counted.events,
        "interval_kind": INTERVAL,
        "method": method,
    }


def plain(name: str, value: Any, unit: str, counted: Counted, method: str) -> Row:
    """A number without an interval; method: how it was got."""
    number = None if value is None else float(value)
    return _row(name, unit, counted, method) | {"value": number, "interval_kind": ""}


def rates(counts: Mapping[str, Counted]) -> Iterator[Row]:
    """Shares of patients in % with exact intervals; counts: name -> all, and those with the finding."""
    n = np.array([counted.n for counted in counts.values()], dtype=np.int64)
    yes = np.array([counted.events or 0 for counted in counts.values()], dtype=np.int64)
    share = clopper_pearson(np.where(n > 0, yes, 0), np.maximum(n, 1))
    percent = 100.0 * np.stack([share.estimate, share.low, share.high], axis=1)
    for (name, counted), numbers in zip(counts.items(), percent.tolist(), strict=True):
        row = _row(name, "%", counted, "Clopper-Pearson")
        yield row | dict(zip(("value", "low", "high"), numbers, strict=True)) if counted.n else row


def median(name: str, times: Times, *, unit: str = "months") -> Row:
    """Kaplan-Meier median with its log-log limits."""
    row = _row(f"median_{name}", unit, times.counted, "Kaplan-Meier, log-log")
    curve = times.curve
    if curve:
        row["value"], (row["low"], row["high"]) = curve.median, curve.median_interval
    return row


def interval_median(name: str, left: Floats, right: Floats) -> Row:
    """Median of times known to lie between two visits, (n,) months each; right is NaN if not seen."""
    counted = Counted.of(~np.isnan(right))
    row = _row(f"median_{name}_interval", "months", counted, "Turnbull, mass spread evenly in its interval")
    row["interval_kind"] = ""
    if left.size:
        row["value"] = turnbull(left, np.where(np.isnan(right), np.inf, right)).median
    return row


def survival_at(name: str, times: Times, months: Sequence[float]) -> Iterator[Row]:
    """Share free of the event at given months, %."""
    curve = times.curve
    for month in months:
        row = _row(f"{name}_at_{month:g}_months", "%", times.counted, "Kaplan-Meier, log-log")
        if curve:
            row["value"] = 100.0 * float(curve.at([month])[0])
            step = int(np.searchsorted(curve.times, month, side="right")) - 1
            if step >= 0 and np.isfinite(row["value"]):
                row["low"], row["high"] = 100.0 * float(curve.low[step]), 100.0 * float(curve.high[step])
        yield row


def _mean(times: Times, months: int) -> tuple[float, float, float, float] | None:
    """Restricted mean, its limits and standard error; None where the curve does not reach so far."""
    known = times.size and (times.time.max() >= months or bool(times.event[times.time.argmax()]))
    if not known:
        return None
    curve = times.curve
    if curve is None or (curve.times[-1] < months and curve.survival[-1] > 0):
        return None
    mean = rmst(times.time, times.event, months, level=LEVEL)
    return mean.value, mean.low, mean.high, mean.std_error


def restricted_mean(name: str, times: Times, months: int) -> Row:
    """Mean time free of the event within the first months."""
    row = _row(
        f"rmst_{name}_{months}_months",
        "months",
        times.counted,
        "area under Kaplan-Meier, Greenwood",
    )
    mean = _mean(times, months)
    if mean:
        row["value"], row["low"], row["high"], _ = mean
    return row


def mean_difference(name: str, times: Times, first: str, months: int) -> Row:
    """Difference of restricted means, first arm less the other, with a normal interval and p value."""
    row = _row(
        f"rmst_difference_{name}_{months}_months",
        "months",
        times.counted,
        "difference of restricted means, Greenwood",
    )
    means = [_mean(times.of(chosen), months) for chosen in (times.arm == first, times.arm != first)]
    if means[0] and means[1]:
        (one, _, _, error), (other, _, _, other_error) = means[0], means[1]
        spread = float(np.hypot(error, other_error))
        half = float(ndtri(0.5 + LEVEL / 2)) * spread
        row["value"], row["low"], row["high"] = one - other, one - other - half, one - other + half
        row["p_value"] = float(chdtrc(1, ((one - other) / spread) ** 2)) if spread else None
    return row


def incidences(names: Mapping[str, int], time: Floats, cause: Integers, months: int) -> Iterator[Row]:
    """Share with each cause by given months while the others compete, %.

    names: endpoint -> number of its cause; 0 is censored.   time: (n,) months.   cause: (n,).
    """
    found = cumulative_incidence(time, cause, level=LEVEL) if cause.any() else None
    for name, number in names.items():
        counted = Counted.of(cause == number)
        row = _row(f"{name}_by_{months}_months", "%", counted, "Aalen-Johansen, log-log")
        if time.size and time.max() >= months:
            row["value"] = 0.0
            if found is not None and number in found.causes:
                column = int(np.searchsorted(found.causes, number))
                step = int(np.searchsorted(found.times, months, side="right")) - 1
                if step >= 0:
                    for key, array in (("value", found.incidence), ("low", found.low), ("high", found.high)):
                        row[key] = 100.0 * float(array[step, column])
        yield row


def hazard_ratio(name: str, times: Times, treated: Bools, *, stratified: bool = False) -> Row:
    """Cox hazard ratio of the treated, (n,) flags, against the others, with the log-rank p value."""
    row = _row(
        f"hr_{name}_stratified" if stratified else f"hr_{name}",
        "ratio",
        times.counted,
        "Cox (Efron), log-rank" + (", stratified" if stratified else ""),
    )
    if times.event.any() and 0 < treated.sum() < treated.size:
        strata = times.stratum if stratified else None
        fit = cox(times.time, times.event, treated.astype(np.float64), strata=strata, level=LEVEL)
        row["value"] = float(fit.hazard_ratio[0])
        row["low"], row["high"] = float(fit.interval[0][0]), float(fit.interval[1][0])
        row["p_value"] = log_rank(times.time, times.event, treated, strata=strata).p_value
    return row


def odds_ratio(name: str, yes: Bools, treated: Bools) -> Row:
    """Sample odds ratio of a finding, treated against the others, (n,) flags each, with Fisher's exact p
    value.

    Source: limits of Woolf 1955, doi:10.1111/j.1469-1809.1955.tb01348.x, where no cell is empty.
    """
    row = _row(name, "ratio", Counted.of(yes), "sample odds ratio, Woolf, Fisher's exact test")
    if 0 < treated.sum() < treated.size:
        table = np.array(
            [[int((yes & side).sum()), int((~yes & side).sum())] for side in (treated, ~treated)]
        )
        # It is slow to import, which commands that analyse nothing need not pay.
        from scipy.stats import fisher_exact

        result = fisher_exact(table)
        row["value"], row["p_value"] = float(result.statistic), float(result.pvalue)
        if table.all():
            spread = float(np.exp(ndtri(0.5 + LEVEL / 2) * np.sqrt((1.0 / table).sum())))
            row["low"], row["high"] = row["value"] / spread, row["value"] * spread
    return row
