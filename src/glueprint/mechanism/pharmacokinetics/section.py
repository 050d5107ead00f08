"""Section [pk] of a compound file: its fields, and whether they fit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from glueprint.mechanism import dimensions
from glueprint.mechanism.fields import Section
from glueprint.mechanism.pharmacokinetics import own_module
from glueprint.mechanism.pharmacokinetics.preclinical import Scaling
from glueprint.mechanism.pharmacokinetics.problems import Problem, raise_all
from glueprint.mechanism.pharmacokinetics.structures import (
    ABSORPTION,
    CONDUCT,
    DISPOSITION,
    Absorption,
    conduct_names,
    engine_names,
)
from glueprint.mechanism.quantities import Covariance, CovariateEffect, Quantity

__all__ = ["Pharmacokinetics"]

MOST_TRANSIT_COMPARTMENTS = 50
# Fields of a structure of ours, and fields of a module of the user's.
OURS = (
    *("absorption_per_h", "absorption_h", "transit_compartments", "mean_transit_h"),
    *DISPOSITION[2],
    *("scaling", "compartments", "absorption"),
)
THEIRS = ("module", "module_text", "dose_target", "outputs", "units", "parameters")
HELP = "docs/pharmacokinetics.md lists the fields of each structure"


class Pharmacokinetics(Section):
    """A population model of one compound by mouth: a structure of ours, or a module of the user's.

    absorption and compartments: the structure, which says what else is needed.   bioavailability: left out,
    1, as clearance and volumes of oral data are those over it.   module: an Antimony file beside the
    compound's; module_text: the text itself.   dose_target: its species that doses are added to, mg.
    outputs: names in it of cp_ng_per_ml and free_nm, where they differ.   units: of its species and
    assignments.   scaling: animals and vials, in place of the numbers that they give.
    The lag is a shift of the dose time.
    """

    absorption: Absorption = "first-order"
    compartments: Literal[1, 2] = 2
    lag_h: Quantity
    bioavailability: Quantity | None = None
    residual_log_sd: Quantity | None = None
    absorption_per_h: Quantity | None = None
    absorption_h: Quantity | None = None
    transit_compartments: Annotated[int, Field(ge=1, le=MOST_TRANSIT_COMPARTMENTS)] | None = None
    mean_transit_h: Quantity | None = None
    clearance_l_per_h: Quantity | None = None
    central_l: Quantity | None = None
    intercompartment_l_per_h: Quantity | None = None
    peripheral_l: Quantity | None = None
    module: str | None = None
    module_text: str | None = None
    dose_target: str | None = None
    outputs: dict[Literal["cp_ng_per_ml", "free_nm"], str] = {}  # noqa: RUF012 (pydantic copies defaults)
    units: dict[str, str] = {}  # noqa: RUF012
    parameters: dict[str, Quantity] = {}  # noqa: RUF012
    scaling: Scaling | None = None
    covariance: tuple[Covariance, ...] = ()
    covariate: tuple[CovariateEffect, ...] = ()

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Pharmacokinetics:
        structure = [*_own_module(self)] if self.is_own_module else [*_structure(self)]
        raise_all("pk", [*structure, *_variability(self), *_covariances(self), *_covariates(self)])
        return self

    @property
    def is_own_module(self) -> bool:
        """Whether the file brings a module of its own."""
        return any(self.says(name) for name in THEIRS)

    def says(self, name: str) -> bool:
        """Whether a field is other than left out: a file that was written by a program states them all."""
        return bool(getattr(self, name) != type(self).model_fields[name].default)

    @property
    def engine_fields(self) -> tuple[str, ...]:
        """Parameters that the model reads, by the names of the file."""
        return (
            tuple(self.parameters) if self.is_own_module else engine_names(self.absorption, self.compartments)
        )

    @property
    def conduct_fields(self) -> tuple[str, ...]:
        """Parameters that are read when a dose is given."""
        return CONDUCT if self.is_own_module else conduct_names(self.absorption)

    def statements(self) -> own_module.Statements:
        """The statements of the user's module."""
        return own_module.statements(self.module_text or "")

    def roles(self) -> dict[str, str]:
        """What the module must give -> the name of it in the module."""
        given = {str(role): name for role, name in self.outputs.items()}
        return {role: given.get(role, role) for role in own_module.OUTPUTS}

    def stated(self) -> dict[str, Quantity]:
        """The parameters that the file gives as such, and not by way of animals and vials."""
        ours = self.conduct_fields if self.is_own_module else (*self.engine_fields, *self.conduct_fields)
        given = {name: getattr(self, name) for name in ours}
        return {name: quantity for name, quantity in given.items() if quantity} | self.parameters

    def variances(self) -> dict[str, float]:
        """Variance between patients of each parameter of the file that varies."""
        given = {name: quantity.omega2 for name, quantity in self.stated().items()}
        given |= self.scaling.variance if self.scaling else {}
        return {name: value for name, value in given.items() if value > 0}


