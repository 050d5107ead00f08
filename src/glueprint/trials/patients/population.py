"""Virtual patients of a protocol: covariates from its case-mix, random effects from the mechanism, arms by
blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glueprint import workshop
from glueprint.mechanism import Compound, Scenario, parameters, pharmacokinetics
from glueprint.trials.patients.allocation import allocate, strata_of
from glueprint.trials.patients.chance import Stream, numbered
from glueprint.trials.patients.draws import Truth
from glueprint.trials.patients.enrolment import cut_days, entrants, entry_days
from glueprint.trials.patients.given import numbers_of
from glueprint.trials.patients.reference import unstated
from glueprint.trials.patients.sampling import correlate, draw_level, draw_quantity
from glueprint.trials.patients.staging import iss_stage
from glueprint.trials.protocol import MONTH_DAYS, REFRACTORY, CaseMix, FollowUp, Levels, Protocol

__all__ = [
    "NAMES_IN_CASE_MIX",
    "Population",
    "draw_population",
    "joined",
    "mechanism_covariates",
    "model_parameters",
    "scenarios",
    "separate",
    "some_of",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# What the mechanism reads, by its own names: numbers, and levels as 0 or 1. Other covariates act on nothing.
NAMES_IN_CASE_MIX = {
    **{
        name: name
        for name in (
            "age_y",
            "weight_kg",
            "total_protein_g_per_l",
            "creatinine_clearance_ml_per_min",
            "beta2_microglobulin_mg_per_l",
            "crbn_level",
            "iss_stage",
        )
    },
    "anc0": "anc_1e9_per_l",
    "platelets0": "platelets_1e9_per_l",
    "haemoglobin0": "haemoglobin_g_per_dl",
    "m_protein0": "m_protein_g_per_l",
}
INDICATORS = {
    "sex_female": ("sex", ("female",)),
    "high_risk": ("cytogenetic_risk", ("high",)),
    "smoker": ("smoking", ("smoker",)),
    "hepatic_mild": ("hepatic_impairment", ("mild",)),
    "hepatic_moderate": ("hepatic_impairment", ("moderate",)),
    "hepatic_severe": ("hepatic_impairment", ("severe",)),
    **{
        f"{group}_refractory": (
            "refractoriness",
            tuple(n for n, groups in REFRACTORY.items() if group in groups),
        )
        for group in ("imid", "pi")
    },
    "ldh_high": ("ldh", ("high",)),
    "poor_performance": ("ecog", ("2", "3")),
    "extramedullary": ("extramedullary", ("yes",)),
}
FEWEST_LINES = 0.5  # an untreated patient has a logarithm of lines too
# Numbers of a glue whose random effects come first in a patient's stream; others have a stream of their own.
COMPLETED = "burden"
KINETIC = ("absorption_per_h", "clearance_l_per_h", "central_l")


@dataclass(frozen=True)
class Population:
    """The patients of one replicate, (n,) each: covariates, stratum, arm, day of the data cut from
    randomisation.

    truth: what holds for all of them.   entry_day: (n,) since the first patient, None without a calendar.
    beside: what holds in each further replicate that is conducted with the first (`joined`).
    """

    number: Integers
    levels: Mapping[str, NDArray[np.str_]]
    values: Mapping[str, Floats]
    stratum: Integers
    arm: Integers
    cut_day: Floats
    truth: Truth = field(default_factory=Truth)
    entry_day: Floats | None = None
    beside: tuple[Truth, ...] = ()

    @property
    def size(self) -> int:
        """Patients."""
        return int(self.number.size)


def draw_population(protocol: Protocol, stream: Stream, truth: Truth | None = None) -> Population:
    """The patients of one replicate, drawn and randomised; `truth` does not change who is drawn, but for the
    numbers of the case-mix that its population gives.

    Source: case-mix of the protocol; stratified permuted blocks; see docs/trials.md.
    """
    number = np.arange(protocol.patients, dtype=np.int64)
    mix, truth = protocol.case_mix, truth or Truth()

    def covariates(who: Integers) -> tuple[dict[str, NDArray[np.str_]], dict[str, Floats]]:
        return _covariates(mix, who, stream, truth.given)

    candidates = entrants(protocol, stream, lambda who: covariates(who)[1]["m_protein_g_per_l"])
    levels, values = covariates(candidates)
    plan = protocol.randomisation
    columns = [
        _cut(values[stratum.covariate], stratum.cuts) if stratum.cuts else levels[stratum.covariate]
        for stratum in plan.strata
    ]
    strata = strata_of(columns) if columns else np.zeros(number.size, dtype=np.int64)
    arms = allocate(
        strata,
        plan.ratio,
        plan.blocks_of,
        tuple(arm.patients for arm in protocol.arms),
        seed=stream.seed,
        purpose=stream.purpose("allocation"),
    )
    if protocol.accrual:
        entry = entry_days(protocol.accrual, number.size, stream)
        cut = cut_days(protocol, entry)
        return Population(number, levels, values, strata, arms, cut, truth, entry)
    cut = follow_up_months(protocol.follow_up, stream.uniforms("follow-up", number)[:, 0]) * MONTH_DAYS
    return Population(number, levels, values, strata, arms, cut, truth)


def some_of(people: Population, who: Integers) -> Population:
    """Some of the patients, (m,) places, who keep their numbers and so their chance."""
    return replace(
        people,
        number=people.number[who],
        levels={name: level[who] for name, level in people.levels.items()},
        values={name: value[who] for name, value in people.values.items()},
        stratum=people.stratum[who],
        arm=people.arm[who],
        cut_day=people.cut_day[who],
        entry_day=None if people.entry_day is None else people.entry_day[who],
    )


def joined(parts: Sequence[Population]) -> Population:
    """The patients of several replicates of one trial as one population, replicate by replicate."""
    first = parts[0]
    days = [part.entry_day for part in parts if part.entry_day is not None]
    return Population(
        number=np.concatenate([part.number + numbered(place) for place, part in enumerate(parts)]),
        levels={name: np.concatenate([part.levels[name] for part in parts]) for name in first.levels},
        values={name: np.concatenate([part.values[name] for part in parts]) for name in first.values},
        stratum=np.concatenate([part.stratum for part in parts]),
        arm=np.concatenate([part.arm for part in parts]),
        cut_day=np.concatenate([part.cut_day for part in parts]),
        truth=first.truth,
        entry_day=np.concatenate(days) if days else None,
        beside=tuple(part.truth for part in parts[1:]),
    )


def separate(people: Population, stream: Stream) -> list[tuple[Population, Stream]]:
    """The patients of each replicate with their own numbers, and its chance; replicates of whom nobody is
    left are not among them."""
    if not people.beside:
        return [(people, stream)]
    truths, alone = (people.truth, *people.beside), stream.alone()
    edges = np.searchsorted(people.number, [numbered(place) for place in range(len(truths) + 1)])
    parts = []
    for place, (first, last) in enumerate(pairwise(edges.tolist())):
        if last > first:
            some = some_of(people, np.arange(first, last))
            mine = replace(some, number=some.number - numbered(place), truth=truths[place], beside=())
            parts.append((mine, alone[place]))
    return parts


def _covariates(
    case_mix: CaseMix, number: Integers, stream: Stream, given: workshop.Population | None = None
) -> tuple[dict[str, NDArray[np.str_]], dict[str, Floats]]:
    """Named levels and numbers of each patient, (n,) each, those of a population in the place of what the
    case-mix says; the stage at entry last, where it can be told."""
    uniform = {name: stream.uniforms(f"case-mix/{name}", number)[:, 0] for name in case_mix.names}
    if case_mix.correlated:
        independent = np.stack([uniform[name] for name in case_mix.correlated], axis=1)
        together = correlate(independent, case_mix.correlation_matrix())
        uniform |= dict(zip(case_mix.correlated, together.T, strict=True))
    levels: dict[str, NDArray[np.str_]] = {}
    values: dict[str, Floats] = {}
    for name in case_mix.names:
        distribution = getattr(case_mix, name)
        if isinstance(distribution, Levels):
            levels[name] = draw_level(distribution, uniform[name])
        else:
            values[name] = draw_quantity(distribution, uniform[name])
    if given is not None:
        values |= {n: array for n, array in numbers_of(given, number, stream).items() if n in values}
    if case_mix.derived:
        values["iss_stage"] = iss_stage(values["albumin_g_per_l"], values["beta2_microglobulin_mg_per_l"])
    return levels, values


def _cut(values: Floats, cuts: tuple[float, ...]) -> NDArray[np.str_]:
    """(n,) level of a number: how many cuts it is above."""
    return np.searchsorted(np.array(sorted(cuts)), values, side="left").astype(str)


def follow_up_months(follow_up: FollowUp, uniform: Floats) -> Floats:
    """(n,) months from randomisation to the data cut; a power of a uniform number that meets the three given
    times.

    Source: own derivation, see docs/trials.md: recruitment that speeds up or slows down.
    """
    low, middle, high = follow_up.minimum_months, follow_up.median_months, follow_up.maximum_months
    if high == low:
        return np.full(uniform.shape, low)
    share = np.clip((middle - low) / (high - low), 1e-6, 1 - 1e-6)
    return np.asarray(low + (high - low) * uniform ** (np.log(share) / np.log(0.5)))


def scenarios(protocol: Protocol, truth: Truth) -> tuple[Scenario, ...]:
    """What holds for the patients of each arm."""
    return tuple(truth.scenario(protocol.glue_of(arm)) for arm in protocol.arms)


def model_parameters(protocol: Protocol, people: Population, stream: Stream) -> dict[str, Floats]:
    """`_model_parameters` of each replicate, one after the other, (n,) by name.

    What a replicate leaves to the model, and another does not, is its typical value.
    """
    parts = separate(people, stream)
    found = [_model_parameters(protocol, *part) for part in parts]
    if len(found) == 1:
        return found[0]
    for (mine, _), values in zip(parts, found, strict=True):
        for name in {name for other in found for name in other}.difference(values):
            usual = [parameters.typical(arm).get(name, np.nan) for arm in scenarios(protocol, mine.truth)]
            values[name] = np.array(usual)[mine.arm]
    return {name: np.concatenate([values[name] for values in found]) for name in found[0]}


def _model_parameters(protocol: Protocol, people: Population, stream: Stream) -> dict[str, Floats]:
    """(n,) parameters and initial values of the trial model for each patient, and how doses are taken up.

    Arms may differ in their glue and in the conditions of their patients: what a compound sets is then given
    per patient, NaN where the model of a patient's own glue has no such number. Random effects are drawn once
    per patient, whatever the arm.
    """
    people = _completed(protocol.case_mix, people, stream)
    arms = scenarios(protocol, people.truth)
    plans = [
        _Plan(scenario.compound, arm.conditions) for scenario, arm in zip(arms, protocol.arms, strict=True)
    ]
    typical = {scenario.compound: parameters.typical(scenario) for scenario in arms}
    files = [parameters.typical(Scenario(glue, people.truth.structure)) for glue in typical]
    every = dict.fromkeys(name for table in files for name in table)
    names = {name: None for name in every if len({table.get(name) for table in files}) > 1}
    intake = (name for glue in typical if glue.pk for name in pharmacokinetics.conduct_quantities(glue.pk))
    names |= dict.fromkeys(intake)
    parts: list[tuple[NDArray[np.bool_], Compound, dict[str, Floats]]] = []
    for plan in dict.fromkeys(plans):
        mine = np.array([other == plan for other in plans])[people.arm]
        parts.append((mine, plan.glue, _individual(people, mine, plan, stream)))
        names |= dict.fromkeys(parts[-1][2])
    whole = {name: np.full(people.size, np.nan) for name in names}
    for mine, glue, own in parts:
        for name, value in whole.items():
            if name in own or name in typical[glue]:
                value[mine] = own[name] if name in own else typical[glue][name]
    own = _own(people, people.number, stream)
    death = whole.get("death_per_month", np.full(people.size, typical[plans[0].glue]["death_per_month"]))
    whole["death_per_month"] = death * people.values["death_hazard_ratio"]
    lost = protocol.departures.lost_percent_per_year
    if lost is not None:
        whole["dropout_per_month"] = np.full(people.size, protocol.departures.per_month(lost))
    return whole | own  # what acts beside a patient's own numbers does not act on them


def _completed(case_mix: CaseMix, people: Population, stream: Stream) -> Population:
    """The patients with what the protocol leaves out, where the structure of their tumour reads it."""
    if people.truth.structure != COMPLETED:
        return people
    levels, values = unstated(case_mix, people.values, people.number, stream)
    return replace(people, levels={**people.levels, **levels}, values={**people.values, **values})


@dataclass(frozen=True)
class _Plan:
    """What sets the numbers of an arm's patients apart: their glue, and their conditions."""

    glue: Compound
    conditions: tuple[str, ...]


