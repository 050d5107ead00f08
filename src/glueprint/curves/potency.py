"""The one potency type: what was measured, by which definition, how sure, and whether it is a value or a
limit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal, get_args

import polars as pl

from glueprint.curves.status import Status
from glueprint.errors import InputError, nearest

__all__ = ["SCHEMA", "Definition", "Kind", "Potency", "Reason", "Relation", "potencies_table"]

Kind = Literal["EC50", "IC50", "DC50", "GR50", "Ki", "Kd"]
# A concentration is read off a curve (relative, absolute) or is a constant of a model of binding.
Definition = Literal["relative", "absolute", "exact", "cheng-prusoff", "nikolovska-coleska"]
Relation = Literal["=", "<", ">", "between", "none"]


class Reason(StrEnum):
    """Why a potency is a limit, is missing, or has an open bound. The codes are stable; `text` is for
    people."""

    TOO_FEW_POINTS = "too_few_points"
    NOT_CONVERGED = "not_converged"
    NO_EFFECT = "no_effect"
    NO_DEGREES = "no_degrees"
    TURNS = "turns"
    BELOW_TESTED = "below_tested"
    ABOVE_TESTED = "above_tested"
    OPEN_LOW = "open_low"
    OPEN_HIGH = "open_high"
    NOT_REACHED = "not_reached"
    ALWAYS_PAST = "always_past"
    FLAT_WITHOUT_VEHICLE = "flat_without_vehicle"
    NO_POSITIVE_DOSE = "no_positive_dose"
    PROTEIN_UNKNOWN = "protein_unknown"
    TRACER_UNKNOWN = "tracer_unknown"
    ASSAY_FLOOR = "assay_floor"
    CONTROL_CENSORED = "control_censored"
    STEP = "step"
    PLATEAU_HELD = "plateau_held"
    PLATEAU_OUT_OF_SIGHT = "plateau_out_of_sight"
    PLATEAU_IMPOSSIBLE = "plateau_impossible"
    ONE_EXPERIMENT = "one_experiment"
    ONE_DONOR = "one_donor"
    CENSORED_PARTS = "censored_parts"
    TOO_FEW_VALUES = "too_few_values"
    LIMITS_ON_BOTH_SIDES = "limits_on_both_sides"
    NOTHING_TO_POOL = "nothing_to_pool"

    @property
    def text(self) -> str:
        """The reason as a sentence, with the remedy where there is one."""
        return TEXTS[self]


# What a fit says of a curve is said of its potency in the same words.
SAID = (Status.TOO_FEW_POINTS, Status.NOT_CONVERGED, Status.NO_EFFECT, Status.NO_DEGREES, Status.TURNS)
TEXTS: Mapping[Reason, str] = {
    **{Reason(status.name.lower()): status.text for status in SAID},
    Reason.BELOW_TESTED: "below the lowest tested dose; add lower doses",
    Reason.ABOVE_TESTED: "above the highest tested dose; add higher doses",
    Reason.OPEN_LOW: "the profile does not cross on the lower side: that bound is open",
    Reason.OPEN_HIGH: "the profile does not cross on the upper side: that bound is open",
    Reason.NOT_REACHED: "the fitted curve does not reach the level",
    Reason.ALWAYS_PAST: "past the level at every tested dose; add lower doses",
    Reason.FLAT_WITHOUT_VEHICLE: "flat without vehicle: no effect or full effect; add a dose of zero",
    Reason.NO_POSITIVE_DOSE: "no dose above zero was tested",
    Reason.PROTEIN_UNKNOWN: "no protein concentration: a Ki cannot be had, only the IC50",
    Reason.TRACER_UNKNOWN: "no tracer Kd or tracer concentration: a Ki cannot be had, only the IC50",
    Reason.ASSAY_FLOOR: "tighter than the assay can tell: use less protein or a tighter tracer",
    Reason.CONTROL_CENSORED: "a control lies outside the range of the assay and enters as a limit",
    Reason.STEP: "the whole fall lies between two doses: where in between is not known; add doses there",
    Reason.PLATEAU_HELD: "no far plateau was reached: it was held at its physical limit; add higher doses",
    Reason.PLATEAU_OUT_OF_SIGHT: "no far plateau was reached; add higher doses, or say what is possible",
    Reason.PLATEAU_IMPOSSIBLE: "the far plateau of the best curve is physically impossible: no dose half way "
    "to it; look at the data, or hold the plateau",
    Reason.ONE_EXPERIMENT: "one experiment: the interval knows nothing of the next one; repeat it",
    Reason.ONE_DONOR: "one donor: the interval speaks for this donor only; measure others",
    Reason.CENSORED_PARTS: "some experiments gave limits; they entered as limits",
    Reason.TOO_FEW_VALUES: "fewer than two experiments gave a value; only a limit of their mean is known",
    Reason.LIMITS_ON_BOTH_SIDES: "limits on both sides and fewer than two values: their mean is unknown",
    Reason.NOTHING_TO_POOL: "no experiment gave a limit, or a value with an error to weigh it by "
    '(method "average" needs no errors)',
}

SCHEMA = pl.Schema(
    {
        "kind": pl.String(),
        "definition": pl.String(),
        "relation": pl.String(),
        "value_nm": pl.Float64(),
        "low_nm": pl.Float64(),
        "high_nm": pl.Float64(),
        "confidence": pl.Float64(),
        "log10_se": pl.Float64(),
        "n": pl.Int64(),
        "time_h": pl.Float64(),
        "reasons": pl.List(pl.String()),
        "notes": pl.List(pl.String()),
    }
)


@dataclass(frozen=True)
class Potency:
    """A concentration with half of an effect, or a constant of binding, nM.

    kind: EC50, IC50, DC50, GR50, Ki or Kd.   definition: "relative" is half way between the plateaus of the
    curve; "absolute" is 50 % of the control, whatever the plateau; "exact", "cheng-prusoff" and
    "nikolovska-coleska" say by which model of binding a Ki or Kd was found.
    relation: "=" a value; "<" and ">" a limit, at `value_nm`: the edge of the tested range, or within it
    what the data exclude at `confidence`; "between" a bracket, `low_nm` to `high_nm`, with no best value
    inside; "none" there is no such potency. `value_nm` is None for the last two.
    low_nm, high_nm: interval of `confidence`; None where it is open or unknown, see `reasons`.
    n: independent experiments.   time_h: exposure, where it matters.
    reasons: stable codes.   log10_se: standard error of log10 of the value within the experiment, None where
    unknown; pooling weighs with it.   notes: what only this potency has to say, for people.
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
    reasons: tuple[Reason, ...] = ()
    log10_se: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value, known in (
            ("kind", self.kind, get_args(Kind)),
            ("definition", self.definition, get_args(Definition)),
            ("relation", self.relation, get_args(Relation)),
            *(("reasons", reason, tuple(Reason)) for reason in self.reasons),
        ):
            if value not in known:
                raise InputError(
                    "GP-C040",
                    f'no {name} "{value}"{nearest(str(value), known)}',
                    where=f"Potency, {name}",
                    expected="one of " + ", ".join(known),
                    next_step="correct it; what only this potency has to say goes into `notes`",
                )
        object.__setattr__(self, "reasons", tuple(Reason(reason) for reason in self.reasons))
        known_ends = (self.low_nm, self.high_nm)
        bounds = [self.low_nm, self.value_nm, self.high_nm]
        known_bounds = [bound for bound in bounds if bound is not None]
        if not all(0.0 < bound < math.inf for bound in known_bounds) or sorted(known_bounds) != known_bounds:
            raise InputError(
                "GP-C041",
                f"{self.low_nm} to {self.high_nm} around {self.value_nm} nM",
                where="Potency",
                expected="concentrations above zero in the order low, value, high; None where unknown",
                next_step="an open bound is None, never 0 or infinity",
            )
        if self.log10_se is not None and not 0.0 <= self.log10_se < math.inf:
            raise InputError(
                "GP-C041",
                f"an error of {self.log10_se:g} on log10",
                where="Potency, log10_se",
                expected="a finite number of zero or more, None where unknown",
                next_step="give the standard error of log10, or None",
            )
        bracket = self.relation == "between"
        if (self.value_nm is None) != (self.relation == "none" or bracket) or (
            bracket and None in known_ends
        ):
            raise InputError(
                "GP-C041",
                f'value {self.value_nm} with relation "{self.relation}"',
                where="Potency",
                expected='a value with "=", a limit with "<" or ">", None with "none" or "between", and for '
                '"between" low and high',
                next_step="give both together",
            )

    @property
    def p_molar(self) -> float | None:
        """The potency as a negative log10 of molar (pIC50, pKi); None unless it is a value."""
        if self.value_nm is None or self.relation != "=":
            return None
        return 9.0 - math.log10(self.value_nm)

    @property
    def explanations(self) -> tuple[str, ...]:
        """The reasons and notes as sentences."""
        return (*(reason.text for reason in self.reasons), *self.notes)

    def text(self) -> str:
        """The potency in one line for people."""
        at = f", {self.time_h:g} h" if self.time_h is not None else ""
        head = f"{self.kind} ({self.definition}{at})"
        if self.relation == "between":
            return f"{head} between {self.low_nm:.4g} and {self.high_nm:.4g} nM"
        if self.relation == "none" or self.value_nm is None:
            return f"{head} none" + (f": {'; '.join(self.explanations)}" if self.explanations else "")
        body = f"{head} {self.relation} {self.value_nm:.4g} nM"
        if self.low_nm is None and self.high_nm is None:
            return body
        low = "open" if self.low_nm is None else f"{self.low_nm:.4g}"
        high = "open" if self.high_nm is None else f"{self.high_nm:.4g}"
        return f"{body} ({100 * self.confidence:g} % {low} to {high})"

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, reasons as their codes, for tables and `--json`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"reasons": [reason.value for reason in self.reasons], "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Potency:
        """The potency that `as_dict` or a row of `potencies_table` describes; other columns are left alone.

        Raises InputError GP-C040 (unknown kind, definition, relation or reason), GP-C041 (no concentration),
        GP-C042 (a field is missing).
        """
        names = [field.name for field in fields(cls)]
        for name in ("kind", "definition", "value_nm", "low_nm", "high_nm", "relation"):
            if name not in values:
                raise InputError(
                    "GP-C042",
                    f'no "{name}"{nearest(name, values)}',
                    where="potency",
                    expected="the fields " + ", ".join(names),
                    next_step="write potencies with `as_dict` or `potencies_table`",
                )
        given = {name: values[name] for name in names if name in values}
        listed = {name: tuple(given.get(name) or ()) for name in ("reasons", "notes")}
        return cls(**{**given, **listed})


def potencies_table(
    potencies: Iterable[Potency], labels: Iterable[Mapping[str, str]] | None = None
) -> pl.DataFrame:
    """Potencies as a table, one row each, in their order.

    labels: what each one belongs to (donor, compound, ...), the same names for all; text columns put first.
    Returns the columns of `SCHEMA` after those of the labels.
    Raises InputError GP-C043 if labels and potencies do not pair up.
    """
    rows = [potency.as_dict() for potency in potencies]
    named = [dict(label) for label in labels] if labels is not None else [{} for _ in rows]
    names = list(named[0]) if named else []
    if len(named) != len(rows) or any(list(label) != names for label in named):
        raise InputError(
            "GP-C043",
            f"{len(rows)} potencies with {len(named)} labels",
            where="labels",
            expected="one mapping a potency, all with the same names",
            next_step="give every potency its labels, with empty text where there is none",
        )
    schema = pl.Schema({**dict.fromkeys(names, pl.String()), **SCHEMA})
    return pl.DataFrame([label | row for label, row in zip(named, rows, strict=True)], schema=schema)
