"""What a check is, what it finds, and what all of them together say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["FAILED", "PASSED", "STAGES", "Check", "Outcome", "Qualification", "Seen"]

PASSED, FAILED = "passed", "failed"
STAGES: Mapping[str, str] = {"IQ": "Installation", "OQ": "Operation", "PQ": "Performance"}


@dataclass(frozen=True)
class Seen:
    """What one look found. good: whether it is as expected."""

    good: bool
    expected: str
    found: str


@dataclass(frozen=True)
class Check:
    """One check. id: "OQ-02"; its letters name the stage.   requirement: "R-04" of docs/validation.

    quick: whether it belongs to the quick qualification.   look: finds out.
    """

    id: str
    requirement: str
    title: str
    look: Callable[[], Seen]
    quick: bool = True

    @property
    def stage(self) -> str:
        """IQ, OQ or PQ."""
        return self.id[:2]


@dataclass(frozen=True)
class Outcome:
    """A check that was made. status: PASSED or FAILED.   seconds: information, never a criterion."""

    id: str
    requirement: str
    title: str
    status: str
    expected: str
    found: str
    seconds: float


@dataclass(frozen=True)
class Qualification:
    """All outcomes, on which machine, with which versions, by whom and when.

    left_out: ids of the checks that the quick qualification does not make.
    """

    outcomes: tuple[Outcome, ...]
    left_out: tuple[str, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """PASSED if every check that was made has."""
        return PASSED if all(one.status == PASSED for one in self.outcomes) else FAILED

    def as_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "kind": "glueprint-qualification",
            "version": 1,
            "status": self.status,
            "about": dict(self.about),
            "outcomes": [asdict(one) for one in self.outcomes],
            "left_out": list(self.left_out),
        }
