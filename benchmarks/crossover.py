"""How well adjustments for crossover give back a control arm that never crossed over.

    python -m benchmarks.crossover FOLDER [--trials 200] [--seed 21] [--json]

Virtual trials of MM-003 are conducted at the most probable draw, every patient twice with the same chance:
as written, and with nothing after progression. So the survival that the control arm would have had is known.
Each adjustment sees only what a statistician sees. Two scenarios:

as written   every patient of the control arm whose progression was seen and who lives 74 days more crosses
             over
half         half of these do, by lot

A trial is one file of FOLDER; a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import binom

from glueprint import survival, trials
from glueprint.calibration import clinical

PROTOCOL, CONTROL = "mm003", "HiDEX"
# Days from the end of treatment to the crossover, as the protocol says.
DELAY_MONTHS = 74 / trials.MONTH_DAYS
Floats = np.ndarray
SHARES: Mapping[str, float] = {"as written": 1.0, "half": 0.5}
PATIENTS = (
    "patient",
    "arm",
    "status",
    "stratum",
    "os_months",
    "os_event",
    "os_without_later_months",
    "os_without_later_event",
    "crossover_months",
    "off_treatment_months",
    "off_treatment_reason",
    "pfs_months",
    "pfs_event",
    "pfs_cause",
    "age_y",
    "m_protein_g_per_l",
    "beta2_microglobulin_mg_per_l",
    "haemoglobin_g_per_dl",
    "platelets_1e9_per_l",
)
VISITS = (
    "patient",
    "time_days",
    "m_protein_g_per_l",
    "anc_1e9_per_l",
    "platelets_1e9_per_l",
    "haemoglobin_g_per_dl",
)


def protocol(share: float) -> trials.Protocol:
    """The trial, with a share of the progressed patients of the control arm who cross over."""
    plan = trials.load_protocol(PROTOCOL)
    arms = []
    for arm in plan.arms:
        after = arm.after_progression
        if arm.name == CONTROL and after is not None:
            after = after.model_copy(update={"share_of_progressed": share})
        arms.append(arm.model_copy(update={"after_progression": after}))
    return plan.model_copy(update={"arms": tuple(arms)})


def conduct(folder: Path, scenario: str, number: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Patients and visits of the control arm of one trial, read again where they were kept."""
    place = folder / scenario.replace(" ", "-")
    kept = [place / f"{number:04d}-{what}.parquet" for what in ("patients", "visits")]
    if not all(path.is_file() for path in kept):
        plan, seed = protocol(SHARES[scenario]), seed * 100_000 + number
        draws = clinical.posterior("claret").central(PROTOCOL)
        result = trials.run(plan, seed=seed, draws=draws, counterfactual=True)
        # When each patient's follow-up would have ended is known to the trial, and asked for by recensoring.
        people = trials.draw_population(plan, trials.Stream(seed, plan.name, 1), draws.truth(1))
        cut = pl.DataFrame({"patient": people.number, "cut_months": people.cut_day / trials.MONTH_DAYS})
        patients = result.patients.select(PATIENTS).with_columns(pl.col("patient").cast(pl.Int64))
        patients = patients.join(cut.cast({"patient": pl.Int64}), on="patient", how="left")
        visits = result.visits.filter(pl.col("arm") == CONTROL).select(VISITS)
        place.mkdir(parents=True, exist_ok=True)
        for path, table in zip(kept, (patients, visits), strict=True):
            table.write_parquet(path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)
    return pl.read_parquet(kept[0]), pl.read_parquet(kept[1])