def _individual(
    people: Population, mine: NDArray[np.bool_], plan: _Plan, stream: Stream
) -> dict[str, Floats]:
    """`parameters.individual` for the patients of `mine`, who share a plan."""
    scenario = people.truth.scenario(plan.glue)
    names, covariance = parameters.random_effects(scenario)
    normal = _normals(names, people.number[mine], stream)
    effects = normal @ np.linalg.cholesky(covariance).T
    own = _own(people, people.number[mine], stream)
    return parameters.individual(scenario, mechanism_covariates(people, mine, plan.conditions), effects, own)


def _own(people: Population, number: Integers, stream: Stream) -> dict[str, Floats]:
    """(n,) parameters by name that a population gives these patients."""
    if people.truth.given is None:
        return {}
    every = numbers_of(people.truth.given, number, stream)
    return {name: array for name, array in every.items() if name not in people.values}


def _normals(names: tuple[str, ...], patients: Integers, stream: Stream) -> Floats:
    """(n, k) standard normal numbers behind the random effects: a patient keeps those of growth, kill and
    marrow whatever the glue, and whatever of its pharmacokinetics varies."""
    shared = [name for name in names if name in parameters.system()]
    column = {name: k for k, name in enumerate((*KINETIC, *shared))}
    together = stream.normals("random effects", patients, len(column))
    own = [
        together[:, column[name]]
        if name in column
        else stream.normals(f"random effects/{name}", patients)[:, 0]
        for name in names
    ]
    return np.stack(own, axis=1) if own else np.zeros((patients.size, 0))


def mechanism_covariates(
    people: Population, mine: NDArray[np.bool_], conditions: tuple[str, ...] = ()
) -> dict[str, Floats]:
    """What the mechanism knows of the patients of `mine`, (m,) by its own names: numbers, and 0 or 1 for a
    level and for each of their conditions."""
    known = {
        own: people.values[name][mine] for own, name in NAMES_IN_CASE_MIX.items() if name in people.values
    }
    known["prior_lines"] = np.maximum(people.values["prior_lines"][mine], FEWEST_LINES)
    for indicator, (name, levels) in INDICATORS.items():
        if name in people.levels:
            known[indicator] = np.isin(people.levels[name][mine], levels).astype(np.float64)
    return known | {name: np.ones(int(mine.sum())) for name in conditions}
