"""Which numbers hold in a virtual trial: draws of parameters, one row per trial, and how their trials are
labelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glueprint.errors import InputError, nearest
from glueprint.mechanism import parameters
from glueprint.trials.compounds import DEFAULT_GLUE

__all__ = ["STUDY_DEATH_RATIO", "ParameterDraws", "Truth", "check_names"]

Floats = NDArray[np.float64]

# Multiplies the hazard of death of everybody in one trial: what differs between trials beside their case-mix.
STUDY_DEATH_RATIO = "study_death_ratio"
VARIANCE = "omega2."  # before a parameter's name: its variance between patients


@dataclass(frozen=True)
class Truth:
    """What holds in one virtual trial.

    overrides: number by name, in the place of a typical value ("growth_per_d"), of a variance between
    patients ("omega2.growth_per_d"), or of STUDY_DEATH_RATIO.   structure: of the tumour model.
    compound: the glue that overrides of a compound's numbers are about; other glues keep their own.
    """

    overrides: Mapping[str, float] = field(default_factory=dict)
    structure: str = "claret"
    compound: str = DEFAULT_GLUE

    @property
    def study_death_ratio(self) -> float:
        """The factor on the hazard of death of everybody; 1 where nothing is said."""
        return self.overrides.get(STUDY_DEATH_RATIO, 1.0)

    def of_mechanism(self, glue: str) -> dict[str, float]:
        """The overrides that hold for the parameters of a patient on `glue`."""
        mine = {name: value for name, value in self.overrides.items() if name != STUDY_DEATH_RATIO}
        if glue == self.compound:
            return mine
        shared = parameters.system()
        return {name: value for name, value in mine.items() if name.removeprefix(VARIANCE) in shared}


@dataclass(frozen=True)
class ParameterDraws:
    """Draws of parameters, such as a posterior's; replicate r of a trial uses row (r - 1) modulo their
    number.

    names: (k,).   values: (draws, k), in the units of the parameters.   structure, compound: as in `Truth`.
    label: what trials with these numbers are called, such as "calibrated" or "predicted".
    Raises InputError GP-T042 for values that do not fit the names, or are not finite.
    """

    names: tuple[str, ...]
    values: Floats
    structure: str = "claret"
    label: str = ""
    compound: str = DEFAULT_GLUE

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        problems = {
            f"values of shape {values.shape} for {len(self.names)} names": (
                values.ndim != 2 or values.shape[1] != len(self.names) or not len(values)
            ),
            "a value that is not finite": not np.isfinite(values).all(),
            f"a name twice among {', '.join(self.names)}": len(set(self.names)) < len(self.names),
        }
        for message, found in problems.items():
            if found:
                raise InputError(
                    "GP-T042",
                    message,
                    where="ParameterDraws",
                    expected="different names; finite values of shape (draws, names), at least one row",
                    next_step="give one column per name and one row per draw",
                )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def truth(self, replicate: int) -> Truth:
        """What holds in this replicate, counted from 1."""
        row = self.values[(replicate - 1) % len(self.values)]
        named = {name: float(value) for name, value in zip(self.names, row, strict=True)}
        return Truth(named, self.structure, self.compound)


def check_names(draws: ParameterDraws) -> None:
    """Raise InputError GP-T043 for a name that is no parameter of a trial."""
    typical = (*parameters.typical(draws.compound),)
    varied = [f"{VARIANCE}{name}" for name in parameters.random_effects(draws.compound)[0]]
    known = {*typical, *varied, STUDY_DEATH_RATIO}
    for name in draws.names:
        if name not in known:
            raise InputError(
                "GP-T043",
                f'unknown parameter "{name}"{nearest(name, known)}',
                where="ParameterDraws.names",
                expected=f'a parameter of the trial model, "{VARIANCE}" and one that varies between '
                f"patients, or {STUDY_DEATH_RATIO}",
                next_step="correct the name; `glueprint.mechanism.parameters.table()` lists them",
            )
