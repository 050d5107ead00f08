"""The checks that run over the claims: one class a check, all in the tuple CHECKS."""

from __future__ import annotations

from collections.abc import Iterable

from glueprint.evidence.checks import base
from glueprint.evidence.checks.base import SEVERITIES, Check, ClaimSet, Finding
from glueprint.evidence.checks.binding import InhibitionBelowConstant, TracerAtKd, ValuesApart
from glueprint.evidence.checks.exposure import AreaAgainstClearance, PeakAgainstArea
from glueprint.evidence.checks.form import (
    CopyDiffers,
    DuplicateId,
    IntervalHoldsValue,
    NumberHasUnit,
    SourcePresent,
    SupersededBy,
    UnitKnown,
)
from glueprint.evidence.checks.identity import ReagentStructure
from glueprint.evidence.checks.outcomes import AnalysesDiffer, TableMixesSources

__all__ = ["CHECKS", "SEVERITIES", "Check", "Finding", "run_checks"]

CHECKS: tuple[Check, ...] = (
    DuplicateId(),
    UnitKnown(),
    NumberHasUnit(),
    IntervalHoldsValue(),
    SourcePresent(),
    CopyDiffers(),
    SupersededBy(),
    InhibitionBelowConstant(),
    TracerAtKd(),
    ValuesApart(),
    AnalysesDiffer(),
    TableMixesSources(),
    AreaAgainstClearance(),
    PeakAgainstArea(),
    ReagentStructure(),
)


def run_checks(claims: ClaimSet, checks: Iterable[Check] = CHECKS) -> list[Finding]:
    """The findings of the checks in their order; other rooms add theirs: `checks=CHECKS + (MyCheck(),)`."""
    return base.run_checks(claims, checks)