def _structure(pk: Pharmacokinetics) -> Iterator[Problem]:
    """Fields that the structure needs and has not, or has and does not need."""
    what = (
        f"{pk.absorption} absorption and {'one compartment' if pk.compartments == 1 else 'two compartments'}"
    )
    needed = [ABSORPTION[pk.absorption][0], *DISPOSITION[pk.compartments]]
    needed += ["transit_compartments"] if pk.absorption == "transit" else []
    scaled = pk.scaling.scaled if pk.scaling else ()
    for name in needed:
        if getattr(pk, name) is None and name not in scaled:
            yield Problem(
                "GP-M100",
                name,
                f"is missing: {what} need it",
                f"{name} with unit and role",
                f"add it; {HELP}",
            )
    for name in OURS:
        stated = name not in ("scaling", "compartments", "absorption") and getattr(pk, name) is not None
        if (stated or name in scaled) and name not in needed:
            yield Problem(
                "GP-M101",
                name if stated else "scaling",
                f"{name}: {what} do not have it",
                f"{', '.join(needed)}",
                "leave it out, or state another absorption or number of compartments",
            )
        if stated and name in scaled:
            yield Problem(
                "GP-M113",
                name,
                "is given, and [pk.scaling] gives it too",
                "one of both: what people showed, or what is scaled from animals and vials",
                f"leave out {name} here, or in the rows of [pk.scaling]",
            )
    yield from _scaling(pk, scaled)


def _scaling(pk: Pharmacokinetics, scaled: tuple[str, ...]) -> Iterator[Problem]:
    if pk.scaling is None:
        return
    for name in pk.scaling.variance:
        if name not in scaled:
            yield Problem(
                "GP-M102",
                f"scaling.variance.{name}",
                "varies between patients and is no parameter that the rows give",
                f"one of {', '.join(scaled)}",
                "correct the name, or give omega2 with the parameter",
            )
    if pk.bioavailability is None:
        yield Problem(
            "GP-M100",
            "bioavailability",
            "is missing: scaled clearance is that of drug in the blood, and not of drug swallowed",
            "bioavailability with role, also where it is assumed",
            f"add it; {HELP}",
        )


def _own_module(pk: Pharmacokinetics) -> Iterator[Problem]:
    """Whether a module of the user's is there, is allowed and fits the fields around it."""
    for name in OURS:
        if pk.says(name):
            yield Problem(
                "GP-M101",
                name,
                "is a field of the structures of Glueprint, and this file brings a module of its own",
                f"{', '.join(THEIRS)}, lag_h and bioavailability",
                "leave it out; parameters of the module stand under [pk.parameters]",
            )
    if pk.module_text is None:
        yield Problem(
            "GP-M107",
            "module",
            "the module's text is not there",
            "module, an Antimony file beside the compound's, or module_text",
            "name the file, and load the compound by its path",
        )
        return
    module = pk.statements()
    yield from module.problems
    yield from _units(pk)
    if not module.problems:
        yield from own_module.unfit(module, set(pk.parameters), pk.roles(), pk.dose_target or "")
        yield from own_module.incomputable(module)


def _units(pk: Pharmacokinetics) -> Iterator[Problem]:
    units = {f"units.{name}": unit for name, unit in pk.units.items()}
    units |= {f"parameters.{name}": quantity.unit for name, quantity in pk.parameters.items()}
    for field, unit in units.items():
        if unit not in dimensions.UNITS:
            yield Problem(
                "GP-M112",
                field,
                f'no model uses the unit "{unit}"',
                f"one of {', '.join(dimensions.UNITS)}",
                "convert the value",
            )


def _variability(pk: Pharmacokinetics) -> Iterator[Problem]:
    """A log or logit of the typical value must exist."""
    for name, quantity in pk.stated().items():
        if quantity.variability == "none":
            continue
        low, high = 0.0, 1.0 if quantity.variability == "logit" else np.inf
        if not low < quantity.typical < high:
            yield Problem(
                "GP-M102",
                f"parameters.{name}" if name in pk.parameters else name,
                f"{quantity.typical:g} cannot vary between patients on the {quantity.variability} scale",
                "a typical value above 0, and below 1 on the logit scale",
                'correct the value or the variability; "none" with omega2 left out does not vary',
            )


def _covariances(pk: Pharmacokinetics) -> Iterator[Problem]:
    """Covariances belong to two parameters that vary, once each, and leave the matrix positive definite."""
    variances = pk.variances()
    names, matrix, seen = list(variances), np.diag(list(variances.values())), set()
    for number, pair in enumerate(pk.covariance):
        unknown = [name for name in pair.between if name not in variances]
        both = frozenset(pair.between)
        if unknown or len(both) < 2 or both in seen:
            fault = f'"{unknown[0]}" does not vary between patients' if unknown else "the pair stands twice"
            yield Problem(
                "GP-M103",
                f"covariance.{number}.between",
                fault,
                f"two of {', '.join(names) or 'the parameters with omega2'}",
                "correct the name, or give the parameter variability and omega2",
            )
            continue
        seen.add(both)
        i, j = (names.index(name) for name in pair.between)
        matrix[i, j] = matrix[j, i] = pair.value
    if seen and np.linalg.eigvalsh(matrix).min() <= 0:
        yield Problem(
            "GP-M104",
            "covariance",
            "no random effects have these variances and covariances together",
            "a positive definite matrix: each correlation between -1 and 1, and all of them possible at once",
            "correct the covariances; a correlation times both SDs is a covariance",
        )


def _covariates(pk: Pharmacokinetics) -> Iterator[Problem]:
    known = (*pk.engine_fields, *pk.conduct_fields)
    for number, effect in enumerate(pk.covariate):
        if effect.parameter not in known:
            yield Problem(
                "GP-M105",
                f"covariate.{number}.parameter",
                f'"{effect.parameter}" is no parameter of this model of pharmacokinetics',
                f"one of {', '.join(known)}",
                "correct the name, or leave out the effect",
            )
        if effect.form == "power" and effect.reference <= 0:
            yield Problem(
                "GP-M105",
                f"covariate.{number}.reference",
                f"{effect.reference:g} cannot be what a power is taken over",
                "a number above zero",
                "give the covariate's reference value",
            )
