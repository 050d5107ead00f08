"""The one potency type: what was measured, by which definition, how sure, and whether it is a value or a
limit."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Definition", "Kind", "Potency", "Relation"]

Kind = Literal["EC50", "IC50", "DC50"]
Definition = Literal["relative", "absolute"]
Relation = Literal["=", "<", ">", "none"]


@dataclass(frozen=True)
class Potency:
    """A half-maximal concentration, nM.

    kind: EC50, IC50 or DC50.   definition: "relative" is half way between the plateaus of the curve;
    "absolute" is
    50 % of the control, whatever the plateau.   relation: "=" a value; "<" and ">" a limit: the value lies
    outside
    the tested range and `value_nm` is its edge; "none" there is no such potency, `value_nm` is None.
    low_nm, high_nm: interval of `confidence`; None where it is open or unknown, see `reasons`.
    n: independent experiments.   time_h: exposure, where it matters.
    """

    kind: Kind
    definition: Definition
    value_nm: float | None
    low_nm: float | None
    high_nm: float | None
    relation: Relation = "="
    confidence: float = 0.95
    n: int = 1
    time_h: float | None = None
    reasons: tuple[str, ...] = ()

    @property
    def p_value_log10_molar(self) -> float | None:
        """The potency as a negative log10 of molar (pIC50); None unless it is a value."""
        if self.value_nm is None or self.relation != "=":
            return None
        return 9.0 - math.log10(self.value_nm)

    def text(self) -> str:
        """The potency in one line for people."""
        at = f", {self.time_h:g} h" if self.time_h is not None else ""
        head = f"{self.kind} ({self.definition}{at})"
        if self.relation == "none" or self.value_nm is None:
            return f"{head} none" + (f": {'; '.join(self.reasons)}" if self.reasons else "")
        body = f"{head} {self.relation} {self.value_nm:.4g} nM"
        if self.low_nm is None and self.high_nm is None:
            return body
        low = "open" if self.low_nm is None else f"{self.low_nm:.4g}"
        high = "open" if self.high_nm is None else f"{self.high_nm:.4g}"
        return f"{body} ({100 * self.confidence:g} % {low} to {high})"

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, for tables and `--json`."""
        return asdict(self) | {"reasons": list(self.reasons)}
