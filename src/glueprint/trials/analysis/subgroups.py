"""The effect of treatment in parts of the trial's population, and whether the parts differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtrc

from glueprint.survival import cox
from glueprint.trials.analysis.endpoints import cohort
from glueprint.trials.analysis.estimates import Cohort, Counted, Row, Times, hazard_ratio, odds_ratio, rates
from glueprint.trials.protocol import Protocol

__all__ = ["FACTORS", "subgroups_table"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

SCHEMA = {
    "trial": pl.String,
    "replicate": pl.Int64,
    "arm": pl.String,
    "factor": pl.String,
    "level": pl.String,
    "endpoint": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "interval_kind": pl.String,
    "unit": pl.String,
    "n": pl.Int64,
    "events": pl.Int64,
    "p_value": pl.Float64,
    "p_interaction": pl.Float64,
    "method": pl.String,
}
# Factors that are numbers: column -> the values that begin a new level.
CUTS: Mapping[str, tuple[float, ...]] = {
    "age_y": (65.0, 75.0),  # SAF268; the label's dose of dexamethasone
    "creatinine_clearance_ml_per_min": (60.0,),  # CL071, CL072
    "prior_lines": (4.0,),  # CL070: up to three, or more
}
NAMED = ("sex", "cytogenetic_risk", "iss_stage", "disease_population", "refractoriness", "hepatic_impairment")
FACTORS = (*CUTS, *NAMED)
TIMES = ("pfs", "os")
WHOLE = "all patients"


def subgroups_table(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    """Hazard ratios and response by subgroup, between each two arms of one replicate.

    patients: the patients table of one replicate; those that could not be computed are left out.
    Returns a row per comparison, factor, level and endpoint; `p_interaction` tests whether the levels of the
    factor differ. A factor that the patients do not have, or that has one level only, is left out.
    Source: Cox models within each level; likelihood-ratio test of arm by level in one model with both; Woolf
    1955, doi:10.1111/j.1469-1809.1955.tb01348.x, for response, with a half added to each count.
    """
    usable = cohort(patients)
    names = [arm.name for arm in protocol.arms]
    rows: list[Row] = []
    for factor in _factors(usable):
        for first, second in combinations(names, 2):
            both = (usable["arm"] == first) | (usable["arm"] == second)
            about = {"arm": f"{first} vs {second}", "factor": factor.name}
            rows += [{**about, **row} for row in _comparisons(usable.of(both), factor.of(both), first)]
        for name in names:
            mine = usable["arm"] == name
            rows += [{"arm": name, "factor": factor.name, **row} for row in _responses(usable, factor, mine)]
    head = {"trial": protocol.name, "replicate": patients.get_column("replicate")[0]}
    frame = pl.DataFrame([{**head, **row} for row in rows], schema=SCHEMA, orient="row")
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


@dataclass(frozen=True)
class _Factor:
    """A factor, its levels in order, and the level of each patient, (n,)."""

    name: str
    levels: tuple[str, ...]
    level: NDArray[np.str_]

    def of(self, chosen: Bools) -> _Factor:
        """The same factor of the chosen patients, (n,) flags."""
        return _Factor(self.name, self.levels, self.level[chosen])


def _factors(patients: Cohort) -> Iterator[_Factor]:
    """The whole population, then each factor that has more than one level."""
    yield _Factor(WHOLE, (WHOLE,), np.full(patients.size, WHOLE))
    for name in FACTORS:
        if name not in patients.columns:
            continue
        column = patients[name]
        if name in CUTS:
            names = _intervals(CUTS[name])
            level = np.array(names)[np.searchsorted(np.array(CUTS[name]), column, side="right")]
        else:
            level = np.array([f"{value:g}" if column.dtype.kind == "f" else str(value) for value in column])
            names = tuple(str(value) for value in np.unique(level))
        present = tuple(value for value in names if (level == value).any())
        if len(present) > 1:
            yield _Factor(name, present, level)


def _intervals(cuts: tuple[float, ...]) -> tuple[str, ...]:
    """Names of the intervals between cuts; a cut belongs to the upper one."""
    texts = [f"{cut:g}" for cut in cuts]
    between = [f"{low} to <{high}" for low, high in pairwise(texts)]
    return (f"<{texts[0]}", *between, f">={texts[-1]}")


def _comparisons(compared: Cohort, factor: _Factor, first: str) -> Iterator[Row]:
    """Hazard and odds ratios at every level, of the first arm against the other; compared: both arms."""
    level, treated = factor.level, compared["arm"] == first
    for name in TIMES:
        data = compared.times(name)
        p_value = _hazard_interaction(data, treated, level)
        for part in factor.levels:
            mine = level == part
            row = hazard_ratio(name, data.of(mine), treated[mine])
            yield {**row, "level": part, "p_interaction": p_value}
    responded = compared["orr"]
    p_value = _odds_interaction(responded, treated, level)
    for part in factor.levels:
        mine = level == part
        row = odds_ratio("orr_odds_ratio", responded[mine], treated[mine])
        yield {**row, "level": part, "p_interaction": p_value}


def _responses(patients: Cohort, factor: _Factor, mine: Bools) -> Iterator[Row]:
    """Response rate of one arm, (n,) flags, at every level."""
    responded = patients["orr"]
    for part in factor.levels:
        there = mine & (factor.level == part)
        (row,) = rates({"orr": Counted.of(responded[there])})
        yield {**row, "level": part}


def _hazard_interaction(data: Times, treated: Bools, level: NDArray[np.str_]) -> float | None:
    """P value of arm by level over arm and level; None where there is nothing to compare."""
    indicator = _indicators(level)
    if not indicator.shape[1] or not data.event.any():
        return None
    arm = treated.astype(np.float64)[:, None]
    main = cox(data.time, data.event, np.hstack([arm, indicator]))
    whole = cox(data.time, data.event, np.hstack([arm, indicator, arm * indicator]))
    if not (main.converged and whole.converged):
        return None
    freedom = whole.likelihood_ratio.df - main.likelihood_ratio.df
    gain = max(2.0 * (whole.log_likelihood - main.log_likelihood), 0.0)
    return float(chdtrc(freedom, gain)) if freedom > 0 else None


def _indicators(level: NDArray[np.str_]) -> Floats:
    """(n, levels - 1) which level, the first left out."""
    return np.asarray(level[:, None] == np.unique(level)[1:], dtype=np.float64)


def _odds_interaction(yes: Bools, treated: Bools, level: NDArray[np.str_]) -> float | None:
    """P value of Woolf's test that the odds ratios of all levels are one."""
    logs, weights = [], []
    for part in np.unique(level):
        mine = level == part
        cells = [(yes & treated), (~yes & treated), (yes & ~treated), (~yes & ~treated)]
        a, b, c, d = (float((cell & mine).sum()) + 0.5 for cell in cells)
        if a + b == 1.0 or c + d == 1.0:
            continue
        logs.append(np.log(a * d / (b * c)))
        weights.append(1.0 / (1 / a + 1 / b + 1 / c + 1 / d))
    if len(logs) < 2:
        return None
    log, weight = np.array(logs), np.array(weights)
    common = float((weight * log).sum() / weight.sum())
    return float(chdtrc(len(logs) - 1, (weight * (log - common) ** 2).sum()))
