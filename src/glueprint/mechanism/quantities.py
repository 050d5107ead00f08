"""What a number of the model must say about itself in a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from glueprint.documents import Codes, Document
from glueprint.errors import nearest
from glueprint.units import is_known

__all__ = [
    "CODES",
    "Covariance",
    "Covariate",
    "CovariateEffect",
    "Prior",
    "Quantity",
    "Role",
    "believed",
    "derived",
    "need_priors",
]

CODES = Codes(
    unreadable="GP-M002",
    syntax="GP-M003",
    header="GP-M010",
    field="GP-M004",
    help="docs/mechanism.md shows a whole compound file",
)


class LognormalPrior(Document):
    """Log-normal about the typical value; sd_log10 is the standard deviation of the decimal logarithm."""

    distribution: Literal["lognormal"]
    sd_log10: Annotated[float, Field(gt=0)]
    why: str = ""

    def __str__(self) -> str:
        return f"lognormal, SD {self.sd_log10:g} log10"


class LogitNormalPrior(Document):
    """Logit-normal about a typical value between 0 and 1; sd_logit is the standard deviation of the logit."""

    distribution: Literal["logit-normal"]
    sd_logit: Annotated[float, Field(gt=0)]
    why: str = ""

    def __str__(self) -> str:
        return f"logit-normal, SD {self.sd_logit:g} logit"


class UniformPrior(Document):
    """Any value between low and high alike."""

    distribution: Literal["uniform"]
    low: float
    high: float
    why: str = ""

    def __str__(self) -> str:
        return f"uniform, {self.low:g} to {self.high:g}"


class FixedPrior(Document):
    """Not estimated: a switch, a definition or a number that nothing here could move."""

    distribution: Literal["fixed"]
    why: Annotated[str, Field(min_length=1)]

    def __str__(self) -> str:
        return "fixed"


Prior = Annotated[
    LognormalPrior | LogitNormalPrior | UniformPrior | FixedPrior, Field(discriminator="distribution")
]


Role = Literal["input", "measured", "calibrated", "assumed", "definition"]
# Roles that rest on words instead of evidence ids, and what the words must say.
SAYS_WHY = {"measured": "which assay, and how", "assumed": "what speaks for it", "definition": "of what"}
# What is made of two numbers is no better than the worse of them; a definition takes nothing away.
FROM_WORST = ("assumed", "measured", "calibrated", "input", "definition")
DISTRIBUTIONS = ("lognormal", "logit-normal", "uniform", "fixed")


class Quantity(Document):
    """One parameter: typical value, unit, what is believed of it, spread between patients, role and source.

    prior: what is believed of the typical value before any fit; parameter and cell-line files must give it.
    variability: "lognormal" (omega2 is the variance of the log), "logit" (of the logit) or "none".
    role: "input" was read from a source and "calibrated" was fitted, both with evidence ids; "measured" is
    the user's own, "assumed" is believed, "definition" holds by the choice of a scale, all with `why`.
    evidence: ids of the evidence room.
    """

    typical: float
    unit: str
    role: Role
    evidence: tuple[str, ...] = ()
    why: str = ""
    variability: Literal["lognormal", "logit", "none"] = "none"
    omega2: float = 0.0
    prior: Prior | None = None

    @field_validator("prior", mode="before")
    @classmethod
    def _distribution_is_known(cls, value: object) -> object:
        given = value.get("distribution") if isinstance(value, dict) else "fixed"
        if given not in DISTRIBUTIONS:
            known = ", ".join(DISTRIBUTIONS)
            raise ValueError(f'no distribution "{given}"{nearest(str(given), DISTRIBUTIONS)}; one of {known}')
        return value

    @model_validator(mode="after")
    def _prior_fits_the_value(self) -> Quantity:
        prior, value = self.prior, self.typical
        if isinstance(prior, LognormalPrior) and value <= 0:
            raise ValueError('a lognormal prior needs a typical value above 0; "uniform" or "fixed" take 0')
        if isinstance(prior, LogitNormalPrior) and not 0 < value < 1:
            raise ValueError("a logit-normal prior needs a typical value between 0 and 1")
        if isinstance(prior, UniformPrior) and not prior.low <= value <= prior.high:
            raise ValueError("the typical value lies outside its uniform prior")
        return self

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> Quantity:
        if self.role in SAYS_WHY and not self.why:
            raise ValueError(f'role "{self.role}" needs "why": {SAYS_WHY[self.role]}')
        if self.role not in SAYS_WHY and not self.evidence:
            raise ValueError(
                f'role "{self.role}" needs evidence ids; else role = "measured" or "assumed", with "why"'
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


Covariate = Literal[
    "sex_female",
    "weight_kg",
    "total_protein_g_per_l",
    "age_y",
    "creatinine_clearance_ml_per_min",
    "dialysis",
    "hepatic_mild",
    "hepatic_moderate",
    "hepatic_severe",
    "smoker",
    "fluvoxamine",
]


class Covariance(Document):
    """Covariance of two random effects on the scale of their variabilities."""

    between: tuple[str, str]
    value: float
    evidence: tuple[str, ...]


class CovariateEffect(Document):
    """A covariate x on a parameter, which it multiplies; where the covariate `unless` is 1 it does not act.

    form: "power" (x/reference)^coefficient, "linear" 1 + coefficient (x - reference), "linear-below" the same
    up to the reference and 1 above it, "factor" coefficient^x, for covariates that are 0 or 1.
    """

    parameter: str
    covariate: Covariate
    form: Literal["power", "linear", "linear-below", "factor"]
    coefficient: float
    reference: float = 0.0
    unless: Covariate | None = None
    evidence: tuple[str, ...]
    why: str = ""


def believed(quantity: Quantity) -> Prior:
    """The quantity's prior; where its file gives none, one as wide as its role asks for. 0 is fixed."""
    if quantity.prior is not None and (quantity.typical > 0 or isinstance(quantity.prior, UniformPrior)):
        return quantity.prior
    if quantity.typical <= 0:
        return FixedPrior(distribution="fixed", why="0: nothing to scale")
    if quantity.role == "definition":
        return FixedPrior(distribution="fixed", why="by definition")
    width = {"input": 0.1, "measured": 0.1, "calibrated": 0.3, "assumed": 0.5}[quantity.role]
    return LognormalPrior(distribution="lognormal", sd_log10=width, why="its file gives none: by role")


def derived(typical: float, *parts: Quantity, why: str) -> Quantity:
    """A number made of others: unit and prior of the first, role of the worst, evidence of all."""
    first = parts[0]
    role = next(r for r in FROM_WORST if r in {part.role for part in parts})
    evidence = tuple(dict.fromkeys(claim for part in parts for claim in part.evidence))
    reasons = (why, *(part.why for part in parts[1:] if part.role == "assumed"))
    update = {"typical": typical, "role": role, "evidence": evidence, "why": "; ".join(filter(None, reasons))}
    return first.model_copy(update=update)


def need_priors(quantities: Mapping[str, Quantity]) -> None:
    """Raise ValueError, which names the parameter, where a parameter of a model has no prior."""
    for name, quantity in quantities.items():
        if quantity.prior is None:
            raise ValueError(
                f'"{name}" has no prior; add prior = {{ distribution = "lognormal", sd_log10 = 0.3 }}, or '
                'distribution = "logit-normal" with sd_logit, "uniform" with low and high, "fixed" with why'
            )
