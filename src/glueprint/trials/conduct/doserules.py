"""Hold, resume, reduce, stop: the kernel that applies dose rules at a visit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.patients import Intolerance
from glueprint.trials.protocol import ROUNDING, DoseRules, lower_dose

__all__ = [
    "Action",
    "DoseState",
    "Findings",
    "Reason",
    "apply_rules",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


class Action(IntEnum):
    """What the rules did to the drug at a visit."""

    NONE = 0
    HOLD = 1
    KEEP_HELD = 2
    RESUME_LOWER = 3
    RESUME_SAME = 4
    STOP = 5


class Reason:
    """What a hold is for, or has come to be for: flags of an integer, plain ones for the sake of speed.

    Toxicity that begins during a hold for something else makes the hold longer, but does not lower the dose.
    """

    NONE = 0
    ANC = 1
    PLATELETS = 2
    TOXICITY = 4
    TOXICITY_DURING = 8
    INTOLERANCE = 16
    INTOLERANCE_LOWERS = 32
    GATE = 64


@dataclass(frozen=True)
class DoseState:
    """The drug's state for each patient, (n,) each: dose in mg, held, stopped, reasons of the hold
    (`Reason`), times reduced, times held; and (n, 2) the holds so far in which neutrophils and platelets
    fell."""

    dose_mg: Floats
    held: Bools
    stopped: Bools
    reasons: Integers
    reductions: Integers
    holds: Integers
    falls: Integers

    @classmethod
    def start(cls, dose_mg: Floats) -> DoseState:
        """Everybody on the starting dose."""
        none = np.zeros(dose_mg.shape, dtype=np.bool_)
        zero = np.zeros(dose_mg.shape, dtype=np.int64)
        falls = np.zeros((*dose_mg.shape, 2), dtype=np.int64)
        return cls(np.array(dose_mg, dtype=np.float64), none, none, zero, zero, zero, falls)

    def take(self, at: Integers) -> DoseState:
        """The state of the patients `at`, (m,)."""
        return DoseState(*(getattr(self, name)[at] for name in PARTS))

    def put(self, at: Integers, new: DoseState) -> DoseState:
        """The state with that of the patients `at` replaced by `new`, (m,)."""
        whole = [getattr(self, name).copy() for name in PARTS]
        for name, values in zip(PARTS, whole, strict=True):
            values[at] = getattr(new, name)
        return DoseState(*whole)


PARTS = tuple(field.name for field in fields(DoseState))


@dataclass(frozen=True)
class Findings:
    """What a visit shows, (n,) each: counts in 1e9 cells/L, whether a cycle begins, other grade 3/4 toxicity,
    and the `Intolerance` that still holds the drug (NONE where nothing does)."""

    anc_1e9_per_l: Floats
    platelets_1e9_per_l: Floats
    cycle_begins: Bools
    toxicity_ongoing: Bools
    intolerance: Integers


@dataclass(frozen=True)
class _Seen:
    """What the rules make of a visit, (n,) each: reasons to hold, those that a hold which runs already takes
    up, and whether the drug may go on."""

    begins: Integers
    during: Integers
    recovered: Bools


def apply_rules(rules: DoseRules, state: DoseState, findings: Findings) -> tuple[DoseState, Integers]:
    """Dose state after a visit, and the action per patient (n,).

    A drug is held when counts fall below the hold limits or another grade 3/4 toxicity goes on, and resumes
    once all have recovered, at the dose that the rules say. A cycle that cannot begin because its gate fails
    waits until the gate opens, at the same dose. Intolerance holds the drug as well; it resumes as its code
    says, or is stopped at once.
    Source: the file of the rules, with its evidence ids.
    """
    seen = _look(rules, state, findings)
    begin_hold = ~state.held & ~state.stopped & (seen.begins != Reason.NONE)
    reasons = np.where(begin_hold, seen.begins, np.where(state.held, state.reasons | seen.during, 0))
    resume = state.held & ~state.stopped & seen.recovered
    due = resume & _lowers(rules, reasons, state.falls)
    next_mg = np.where(due, lower_dose(rules.reductions, state.dose_mg), state.dose_mg)
    least_mg = rules.reductions.least_mg
    too_low = due & (next_mg < least_mg * (1.0 - ROUNDING))
    stop = ~state.stopped & (findings.intolerance == Intolerance.STOP)
    if rules.reductions.at_lowest == "stop":
        stop |= too_low
    else:
        next_mg = np.where(too_low, np.minimum(least_mg, state.dose_mg), next_mg)
    lower = due & (next_mg < state.dose_mg)
    action = np.full(state.held.shape, Action.NONE, dtype=np.int64)
    action[state.held & ~resume] = Action.KEEP_HELD
    action[begin_hold] = Action.HOLD
    action[resume & ~lower] = Action.RESUME_SAME
    action[lower] = Action.RESUME_LOWER
    action[stop] = Action.STOP
    over = resume | stop
    fell = np.stack([reasons & lineage != 0 for lineage in (Reason.ANC, Reason.PLATELETS)], axis=1)
    after = DoseState(
        dose_mg=np.where(stop, 0.0, next_mg),
        held=(state.held | begin_hold) & ~over,
        stopped=state.stopped | stop,
        reasons=np.where(over, Reason.NONE, reasons),
        reductions=state.reductions + (lower & ~stop),
        holds=state.holds + (begin_hold & ~stop),
        falls=state.falls + (fell & over[:, None]),
    )
    return after, action


def _look(rules: DoseRules, state: DoseState, findings: Findings) -> _Seen:
    """What a visit shows, by the limits of the rules."""
    anc, platelets = findings.anc_1e9_per_l, findings.platelets_1e9_per_l
    of_anc, of_platelets = rules.anc, rules.platelets
    shut = (anc < of_anc.cycle_at_least_1e9_per_l) | (platelets < of_platelets.cycle_at_least_1e9_per_l)
    back = anc >= of_anc.resume_at_least_1e9_per_l
    back &= platelets >= of_platelets.resume_at_least_1e9_per_l
    intolerant = findings.intolerance != Intolerance.NONE
    waits = findings.cycle_begins | (state.reasons & Reason.GATE != 0)
    during = (
        Reason.ANC * (anc < of_anc.hold_below_1e9_per_l)
        | Reason.PLATELETS * (platelets < of_platelets.hold_below_1e9_per_l)
        | Reason.GATE * (findings.cycle_begins & shut)
        | Reason.INTOLERANCE * intolerant
        | Reason.INTOLERANCE_LOWERS * (findings.intolerance == Intolerance.LOWER_DOSE)
    )
    return _Seen(
        begins=during | Reason.TOXICITY * findings.toxicity_ongoing,
        during=during | Reason.TOXICITY_DURING * findings.toxicity_ongoing,
        recovered=back & ~findings.toxicity_ongoing & ~intolerant & ~(waits & shut),
    )


def _lowers(rules: DoseRules, reasons: Integers, falls: Integers) -> Bools:
    """(n,) whether a hold for these reasons (n,) ends with a lower dose, after `falls` (n, 2) before it."""
    lowering = Reason.INTOLERANCE_LOWERS
    if rules.other_toxicity.resume == "lower":
        lowering |= Reason.TOXICITY
    lower = reasons & lowering != 0
    for lineage, mine, before in (
        (rules.anc, Reason.ANC, falls[:, 0]),
        (rules.platelets, Reason.PLATELETS, falls[:, 1]),
    ):
        # A cycle that could not begin for the same count is nothing else.
        others = reasons & ~(mine | Reason.GATE) != 0
        ends: dict[str, Bools | bool] = {"lower": True, "same": False, "same if alone": others}
        first, later = ends[lineage.first_fall], ends[lineage.later_falls]
        lower |= (reasons & mine != 0) & np.where(before == 0, first, later)
    return np.asarray(lower)
