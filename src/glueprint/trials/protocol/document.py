"""What a trial protocol says: arms, doses, randomisation, visits, case-mix, follow-up, supportive care.

The classes mirror the TOML file (docs/trials.md) and check it field by field; `loading` turns a finding into
an error that names file, field, what was expected and the next step.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from glueprint.mechanism import Compound, Partner, compounds
from glueprint.trials.protocol.case_mix import CaseMix, Count, Levels, LogNormal, Normal
from glueprint.trials.protocol.course import (
    Accrual,
    DataCut,
    Departures,
    Eligibility,
    Monitoring,
    Pool,
    follow_up_of,
)
from glueprint.trials.protocol.drugs import drug_of
from glueprint.trials.protocol.endpoint import LANDMARK_MONTHS
from glueprint.trials.protocol.rules_document import DoseRules
from glueprint.trials.protocol.schedule import parse_days
from glueprint.trials.protocol.sections import Positive, Section, Share

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
    "SupportiveCare",
    "Visits",
    "with_follow_up",
]


class AgeDose(Section):
    """Another dose above an age."""

    age_y: Positive
    dose_mg: Positive


def _is_content(rules: Any) -> str:
    """Whether dose rules are named, or written out (their content)."""
    return "name" if rules is None or isinstance(rules, str) else "content"


Rules = Annotated[
    Annotated[str | None, Tag("name")] | Annotated[DoseRules, Tag("content")], Discriminator(_is_content)
]


class Drug(Section):
    """One drug of a regimen: dose and days of the cycle, "1-21", "1,8,15,22" or "1-21/2" (alternate days).

    compound: a glue by name, by path (from the folder of the protocol's file) or as a `Compound`; or a
    partner drug by name.   dose_mg: 0 gives none of it.
    """

    compound: Compound | Partner
    dose_mg: Annotated[float, Field(ge=0)]
    days: str
    above_age: AgeDose | None = None
    rules: Rules = None

    @field_validator("rules", mode="before")
    @classmethod
    def _name_or_content(cls, rules: Any) -> Any:
        if rules is None or isinstance(rules, str | dict | DoseRules):
            return rules
        raise PydanticCustomError(
            "GP-T006",
            "{rules} are no dose rules",
            {
                "rules": repr(rules),
                "expected": 'a name in quotes, the path of a file in quotes, or "none"',
                "next_step": "correct the value; `glueprint trial rules list` shows the names",
            },
        )

    @field_validator("compound", mode="before")
    @classmethod
    def _resolved(cls, given: object, info: ValidationInfo) -> Compound | Partner:
        return drug_of(given, (info.context or {}).get("folder"))

    @property
    def name(self) -> str:
        """The drug's name, as tables and figures print it."""
        return self.compound.name

    @property
    def glue(self) -> Compound | None:
        """The compound, None for a partner drug."""
        return self.compound if isinstance(self.compound, Compound) else None

    @property
    def most_mg(self) -> float:
        """The largest dose that a patient of any age starts with, mg."""
        return max(self.dose_mg, self.above_age.dose_mg) if self.above_age else self.dose_mg

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
    """One arm: its name, its size, its drugs.

    conditions: of all its patients, that change how the glue is cleared, by names of the compound's file.
    """

    name: str = Field(min_length=1)
    patients: Annotated[int, Field(ge=1)]
    drugs: tuple[Drug, ...] = Field(min_length=1)
    after_progression: Continuation | None = None
    conditions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def all_drugs(self) -> tuple[Drug, ...]:
        """What its patients are given, at first and after progression."""
        return (*self.drugs, *(self.after_progression.drugs if self.after_progression else ()))

    @property
    def glue(self) -> Compound | None:
        """The glue of its patients, at first or later; None where there is none."""
        return next((drug.glue for drug in self.all_drugs if drug.glue), None)


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


class SupportiveCare(Section):
    """G-CSF: to nobody, to those whose neutrophils have fallen (secondary), or to all under a glue (primary).

    gcsf_fold: G-CSF over its endogenous level while it is given.   gcsf_below_1e9_per_l: neutrophils that
    start a secondary course, of `gcsf_days` or until they reach gcsf_until_1e9_per_l.
    """

    gcsf: Literal["none", "secondary", "primary"] = "none"
    gcsf_fold: Annotated[float, Field(ge=1)] = 1.0
    gcsf_below_1e9_per_l: Positive = 0.5
    gcsf_until_1e9_per_l: Positive = 1.0
    gcsf_days: Annotated[int, Field(ge=1)] = 7
    sources: tuple[str, ...] = ()
    assumed: str = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> SupportiveCare:
        if self.gcsf != "none" and self.gcsf_fold == 1.0:
            raise PydanticCustomError(
                "GP-T050",
                "{gcsf} G-CSF of gcsf_fold 1 would do nothing",
                {
                    "gcsf": self.gcsf,
                    "expected": "gcsf_fold above 1: G-CSF over its endogenous level",
                    "next_step": 'give gcsf_fold, such as 10, or write gcsf = "none"',
                },
            )
        if self.gcsf_until_1e9_per_l < self.gcsf_below_1e9_per_l:
            raise PydanticCustomError(
                "GP-T050",
                "G-CSF would start below {below} and end already at {until} 1e9/L",
                {
                    "below": self.gcsf_below_1e9_per_l,
                    "until": self.gcsf_until_1e9_per_l,
                    "expected": "gcsf_until_1e9_per_l at least gcsf_below_1e9_per_l",
                    "next_step": "correct the two counts",
                },
            )
        return self


# Beyond this a reading says nothing of what was read: per cent written for a share. Own choice.
MOST_ERROR = 2.0


class Measurement(Section):
    """Residual error of what is measured at a visit: log standard deviations, and two parts for M-protein."""

    anc_log_sd: Annotated[float, Field(ge=0, le=MOST_ERROR)]
    platelets_log_sd: Annotated[float, Field(ge=0, le=MOST_ERROR)]
    haemoglobin_log_sd: Annotated[float, Field(ge=0, le=MOST_ERROR)]
    m_protein_sd_g_per_l: Annotated[float, Field(ge=0)]
    m_protein_cv: Annotated[float, Field(ge=0, le=MOST_ERROR)]
    m_protein_detection_g_per_l: Annotated[float, Field(ge=0)]
    # Immunofixation sees about a fifth of what electrophoresis does; assumed.
    immunofixation_g_per_l: Annotated[float, Field(ge=0)] = 0.1
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
    supportive_care: SupportiveCare = SupportiveCare()
    # At which the curves are read, months from randomisation.
    landmark_months: tuple[Positive, ...] = LANDMARK_MONTHS
    accrual: Accrual | None = None
    data_cuts: tuple[DataCut, ...] = ()
    monitoring: Monitoring | None = None
    pools: tuple[Pool, ...] = ()
    departures: Departures = Departures()
    eligibility: Eligibility = Eligibility()
    # Optional endpoints and adverse events that this trial records, by their names.
    records: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def patients(self) -> int:
        """Patients in all arms together."""
        return sum(arm.patients for arm in self.arms)

    @property
    def glues(self) -> tuple[Compound, ...]:
        """The glues that its arms give, each once."""
        return tuple(dict.fromkeys(arm.glue for arm in self.arms if arm.glue))

    def glue_of(self, arm: Arm) -> Compound:
        """The glue whose numbers the model of an arm's patients carries.

        Where the arm gives none it stays undosed, and is that of another arm, or the usual one.
        """
        return arm.glue or (self.glues[0] if self.glues else compounds.load(compounds.REFERENCE))


def with_follow_up(data: dict[str, Any]) -> dict[str, Any]:
    """The tables of a protocol; where patients come by a calendar, follow-up, which need not be written, is
    what the calendar comes to."""
    if data.get("accrual") is None or "follow_up" in data:
        return data
    try:
        cuts = [DataCut.model_validate(cut) for cut in data.get("data_cuts", ())]
        patients = sum(int(arm["patients"]) for arm in data["arms"])
        derived = dict(follow_up_of(Accrual.model_validate(data["accrual"]), cuts, patients))
        FollowUp.model_validate(derived)
    except (ValueError, TypeError, KeyError):
        # Findings of their own; this stands in so that the section is not called missing.
        derived = dict.fromkeys(("minimum_months", "median_months", "maximum_months"), 1.0)
    return {**data, "follow_up": derived}
