"""Hold, resume, reduce, stop: a label's dose rules as data, and the kernel that applies them at a visit."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Action",
    "DoseRules",
    "DoseState",
    "Findings",
    "Intolerance",
    "apply_rules",
    "available_rules",
    "load_rules",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


class DoseRules(BaseModel):
    """One label's rules for one compound; counts in 1e9 cells/L, doses in mg."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["glueprint-dose-rules"]
    version: Literal[1]
    name: str
    compound: str
    sources: tuple[str, ...]
    hold_anc_below_1e9_per_l: float = Field(gt=0)
    hold_platelets_below_1e9_per_l: float = Field(gt=0)
    resume_anc_at_least_1e9_per_l: float = Field(gt=0)
    resume_platelets_at_least_1e9_per_l: float = Field(gt=0)
    cycle_anc_at_least_1e9_per_l: float = Field(gt=0)
    cycle_platelets_at_least_1e9_per_l: float = Field(gt=0)
    first_resume_mg: float = Field(gt=0)
    step_down_mg: float = Field(gt=0)
    stop_below_mg: float = Field(gt=0)
    weekly_counts_while_held: bool
    other_toxicity_hold_days: int = Field(ge=0)


class Action(IntEnum):
    """What the rules did to the drug at a visit."""

    NONE = 0
    HOLD = 1
    KEEP_HELD = 2
    RESUME_LOWER = 3
    RESUME_SAME = 4
    STOP = 5


class Intolerance(IntEnum):
    """What follows intolerance that is not a blood count, once its hold is over."""

    NONE = 0
    SAME_DOSE = 1
    LOWER_DOSE = 2
    STOP = 3


@dataclass(frozen=True)
class DoseState:
    """The drug's state for each patient, (n,) each: dose in mg, held, stopped, will resume lower, times
    reduced, times held."""

    dose_mg: Floats
    held: Bools
    stopped: Bools
    must_reduce: Bools
    reductions: Integers
    holds: Integers

    @classmethod
    def start(cls, dose_mg: Floats) -> DoseState:
        """Everybody on the starting dose."""
        none = np.zeros(dose_mg.shape, dtype=np.bool_)
        zero = np.zeros(dose_mg.shape, dtype=np.int64)
        return cls(np.array(dose_mg, dtype=np.float64), none, none, none, zero, zero)

    def take(self, at: Integers) -> DoseState:
        """The state of the patients `at`, (m,)."""
        return DoseState(**{f.name: getattr(self, f.name)[at] for f in fields(self)})

    def put(self, at: Integers, new: DoseState) -> DoseState:
        """The state with that of the patients `at` replaced by `new`, (m,)."""
        whole = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, values in whole.items():
            values[at] = getattr(new, name)
        return DoseState(**whole)


@dataclass(frozen=True)
class Findings:
    """What a visit shows, (n,) each: counts in 1e9 cells/L, whether a cycle begins, other grade 3/4 toxicity,
    and the `Intolerance` that still holds the drug (NONE where nothing does)."""

    anc_1e9_per_l: Floats
    platelets_1e9_per_l: Floats
    cycle_begins: Bools
    toxicity_ongoing: Bools
    intolerance: Integers


def available_rules() -> tuple[str, ...]:
    """Names of the rule sets that come with Glueprint."""
    folder = resources.files("glueprint.trials") / "rules"
    return tuple(sorted(Path(item.name).stem for item in folder.iterdir() if item.name.endswith(".toml")))


@lru_cache(maxsize=16)
def load_rules(name: str) -> DoseRules:
    """The rule set of this name out of `available_rules()`."""
    text = (resources.files("glueprint.trials") / "rules" / f"{name}.toml").read_text("utf-8")
    return DoseRules.model_validate(tomllib.loads(text))


def apply_rules(rules: DoseRules, state: DoseState, findings: Findings) -> tuple[DoseState, Integers]:
    """Dose state after a visit, and the action per patient (n,).

    A drug is held when counts fall below the hold limits or another grade 3/4 toxicity goes on, and resumes
    a step lower once all have recovered. A cycle that cannot begin because only its gate fails waits at the
    same dose. Intolerance holds the drug as well; it resumes as its code says, or is stopped at once.
    Source: US label, evidence ids in the rule file.
    """
    anc, platelets = findings.anc_1e9_per_l, findings.platelets_1e9_per_l
    low = (anc < rules.hold_anc_below_1e9_per_l) | (platelets < rules.hold_platelets_below_1e9_per_l)
    gate = findings.cycle_begins & (
        (anc < rules.cycle_anc_at_least_1e9_per_l) | (platelets < rules.cycle_platelets_at_least_1e9_per_l)
    )
    intolerant = findings.intolerance != Intolerance.NONE
    lowers = findings.intolerance == Intolerance.LOWER_DOSE
    recovered = (
        (anc >= rules.resume_anc_at_least_1e9_per_l)
        & (platelets >= rules.resume_platelets_at_least_1e9_per_l)
        & ~findings.toxicity_ongoing
        & ~intolerant
    )
    running = ~state.held & ~state.stopped
    begin_hold = running & (low | gate | findings.toxicity_ongoing | intolerant)
    must_reduce = state.must_reduce | (begin_hold & (low | findings.toxicity_ongoing | lowers))
    must_reduce |= state.held & (low | lowers)
    resume = state.held & ~state.stopped & recovered
    lower = resume & must_reduce
    next_mg = np.where(lower, lower_dose(rules, state.dose_mg), state.dose_mg)
    stop = lower & (next_mg < rules.stop_below_mg)
    stop |= ~state.stopped & (findings.intolerance == Intolerance.STOP)
    action = np.full(anc.shape, Action.NONE, dtype=np.int64)
    action[state.held & ~resume] = Action.KEEP_HELD
    action[begin_hold] = Action.HOLD
    action[resume & ~lower] = Action.RESUME_SAME
    action[lower] = Action.RESUME_LOWER
    action[stop] = Action.STOP
    after = DoseState(
        dose_mg=np.where(stop, 0.0, next_mg),
        held=(state.held | begin_hold) & ~resume & ~stop,
        stopped=state.stopped | stop,
        must_reduce=must_reduce & ~resume & ~stop,
        reductions=state.reductions + (lower & ~stop),
        holds=state.holds + (begin_hold & ~stop),
    )
    return after, action


def lower_dose(rules: DoseRules, dose_mg: Floats) -> Floats:
    """The next lower dose, mg: first `first_resume_mg`, then one step less each time."""
    return np.asarray(
        np.where(dose_mg > rules.first_resume_mg, rules.first_resume_mg, dose_mg - rules.step_down_mg)
    )
