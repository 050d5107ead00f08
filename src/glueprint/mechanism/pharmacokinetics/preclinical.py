"""Section [pk.scaling]: what is known of a compound that no human has taken."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from glueprint.documents import Document

__all__ = ["Animal", "Incubation", "Liver", "Scaling"]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(min_length=1)]
SCALABLE = ("clearance_l_per_h", "central_l", "intercompartment_l_per_h", "peripheral_l")


class _Measured(Document):
    """A row that says where it comes from: ids of the evidence, or in words."""

    evidence: tuple[str, ...] = ()
    source: str = ""

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> _Measured:
        if not (self.evidence or self.source):
            raise ValueError('a measured row needs "source" in words, or "evidence" ids')
        return self

    @property
    def said_by(self) -> str:
        """The source in words, or the ids."""
        return self.source or ", ".join(self.evidence)


class Animal(_Measured):
    """Parameters of one species after an intravenous dose, from plasma.

    weight_kg: of the animals.   brain_g: for the rule of exponents.   fraction_unbound: in their plasma.
    """

    species: Name
    weight_kg: Positive
    clearance_l_per_h: Positive | None = None
    central_l: Positive | None = None
    intercompartment_l_per_h: Positive | None = None
    peripheral_l: Positive | None = None
    fraction_unbound: Fraction | None = None
    brain_g: Positive | None = None


class Incubation(_Measured):
    """Intrinsic clearance in human microsomes or hepatocytes, at concentrations far below saturation.

    intrinsic_clearance: uL/min per mg of microsomal protein, or per million cells.
    """

    system: Literal["microsomes", "hepatocytes"]
    intrinsic_clearance: Positive
    fraction_unbound_incubation: Fraction | None = None


class Liver(Document):
    """The human liver. Other numbers than these need a source.

    Sources: weight and blood flow, Davies and Morris 1993, doi 10.1023/A:1018943613122 (1800 g and
    1450 mL/min at 70 kg); protein 32 (95 % 29 to 34) mg/g and cells 99 (74 to 131) million/g, Barter 2007,
    doi 10.2174/138920007779315053.
    """

    weight_g_per_kg: Positive = 25.7
    blood_flow_ml_per_min_per_kg: Positive = 20.7
    microsomal_protein_mg_per_g: Positive = 32.0
    hepatocytes_1e6_per_g: Positive = 99.0
    source: str = "Davies and Morris 1993; Barter 2007"

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> Liver:
        if self.model_fields_set and "source" not in self.model_fields_set:
            raise ValueError('numbers of a liver of your own need "source"')
        return self


class Scaling(Document):
    """Animals and vials instead of people; docs/pharmacokinetics.md, "No human data".

    weight_kg: of the human.   blood_to_plasma: left out, 1.   other_clearance_l_per_h: from plasma, human,
    not by enzymes of the liver; added to what vials give.   variance: of the log between patients, assumed,
    by parameter.   why: of other_clearance_l_per_h and variance.
    """

    weight_kg: Positive = 70.0
    liver_model: Literal["well-stirred", "parallel-tube"] = "well-stirred"
    liver: Liver = Liver()
    blood_to_plasma: Positive | None = None
    other_clearance_l_per_h: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    species: tuple[Animal, ...] = ()
    in_vitro: tuple[Incubation, ...] = ()
    variance: dict[str, Positive] = {}  # noqa: RUF012 (pydantic copies defaults)
    why: str = ""

    @model_validator(mode="after")
    def _is_enough(self) -> Scaling:
        if not (self.species or self.in_vitro):
            raise ValueError("needs at least one [[pk.scaling.species]] or [[pk.scaling.in_vitro]]")
        if (self.variance or self.other_clearance_l_per_h) and not self.why:
            raise ValueError('"variance" and "other_clearance_l_per_h" are assumed here and need "why"')
        names = [animal.species for animal in self.species]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f'species "{twice}" stands twice; give the mean of its studies in one row')
        for name in SCALABLE:
            weights = [row.weight_kg for row in self.species if getattr(row, name) is not None]
            if len(weights) > 2 and len(set(weights)) == 1:
                raise ValueError(f"{name}: all species have one body weight; the exponent cannot be told")
        return self

    @property
    def scaled(self) -> tuple[str, ...]:
        """Parameters that follow from the rows, in the order of the model."""
        of_animals = {name for name in SCALABLE for row in self.species if getattr(row, name) is not None}
        of_vials = {"clearance_l_per_h"} if self.in_vitro else set()
        return tuple(name for name in SCALABLE if name in of_animals | of_vials)
