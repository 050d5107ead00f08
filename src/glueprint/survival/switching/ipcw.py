"""Inverse probability of censoring weights: who stays stands for those who switched, and are censored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, Integers, as_level, as_matrix
from glueprint.survival.cox import CONVERGED, Cox, cox
from glueprint.survival.cox_baseline import baseline_hazard
from glueprint.survival.newton import Evaluated, climb
from glueprint.survival.partial_likelihood import independent_columns
from glueprint.survival.spline import basis
from glueprint.survival.switching.cohort import two_arms
from glueprint.survival.switching.stretches import Stretches, as_stretches

__all__ = ["Ipcw", "ipcw"]

ADVICE = {
    "ok": "",
    "heavy weights": "a row counts for more than twenty: some patients had hardly a chance not to switch. "
    "See `largest` and `effective`, truncate the weights, or do not use them",
    "no maximum": "the covariates say exactly who switches, so that nobody stands for those who left: no "
    "weight exists (positivity); leave covariates out, or use rpsft",
}
MODELS = ("cox", "logistic")
# Cole and Hernan 2008, doi:10.1093/aje/kwn164, look at weights above 10 to 20.
HEAVY = 20.0
# Inner knots of the time in the logistic model, as fractions of the times of the switches.
KNOTS = (0.33, 0.67)


@dataclass(frozen=True)
class Weighted:
    """Rows of the weighted comparison, (k,), in order of patient and time: stretches of equal weight."""

    entry: Floats
    time: Floats
    event: Flags
    experimental: Flags
    patient: Integers
    weight: Floats


@dataclass(frozen=True)
class Ipcw:
    """Hazard ratio of the arms with switches censored and weighted for.

    hazard_ratio, interval, p_value: robust (the weights' own error left out, which makes it wide rather than
    narrow).   fit: the weighted Cox fit, arm first, then the baseline covariates.   rows: what it read.
    switching: log ratio of the hazard (or odds) of a switch per unit of each covariate, baseline last.
    largest, mean: of the weights of control.   effective: share of control's time that its weights leave.
    switched: patients.   dropped: rows after a switch.   status: a key of ADVICE.
    """

    hazard_ratio: float
    interval: tuple[float, float]
    p_value: float
    fit: Cox | None
    rows: Weighted | None
    switching: Floats
    largest: float
    mean: float
    effective: float
    randomised: Cox
    n: int
    switched: int
    dropped: int
    model: str
    status: str
    level: float

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when the fit is in order."""
        return ADVICE[self.status]

    def summary(self) -> str:
        """The result in words."""
        lines = [
            f"inverse probability of censoring weights ({self.model}), {self.switched} of {self.n} patients "
            f"switched, {self.dropped} rows after a switch left out",
            f"hazard ratio without switching {self.hazard_ratio:.3g} ({self.interval[0]:.3g} to "
            f"{self.interval[1]:.3g}), as randomised {float(self.randomised.hazard_ratio[0]):.3g}",
            f"weights of control: mean {self.mean:.3g}, largest {self.largest:.3g}, worth "
            f"{100 * self.effective:.0f} % of its time",
            "assumes that the covariates hold all that decides both switch and survival, and that everybody "
            "had a chance not to switch",
        ]
        return "\n".join([*lines, *([f"{self.status}: {self.advice}"] if self.advice else [])])