class Trial:
    """What a statistician is given of one trial, (n,) each in the order of the patients, and the truth."""

    def __init__(self, patients: pl.DataFrame, visits: pl.DataFrame) -> None:
        here = patients.filter(status=0).sort("patient")
        self.visits = visits.sort("patient", "time_days")
        self.patient = here["patient"].to_numpy()
        self.time, self.follow_up, self.switch, self.progression, off = (
            here[name].cast(pl.Float64).fill_null(math.nan).to_numpy()
            for name in (
                "os_months",
                "cut_months",
                "crossover_months",
                "pfs_months",
                "off_treatment_months",
            )
        )
        self.event = here["os_event"].to_numpy()
        self.new = (here["arm"] != CONTROL).to_numpy()
        # What follows progression in the experimental arm is no treatment of the other arm.
        self.switch = np.where(self.new, np.nan, self.switch)
        seen = (here["pfs_cause"] == "progression").fill_null(False).to_numpy()
        self.progression = np.where(seen, self.progression, np.nan)
        left = (here["off_treatment_reason"] == "progression").fill_null(False).to_numpy()
        may = off + DELAY_MONTHS
        self.may_switch = np.where(left & (may < self.time), may, np.nan)
        self.may_switch = np.where(
            np.isfinite(self.switch), np.fmin(self.may_switch, self.switch), self.may_switch
        )
        self.baseline = np.column_stack(
            [here["age_y"], np.log(here["beta2_microglobulin_mg_per_l"]), here["haemoglobin_g_per_dl"]]
        )
        self.without = np.where(self.new, self.time, here["os_without_later_months"].to_numpy())
        self.died_without = np.where(self.new, self.event, here["os_without_later_event"].to_numpy())

    def latest(self, at: Floats) -> Floats:
        """Log M-protein, haemoglobin and log platelets of each patient's last visit by a time, (n, 3)."""
        found = np.column_stack([np.zeros(at.size), np.full(at.size, 9.0), np.zeros(at.size)])
        place = {int(number): k for k, number in enumerate(self.patient)}
        for row in self.visits.iter_rows(named=True):
            k = place.get(int(row["patient"]))
            if k is not None and row["time_days"] / trials.MONTH_DAYS <= at[k] + 1e-9:
                found[k] = _labs(row)
        return found

    def rows(self) -> dict[str, Floats]:
        """Start-stop rows: one of each patient of the experimental arm, one a visit of a control patient."""
        columns: list[tuple[float, ...]] = [
            (k, 0.0, self.time[k], self.event[k], 1.0, math.nan, *[0.0] * 6)
            for k in np.flatnonzero(self.new).tolist()
        ]
        place = {int(number): k for k, number in enumerate(self.patient)}
        for (number,), part in self.visits.group_by("patient", maintain_order=True):
            k = place.get(int(number))
            if k is None:
                continue
            days = part["time_days"].to_numpy() / trials.MONTH_DAYS
            progression, may = self.progression[k], self.may_switch[k]
            cuts = [x for x in (progression, may) if math.isfinite(x)]
            begins = np.unique(np.round(np.concatenate([[0.0], days, cuts]), 6))
            begins = begins[begins < self.time[k] - 1e-5]
            ends = np.append(begins[1:], self.time[k])
            visit = np.maximum(np.searchsorted(days, begins + 1e-5, side="right") - 1, 0)
            labs = [_labs(row) for row in part.iter_rows(named=True)]
            for begin, end, at in zip(begins, ends, visit, strict=True):
                last = end == self.time[k]
                since = begin - progression
                after = float(since >= -1e-5) if math.isfinite(since) else 0.0
                may_now = float(math.isfinite(may) and abs(end - may) < 1e-5)
                since_then = since if after else 0.0
                columns.append(
                    (
                        k,
                        begin,
                        end,
                        self.event[k] and last,
                        0.0,
                        round(self.switch[k], 6),
                        *labs[at],
                        after,
                        since_then,
                        may_now,
                    )
                )
        names = (
            "patient",
            "entry",
            "time",
            "event",
            "arm",
            "switch",
            "m_protein",
            "haemoglobin",
            "platelets",
        )
        return dict(zip((*names, "progressed", "since", "may"), np.array(columns).T, strict=True))


def _labs(row: Mapping[str, float]) -> tuple[float, float, float]:
    return (
        math.log(max(row["m_protein_g_per_l"] or 0.0, 0.1)),
        row["haemoglobin_g_per_dl"],
        math.log(row["platelets_1e9_per_l"]),
    )


Answer = tuple[float, float, float, float, str]  # log hazard ratio, limits, median of control, status


def _of_fit(fit: survival.Cox, time: Floats, event: Floats) -> Answer:
    median = survival.kaplan_meier(time, event).median
    low, high = fit.interval
    return float(fit.coefficients[0]), math.log(low[0]), math.log(high[0]), median, fit.status


