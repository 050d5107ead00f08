"""Checks of identity: one role in the synthesis of one product, one structure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from glueprint.evidence.checks.base import Check, ClaimSet
from glueprint.evidence.claim import Claim

__all__ = ["ReagentStructure"]


class ReagentStructure(Check):
    """Routes to one product name different structures for the same building block."""

    code = "EV-reagent"
    severity = "warning"
    title = "one building block, two structures"
    remedy = "run the reaction on both structures; only one can give the product"

    def look(self, claims: ClaimSet) -> Iterator[tuple[Sequence[Claim], str]]:
        """Building blocks (same endpoint, same product) with more than one canonical SMILES."""
        groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        for claim in claims:
            if claim.topic == "synthesis" and claim.endpoint and claim.structure and not claim.same_as:
                groups[claim.compound, claim.endpoint].append(claim)
        for (product, block), group in groups.items():
            if len({claim.structure for claim in group}) > 1:
                said = "; ".join(f"{claim.text} = {claim.structure} ({claim.id})" for claim in group)
                yield group, f"{block} in routes to {product}: {said}"
