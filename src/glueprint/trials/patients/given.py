"""Patients of a population that was made before: their own numbers, drawn by weight.

A column is a parameter of the trial model, and then stands in the place of what typical value, covariates and
random effects would give a patient; or a number of the case-mix. Own derivation, docs/trials.md, "Patients of
a population of yours".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from glueprint import workshop
from glueprint.errors import InputError, nearest
from glueprint.mechanism import Scenario, parameters
from glueprint.trials.patients.chance import Stream
from glueprint.trials.protocol import CaseMix, Count, Levels, Protocol

__all__ = ["check_given", "numbers_of", "of_case_mix", "own_parameters"]

Floats = NDArray[np.float64]
Quantities = Mapping[str, tuple[float, float, bool]]
MOST_NAMED = 40
# What the conduct of a trial sets as it goes, and what belongs to the case-mix.
NOT_OWN = ("gcsf_fold", "next_line_share", "crbn_level")


def numbers_of(given: workshop.Population, number: NDArray[np.int64], stream: Stream) -> dict[str, Floats]:
    """What each patient, (n,), has by name; the same patient has the same row whatever else is drawn."""
    return given.drawn(stream.uniforms("population", number)[:, 0])


def of_case_mix(mix: CaseMix) -> Quantities:
    """Numbers that the case-mix states: the least and the largest, and whether they are whole."""
    stated = {name: getattr(mix, name) for name in mix.names}
    return {
        name: (one.low, one.high, isinstance(one, Count))
        for name, one in stated.items()
        if not isinstance(one, Levels)
    }


def own_parameters(scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """Parameters that a patient of any arm may have of its own; those of a compound where there is one."""
    every = [parameters.own(scenario) for scenario in scenarios]
    shared = [name for name in every[0] if all(name in other for other in every) and name not in NOT_OWN]
    one_glue = len({scenario.compound.digest for scenario in scenarios}) == 1
    return tuple(shared if one_glue else [name for name in shared if name in parameters.system()])


def check_given(protocol: Protocol, given: workshop.Population, scenarios: Sequence[Scenario]) -> None:
    """Refuse a population that the trial's patients cannot be drawn from.

    scenarios: of each arm.
    Raises InputError GP-T101 for a column that is nothing of the trial, GP-T102 for values or weights that
    cannot be, GP-T103 for a parameter that a condition of an arm acts on.
    """
    quantities, known = of_case_mix(protocol.case_mix), own_parameters(scenarios)
    for name in given.names:
        if name not in quantities and name not in known:
            raise _unknown(name, protocol, (*quantities, *known))
    weight = given.table["weight"].to_numpy()
    if not (np.isfinite(weight).all() and (weight >= 0.0).all() and weight.sum() > 0.0):
        raise _impossible("weight", "weights that cannot be drawn by", "numbers of 0 or above, some above it")
    ends = {}
    for name in given.names:
        values = given.table[name].to_numpy()
        low, high, whole = quantities.get(name, (-np.inf, np.inf, False))
        if not np.isfinite(values).all():
            raise _impossible(name, "a value that is not finite", "finite numbers")
        outside = int(((values < low) | (values > high) | (whole & (values != np.rint(values)))).sum())
        if outside:
            what = "whole numbers" if whole else "numbers"
            said = f"{outside} of {values.size} values lie outside of the case-mix"
            raise _impossible(name, said, f"{what} from {low:g} to {high:g}")
        if name not in quantities:
            ends[name] = (float(values.min()), float(values.max()))
    for scenario in scenarios:
        for end in (0, 1):
            replaced = {name: both[end] for name, both in ends.items()}
            parameters.typical(scenario.with_overrides({**scenario.overrides, **replaced}))
    _refuse_conditions(protocol, tuple(ends), scenarios)


def _refuse_conditions(protocol: Protocol, names: Sequence[str], scenarios: Sequence[Scenario]) -> None:
    """A condition acts through parameters; where a patient has one of its own, it would act on nothing."""
    for arm, scenario in zip(protocol.arms, scenarios, strict=True):
        for condition in arm.conditions:
            moved = parameters.of_conditions(scenario.compound, (condition,))
            hidden = [name for name in names if name in moved]
            if hidden:
                raise InputError(
                    "GP-T103",
                    f'"{condition}" of arm "{arm.name}" acts on {hidden[0]}, and the population has a value '
                    "of its own for every patient",
                    where=f"population, {hidden[0]}",
                    expected="parameters on which no condition of the trial acts",
                    next_step="leave out the condition, or the column",
                )


def _unknown(name: str, protocol: Protocol, known: Sequence[str]) -> InputError:
    shown = ", ".join(known[:MOST_NAMED]) + (", ..." if len(known) > MOST_NAMED else "")
    return InputError(
        "GP-T101",
        f'"{name}" is no number of the case-mix and no parameter of {protocol.name} that a patient may have '
        f"of its own{nearest(name, known)}",
        where=f"population, {name}",
        expected=f"columns among {shown}",
        next_step="make the population from the trial's model (`glueprint model export trial --to sbml`), or "
        "leave the column out",
    )


def _impossible(name: str, message: str, expected: str) -> InputError:
    return InputError(
        "GP-T102",
        message,
        where=f"population, {name}",
        expected=expected,
        next_step="draw the population from ranges of the trial's patients, or widen the protocol's limits",
    )
