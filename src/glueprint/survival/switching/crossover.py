"""One's own table of patients who change treatment: each adjustment beside the arms as randomised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.survival._check import Floats, Integers, as_level
from glueprint.survival.analysis_curves import Row, apart, steps
from glueprint.survival.columns import Patients, patients
from glueprint.survival.cox import Cox, cox
from glueprint.survival.kaplan_meier import KaplanMeier, kaplan_meier
from glueprint.survival.request import Request
from glueprint.survival.switching.ipcw import Ipcw, ipcw
from glueprint.survival.switching.rpsft import Rpsft, rpsft
from glueprint.survival.switching.two_stage import TwoStage, two_stage
from glueprint.survival.table_rows import said_of_rows

__all__ = ["Crossover", "crossover"]

NUMBER, COUNT, TEXT = pl.Float64, pl.Int64, pl.String
CURVE = ("at_risk", "events", "censored", "survival", "std_error", "low", "high")
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "hazard_ratios": {
        "method": TEXT,
        "hazard_ratio": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "p_value": NUMBER,
        "median_control": NUMBER,
        "status": TEXT,
    },
    "time_ratios": {"method": TEXT, "time_ratio": NUMBER, "low": NUMBER, "high": NUMBER, "psi": NUMBER},
    "curves": {"arm": TEXT, "time": NUMBER, **dict.fromkeys(CURVE, NUMBER)},
    "test_over_psi": {"psi": NUMBER, "z": NUMBER},
}


@dataclass(frozen=True)
class Crossover:
    """What patients who changed treatment took from a comparison, by each method that the table allows.

    tables: "hazard_ratios" of the experimental arm against control, "time_ratios" (how many times longer life
    lasts on the experimental treatment), "curves" of both arms and of control had nobody switched, and
    "test_over_psi", each a polars table.   control, experimental: arms.   switched, control_patients: of
    control.   rpsft, two_stage, ipcw: the results themselves, None where the table does not allow them.
    unit: of the times.   notes: for people.
    """

    tables: Mapping[str, pl.DataFrame]
    control: str
    experimental: str
    switched: int
    control_patients: int
    rpsft: Rpsft
    two_stage: TwoStage | None
    ipcw: Ipcw | None
    unit: str
    level: float
    notes: tuple[str, ...] = field(default=())

    @property
    def arms(self) -> tuple[str, ...]:
        """The curves, in order."""
        return tuple(dict.fromkeys(self.tables["curves"]["arm"].to_list()))

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "unit": self.unit,
            "level": self.level,
            "control": self.control,
            "experimental": self.experimental,
            "switched": self.switched,
            "control_patients": self.control_patients,
            **{name: table.to_dicts() for name, table in self.tables.items()},
            "notes": list(self.notes),
        }


def crossover(
    table: Any,
    request: Request,
    *,
    both_arms: bool = False,
    distribution: str = "weibull",
    model: str = "cox",
    level: float = 0.95,
) -> Crossover:
    """Compare two arms as randomised, with switches censored, and by each adjustment the table allows.

    table: one row a patient, or start-stop rows with `patient` and `entry`.   request: which column is what;
    `switch` is asked for, `follow_up` recensors, `progression` asks for two stages, and start-stop rows with
    covariates for weights.   both_arms: as in `rpsft`.   distribution: as in `two_stage`.   model: as in
    `ipcw`.   level: of all intervals.
    Returns Crossover. Covariates of the two stages are those that held at the second baseline.
    Raises InputError GP-V007 (options), GP-V030 to GP-V034 (table), GP-V037 to GP-V043 (switches).
    Source: the functions it calls; docs/survival.md, Patients who change treatment.
    """
    level = as_level(level)
    rows = patients(table, request)
    if rows.switch is None or rows.arm is None:
        missing = "switch" if rows.switch is None else "arm"
        raise InputError(
            "GP-V043",
            f"no column says {'who switched, and when' if missing == 'switch' else 'the arm'}",
            where=missing,
            expected="columns of the arm and of the time of the switch, empty for those who did not switch",
            next_step="name them: --arm COLUMN --switch COLUMN",
        )
    _acts(request)
    apart(rows)
    people = _people(rows)
    reference = rows.arms[0]
    options: dict[str, Any] = {
        "reference": reference,
        "follow_up": people.follow_up,
        "strata": people.strata,
        "level": level,
    }
    given = (people.time, people.event, people.arm, people.switch)
    staged = weights = None
    with said_of_rows(request, people.row):
        failure = rpsft(*given, both_arms=both_arms, **options)
        if people.progression is not None and not both_arms:
            staged = two_stage(
                *given, people.progression, people.covariates, distribution=distribution, **options
            )
    if rows.patient is not None and not both_arms:
        with said_of_rows(request, rows.row):
            weights = _weights(rows, reference, model, level)
    control = people.arm == reference
    found = {
        "hazard_ratios": list(_ratios(people, control, failure, (staged, weights), level)),
        "time_ratios": list(_factors(failure, staged)),
        "curves": list(_curves(rows.arms, people, control, failure, level)),
        "test_over_psi": [{"psi": p, "z": z} for p, z in zip(failure.grid, failure.z, strict=True)],
    }
    notes = [*rows.notes, *_remarks(rows, failure, staged, weights)]
    return Crossover(
        {name: pl.DataFrame(found[name], schema=schema) for name, schema in SCHEMAS.items()},
        reference,
        rows.arms[1],
        int((np.isfinite(people.switch) & control).sum()),
        int(control.sum()),
        failure,
        staged,
        weights,
        rows.unit,
        level,
        tuple(notes),
    )


def _acts(request: Request) -> None:
    """Refuse columns that no method here reads."""
    idle = [(name, getattr(request, name), "no such column here") for name in ("weights", "cluster")]
    if request.patient is None:
        needs = "--patient as well, of start-stop rows"
        idle += [(name, getattr(request, name), needs) for name in ("entry", "eligible")]
    for name, column, expected in idle:
        if column is not None:
            raise InputError(
                "GP-V043",
                f'{name} "{column}" would act on nothing',
                where=name,
                expected=expected,
                next_step="see docs/survival.md, Patients who change treatment",
            )


@dataclass(frozen=True)
class _People:
    """One row a patient; row: (n,) of the table."""

    row: Integers
    time: Floats
    event: NDArray[np.bool_]
    arm: NDArray[np.str_]
    switch: Floats
    progression: Floats | None
    follow_up: Floats | None
    strata: NDArray[np.str_] | None
    covariates: Floats | None


def _people(rows: Patients) -> _People:
    """The last row of each patient, with the covariates that held at the second baseline."""
    n = rows.time.size
    last, held = np.arange(n), np.arange(n)
    if rows.patient is not None:
        _, who = np.unique(rows.patient, return_inverse=True)
        who = who.reshape(-1)
        order = np.lexsort((rows.time, who))
        last = order[np.append(np.diff(who[order]) != 0, True)]
        held = last if rows.progression is None else _held(rows, who, order, last)
    matrix = np.stack(list(rows.beside.values()), axis=1)[held] if rows.beside else None

    def at(values: Any) -> Any:
        return None if values is None else values[last]

    return _People(
        rows.row[last],
        rows.time[last],
        rows.event[last],
        at(rows.arm),
        at(rows.switch),
        at(rows.progression),
        at(rows.follow_up),
        at(rows.strata),
        matrix,
    )


def _held(rows: Patients, who: Integers, order: Integers, last: Integers) -> Integers:
    """The row of each patient that holds just after the second baseline."""
    entry = np.zeros(rows.time.size) if rows.entry is None else rows.entry
    begun = rows.progression if rows.progression is not None else entry
    good = np.where(np.isfinite(begun), entry <= begun + 1e-9, entry == 0)
    held = last.copy()
    for row in order[good[order]]:
        held[who[row]] = row
    return held


def _weights(rows: Patients, reference: str, model: str, level: float) -> Ipcw | None:
    others = list(rows.beside.values())
    if not others or rows.switch is None or rows.arm is None or rows.patient is None:
        return None
    entry = np.zeros(rows.time.size) if rows.entry is None else rows.entry
    return ipcw(
        entry,
        rows.time,
        rows.event,
        rows.arm,
        rows.switch,
        rows.patient,
        np.stack(others, axis=1),
        eligible=rows.eligible,
        reference=reference,
        model=model,
        level=level,
    )


def _ratios(
    people: _People,
    control: NDArray[np.bool_],
    failure: Rpsft,
    others: tuple[TwoStage | None, Ipcw | None],
    level: float,
) -> Iterator[Row]:
    yield _row("as randomised", failure.randomised, kaplan_meier(people.time[control], people.event[control]))
    switched = np.isfinite(people.switch) & (people.switch < people.time)
    end, event = np.where(switched, people.switch, people.time), people.event & ~switched
    fit = cox(end, event, (~control).astype(np.float64), strata=people.strata, level=level)
    yield _row("censored at the switch", fit, kaplan_meier(end[control], event[control]))
    staged, weights = others
    for name, found in (("RPSFT", failure), ("two-stage", staged)):
        if found is not None:
            median = math.nan
            if math.isfinite(found.hazard_ratio):
                median = kaplan_meier(found.lives.time[control], found.lives.event[control]).median
            yield _adjusted(name, found, median)
    if weights is not None:
        yield _adjusted("IPCW", weights, _weighted_median(weights))


def _row(name: str, fit: Cox, curve: KaplanMeier) -> Row:
    low, high = fit.interval
    return {
        "method": name,
        "hazard_ratio": float(fit.hazard_ratio[0]),
        "low": float(low[0]),
        "high": float(high[0]),
        "p_value": float(fit.p_value[0]),
        "median_control": curve.median,
        "status": fit.status,
    }


def _adjusted(name: str, found: Rpsft | TwoStage | Ipcw, median: float) -> Row:
    low, high = found.interval
    return {
        "method": name,
        "hazard_ratio": found.hazard_ratio,
        "low": low,
        "high": high,
        "p_value": found.p_value,
        "median_control": median,
        "status": found.status,
    }


def _weighted_median(found: Ipcw) -> float:
    if found.rows is None:
        return math.nan
    use = ~found.rows.experimental
    return kaplan_meier(
        found.rows.time[use],
        found.rows.event[use],
        entry=found.rows.entry[use],
        weights=found.rows.weight[use],
    ).median


def _factors(failure: Rpsft, staged: TwoStage | None) -> Iterator[Row]:
    for name, found in (("RPSFT", failure), ("two-stage", staged)):
        if found is not None:
            low, high = (math.exp(-end) for end in reversed(found.psi_interval))
            yield {
                "method": name,
                "time_ratio": found.time_ratio,
                "low": low,
                "high": high,
                "psi": found.psi,
            }


def _curves(
    arms: tuple[str, ...], people: _People, control: NDArray[np.bool_], failure: Rpsft, level: float
) -> Iterator[Row]:
    yield from steps(arms[1], kaplan_meier(people.time[~control], people.event[~control], level=level))
    yield from steps(arms[0], kaplan_meier(people.time[control], people.event[control], level=level))
    if math.isfinite(failure.psi):
        lives = failure.lives
        adjusted = kaplan_meier(lives.time[control], lives.event[control], level=level)
        yield from steps(f"{arms[0]}, nobody switched (RPSFT)", adjusted)


def _remarks(rows: Patients, failure: Rpsft, staged: TwoStage | None, weights: Ipcw | None) -> Iterator[str]:
    if rows.follow_up is None:
        yield "not recensored: no column says each patient's time to the data cut"
    for name, found in (("RPSFT", failure), ("two-stage", staged), ("IPCW", weights)):
        if found is not None:
            if found.advice:
                yield f"{name}: {found.status}: {found.advice}"
            yield f"{name} {found.summary().splitlines()[-1 - bool(found.advice)]}"
    if rows.progression is not None and staged is None:
        yield "two-stage left out: it takes switches of the control arm alone"
    if rows.progression is None:
        yield "two-stage left out: no column of a second baseline, such as progression"
    if weights is None:
        yield "IPCW left out: it takes start-stop rows of patients and covariates that change"
