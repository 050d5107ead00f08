"""What a number of the model must say about itself in a TOML file."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from glueprint.documents import Codes, Document
from glueprint.units import is_known

__all__ = ["CODES", "Covariance", "CovariateEffect", "Quantity"]

CODES = Codes(
    unreadable="GP-M002",
    syntax="GP-M003",
    header="GP-M010",
    field="GP-M004",
    help="docs/mechanism.md shows a whole compound file",
)


class Quantity(Document):
    """One parameter: typical value, unit, spread between patients, role and source.

    variability: "lognormal" (omega2 is the variance of the log), "logit" (of the logit) or "none".
    evidence: ids of the evidence room.   why: needed where the role is "assumed".
    """

    typical: float
    unit: str
    role: Literal["input", "calibrated", "assumed"]
    evidence: tuple[str, ...] = ()
    why: str = ""
    variability: Literal["lognormal", "logit", "none"] = "none"
    omega2: float = 0.0

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> Quantity:
        if self.role == "assumed" and not self.why:
            raise ValueError('an assumed value needs "why"')
        if self.role != "assumed" and not self.evidence:
            raise ValueError(
                f'role "{self.role}" needs at least one evidence id, or role = "assumed" and "why"'
            )
        if not is_known(self.unit):
            raise ValueError(
                f'unit "{self.unit}" is not known; write it like nM, 1/h, L/h, ng/mL or dimensionless'
            )
        if (self.variability == "none") != (self.omega2 == 0.0) or self.omega2 < 0:
            raise ValueError(
                'omega2 > 0 belongs with variability = "lognormal" or "logit", and 0 with "none"'
            )
        return self


class Covariance(Document):
    """Covariance of two random effects on the scale of their variabilities."""

    between: tuple[str, str]
    value: float
    evidence: tuple[str, ...]


class CovariateEffect(Document):
    """A covariate on a parameter: (x/reference)^coefficient, or 1 + coefficient (x - reference)."""

    parameter: str
    covariate: Literal["sex_female", "weight_kg", "total_protein_g_per_l", "age_y"]
    form: Literal["power", "linear"]
    coefficient: float
    reference: float
    evidence: tuple[str, ...]
