"""Virtual patients of a protocol: covariates from its case-mix, random effects from the mechanism, arms by
blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.mechanism import compounds, parameters
from glueprint.runs.streams import normals, uniforms
from glueprint.trials.allocation import allocate, strata_of
from glueprint.trials.case_mix import Levels
from glueprint.trials.compounds import DEFAULT_GLUE, DEXAMETHASONE
from glueprint.trials.draws import Truth
from glueprint.trials.protocol import Arm, FollowUp, Protocol
from glueprint.trials.sampling import draw_level, draw_quantity

__all__ = ["MONTH_DAYS", "Population", "Stream", "draw_population", "glue_of", "model_parameters"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MONTH_DAYS = 30.4375  # docs/design.md


@dataclass(frozen=True)
class Stream:
    """Random numbers of one replicate of one trial: by purpose and patient, see `runs.streams`."""

    seed: int
    trial: str
    replicate: int

    def purpose(self, what: str) -> str:
        """The name of the stream for `what`."""
        return f"trial/{self.trial}/{self.replicate}/{what}"

    def uniforms(self, what: str, patients: Integers, count: int = 1) -> Floats:
        """(n, count) uniform numbers for these patients."""
        return uniforms(self.seed, self.purpose(what), patients, count)

    def normals(self, what: str, patients: Integers, count: int = 1) -> Floats:
        """(n, count) standard normal numbers for these patients."""
        return normals(self.seed, self.purpose(what), patients, count)


@dataclass(frozen=True)
class Population:
    """The patients of one replicate, (n,) each: covariates, stratum, arm, day of the data cut from
    randomisation.

    truth: what holds for all of them.
    """

    number: Integers
    levels: Mapping[str, NDArray[np.str_]]
    values: Mapping[str, Floats]
    stratum: Integers
    arm: Integers
    cut_day: Floats
    truth: Truth = field(default_factory=Truth)

    @property
    def size(self) -> int:
        """Patients."""
        return int(self.number.size)


def draw_population(protocol: Protocol, stream: Stream, truth: Truth | None = None) -> Population:
    """The patients of one replicate, drawn and randomised; `truth` does not change who is drawn.

    Source: case-mix of the protocol; stratified permuted blocks; see docs/trials.md.
    """
    number = np.arange(protocol.patients, dtype=np.int64)
    levels: dict[str, NDArray[np.str_]] = {}
    values: dict[str, Floats] = {}
    for name in protocol.case_mix.names:
        distribution = getattr(protocol.case_mix, name)
        uniform = stream.uniforms(f"case-mix/{name}", number)[:, 0]
        if isinstance(distribution, Levels):
            levels[name] = draw_level(distribution, uniform)
        else:
            values[name] = draw_quantity(distribution, uniform)
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
    cut = follow_up_months(protocol.follow_up, stream.uniforms("follow-up", number)[:, 0]) * MONTH_DAYS
    return Population(number, levels, values, strata, arms, cut, truth or Truth())


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


def glue_of(arm: Arm) -> str:
    """The glue compound of an arm's patients, at first or later; pomalidomide, undosed, where there is
    none."""
    later = arm.after_progression.drugs if arm.after_progression else ()
    return next((d.compound for d in (*arm.drugs, *later) if d.compound != DEXAMETHASONE), DEFAULT_GLUE)


def model_parameters(
    protocol: Protocol, people: Population, stream: Stream
) -> tuple[dict[str, Floats], Floats]:
    """(n,) parameters and initial values of the trial model for each patient, and the absorption lag in h.

    Arms may differ in their glue compound, and the truth from the typical values: what they set is then given
    per patient. Random effects are drawn
    once per
    patient, whatever the arm.
    """
    glues = [glue_of(arm) for arm in protocol.arms]
    typical = {glue: _typical(glue, people.truth) for glue in glues}
    compiled = parameters.typical(glues[0])
    differing = [
        name for name in compiled if any(table[name] != compiled[name] for table in typical.values())
    ]
    whole: dict[str, Floats] = {}
    lag_h = np.zeros(people.size)
    for number, glue in enumerate(glues):
        mine = people.arm == number
        own = {name: np.full(int(mine.sum()), typical[glue][name]) for name in differing}
        own |= _individual(people, mine, glue, stream)
        for name, value in own.items():
            whole.setdefault(name, np.full(people.size, typical[glue].get(name, 0.0)))[mine] = value
        pk = compounds.load(glue).pk
        lag_h[mine] = pk.lag_h.typical if pk else 0.0
    ratio = people.values["death_hazard_ratio"] * people.truth.study_death_ratio
    whole["death_per_month"] = whole.get("death_per_month", compiled["death_per_month"]) * ratio
    return whole, lag_h


def _overriding(glue: str, truth: Truth) -> dict[str, Any]:
    overrides = truth.of_mechanism(glue)
    return {"overrides": overrides} if overrides else {}


def _typical(glue: str, truth: Truth) -> dict[str, float]:
    return parameters.typical(glue, **_overriding(glue, truth))


def _individual(people: Population, mine: NDArray[np.bool_], glue: str, stream: Stream) -> dict[str, Floats]:
    """`parameters.individual` for the patients of `mine`."""
    overriding = _overriding(glue, people.truth)
    names, covariance = parameters.random_effects(glue, **overriding)
    normal = stream.normals("random effects", people.number[mine], len(names))
    values = {name: value[mine] for name, value in people.values.items()}
    covariates = {
        "sex_female": (people.levels["sex"][mine] == "female").astype(np.float64),
        "weight_kg": values["weight_kg"],
        "total_protein_g_per_l": values["total_protein_g_per_l"],
        "age_y": values["age_y"],
        "anc0": values["anc_1e9_per_l"],
        "platelets0": values["platelets_1e9_per_l"],
        "haemoglobin0": values["haemoglobin_g_per_dl"],
        "m_protein0": values["m_protein_g_per_l"],
    }
    effects = normal @ np.linalg.cholesky(covariance).T
    return parameters.individual(covariates, effects, glue, **overriding)
