"""What a check is: a small class with a code that looks at all claims and returns findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from glueprint.evidence.claim import Claim

__all__ = ["SEVERITIES", "Check", "Finding", "agree", "run_checks"]

# Errors and warnings make `glueprint evidence check` end with 1, remarks do not.
SEVERITIES = ("error", "warning", "remark")
# Printed numbers carry two or three digits: one per cent apart is the same number.
SAME = 0.01


@dataclass(frozen=True)
class Finding:
    """What a check found: its code, the claims it is about, what does not fit and what to do."""

    code: str
    severity: str
    title: str
    claim_ids: tuple[str, ...]
    what: str
    remedy: str


class ClaimSet(Protocol):
    """What a check needs of the claims."""

    def __iter__(self) -> Iterator[Claim]: ...
    def __contains__(self, claim_id: object) -> bool: ...
    def __getitem__(self, claim_id: str) -> Claim: ...


class Check:
    """Base of the checks; a subclass sets the four texts and writes `look`."""

    code: ClassVar[str]
    severity: ClassVar[str]
    title: ClassVar[str]
    remedy: ClassVar[str]

    def look(self, claims: ClaimSet) -> Iterator[tuple[Sequence[Claim], str]]:
        """Yield the claims concerned and what does not fit, once for each finding."""
        raise NotImplementedError

    def run(self, claims: ClaimSet) -> list[Finding]:
        """All findings of this check."""
        return [
            Finding(
                self.code, self.severity, self.title, tuple(claim.id for claim in about), what, self.remedy
            )
            for about, what in self.look(claims)
        ]


def run_checks(claims: ClaimSet, checks: Iterable[Check]) -> list[Finding]:
    """The findings of the given checks, in their order."""
    return [finding for check in checks for finding in check.run(claims)]


def agree(first: float, second: float, tolerance: float = SAME) -> bool:
    """Whether two printed numbers are the same within a relative tolerance."""
    return abs(first - second) <= tolerance * max(abs(first), abs(second))
