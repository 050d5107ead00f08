"""One claim: a published number or statement with everything needed to judge it."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["COLUMNS", "GRADES", "INTERVAL_KINDS", "NUMBER_COLUMNS", "ROLES", "Claim"]

ROLES = {
    "calibration": "a number the model is fitted to",
    "input": "a number that goes into the model as it is",
    "open": "a number that a later fit may use; no target of the present one",
    "prior": "a number that shapes what is believed before a fit; never a target",
    "context": "a number to compare with, or background",
}
GRADES = {
    "A": "the primary text or its tables were read",
    "B": "the abstract, the label or the registry entry was read",
    "C": "a transcription, mirror or vendor page was read, or the number was computed from other claims",
}
INTERVAL_KINDS = {
    "": "no interval",
    "ci95": "95 % confidence interval",
    "ci90": "90 % confidence interval",
    "ui95": "95 % uncertainty interval",
    "bootstrap": "bootstrap interval, level as in the source",
    "range": "smallest to largest",
    "p5-p95": "5th to 95th percentile",
    "iqr": "quartiles",
    "sd": "value minus and plus one standard deviation",
    "se": "value minus and plus one standard error",
    "plus-minus": "value minus and plus what is printed; SD or SE not stated",
    "design": "chosen by the experimenter",
    "derived": "extremes computed from other claims",
    "lower-bound": "at least `low`",
    "upper-bound": "at most `high`",
}
NUMBER_COLUMNS = ("value", "low", "high")
# How a unit reads after a number.
_UNIT_WORDS = {"1": "", "count": "", "month": " months", "day": " days", "week": " weeks", "year": " years"}


@dataclass(frozen=True)
class Claim:
    """A published number or statement: a row of the evidence.

    value, low, high: numbers in `unit`, None where not given.   interval_kind: a key of INTERVAL_KINDS.
    text: what is said where it is not a number, or the number as printed.   n: subjects or samples behind it.
    source: canonical ids such as doi:, pmid:, pmcid:, nct:, label:, separated by "; ".
    grade: a key of GRADES.   role: a key of ROLES.   same_as: id of the claim this one repeats.
    guide: "guide-4|row|column" for a cell of a guide table.   superseded_by: id of the claim that takes its
    place since its source was corrected.   where: file and row it was read from.
    """

    id: str
    quantity: str
    value: float | None
    text: str
    low: float | None
    high: float | None
    interval_kind: str
    qualifier: str
    unit: str
    n: int | None
    compound: str
    target: str
    system: str
    assay: str
    conditions: str
    topic: str
    endpoint: str
    trial: str
    arm: str
    subgroup: str
    analysis: str
    structure: str
    citation: str
    source: str
    place: str
    grade: str
    role: str
    same_as: str
    guide: str
    note: str
    superseded_by: str = ""
    where: str = ""

    @property
    def is_number(self) -> bool:
        """Whether the claim states at least one number."""
        return self.value is not None or self.low is not None or self.high is not None

    @property
    def sources(self) -> tuple[str, ...]:
        """The canonical ids of the source."""
        return tuple(part.strip() for part in self.source.split("; ") if part.strip())

    @property
    def said(self) -> str:
        """The statement in one line: as printed, or number with interval and unit."""
        if self.text or not self.is_number:
            return self.text
        unit = _UNIT_WORDS.get(self.unit, f" {self.unit}" if self.unit else "")
        if self.value is None and self.interval_kind == "lower-bound":
            return f">= {self.low:g}{unit}"
        if self.value is None and self.interval_kind == "upper-bound":
            return f"< {self.high:g}{unit}"
        if self.value is None:
            return f"{_ends(self)}{unit}"
        span = "" if self.low is None and self.high is None else f" ({_ends(self)})"
        return f"{self.value:g}{span}{unit}"


def _ends(claim: Claim) -> str:
    low = "" if claim.low is None else f"{claim.low:g}"
    high = "" if claim.high is None else f"{claim.high:g}"
    return f"{low}-{high}" if low and high else f"from {low}" if low else f"up to {high}"


COLUMNS = tuple(field.name for field in fields(Claim) if field.name != "where")