def ipcw(
    entry: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    arm: ArrayLike,
    switch: ArrayLike,
    patient: ArrayLike,
    covariates: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    eligible: ArrayLike | None = None,
    reference: object = None,
    model: str = "cox",
    stabilised: bool = True,
    largest: float | None = None,
    level: float = 0.95,
) -> Ipcw:
    """Compare the arms with switches censored, each row of control weighted by 1 / P(not switched so far).

    entry, time, event: (n,) start-stop rows of patients, 1 where a row ends with the event.   arm: (n,) two
    labels.   switch: (n,) when the patient of a row began the experimental treatment, NaN for never: the same
    in all of its rows; what follows it is left out.   patient: (n,) labels.
    covariates: (n, p) that held during the row.   baseline: (n, q) that never change, or None: they enter the
    numerator of the weights and the comparison, too.   eligible: (n,) 1 where a switch is possible, such as
    after progression; None: everywhere.   model: of the switch, "cox" (weights change at each switch) or
    "logistic", pooled over the rows with a spline of time (weights change with each row, so rows should be
    of about one length).   stabilised: numerator P(not switched) without the covariates.   largest: weights
    above it are set to it.
    Returns Ipcw.
    Raises InputError GP-V001 to GP-V008, GP-V014, GP-V017, GP-V020, GP-V034, GP-V037, GP-V039, GP-V042.
    Source: Robins and Finkelstein 2000, doi:10.1111/j.0006-341X.2000.00779.x; Fewell et al. 2004,
    doi:10.1177/1536867X0400400403, for the pooled logistic model.
    """
    level = as_level(level)
    if model not in MODELS or (largest is not None and not largest >= 1):
        raise InputError(
            "GP-V007",
            f"{model!r} is no model of switching"
            if model not in MODELS
            else f"weights of at most {largest!r}",
            where="model" if model not in MODELS else "largest",
            expected='"cox" or "logistic"' if model not in MODELS else "a number of at least 1",
            next_step="see docs/survival.md, Patients who change treatment",
        )
    new, _, _ = two_arms(arm, np.shape(np.asarray(time)), reference)
    rows = as_stretches((entry, time, event), patient, new, switch)
    n = new.size
    changing = as_matrix(covariates, n)
    fixed = np.zeros((n, 0)) if baseline is None else as_matrix(baseline, n)
    may = np.ones(n, np.bool_) if eligible is None else as_matrix(eligible, n)[:, 0] != 0
    design = np.column_stack([changing, fixed])
    cut = rows.cut(np.unique(rows.time[rows.left])) if model == "cox" else rows
    fit = _cox if model == "cox" else _logistic
    # A switch outside the rows that are eligible shows that they were.
    possible = ~cut.new & (may[cut.row] | cut.left)
    denominator, found = fit(cut, possible, design[cut.row])
    numerator = np.zeros_like(denominator)
    if stabilised:
        numerator, _ = fit(cut, ~cut.new, fixed[cut.row])
    group = new.astype(np.float64)
    randomised = cox(time, event, group, entry=entry, patient=patient, level=level)
    total = int(rows.patient.max()) + 1
    facts = (randomised, total, rows.switchers, rows.dropped, model)
    if found is None:
        nan = np.full(design.shape[1], np.nan)
        return _result(None, None, nan, facts, level)
    weight = np.where(cut.new, 1.0, np.exp(cut.before(numerator - denominator)))
    weight = weight if largest is None else np.minimum(weight, largest)
    table = Weighted(cut.entry, cut.time, cut.event, cut.new, cut.patient, weight)
    weighted = cox(
        table.time,
        table.event,
        np.column_stack([table.experimental, fixed[cut.row]]),
        entry=table.entry,
        weights=weight,
        patient=table.patient,
        robust=True,
        level=level,
    )
    return _result(weighted, table, found, facts, level)


def _result(
    fit: Cox | None,
    rows: Weighted | None,
    switching: Floats,
    facts: tuple[Cox, int, int, int, str],
    level: float,
) -> Ipcw:
    randomised, n, switched, dropped, model = facts
    nan = float("nan")
    ratio, interval, p_value, largest, mean, effective, status = (
        nan,
        (nan, nan),
        nan,
        nan,
        nan,
        nan,
        "no maximum",
    )
    if fit is not None and rows is not None:
        ratio, p_value = float(fit.hazard_ratio[0]), float(fit.p_value[0])
        interval = (float(fit.interval[0][0]), float(fit.interval[1][0]))
        control = ~rows.experimental
        weight, span = rows.weight[control], (rows.time - rows.entry)[control]
        largest, mean = float(weight.max()), float(span @ weight / span.sum())
        effective = float((span @ weight) ** 2 / (span @ weight**2) / span.sum())
        status = "heavy weights" if largest > HEAVY else "ok"
    return Ipcw(
        hazard_ratio=ratio,
        interval=interval,
        p_value=p_value,
        fit=fit,
        rows=rows,
        switching=switching,
        largest=largest,
        mean=mean,
        effective=effective,
        randomised=randomised,
        n=n,
        switched=switched,
        dropped=dropped,
        model=model,
        status=status,
        level=level,
    )


