"""How far simulated summaries are from the published ones, in units of the trials' own sampling error."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from glueprint.calibration.excluded import Excluded
from glueprint.calibration.targets import Target
from glueprint.errors import InputError
from glueprint.trials import MEDIAN, RATE

Floats = NDArray[np.float64]
COLUMNS = ("trial", "replicate", "arm", "endpoint", "value", "n", "events")
NORMAL_975 = float(ndtri(0.975))


@dataclass(frozen=True)
class Scored:
    """One target beside its simulation.

    simulated: the middle of the replicates.   std_error: of published minus simulated, on the scale of z
    (per cent for rates, natural log for medians and hazard ratios).   z: published minus simulated over it.
    weight: 1 over the number of targets of the same endpoint, so that an endpoint read twice counts once.
    """

    target: Target
    simulated: float
    std_error: float
    z: float
    weight: float
    replicates: int
    label: str = "calibrated"


@dataclass(frozen=True)
class Score:
    """All targets that could be scored, and those that could not, with the reason.

    chi2: weighted sum of squared z.   effective: sum of the weights; a perfect model has chi2 near it.
    """

    rows: tuple[Scored, ...]
    excluded: tuple[Excluded, ...]
    chi2: float
    effective: float


def score(targets: Iterable[Target], endpoints: pl.DataFrame) -> Score:
    """Compare each target with the simulated endpoint of the same trial and arm.

    targets: from clinical_targets(...).targets.   endpoints: the endpoints table of one or more trials, any
    number of replicates at the trials' actual sizes.
    Returns Score.
    Raises InputError GP-K002 for a table without the columns.
    Source: own derivation, docs/calibration.md.
    """
    missing = [column for column in COLUMNS if column not in endpoints.columns]
    if missing:
        raise InputError(
            "GP-K002",
            f"no column {', '.join(missing)}",
            where="endpoints",
            expected="the endpoints table of a TrialResult",
            next_step="pass result.endpoints, or several put together with polars.concat",
        )
    wanted = list(targets)
    same = Counter((t.trial, t.arm, t.endpoint) for t in wanted)
    rows: list[Scored] = []
    excluded: list[Excluded] = []
    for target in wanted:
        scored = _score_one(target, endpoints, 1 / same[target.trial, target.arm, target.endpoint])
        if isinstance(scored, Scored):
            rows.append(scored)
        else:
            excluded.append(Excluded(target.claim_ids[0], scored))
    chi2 = sum(row.weight * row.z**2 for row in rows)
    return Score(tuple(rows), tuple(excluded), chi2, sum(row.weight for row in rows))


def rate_error(rate: float, n: int) -> float:
    """Standard error in per cent of a rate seen in n patients, when the true one is `rate` per cent.

    A simulated 0 or 100 % is held off by half a patient, or one published responder would be infinitely far.
    """
    p = min(max(rate / 100, 0.5 / n), 1 - 0.5 / n)
    return 100 * math.sqrt(p * (1 - p) / n)


def log_median_error(n: int) -> float:
    """Standard error of the log of a Kaplan-Meier median of n patients with exponential times.

    The curve errs by 0.5/sqrt(n) at one half and falls there by ln(2)/2 for each unit of log time.
    """
    return 1 / (math.log(2) * math.sqrt(n))


def log_hazard_ratio_error(events: float, n_first: float, n_second: float) -> float:
    """Standard error of a log hazard ratio from its events and the sizes of the two arms, near a ratio of 1.

    Source: Schoenfeld 1981, doi:10.1093/biomet/68.1.316.
    """
    share = n_first / (n_first + n_second)
    return 1 / math.sqrt(events * share * (1 - share))


def printed_log_error(low: float, high: float) -> float:
    """Standard error on the log scale of which a 95 % interval was made."""
    return math.log(high / low) / (2 * NORMAL_975)


def _score_one(target: Target, endpoints: pl.DataFrame, weight: float) -> Scored | str:
    rows = endpoints.filter(
        (pl.col("trial") == target.trial)
        & (pl.col("arm") == target.arm)
        & (pl.col("endpoint") == target.endpoint)
    )
    if rows.is_empty():
        return "not among the simulated endpoints"
    # A median that is not reached lies beyond all others, so it may not drop out of the middle.
    values = rows.get_column("value").fill_null(math.inf).fill_nan(math.inf).to_numpy()
    simulated = float(np.median(values))
    if not math.isfinite(simulated):
        return f"not reached in half or more of {values.size} replicates"
    if target.kind == RATE:
        error, distance = rate_error(simulated, target.n), target.value - simulated
    elif simulated <= 0:
        return f"the simulated value is {simulated:g}, which has no logarithm"
    else:
        error, distance = _log_error(target, rows, endpoints), math.log(target.value / simulated)
    if not math.isfinite(error):
        return "no events in the simulation to reckon its sampling error from"
    # The middle of a few replicates errs too, each by one trial's sampling error.
    error *= math.sqrt(1 + 1 / values.size)
    return Scored(target, simulated, error, distance / error, weight, values.size)


def _log_error(target: Target, rows: pl.DataFrame, endpoints: pl.DataFrame) -> float:
    """From the printed interval; else from the size of the trial."""
    if target.low and target.high:
        return printed_log_error(target.low, target.high)
    if target.kind == MEDIAN:
        return log_median_error(target.n)
    sizes = [
        endpoints.filter(
            (pl.col("trial") == target.trial) & (pl.col("arm") == arm) & (pl.col("endpoint") == "orr")
        )
        .get_column("n")
        .mean()
        for arm in target.arm.split(" vs ")
    ]
    events = rows.get_column("events").mean()
    if not isinstance(events, int | float) or events <= 0:
        return math.nan
    first, second = (float(size) if isinstance(size, int | float) else target.n / 2 for size in sizes)
    return log_hazard_ratio_error(float(events), first, second)
