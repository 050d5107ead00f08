"""What a design of doses and times would show of a presumed truth, and which more would have told most."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import expit
from scipy.stats import t as student

from glueprint.assays.degradation import quantities
from glueprint.assays.degradation.kinetics import HALF, Kinetics
from glueprint.assays.degradation.likelihood import Floats, Sample
from glueprint.assays.degradation.models import model
from glueprint.assays.degradation.quantities import NO_HOOK, SHAPE, SLOPE, WINDOW, Quantity
from glueprint.errors import InputError

__all__ = ["EXPECTED", "SUGGESTED", "Design", "design"]

TEXT, NUMBER = pl.String(), pl.Float64()
EXPECTED = pl.Schema(
    {
        "time_h": NUMBER,
        "quantity": TEXT,
        "truth": NUMBER,
        "unit": TEXT,
        "answer": TEXT,
        "low": NUMBER,
        "high": NUMBER,
        "fold": NUMBER,
    }
)
SUGGESTED = pl.Schema(
    {"add": TEXT, "lanes": pl.Int64(), "values": pl.Int64(), "mean_fold": NUMBER, "now_fold": NUMBER}
)
DOSES_FOR_SLOPE = 4
# What can be added: half-log doses two decades beyond, and the hours at which people lyse cells.
HALF_LOGS, BEYOND = 0.5, 2.0
HOURS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 36.0, 48.0, 72.0)
# A limit tells as little as an interval of two decades.
WORST = math.log(100.0)
KINDS: Mapping[str, Callable[[str], bool]] = {
    "dose": lambda text: text.endswith("nM") and " and " not in text,
    "two doses": lambda text: " and " in text,
    "time": lambda text: text.endswith(" h"),
}


@dataclass(frozen=True)
class Design:
    """expected: per time the truth, the answer ("=" a value, "<" or ">" a limit, "none") and its expected
    interval.
    suggested: doses, pairs of doses and times to add, the most telling first.   advice: the same in a
    sentence.
    """

    expected: pl.DataFrame
    suggested: pl.DataFrame
    advice: str

    def as_dict(self) -> dict[str, Any]:
        """Everything by name, for `--json`."""
        return {
            "expected": self.expected.to_dicts(),
            "suggested": self.suggested.to_dicts(),
            "advice": self.advice,
        }


@dataclass(frozen=True)
class _Plan:
    truth: Kinetics
    doses_nm: tuple[float, ...]
    times_h: tuple[float, ...]
    noise: float
    vehicles: int
    replicates: int
    confidence: float

    @property
    def theta(self) -> Floats:
        truth = self.truth
        rates = [truth.k_deg_per_h, truth.k_max_per_h, truth.ec50_nm, truth.slope]
        return np.array([0.0, *np.log(rates), NO_HOOK])

    def error(self) -> tuple[Floats, float]:
        """Covariance of the parameters' logarithms (infinite where the lanes cannot tell), and the t
        quantile."""
        doses = [0.0] * self.vehicles + [dose for dose in self.doses_nm for _ in range(self.replicates)]
        dose, time = (part.ravel() for part in np.meshgrid(doses, self.times_h))
        free = np.ones(SHAPE, bool)
        free[WINDOW], free[SLOPE] = False, len(self.doses_nm) >= DOSES_FOR_SLOPE
        zero = np.zeros(dose.size, dtype=np.int64)
        sample = Sample(
            model(hook=False, logarithm=True),
            dose,
            time,
            np.zeros(dose.size),
            zero,
            zero,
            True,
            free,
            np.full(SHAPE, -np.inf),
            np.full(SHAPE, np.inf),
        )
        jacobian = sample.curve(self.theta[None])[1][0]
        used = jacobian[:, free]
        covariance = np.full((SHAPE, SHAPE), 0.0)
        dof = dose.size - int(free.sum())
        if dof < 1 or np.linalg.matrix_rank(used) < used.shape[1]:
            return np.full((SHAPE, SHAPE), np.inf), math.nan
        covariance[np.ix_(free, free)] = self.noise**2 * np.linalg.inv(used.T @ used)
        return covariance, float(student.ppf(0.5 + 0.5 * self.confidence, dof))


def design(
    *,
    k_deg_per_h: float,
    k_max_per_h: float,
    ec50_nm: float,
    slope: float = 1.0,
    noise: float = 0.15,
    doses_nm: Sequence[float],
    times_h: Sequence[float],
    vehicles: int = 2,
    replicates: int = 1,
    confidence: float = 0.95,
) -> Design:
    """What doses and times would show if this were the truth, and what to add.

    k_deg_per_h, k_max_per_h, ec50_nm, slope: the presumed truth, as in `Kinetics`.   noise: standard
    deviation of the natural logarithm of a reading.   doses_nm, times_h: above zero.   vehicles,
    replicates: lanes a time.
    Returns `Design`: widths from the Fisher information of the turnover model on logarithms.
    Raises InputError GP-A140 for numbers that cannot be.
    Source: own derivation, docs/degradation.md.
    """
    truth = Kinetics(k_deg_per_h, k_max_per_h, ec50_nm, slope)
    doses, times = _positive("doses_nm", doses_nm), _positive("times_h", times_h)
    _positive("noise", [noise])
    for name, count in (("vehicles", vehicles), ("replicates", replicates)):
        if count < 1:
            raise _refusal(name, f"{count}")
    if not 0.0 < confidence < 1.0:
        raise _refusal("confidence", f"{confidence:g}")
    plan = _Plan(truth, doses, times, noise, vehicles, replicates, confidence)
    suggested = _suggested(plan)
    return Design(
        pl.DataFrame(_expected(plan), schema=EXPECTED),
        pl.DataFrame(suggested, schema=SUGGESTED),
        _advice(plan, suggested),
    )


def _positive(name: str, values: Sequence[float]) -> tuple[float, ...]:
    found = sorted({float(value) for value in values})
    if not found or not all(math.isfinite(value) and value > 0.0 for value in found):
        raise _refusal(name, ", ".join(f"{value:g}" for value in found) or "nothing")
    return tuple(found)


def _refusal(where: str, what: str) -> InputError:
    return InputError(
        "GP-A140",
        what,
        where=where,
        expected="a finite number above zero",
        next_step="rates are per hour, concentrations in nM",
    )


def _expected(plan: _Plan) -> list[dict[str, Any]]:
    covariance, quantile = plan.error()
    rows = []
    for time_h in plan.times_h:
        for name, level in (("DC50 relative", None), ("DC50 absolute", HALF)):
            quantity = quantities.dc50(time_h, level)
            ln_dose = quantity.value(plan.theta)
            row: dict[str, Any] = {"time_h": time_h, "quantity": name, "unit": "nM", "answer": "none"}
            row |= {"truth": None, "low": None, "high": None, "fold": None}
            if math.isfinite(ln_dose):
                row |= {"truth": math.exp(ln_dose), "answer": _answer(plan, ln_dose)}
                if row["answer"] == "=":
                    half = quantile * _error(plan, quantity, covariance)
                    row |= _interval(ln_dose, half, math.exp)
            rows.append(row)
        quantity = quantities.dmax(time_h)
        odds, half = quantity.value(plan.theta), quantile * _error(plan, quantity, covariance)
        row = {"time_h": time_h, "quantity": "Dmax", "unit": "", "truth": _share(odds), "answer": "="}
        rows.append(row | _interval(odds, half, _share) | {"fold": None})
    return rows


def _share(odds: float) -> float:
    return float(expit(odds))


def _interval(centre: float, half: float, back: Callable[[float], float]) -> dict[str, float | None]:
    if not half < 50.0:
        return {"low": None, "high": None, "fold": None}
    return {"low": back(centre - half), "high": back(centre + half), "fold": math.exp(min(2.0 * half, 100.0))}


def _answer(plan: _Plan, ln_dose: float) -> str:
    if ln_dose < math.log(plan.doses_nm[0]):
        return "<"
    return ">" if ln_dose > math.log(plan.doses_nm[-1]) else "="


def _error(plan: _Plan, quantity: Quantity, covariance: Floats) -> float:
    if not np.isfinite(covariance).all():
        return math.inf
    gradient = quantity.gradient(plan.theta)
    return math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))


def _suggested(plan: _Plan) -> list[dict[str, Any]]:
    """Single doses, pairs of doses, and times, by how narrow the DC50s at the times of the design
    become."""
    low, high = math.log10(plan.doses_nm[0]) - BEYOND, math.log10(plan.doses_nm[-1]) + BEYOND
    grid = [float(f"{10.0**power:.2g}") for power in np.arange(low, high + 1e-9, HALF_LOGS)]
    new = [dose for dose in grid if all(abs(math.log(dose / old)) > 0.2 for old in plan.doses_nm)]
    now = math.exp(_score(plan, plan.times_h)[1])
    rows = []
    singles: dict[tuple[float, ...], _Plan] = {(dose,): _with(plan, (dose,), ()) for dose in new}
    best = min(singles, key=lambda key: _score(singles[key], plan.times_h)[1])
    pairs = {(*best, dose): _with(plan, (*best, dose), ()) for dose in new if dose not in best}
    for added, changed in {**singles, **pairs}.items():
        values, width = _score(changed, plan.times_h)
        text = " and ".join(f"{dose:g} nM" for dose in sorted(added))
        rows.append(
            {
                "add": text,
                "lanes": len(added) * len(plan.times_h) * plan.replicates,
                "values": values,
                "mean_fold": math.exp(width),
                "now_fold": now,
            }
        )
    for time_h in HOURS:
        if all(abs(math.log(time_h / old)) > 0.1 for old in plan.times_h):
            # Only the DC50s asked for before count, so that a further time is not punished for its own.
            values, width = _score(_with(plan, (), (time_h,)), plan.times_h)
            rows.append(
                {
                    "add": f"{time_h:g} h",
                    "lanes": plan.vehicles + len(plan.doses_nm) * plan.replicates,
                    "values": values,
                    "mean_fold": math.exp(width),
                    "now_fold": now,
                }
            )
    return sorted(rows, key=lambda row: row["mean_fold"])


def _score(plan: _Plan, times_h: tuple[float, ...]) -> tuple[int, float]:
    """Times with a value, and the mean width (ln of high over low) of the DC50s, a limit counting as two
    decades."""
    covariance, quantile = plan.error()
    widths, values = [], 0
    for time_h in times_h:
        absolute = quantities.dc50(time_h, HALF)
        quantity = absolute if math.isfinite(absolute.value(plan.theta)) else quantities.dc50(time_h)
        known = _answer(plan, quantity.value(plan.theta)) == "="
        width = 2.0 * quantile * _error(plan, quantity, covariance) if known else math.inf
        widths.append(min(width, WORST) if width == width else WORST)
        values += known
    return values, float(np.mean(widths))


def _with(plan: _Plan, doses_nm: tuple[float, ...], times_h: tuple[float, ...]) -> _Plan:
    return _Plan(
        plan.truth,
        tuple(sorted((*plan.doses_nm, *doses_nm))),
        tuple(sorted((*plan.times_h, *times_h))),
        plan.noise,
        plan.vehicles,
        plan.replicates,
        plan.confidence,
    )


def _advice(plan: _Plan, suggested: list[dict[str, Any]]) -> str:
    values, width = _score(plan, plan.times_h)
    best = {kind: next((row for row in suggested if ends(row["add"])), None) for kind, ends in KINDS.items()}
    said = [
        f"best further {kind}: {row['add']} ({row['values']} of {len(plan.times_h)} DC50s as values, "
        f"high/low {row['mean_fold']:.3g})"
        for kind, row in best.items()
        if row is not None
    ]
    return (
        f"As designed {values} of {len(plan.times_h)} DC50s become values, high/low {math.exp(width):.3g} on "
        "average (a limit counts as 100). " + "; ".join(said) + "."
    )
