"""What a trial protocol says: arms, doses, randomisation, visits, case-mix, follow-up, what follows
progression.

The classes mirror the TOML file (docs/trials.md) and check it field by field; `loading` turns a finding into
an
error that names file, field, what was expected and the next step.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from glueprint.trials.schedule import parse_days

__all__ = [
    "AgeDose",
    "Arm",
    "CaseMix",
    "Continuation",
    "Count",
    "Drug",
    "FollowUp",
    "Levels",
    "LogNormal",
    "Measurement",
    "Normal",
    "Protocol",
    "Randomisation",
    "Stratum",
    "Visits",
]

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
SHARE_TOLERANCE = 1e-6


class Section(BaseModel):
    """A part of the file: frozen, and no field is ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AgeDose(Section):
    """Another dose above an age."""

    age_y: Positive
    dose_mg: Positive


class Drug(Section):
    """One drug of a regimen: dose and days of the cycle, "1-21" or "1,8,15,22"."""

    compound: str
    dose_mg: Positive
    days: str
    above_age: AgeDose | None = None
    rules: str | None = None

    @field_validator("days")
    @classmethod
    def _readable_days(cls, days: str) -> str:
        parse_days(days)
        return days


class Continuation(Section):
    """What a share of an arm's patients receives after progression was seen."""

    share_of_progressed: Share
    delay_days: Annotated[int, Field(ge=0)] = 0
    keep_current: bool = False
    drugs: tuple[Drug, ...] = Field(min_length=1)
    sources: tuple[str, ...] = ()
    assumed: str = ""


class Arm(Section):
    """One arm: its name, its size, its drugs."""

    name: str = Field(min_length=1)
    patients: Annotated[int, Field(ge=1)]
    drugs: tuple[Drug, ...] = Field(min_length=1)
    after_progression: Continuation | None = None
    sources: tuple[str, ...] = ()


class Stratum(Section):
    """A stratification factor: a covariate, cut into levels where it is a number."""

    covariate: str
    cuts: tuple[float, ...] = ()


class Randomisation(Section):
    """How patients come to arms: stratified permuted blocks in the given ratio."""

    ratio: tuple[Annotated[int, Field(ge=1)], ...]
    blocks_of: Annotated[int, Field(ge=1)]
    strata: tuple[Stratum, ...] = ()


class Visits(Section):
    """When counts and M-protein are seen; `window_days` is how far a visit may lie from its planned day."""

    weekly_for_weeks: Annotated[int, Field(ge=0)]
    then_every_days: Annotated[int, Field(ge=1)]
    assessment_every_days: Annotated[int, Field(ge=1)]
    window_days: Annotated[int, Field(ge=0)] = 0
    confirmation_after_days: Annotated[int, Field(ge=1)] = 7


class FollowUp(Section):
    """Months from randomisation to the data cut: shortest, median and longest over the patients."""

    minimum_months: Positive
    median_months: Positive
    maximum_months: Positive
    sources: tuple[str, ...] = ()
    assumed: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> FollowUp:
        if not self.minimum_months <= self.median_months <= self.maximum_months:
            raise PydanticCustomError(
                "GP-T011",
                "follow-up of {low} / {median} / {high} months is not in order",
                {
                    "low": self.minimum_months,
                    "median": self.median_months,
                    "high": self.maximum_months,
                    "expected": "minimum_months <= median_months <= maximum_months",
                    "next_step": "put the three follow-up times in order",
                },
            )
        return self


class Provenance(Section):
    """Where a distribution comes from: evidence ids, or why it is assumed."""

    sources: tuple[str, ...] = ()
    assumed: str = ""

    @model_validator(mode="after")
    def _has_origin(self) -> Provenance:
        if not self.sources and not self.assumed.strip():
            raise PydanticCustomError(
                "GP-T013",
                "a distribution without an origin",
                {
                    "expected": 'sources = ["CL117"] (evidence ids) or assumed = "why"',
                    "next_step": "say where the numbers come from",
                },
            )
        return self


