"""Conflicts: what the claims say differently about one thing, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glueprint.evidence.checks import Check, run_checks
from glueprint.evidence.checks.binding import InhibitionBelowConstant, TracerAtKd, ValuesApart
from glueprint.evidence.checks.exposure import AreaAgainstClearance, PeakAgainstArea
from glueprint.evidence.checks.identity import ReagentStructure
from glueprint.evidence.checks.outcomes import AnalysesDiffer, TableMixesSources
from glueprint.evidence.claim import Claim

if TYPE_CHECKING:
    from glueprint.evidence.claims import Claims

__all__ = ["COMPARING", "Conflict", "find"]

# The checks that set claims against each other; the checks of form look at one claim at a time.
COMPARING: tuple[Check, ...] = (
    InhibitionBelowConstant(),
    TracerAtKd(),
    ValuesApart(),
    AnalysesDiffer(),
    TableMixesSources(),
    AreaAgainstClearance(),
    PeakAgainstArea(),
    ReagentStructure(),
)


@dataclass(frozen=True)
class Conflict:
    """Claims that do not fit together: the check that found it, what differs, and the claims themselves."""

    code: str
    title: str
    what: str
    claims: tuple[Claim, ...]

    @property
    def claim_ids(self) -> tuple[str, ...]:
        """The ids of the claims."""
        return tuple(claim.id for claim in self.claims)


def find(claims: Claims, checks: Iterable[Check] = COMPARING) -> list[Conflict]:
    """All conflicts, in the order of the checks; a claim is never set against its own copy."""
    return [
        Conflict(finding.code, finding.title, finding.what, tuple(claims[name] for name in finding.claim_ids))
        for finding in run_checks(claims, checks)
    ]