def _of_lives(found: survival.Rpsft | survival.TwoStage, trial: Trial) -> Answer:
    if not math.isfinite(found.hazard_ratio):
        return math.nan, math.nan, math.nan, math.nan, found.status
    control = ~trial.new
    median = survival.kaplan_meier(found.lives.time[control], found.lives.event[control]).median
    low, high = (math.log(max(end, 1e-300)) for end in found.interval)
    return math.log(found.hazard_ratio), low, high, median, found.status


def randomised(trial: Trial) -> Answer:
    fit = survival.cox(trial.time, trial.event, trial.new.astype(float))
    return _of_fit(fit, trial.time[~trial.new], trial.event[~trial.new])


def censored_at_switch(trial: Trial) -> Answer:
    there = np.isfinite(trial.switch)
    time, event = np.where(there, trial.switch, trial.time), trial.event & ~there
    fit = survival.cox(time, event, trial.new.astype(float))
    return _of_fit(fit, time[~trial.new], event[~trial.new])


def without_switchers(trial: Trial) -> Answer:
    kept = ~np.isfinite(trial.switch)
    time, event, new = trial.time[kept], trial.event[kept], trial.new[kept]
    return _of_fit(survival.cox(time, event, new.astype(float)), time[~new], event[~new])


def failure_time(trial: Trial, *, recensor: bool) -> Answer:
    follow_up = trial.follow_up if recensor else None
    found = survival.rpsft(trial.time, trial.event, trial.new, trial.switch, follow_up=follow_up)
    return _of_lives(found, trial)


def two_stage(trial: Trial, baseline: Floats, *, recensor: bool = True) -> Answer:
    covariates = np.column_stack(
        [trial.baseline, trial.latest(np.where(np.isfinite(baseline), baseline, 0.0))]
    )
    found = survival.two_stage(
        trial.time,
        trial.event,
        trial.new,
        trial.switch,
        baseline,
        covariates,
        follow_up=trial.follow_up if recensor else None,
    )
    return _of_lives(found, trial)


def weighted(trial: Trial, *, eligible: str, model: str) -> Answer:
    rows = trial.rows()
    names = ("m_protein", "haemoglobin", "platelets", "since")
    found = survival.ipcw(
        rows["entry"],
        rows["time"],
        rows["event"],
        rows["arm"],
        rows["switch"],
        rows["patient"],
        np.column_stack([rows[name] for name in names]),
        eligible=rows[eligible],
        model=model,
    )
    if found.rows is None:
        return math.nan, math.nan, math.nan, math.nan, found.status
    control = ~found.rows.experimental
    curve = survival.kaplan_meier(
        found.rows.time[control],
        found.rows.event[control],
        entry=found.rows.entry[control],
        weights=found.rows.weight[control],
    )
    low, high = (math.log(end) for end in found.interval)
    return math.log(found.hazard_ratio), low, high, curve.median, found.status


def counterfactual(trial: Trial) -> Answer:
    fit = survival.cox(trial.without, trial.died_without, trial.new.astype(float))
    return _of_fit(fit, trial.without[~trial.new], trial.died_without[~trial.new])


def counterfactual_recensored(trial: Trial) -> Answer:
    """The truth seen over the shorter follow-up that recensoring leaves."""
    found = survival.rpsft(trial.time, trial.event, trial.new, trial.switch, follow_up=trial.follow_up)
    end = np.where(trial.new, np.inf, trial.follow_up * min(1.0, math.exp(found.psi)))
    time, event = np.minimum(trial.without, end), trial.died_without & (trial.without <= end)
    return _of_fit(survival.cox(time, event, trial.new.astype(float)), time[~trial.new], event[~trial.new])