class _Bounded(Provenance):
    low: float
    high: float

    @model_validator(mode="after")
    def _bounds(self) -> _Bounded:
        if not self.low < self.high:
            raise PydanticCustomError(
                "GP-T012",
                "low {low} is not below high {high}",
                {
                    "low": self.low,
                    "high": self.high,
                    "expected": "low < high, with the middle of the distribution between them",
                    "next_step": "correct the limits",
                },
            )
        return self


class Normal(_Bounded):
    """A normal distribution cut to [low, high]."""

    kind: Literal["normal"]
    mean: float
    sd: Positive


class LogNormal(_Bounded):
    """A log-normal distribution cut to [low, high]; `log_sd` is the standard deviation of the natural
    logarithm."""

    kind: Literal["lognormal"]
    median: Positive
    log_sd: Positive


class Count(_Bounded):
    """Whole numbers: a log-normal distribution cut to [low, high] and rounded."""

    kind: Literal["count"]
    median: Positive
    log_sd: Positive


class Levels(Provenance):
    """Named levels with their shares, which add to 1."""

    kind: Literal["levels"]
    shares: dict[str, Share] = Field(min_length=1)

    @model_validator(mode="after")
    def _adds_to_one(self) -> Levels:
        total = sum(self.shares.values())
        if abs(total - 1.0) > SHARE_TOLERANCE:
            raise PydanticCustomError(
                "GP-T010",
                "the shares of {names} add to {total}",
                {
                    "names": ", ".join(self.shares),
                    "total": f"{total:.6g}",
                    "expected": "shares that add to 1",
                    "next_step": "correct the shares; write 25 % as 0.25",
                },
            )
        return self


Quantity = Annotated[Normal | LogNormal | Count, Field(discriminator="kind")]


class CaseMix(Section):
    """Who is enrolled: one distribution per covariate, whose limits are the limits of eligibility.

    death_hazard_ratio: multiplies the mechanism's hazard of death, for what acts on it beside the tumour.
    """

    sex: Levels
    age_y: Quantity
    weight_kg: Quantity
    total_protein_g_per_l: Quantity
    creatinine_clearance_ml_per_min: Quantity
    anc_1e9_per_l: Quantity
    platelets_1e9_per_l: Quantity
    haemoglobin_g_per_dl: Quantity
    m_protein_g_per_l: Quantity
    prior_lines: Quantity
    death_hazard_ratio: Quantity
    cytogenetic_risk: Levels
    disease_population: Levels

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the covariates."""
        return tuple(type(self).model_fields)


class Measurement(Section):
    """Residual error of what is measured at a visit: log standard deviations, and two parts for M-protein."""

    anc_log_sd: Annotated[float, Field(ge=0)]
    platelets_log_sd: Annotated[float, Field(ge=0)]
    haemoglobin_log_sd: Annotated[float, Field(ge=0)]
    m_protein_sd_g_per_l: Annotated[float, Field(ge=0)]
    m_protein_cv: Annotated[float, Field(ge=0)]
    m_protein_detection_g_per_l: Annotated[float, Field(ge=0)]
    ctcae_version: int = 4
    sources: tuple[str, ...] = ()
    assumed: str = ""


class Protocol(Section):
    """A whole trial protocol."""

    kind: Literal["glueprint-trial"]
    version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    registry: str = ""
    population: str = ""
    cycle_days: Annotated[int, Field(ge=1, le=365)]
    arms: tuple[Arm, ...] = Field(min_length=1)
    randomisation: Randomisation
    visits: Visits
    follow_up: FollowUp
    case_mix: CaseMix
    measurement: Measurement
    sources: tuple[str, ...] = ()

    @property
    def patients(self) -> int:
        """Patients in all arms together."""
        return sum(arm.patients for arm in self.arms)
