"""What a file of dose rules says: how doses fall, limits per lineage, what other toxicity does.

The classes mirror the TOML file (docs/trials.md) and check it field by field; `rules_loading` turns a finding
into an error, and `doserules` applies the rules at a visit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from glueprint.trials.protocol.sections import Positive, Section

__all__ = ["ANY", "DoseRules", "Fall", "Lineage", "OtherToxicity", "Reductions"]

ANY = "any"
Count = Annotated[float, Field(ge=0)]
Fall = Literal["lower", "same", "same if alone"]


def _contradiction(problems: Sequence[str], expected: str) -> PydanticCustomError:
    return PydanticCustomError(
        "GP-T067",
        "{problems}",
        {
            "problems": "; ".join(problems),
            "expected": expected,
            "next_step": "correct the numbers; `glueprint trial rules template` explains each of them",
        },
    )


class Reductions(Section):
    """How a dose falls: through a list of levels, or by steps.

    levels_mg: highest first; a dose falls to the next lower one.   step_mg, step_percent: by how much a dose
    falls, in mg or in per cent of the dose before.   first_mg: what a higher dose falls to at first, whatever
    the step.   lowest_mg: of doses that fall by steps.
    at_lowest: what follows where a dose should fall below the lowest: the drug is stopped for good, or
    resumed at the lowest dose ("stay").
    other_starts: whether a trial may start on a dose that is none of the levels.
    """

    levels_mg: tuple[Positive, ...] = ()
    step_mg: Positive | None = None
    step_percent: Annotated[float, Field(gt=0, lt=100)] | None = None
    first_mg: Positive | None = None
    lowest_mg: Positive | None = None
    at_lowest: Literal["stop", "stay"]
    other_starts: Literal["refused", "next level"] = "refused"

    @property
    def least_mg(self) -> float:
        """The lowest dose that is given."""
        return self.levels_mg[-1] if self.levels_mg else self.lowest_mg or 0.0

    @model_validator(mode="after")
    def _are_one_way_down(self) -> Reductions:
        steps = [step for step in (self.step_mg, self.step_percent) if step is not None]
        ways = len(steps) + bool(self.levels_mg)
        problems = []
        if ways != 1:
            problems.append(f"{ways or 'none'} of levels_mg, step_mg and step_percent given")
        elif steps and self.lowest_mg is None:
            problems.append("steps without lowest_mg: the dose would fall for ever")
        elif steps and self.other_starts == "next level":
            problems.append("steps have no levels, so that other_starts says nothing")
        elif self.levels_mg and (self.first_mg is not None or self.lowest_mg is not None):
            problems.append("first_mg and lowest_mg belong to steps; the levels say both")
        if any(low >= high for high, low in zip(self.levels_mg, self.levels_mg[1:], strict=False)):
            problems.append(f"levels_mg {list(self.levels_mg)} do not fall")
        if self.first_mg is not None and self.first_mg < (self.lowest_mg or 0.0):
            problems.append(f"first_mg {self.first_mg:g} is below lowest_mg {self.lowest_mg:g}")
        if problems:
            raise _contradiction(
                problems, "levels_mg = [4, 3, 2, 1], or step_mg or step_percent with lowest_mg"
            )
        return self


class Lineage(Section):
    """Limits of one kind of blood cells, 1e9/L.

    hold_below: the drug is held (0: never).   resume_at_least: it goes on.   cycle_at_least: a cycle
    begins (0: with any count).
    first_fall, later_falls: the dose with which a hold ends that the first fall, and each later one,
    brought; "same if alone" is the same dose if nothing else happened in that hold, and otherwise lower.
    """

    hold_below_1e9_per_l: Count
    resume_at_least_1e9_per_l: Count
    cycle_at_least_1e9_per_l: Count
    first_fall: Fall
    later_falls: Fall

    @model_validator(mode="after")
    def _resumes_above_the_hold(self) -> Lineage:
        hold, resume = self.hold_below_1e9_per_l, self.resume_at_least_1e9_per_l
        if resume < hold:
            raise _contradiction(
                [f"the drug would resume at {resume:g}, where it is held below {hold:g}"],
                "resume_at_least_1e9_per_l of at least hold_below_1e9_per_l",
            )
        return self


class OtherToxicity(Section):
    """Toxicity of grade 3 or 4 that is no blood count: days of the hold, and the dose with which it ends."""

    hold_days: Annotated[int, Field(ge=0)]
    resume: Literal["lower", "same"]


class DoseRules(Section):
    """Dose rules of one label or one trial.

    compounds: whose doses they speak of, or ("any",).   counts_while_held_every_days: how often counts are
    looked at during a hold, beside the planned visits.
    """

    kind: Literal["glueprint-dose-rules"]
    version: Literal[2]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    compounds: tuple[str, ...] = Field(min_length=1)
    counts_while_held_every_days: Annotated[int, Field(ge=1)]
    reductions: Reductions
    anc: Lineage
    platelets: Lineage
    other_toxicity: OtherToxicity
    sources: tuple[str, ...] = ()
    assumed: str = Field(default="", validate_default=True)

    # Validators of fields, and none of the whole, so that all findings of a file come together.
    @field_validator("compounds")
    @classmethod
    def _are_any_or_some(cls, compounds: tuple[str, ...]) -> tuple[str, ...]:
        if ANY in compounds and len(compounds) > 1:
            raise _contradiction(
                ['"any" beside other compounds'], 'names of compounds, or compounds = ["any"] alone'
            )
        return compounds

    @field_validator("assumed")
    @classmethod
    def _have_an_origin(cls, assumed: str, given: ValidationInfo) -> str:
        if not given.data.get("sources", True) and not assumed.strip():
            raise _contradiction(
                ["nothing says where the rules come from"],
                'sources = ["CL155"] (evidence ids) or assumed = "why"',
            )
        return assumed

    def are_for(self, compound: str) -> bool:
        """Whether the rules speak of the doses of this compound."""
        return compound in self.compounds or self.compounds == (ANY,)