def _cox(rows: Stretches, possible: Flags, x: Floats) -> tuple[Floats, Floats | None]:
    """Log probability not to switch in each row, (k,), and the coefficients; rows are cut at the switches."""
    use = np.flatnonzero(possible)
    if not x.shape[1]:
        # Without covariates one that is 0 for all leaves the Nelson-Aalen estimate.
        x = np.zeros((rows.time.size, 1))
    fit = cox(rows.time[use], rows.left[use], x[use], entry=rows.entry[use], ties="breslow")
    constant = fit.status == "no comparison"
    if fit.status not in CONVERGED and not constant:
        return np.zeros(rows.time.size), None
    beta = np.nan_to_num(fit.coefficients)
    if constant or not np.isfinite(fit.coefficients).any():
        switches, hazard = _nelson(rows, use)
        centre = np.zeros(x.shape[1])
    else:
        centre = x[use].mean(axis=0)
        curve = baseline_hazard(fit, centre)
        happened = curve.hazard > 0
        switches, hazard = curve.times[happened], curve.hazard[happened]
    place = np.searchsorted(switches, rows.time)
    at = np.minimum(place, switches.size - 1)
    meets = possible & (place < switches.size) & (switches[at] == rows.time)
    risk = np.exp((x - centre) @ beta)
    return np.where(meets, -hazard[at] * risk, 0.0), fit.coefficients


def _nelson(rows: Stretches, use: Integers) -> tuple[Floats, Floats]:
    """Times of the switches and their hazard among those who could switch."""
    switches, counted = np.unique(rows.time[use][rows.left[use]], return_counts=True)
    there = (rows.entry[use][None, :] < switches[:, None]) & (rows.time[use][None, :] >= switches[:, None])
    return switches, counted / there.sum(axis=1)


def _logistic(rows: Stretches, possible: Flags, x: Floats) -> tuple[Floats, Floats | None]:
    """The same from a logistic model of the rows with a spline of their end."""
    use, left = np.flatnonzero(possible), rows.left
    ends = np.log(np.maximum(rows.time, 1e-9))
    inner = np.quantile(ends[left], KNOTS)
    knots = np.unique([ends[use].min(), *inner, ends[use].max()])
    spline = basis(ends, knots) if knots.size > 2 else np.column_stack([np.ones_like(ends), ends])
    design = np.column_stack([spline, x])
    scale = design[use].std(axis=0)
    centre = np.where(scale > 0, design[use].mean(axis=0), 0.0)
    scaled = (design - centre) / np.where(scale > 0, scale, 1.0)
    kept = independent_columns(scaled[use].T @ scaled[use] / use.size)
    columns, switched = scaled[:, kept], left[use]

    def likelihood(theta: Floats) -> Evaluated | None:
        linear = columns[use] @ theta
        chance = expit(linear)
        value = float(log_expit(np.where(switched, linear, -linear)).sum())
        gradient = columns[use].T @ (switched - chance)
        return value, gradient, (columns[use].T * (chance * (1 - chance))) @ columns[use]

    best = climb(likelihood, np.zeros(kept.size))
    if best is None:
        return np.zeros(left.size), None
    coefficients = np.full(design.shape[1], np.nan)
    coefficients[kept] = best.theta / np.where(scale > 0, scale, 1.0)[kept]
    stay = np.where(possible, log_expit(-(columns @ best.theta)), 0.0)
    return stay, coefficients[spline.shape[1] :]
