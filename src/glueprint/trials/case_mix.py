"""What a protocol says about who is enrolled: one distribution per covariate, cut to the limits of
eligibility."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from glueprint.trials.sections import Positive, Provenance, Section, Share

__all__ = ["CaseMix", "Count", "Levels", "LogNormal", "Normal", "Quantity"]

SHARE_TOLERANCE = 1e-6


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
