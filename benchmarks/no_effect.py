"""Trials whose truth is known, from patients of the whole conduct: type-I error and coverage.

`python -m benchmarks.trials --only no_effect` prints the numbers.

Both arms of MM-003 get what its control arm gets. A patient's course then depends on the patient's own
random numbers and on nobody else (tests/trials/test_no_effect.py holds the conduct to that, bit by bit), so
whether patients are randomised before their conduct or after it is the same trial. A pool is therefore
conducted once; each trial draws its patients from it without replacement, randomises them by the protocol's
stratified permuted blocks to the protocol's sizes, and is analysed by the kernels of the endpoints. What is
tested is everything that could break the level: visits that tie times, confirmation, loss, the data cut,
stratified blocks cut off at planned sizes, two arms of unequal size, and the statistics.

With 2:1 arms the score of the log-rank test is skewed: each of d events falls into the larger arm with a
chance of 2/3, skewness -0.707 / sqrt(d). The first term of Edgeworth's expansion then says 2.6 % on the side
of the larger arm and 2.4 % on the other, for the 220 deaths and 390 progressions or deaths here.

Under an effect the truth is a hazard ratio of 0.5: a control is the earlier of two patients of the pool,
whichever ends first, by event or by censoring. Two independent hazards add, so the control's is twice that
of a treated patient at all times, whatever its course.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint import trials
from glueprint.survival import replicate_cox, replicate_log_rank
from glueprint.trials.patients.allocation import allocate
from glueprint.trials.protocol.document import Protocol
from glueprint.trials.running import Unit, run_unit

__all__ = ["ENDPOINTS", "Pool", "Trials", "coverage", "drawn", "pool", "rejections"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ENDPOINTS = ("pfs", "os")
ONE_SIDED = 0.025
NORMAL_975 = 1.959963984540054
HAZARD_RATIO = 0.5  # of the treated against the earlier of two
AT_ONCE = 500  # trials; more take memory and no less time


@dataclass(frozen=True)
class Pool:
    """Patients of one treatment, (n,) each: stratum, and times in months and events by endpoint."""

    protocol: Protocol
    stratum: Integers
    months: dict[str, Floats]
    event: dict[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Trials:
    """Drawn trials, (trials, patients): whom of the pool, arm (0 is the treated), stratum, and for each
    patient another one of the pool."""

    patient: Integers
    arm: Integers
    stratum: Integers
    partner: Integers


def no_effect(name: str, patients: int) -> Protocol:
    """MM-003 in which both arms get what the control gets, in this size."""
    plan = trials.load_protocol("mm003")
    treated, control = plan.arms
    first = round(patients * treated.patients / plan.patients)
    both = (
        control.model_copy(update={"name": "one", "patients": first}),
        control.model_copy(update={"name": "other", "patients": patients - first}),
    )
    return plan.model_copy(update={"name": name, "arms": both})


def pool(patients: int, seed: int) -> Pool:
    """Conduct the pool once; patients that could not be computed are an error here."""
    table = run_unit(Unit(no_effect("mm003-no-effect", patients), seed, 1))[0]
    assert (table["status"] == 0).all()
    months = {name: table[f"{name}_months"].to_numpy() for name in ENDPOINTS}
    event = {name: table[f"{name}_event"].to_numpy() for name in ENDPOINTS}
    return Pool(trials.load_protocol("mm003"), table["stratum"].to_numpy(), months, event)


def drawn(source: Pool, count: int, seed: int) -> Iterator[Trials]:
    """`count` trials, some at once."""
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        yield _some(source, numbers, seed)


def _some(source: Pool, numbers: range, seed: int) -> Trials:
    plan, n = source.protocol, source.protocol.patients
    patient = np.empty((len(numbers), 2 * n), dtype=np.int64)
    arm = np.empty((len(numbers), n), dtype=np.int64)
    for row, number in enumerate(numbers):
        chance = np.random.default_rng((seed, number))
        patient[row] = chance.choice(source.stratum.size, 2 * n, replace=False)
        arm[row] = allocate(
            source.stratum[patient[row, :n]],
            plan.randomisation.ratio,
            plan.randomisation.blocks_of,
            tuple(one.patients for one in plan.arms),
            seed=seed,
            purpose=f"trial {number}",
        )
    return Trials(patient[:, :n], arm, source.stratum[patient[:, :n]], patient[:, n:])


def rejections(source: Pool, count: int, seed: int) -> list[dict[str, object]]:
    """Type-I error of the log-rank test on either side and coverage of the interval of the hazard ratio."""
    found: dict[tuple[str, bool], list[Floats]] = {}
    for some in drawn(source, count, seed):
        treated = (some.arm == 0).astype(np.int64)
        for name in ENDPOINTS:
            months, event = source.months[name][some.patient], source.event[name][some.patient]
            for stratified in (False, True):
                strata = some.stratum if stratified else None
                test = replicate_log_rank(months, event, treated, strata=strata)
                fit = replicate_cox(months, event, treated, strata=strata)
                z = test.difference / np.sqrt(test.variance)
                held = (fit.low <= 1.0) & (fit.high >= 1.0)
                numbers = np.stack([z < -NORMAL_975, z > NORMAL_975, held, event.sum(axis=1)])
                found.setdefault((name, stratified), []).append(numbers.astype(np.float64))
    rows: list[dict[str, object]] = []
    for (name, stratified), parts in found.items():
        better, worse, held, events = np.concatenate(parts, axis=1).mean(axis=1).tolist()
        head = {"endpoint": name, "stratified": stratified, "trials": count, "mean_events": events}
        rows += [
            head | {"what": "log-rank, treated better", **share(better, count, ONE_SIDED)},
            head | {"what": "log-rank, treated worse", **share(worse, count, ONE_SIDED)},
            head | {"what": "interval holds 1", **share(held, count, 1 - 2 * ONE_SIDED)},
        ]
    return rows


def coverage(source: Pool, count: int, seed: int) -> list[dict[str, object]]:
    """Coverage of the interval of the hazard ratio where the truth is 0.5."""
    held: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in ENDPOINTS}
    for some in drawn(source, count, seed):
        treated = (some.arm == 0).astype(np.int64)
        for name in ENDPOINTS:
            months, event = earlier(source, name, some)
            fit = replicate_cox(months, event, treated)
            held[name].append((fit.low <= HAZARD_RATIO) & (fit.high >= HAZARD_RATIO))
    return [
        {
            "endpoint": name,
            "what": f"interval holds {HAZARD_RATIO}",
            "trials": count,
            **share(float(np.concatenate(parts).mean()), count, 1 - 2 * ONE_SIDED),
        }
        for name, parts in held.items()
    ]


def earlier(source: Pool, name: str, some: Trials) -> tuple[Floats, NDArray[np.bool_]]:
    """Times and events in which a control is the earlier of the patient and the partner."""
    months, event = source.months[name], source.event[name]
    own, other = months[some.patient], months[some.partner]
    # Of two at the same visit the event is seen if either has one.
    both = event[some.patient] | event[some.partner]
    either = np.where(own < other, event[some.patient], np.where(other < own, event[some.partner], both))
    treated = some.arm == 0
    return np.where(treated, own, np.minimum(own, other)), np.where(treated, event[some.patient], either)


def share(value: float, count: int, nominal: float) -> dict[str, float]:
    """A share with its binomial standard error, in %."""
    error = float(np.sqrt(nominal * (1 - nominal) / count))
    return {"percent": 100.0 * value, "standard_error": 100.0 * error, "nominal_percent": 100.0 * nominal}
