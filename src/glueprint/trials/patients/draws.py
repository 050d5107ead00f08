"""Which numbers hold in a virtual trial: draws of parameters, one row per trial, and how their trials are
labelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glueprint import workshop
from glueprint.errors import InputError
from glueprint.mechanism import TYPICAL_STRUCTURE, Compound, Scenario, compounds, parameters

__all__ = ["ParameterDraws", "Truth", "check_draws"]

Floats = NDArray[np.float64]

VARIANCE = "omega2."  # before a parameter's name: its variance between patients
AFFINITY = "kd_nm"


def _reference() -> Compound:
    return compounds.load(compounds.REFERENCE)


@dataclass(frozen=True)
class Truth:
    """What holds in one virtual trial.

    overrides: number by name, in the place of a typical value ("growth_per_d") or of a variance between
    patients ("omega2.growth_per_d"); "study_death_ratio" is what multiplies everybody's hazard of death, for
    what differs between trials beside their case-mix.   structure: of the tumour.
    compound: the glue that overrides of a compound's numbers are about. The affinity of another glue moves
    with it, as what is known of two affinities is their ratio; its other numbers are its own.
    beside: what holds in the same trial for patients on another glue, such as the one it is compared with.
    given: whose vectors the patients are drawn from, for the numbers that it has.
    """

    overrides: Mapping[str, float] = field(default_factory=dict)
    structure: str = TYPICAL_STRUCTURE
    compound: Compound = field(default_factory=_reference)
    beside: Truth | None = None
    given: workshop.Population | None = None

    def scenario(self, glue: Compound) -> Scenario:
        """What holds for a patient on `glue`."""
        return Scenario(glue, self.structure, self._for(glue))

    @property
    def kind(self) -> tuple[object, ...]:
        """All but the values: trials of one kind differ in numbers alone."""
        beside = self.beside.kind if self.beside is not None else None
        given = self.given.digest if self.given is not None else None
        return self.structure, self.compound.digest, tuple(self.overrides), beside, given

    @property
    def chain(self) -> tuple[Truth, ...]:
        """This, and what holds beside it for each other glue."""
        return (self, *(self.beside.chain if self.beside is not None else ()))

    def _for(self, glue: Compound) -> dict[str, float]:
        """The overrides of the parameters of a patient on `glue`."""
        if glue.digest == self.compound.digest:
            return dict(self.overrides)
        if self.beside is not None:
            return self.beside._for(glue)
        shared = parameters.system()
        found = {n: value for n, value in self.overrides.items() if n.removeprefix(VARIANCE) in shared}
        if AFFINITY in self.overrides:
            ratio = glue.kd().typical / self.compound.kd().typical
            found[AFFINITY] = self.overrides[AFFINITY] * ratio
        return found


@dataclass(frozen=True)
class ParameterDraws:
    """Draws of parameters, such as a posterior's; replicate r of a trial uses row (r - 1) modulo their
    number.

    names: (k,).   values: (draws, k), in the units of the parameters.   structure, compound: as in `Truth`.
    label: what trials with these numbers are called, such as "calibrated" or "predicted".
    beside: draws of another glue for the same trials, row by row, for arms that take it.
    Raises InputError GP-T042 for values that do not fit the names, or are not finite.
    """

    names: tuple[str, ...]
    values: Floats
    structure: str = TYPICAL_STRUCTURE
    label: str = ""
    compound: Compound = field(default_factory=_reference)
    beside: ParameterDraws | None = None

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
        beside = self.beside.truth(replicate) if self.beside is not None else None
        return Truth(named, self.structure, self.compound, beside)


def check_draws(draws: ParameterDraws) -> None:
    """Raise what `mechanism.parameters.typical` raises for names, values and structure of draws.

    The smallest and the largest value of each parameter stand for all: what is allowed has no holes.
    """
    for row in (draws.values.min(axis=0), draws.values.max(axis=0)):
        overrides = dict(zip(draws.names, row.tolist(), strict=True))
        parameters.typical(Scenario(draws.compound, draws.structure, overrides))