METHODS: Mapping[str, Callable[[Trial], Answer]] = {
    "never crossed over (the truth, seen)": counterfactual,
    "the same, as soon censored as by RPSFT": counterfactual_recensored,
    "as randomised": randomised,
    "without switchers": without_switchers,
    "censored at the switch": censored_at_switch,
    "RPSFT, recensored": lambda trial: failure_time(trial, recensor=True),
    "RPSFT, not recensored": lambda trial: failure_time(trial, recensor=False),
    "two-stage from progression": lambda trial: two_stage(trial, trial.progression),
    "two-stage from when a switch may begin": lambda trial: two_stage(trial, trial.may_switch),
    "the same, not recensored": lambda trial: two_stage(trial, trial.may_switch, recensor=False),
    "IPCW, Cox, from progression": lambda trial: weighted(trial, eligible="progressed", model="cox"),
    "IPCW, logistic, from progression": lambda trial: weighted(
        trial, eligible="progressed", model="logistic"
    ),
    "IPCW, logistic, when a switch may begin": lambda trial: weighted(
        trial, eligible="may", model="logistic"
    ),
}


def analysed(folder: Path, scenario: str, number: int, seed: int) -> dict[str, Any]:
    """The answers of every method to one trial, read again where they were kept."""
    path = folder / scenario.replace(" ", "-") / f"{number:04d}-answers.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    missing = [name for name in METHODS if name not in found]
    if missing:
        trial = Trial(*conduct(folder, scenario, number, seed))
        found["switched"] = int(np.isfinite(trial.switch).sum())
        for name in missing:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found[name] = METHODS[name](trial)
        path.write_text(json.dumps(found), "utf-8")
    return found


def truth(folder: Path, scenario: str, count: int, seed: int) -> dict[str, float]:
    """Hazard ratio and median of control without crossover over the patients of all trials together."""
    every = [Trial(*conduct(folder, scenario, number, seed)) for number in range(1, count + 1)]
    time, event, new, lived, died = (
        np.concatenate([getattr(t, name) for t in every])
        for name in ("without", "died_without", "new", "time", "event")
    )
    which = np.repeat(np.arange(count), [t.time.size for t in every])
    fit = survival.cox(time, event, new.astype(float), strata=which)
    seen = survival.cox(lived, died, new.astype(float), strata=which)
    return {
        "hazard_ratio": float(fit.hazard_ratio[0]),
        "as_randomised": float(seen.hazard_ratio[0]),
        "median_control": survival.kaplan_meier(time[~new], event[~new]).median,
        "patients": int(time.size),
    }


def summary(answers: list[dict[str, Any]], name: str, real: Mapping[str, float]) -> dict[str, Any]:
    """Bias and coverage of one method against the truth, over the trials in which it gave an answer."""
    values = np.array([[*answer[name][:4]] for answer in answers], dtype=float)
    answered = np.isfinite(values[:, 0])
    status: dict[str, int] = {}
    for answer in answers:
        status[answer[name][4]] = status.get(answer[name][4], 0) + 1
    found: dict[str, Any] = {"answered": int(answered.sum()), "status": status}
    if answered.any():
        log_ratio, low, high, median = values[answered].T
        target = math.log(real["hazard_ratio"])
        inside = int(((low <= target) & (target <= high)).sum())
        found |= {
            "hazard_ratio": math.exp(log_ratio.mean()),
            "bias_percent": 100 * (math.exp(log_ratio.mean() - target) - 1),
            "bias_error_percent": 100 * float(log_ratio.std(ddof=1)) / math.sqrt(log_ratio.size),
            "sd_log": float(log_ratio.std(ddof=1)),
            "rmse_log": float(np.sqrt(((log_ratio - target) ** 2).mean())),
            "inside": inside,
            "coverage_percent": 100 * inside / log_ratio.size,
            "band_99_percent": [
                100 * float(binom.ppf(p, log_ratio.size, 0.95)) / log_ratio.size for p in (0.005, 0.995)
            ],
            "median_control": float(np.nanmean(median)),
        }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=21)
    options = parser.parse_args()
    result: dict[str, Any] = {"trials": options.trials, "seed": options.seed}
    for scenario in SHARES:
        answers = [
            analysed(options.folder, scenario, number, options.seed)
            for number in range(1, options.trials + 1)
        ]
        real = truth(options.folder, scenario, options.trials, options.seed)
        switched = float(np.mean([answer["switched"] for answer in answers]))
        result[scenario] = {
            "truth": real,
            "switched_mean": switched,
            "methods": {name: summary(answers, name, real) for name in METHODS},
        }
    json.dump(result, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
