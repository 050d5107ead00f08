"""Variants of one arm: another dose, days or dose rules, G-CSF, a condition of its patients, their renal
function."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from glueprint.errors import InputError, nearest
from glueprint.trials.protocol.case_mix import CaseMix
from glueprint.trials.protocol.checks import check_protocol
from glueprint.trials.protocol.document import Arm, Drug, Protocol, Randomisation, SupportiveCare
from glueprint.trials.protocol.regimen_checks import known_conditions
from glueprint.trials.protocol.rules_loading import rules_to_keep
from glueprint.trials.protocol.schedule import parse_days

__all__ = ["GCSF", "NO_CONDITION", "Variant", "apply", "arm_of", "compound_of", "grid", "lone"]

GCSF = ("none", "secondary", "primary")
NO_CONDITION = "none"


@dataclass(frozen=True)
class Variant:
    """What is other than in the protocol; None leaves it as written.

    dose_mg, days, rules: of the compound that is asked about; rules by name or path, or "none".
    gcsf: none, secondary or primary.
    condition: of all patients, such as fluvoxamine, or none.
    creatinine_clearance_ml_per_min: lowest and highest of the patients enrolled.
    """

    dose_mg: float | None = None
    days: str | None = None
    gcsf: str | None = None
    condition: str | None = None
    creatinine_clearance_ml_per_min: tuple[float, float] | None = None
    rules: str | None = None

    def __str__(self) -> str:
        """The variant in words."""
        clearance = self.creatinine_clearance_ml_per_min
        words = (
            f"{self.dose_mg:g} mg" if self.dose_mg is not None else "",
            f"days {self.days}" if self.days is not None else "",
            f"rules {self.rules}" if self.rules is not None else "",
            f"G-CSF {self.gcsf}" if self.gcsf is not None else "",
            "no condition" if self.condition == NO_CONDITION else self.condition or "",
            f"CrCl {clearance[0]:g} to {clearance[1]:g} mL/min" if clearance is not None else "",
        )
        return ", ".join(word for word in words if word) or "as written"


def grid(
    *,
    dose_mg: Sequence[float] = (),
    days: Sequence[str] = (),
    gcsf: Sequence[str] = (),
    condition: Sequence[str] = (),
    creatinine_clearance_ml_per_min: Sequence[tuple[float, float]] = (),
    rules: Sequence[str] = (),
) -> tuple[Variant, ...]:
    """Every combination of what is given; what is not given stays as written."""
    factors = product(
        dose_mg or (None,),
        days or (None,),
        gcsf or (None,),
        condition or (None,),
        creatinine_clearance_ml_per_min or (None,),
        rules or (None,),
    )
    return tuple(Variant(*levels) for levels in factors)


def arm_of(protocol: Protocol, name: str) -> Arm:
    """The arm of this name. Raises InputError GP-T070 for an unknown one."""
    names = [arm.name for arm in protocol.arms]
    if name not in names:
        raise InputError(
            "GP-T070",
            f'no arm "{name}"{nearest(name, names)}',
            where=f"{protocol.name}, arm",
            expected=f"one of {', '.join(names)}",
            next_step=f"`glueprint trial show {protocol.name}` lists the arms",
        )
    return protocol.arms[names.index(name)]


def compound_of(arm: Arm, name: str | None) -> str:
    """The compound that is asked about: the given one, or the arm's glue, or its only drug.

    Raises InputError GP-T071 for a compound that the arm does not give.
    """
    given = [drug.name for drug in arm.drugs]
    chosen = name or next((drug.name for drug in arm.drugs if drug.glue), given[0])
    if chosen not in given:
        raise InputError(
            "GP-T071",
            f'arm "{arm.name}" gives no "{chosen}"{nearest(chosen, given)}',
            where="compound",
            expected=f"one of {', '.join(given)}",
            next_step="correct the name, or choose an arm that gives it",
        )
    return chosen


def lone(protocol: Protocol, arm: Arm, patients: int | None = None) -> Protocol:
    """The protocol with this arm alone; the same name, so the same patients as every other variant of it.

    A calendar of events, tests between arms and pools of them have no meaning then: patients are followed as
    `follow_up` says, which is what the calendar comes to at its last cut.
    """
    alone = arm.model_copy(update={"patients": arm.patients if patients is None else patients})
    everybody = Randomisation(ratio=(1,), blocks_of=1)
    calendar = {"accrual": None, "data_cuts": (), "monitoring": None, "pools": ()}
    return protocol.model_copy(update={"arms": (alone,), "randomisation": everybody, **calendar})


def apply(
    protocol: Protocol,
    compound: str,
    variant: Variant,
    *,
    gcsf_fold: float | None = None,
    gcsf_below_1e9_per_l: float | None = None,
) -> Protocol:
    """A protocol of one arm (see `lone`) with what the variant changes.

    gcsf_fold: G-CSF over its endogenous level.   gcsf_below_1e9_per_l: neutrophils that start a secondary
    course.   Both are those of the protocol if None.
    Raises InputError GP-T072 to GP-T076 for what cannot be, and what `load_rules` and the checks of a
    protocol raise.
    """
    (arm,) = protocol.arms
    arm = arm.model_copy(
        update={
            "drugs": _drugs(arm, compound, variant, protocol.cycle_days),
            "conditions": _conditions(arm, variant),
        }
    )
    changed = protocol.model_copy(
        update={
            "arms": (arm,),
            "supportive_care": _care(protocol, variant, gcsf_fold, gcsf_below_1e9_per_l),
            "case_mix": _case_mix(protocol, variant),
        }
    )
    check_protocol(changed, f'{protocol.name}, variant "{variant}"')
    return changed


def _drugs(arm: Arm, compound: str, variant: Variant, cycle_days: int) -> tuple[Drug, ...]:
    changes: dict[str, object] = {}
    if variant.dose_mg is not None:
        if not 0 <= variant.dose_mg < math.inf:
            raise InputError(
                "GP-T072",
                f"dose {variant.dose_mg:g}",
                where="dose_mg",
                expected="a number of mg, 0 for none",
                next_step="give doses such as 1,2,3,4",
            )
        # A dose that is asked for is given to all ages.
        changes |= {"dose_mg": float(variant.dose_mg), "above_age": None}
    if variant.days is not None:
        changes["days"] = _readable(variant.days, cycle_days)
    if variant.rules is not None:
        changes["rules"] = rules_to_keep(variant.rules)
    return tuple(drug.model_copy(update=changes) if drug.name == compound else drug for drug in arm.drugs)


def _readable(days: str, cycle_days: int) -> str:
    """Days that can be read and lie in the cycle, or GP-T073."""
    try:
        last = parse_days(days)[-1]
        problem = f"day {last} of a cycle of {cycle_days} days" if last > cycle_days else ""
    except PydanticCustomError as error:
        problem = error.message()
    if problem:
        raise InputError(
            "GP-T073",
            problem,
            where=f'days "{days}"',
            expected=f'days 1 to {cycle_days}, such as "1-21", "1,8,15,22", or "1-28/2" for alternate days',
            next_step="correct the days",
        )
    return days


def _conditions(arm: Arm, variant: Variant) -> tuple[str, ...]:
    if variant.condition is None:
        return arm.conditions
    if variant.condition == NO_CONDITION:
        return ()
    known = known_conditions(arm.glue) if arm.glue else ()
    if variant.condition not in known:
        raise InputError(
            "GP-T076",
            f'unknown condition "{variant.condition}"{nearest(variant.condition, known)}',
            where="condition",
            expected=f"one of {', '.join((NO_CONDITION, *known))}",
            next_step="correct the name; renal function is a range of creatinine clearance",
        )
    return (*(name for name in arm.conditions if name != variant.condition), variant.condition)


def _care(
    protocol: Protocol, variant: Variant, gcsf_fold: float | None, below_1e9_per_l: float | None
) -> SupportiveCare:
    care = protocol.supportive_care
    if variant.gcsf is None:
        return care
    fold = care.gcsf_fold if gcsf_fold is None else gcsf_fold
    below = care.gcsf_below_1e9_per_l if below_1e9_per_l is None else below_1e9_per_l
    given = variant.gcsf != "none"
    if variant.gcsf not in GCSF or (given and not (1 < fold < math.inf and 0 < below < math.inf)):
        raise InputError(
            "GP-T074",
            f'G-CSF "{variant.gcsf}"{nearest(variant.gcsf, GCSF)} of {fold:g} times its endogenous level, '
            f"below {below:g}",
            where="gcsf",
            expected=f"one of {', '.join(GCSF)}; for the last two a level above 1 (the protocol's gcsf_fold)",
            next_step="give the level, such as --gcsf-fold 10; no clinical number of it is in evidence",
        )
    if not given:
        return care.model_copy(update={"gcsf": "none"})
    until = max(care.gcsf_until_1e9_per_l, below)
    changes = {"gcsf_fold": fold, "gcsf_below_1e9_per_l": below, "gcsf_until_1e9_per_l": until}
    return care.model_copy(update={"gcsf": variant.gcsf, **changes})


def _case_mix(protocol: Protocol, variant: Variant) -> CaseMix:
    """The case-mix with other limits of creatinine clearance: the distribution stays, cut elsewhere."""
    limits = variant.creatinine_clearance_ml_per_min
    if limits is None:
        return protocol.case_mix
    distribution = protocol.case_mix.creatinine_clearance_ml_per_min
    low, high = limits
    try:
        cut = type(distribution).model_validate(distribution.model_dump() | {"low": low, "high": high})
        problem = "" if low > 0 else f"low is {low:g}"
    except ValidationError as error:
        problem = str(error.errors()[0]["msg"])
    if problem:
        raise InputError(
            "GP-T075",
            f"creatinine clearance from {low:g} to {high:g} mL/min: {problem}",
            where="creatinine clearance",
            expected="LOW:HIGH in mL/min, above 0, that holds some of the protocol's case-mix",
            next_step="widen the range, or give the protocol a case-mix of such patients",
        )
    return protocol.case_mix.model_copy(update={"creatinine_clearance_ml_per_min": cut})
