"""A fact of the evidence, what the model computes for it, and what being right is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from glueprint.experiments import provenance
from glueprint.experiments.cultures import grow
from glueprint.mechanism import Quantity, Scenario

__all__ = ["Fact", "Found", "Worth"]

# What a fact is worth as a test of the model.
Worth = Literal["predicted", "calibrated", "input", "by construction"]


@dataclass(frozen=True)
class Found:
    """What the model says: in words, and whether that is what the evidence says."""

    computed: str
    right: bool


@dataclass(frozen=True)
class Fact:
    """A statement of the evidence and the computation that may bear it out.

    claims: ids.   behind: cultures whose parameters the computation used, as (model, compound, line).
    structure: said where the answer is built into the equations, so that being right proves nothing.
    """

    claims: tuple[str, ...]
    statement: str
    compute: Callable[[], Found]
    behind: tuple[tuple[str, str, str | None], ...]
    structure: str = ""

    def row(self) -> dict[str, object]:
        """The fact as a row of `facts.SCHEMA`."""
        found, (label, why) = self.compute(), self._worth()
        return {
            "claim": ", ".join(self.claims),
            "statement": self.statement,
            "computed": found.computed,
            "right": found.right,
            "label": label,
            "counts": label == "predicted",
            "why": why,
        }

    def _worth(self) -> tuple[Worth, str]:
        """How much of the evidence went into the parameters behind the computation."""
        numbers: dict[str, Quantity] = {}
        for model, compound, line in self.behind:
            cells = grow(model, Scenario.of(compound, line=line))
            fraction = cells.glue.pharmacology.fraction_unbound
            numbers |= {f"{name} ({line or compound})": q for name, q in cells.behind.items()}
            numbers |= {"fraction_unbound": fraction} if fraction else {}
        users = provenance.used_by(self.claims, numbers)
        if users:
            label: Worth = "input" if any(numbers[n].role == "input" for n in users) else "calibrated"
            return label, "used for " + ", ".join(users)
        if self.structure:
            return "by construction", self.structure
        return "predicted", "no parameter behind it names the claim, its copies or what it was derived from"
