"""What a protocol says about who is enrolled: one distribution per covariate, cut to the limits of
eligibility."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from scipy.special import ndtr

from glueprint.trials.protocol.sections import Positive, Provenance, Section, Share

__all__ = ["REFRACTORY", "CaseMix", "Correlation", "Count", "Levels", "LogNormal", "Normal", "Quantity"]

SHARE_TOLERANCE = 1e-6
SMALLEST_EIGENVALUE = 1e-6
SMALLEST_SHARE_INSIDE = 1e-3  # below it a cut distribution is all at one of its limits
MOST_LOG_SD = 3.0  # a factor of 400 between the middle two thirds: per cent written for a share; own choice
TINY = float(np.finfo(float).tiny)
# Level of refractoriness -> classes of drugs: "imid", "pi".
REFRACTORY: dict[str, list[str]] = tomllib.loads(
    (files("glueprint.trials.protocol") / "refractoriness.toml").read_text(encoding="utf-8")
)["levels"]
# Levels that mean something to the mechanism. Other covariates name theirs as they like.
LEVELS = {
    "sex": ("female", "male"),
    "cytogenetic_risk": ("standard", "high", "unknown"),
    "smoking": ("non_smoker", "smoker"),
    "hepatic_impairment": ("none", "mild", "moderate", "severe"),
    "refractoriness": tuple(REFRACTORY),
    "ldh": ("normal", "high"),
    "ecog": ("0", "1", "2", "3"),
    "extramedullary": ("no", "yes"),
}


class _Bounded(Provenance):
    low: float
    high: float

    def score(self, value: float) -> float:
        """Distance of a value from the middle, in standard deviations of the normal score."""
        raise NotImplementedError

    def ends(self) -> tuple[float, float]:
        """Limits of the distribution before any rounding."""
        return self.low, self.high

    def scores(self) -> tuple[float, float]:
        """Both limits as normal scores."""
        low, high = map(self.score, self.ends())
        return low, high

    def shares_beyond(self, low: float, high: float) -> tuple[float, float]:
        """Share of those who are enrolled below `low`, and above `high`."""
        first, last = self.scores()
        at = np.clip([self.score(low), self.score(high)], first, last)
        # Of the two tails the one that is small keeps its digits.
        sign = 1.0 if first < 0 else -1.0
        below, above, whole = (
            abs(float(ndtr(sign * b) - ndtr(sign * a)))
            for a, b in ((first, at[0]), (at[1], last), (first, last))
        )
        return below / whole, above / whole

    @model_validator(mode="after")
    def _bounds(self) -> _Bounded:
        if not self.low < self.high:
            raise PydanticCustomError(
                "GP-T012",
                "low {low} is not below high {high}",
                {
                    "low": self.low,
                    "high": self.high,
                    "expected": "low < high",
                    "next_step": "correct the limits",
                },
            )
        return self

    @model_validator(mode="after")
    def _leaves_somebody(self) -> _Bounded:
        low, high = self.scores()
        inside = float(ndtr(high) - ndtr(low)) if low < 0 else float(ndtr(-low) - ndtr(-high))
        if inside < SMALLEST_SHARE_INSIDE:
            raise PydanticCustomError(
                "GP-T044",
                "{share} of the distribution lie between {low} and {high}",
                {
                    "share": f"{inside:.1g}",
                    "low": self.low,
                    "high": self.high,
                    "expected": f"limits that keep at least {SMALLEST_SHARE_INSIDE:g} of the distribution",
                    "next_step": "give the distribution of those who are enrolled, or widen the limits",
                },
            )
        return self


class Normal(_Bounded):
    """A normal distribution cut to [low, high], which are above 0 as everything that is measured."""

    kind: Literal["normal"]
    mean: float
    sd: Positive
    low: Positive

    def score(self, value: float) -> float:
        return (value - self.mean) / self.sd


class _OnLogScale(_Bounded):
    median: Positive
    log_sd: Annotated[float, Field(gt=0, le=MOST_LOG_SD)]

    def score(self, value: float) -> float:
        return float(np.log(max(value, TINY) / self.median) / self.log_sd)


class LogNormal(_OnLogScale):
    """A log-normal distribution cut to [low, high]; `log_sd` is the standard deviation of the natural
    logarithm."""

    kind: Literal["lognormal"]


class Count(_OnLogScale):
    """Whole numbers: a log-normal distribution cut to [low, high] and rounded."""

    kind: Literal["count"]

    def ends(self) -> tuple[float, float]:
        return self.low - 0.5, self.high + 0.5


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


class Correlation(Provenance):
    """How two numeric covariates go together: the correlation of their normal scores (Gaussian copula)."""

    between: tuple[str, str]
    value: Annotated[float, Field(gt=-1, lt=1)]


class CaseMix(Section):
    """Who is enrolled: one distribution per covariate, whose limits are the limits of eligibility.

    death_hazard_ratio: multiplies the mechanism's hazard of death, for what acts on it beside the tumour.
    crbn_level: cereblon in the tumour over that of the typical patient.   What is left out is not drawn
    here; the structure "burden" of the tumour draws it from the reference population given the rest, and in
    the others it acts on nothing.
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
    albumin_g_per_l: Quantity | None = None
    beta2_microglobulin_mg_per_l: Quantity | None = None
    crbn_level: Quantity | None = None
    refractoriness: Levels | None = None
    ldh: Levels | None = None
    ecog: Levels | None = None
    extramedullary: Levels | None = None
    smoking: Levels | None = None
    hepatic_impairment: Levels | None = None
    correlations: tuple[Correlation, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the covariates that are drawn."""
        fields = (name for name in type(self).model_fields if name != "correlations")
        return tuple(name for name in fields if getattr(self, name) is not None)

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of the numeric covariates that follow from others: the stage needs both of its markers."""
        staged = self.albumin_g_per_l is not None and self.beta2_microglobulin_mg_per_l is not None
        return ("iss_stage",) if staged else ()

    @property
    def correlated(self) -> tuple[str, ...]:
        """Names of the covariates that go together with another, in the order of `names`."""
        named = {name for item in self.correlations for name in item.between}
        return tuple(name for name in self.names if name in named)

    def correlation_matrix(self) -> NDArray[np.float64]:
        """(k, k) correlations of the normal scores of `correlated`; pairs that are not named have none."""
        place = {name: number for number, name in enumerate(self.correlated)}
        matrix = np.eye(len(place))
        for item in self.correlations:
            i, j = (place[name] for name in item.between)
            matrix[i, j] = matrix[j, i] = item.value
        return matrix

    @model_validator(mode="after")
    def _levels_are_known(self) -> CaseMix:
        for name, allowed in LEVELS.items():
            levels = getattr(self, name)
            for level in levels.shares if levels is not None else ():
                if level not in allowed:
                    raise PydanticCustomError(
                        "GP-T043",
                        '{name} has no level "{level}"',
                        {
                            "name": name,
                            "level": level,
                            "expected": f"levels of {name} out of {', '.join(allowed)}",
                            "next_step": "correct the name of the level",
                        },
                    )
        return self

    @model_validator(mode="after")
    def _correlations_are_possible(self) -> CaseMix:
        numeric = [name for name in self.names if not isinstance(getattr(self, name), Levels)]
        pairs = [frozenset(item.between) for item in self.correlations]
        for pair in pairs:
            if len(pair) < 2 or not pair <= set(numeric) or pairs.count(pair) > 1:
                raise PydanticCustomError(
                    "GP-T040",
                    "a correlation between {pair}",
                    {
                        "pair": " and ".join(sorted(pair)),
                        "expected": f"each pair once, of two different numbers out of {', '.join(numeric)}",
                        "next_step": "correct `between`, or give the case-mix this covariate",
                    },
                )
        smallest = np.linalg.eigvalsh(self.correlation_matrix()).min(initial=1.0)
        if smallest < SMALLEST_EIGENVALUE:
            raise PydanticCustomError(
                "GP-T041",
                "the correlations between {names} contradict each other (smallest eigenvalue {smallest})",
                {
                    "names": ", ".join(self.correlated),
                    "smallest": f"{smallest:.3g}",
                    "expected": "a positive definite matrix of correlations",
                    "next_step": "bring some of them nearer to 0",
                },
            )
        return self
