"""What calibration reads of a claim; `glueprint.evidence.Claim` has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class ClaimLike(Protocol):
    """A published number with its unit and interval, what it is of, and its role."""

    @property
    def id(self) -> str: ...
    @property
    def quantity(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def interval_kind(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def n(self) -> int | None: ...
    @property
    def compound(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def trial(self) -> str: ...
    @property
    def arm(self) -> str: ...
    @property
    def subgroup(self) -> str: ...
    @property
    def analysis(self) -> str: ...
    @property
    def role(self) -> str: ...


ClaimsLike = Iterable[ClaimLike]


@dataclass(frozen=True)
class Excluded:
    """A claim that was looked at and not used, with the reason."""

    claim_id: str
    reason: str
