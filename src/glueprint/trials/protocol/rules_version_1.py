"""Version 1 of the files of dose rules, which is still read: pomalidomide's label, in mg."""

from __future__ import annotations

from typing import Literal

from glueprint.trials.protocol.rules_document import DoseRules, Lineage, OtherToxicity, Reductions
from glueprint.trials.protocol.sections import Positive, Section

__all__ = ["DoseRulesVersion1"]

WEEK = 7


class DoseRulesVersion1(Section):
    """A file of version 1; counts in 1e9 cells/L, doses in mg."""

    kind: Literal["glueprint-dose-rules"]
    version: Literal[1]
    name: str
    compound: str
    sources: tuple[str, ...]
    hold_anc_below_1e9_per_l: Positive
    hold_platelets_below_1e9_per_l: Positive
    resume_anc_at_least_1e9_per_l: Positive
    resume_platelets_at_least_1e9_per_l: Positive
    cycle_anc_at_least_1e9_per_l: Positive
    cycle_platelets_at_least_1e9_per_l: Positive
    first_resume_mg: Positive
    step_down_mg: Positive
    stop_below_mg: Positive
    # Version 1 looked at the counts every week of a hold, whatever this said.
    weekly_counts_while_held: bool
    other_toxicity_hold_days: int

    def newest(self) -> DoseRules:
        """The same rules as a file of the newest version says them."""
        return DoseRules(
            kind=self.kind,
            version=2,
            name=self.name,
            title=f"{self.name}, from a file of version 1",
            compounds=(self.compound,),
            counts_while_held_every_days=WEEK,
            reductions=Reductions(
                first_mg=self.first_resume_mg,
                step_mg=self.step_down_mg,
                lowest_mg=self.stop_below_mg,
                at_lowest="stop",
            ),
            anc=Lineage(
                hold_below_1e9_per_l=self.hold_anc_below_1e9_per_l,
                resume_at_least_1e9_per_l=self.resume_anc_at_least_1e9_per_l,
                cycle_at_least_1e9_per_l=self.cycle_anc_at_least_1e9_per_l,
                first_fall="lower",
                later_falls="lower",
            ),
            platelets=Lineage(
                hold_below_1e9_per_l=self.hold_platelets_below_1e9_per_l,
                resume_at_least_1e9_per_l=self.resume_platelets_at_least_1e9_per_l,
                cycle_at_least_1e9_per_l=self.cycle_platelets_at_least_1e9_per_l,
                first_fall="lower",
                later_falls="lower",
            ),
            other_toxicity=OtherToxicity(hold_days=self.other_toxicity_hold_days, resume="lower"),
            sources=self.sources,
            assumed="" if self.sources else "a file of version 1 need not say",
        )
