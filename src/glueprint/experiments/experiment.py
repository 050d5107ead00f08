"""What every in-silico experiment returns: the table a lab would hold, what is read from it, and how it
looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import polars as pl

from glueprint.curves import Potency
from glueprint.mechanism import Outside

__all__ = ["POINTS", "Experiment", "Label", "Mark", "Measure", "Panel", "Reading"]

Label = Literal["input", "assumed", "calibrated", "predicted", "extrapolated"]
# A published value in a panel: series, place on the axis of x, claim id.
Mark = tuple[str, float, str]
# A number with the ends of its interval, None where it has none.
Measure = tuple[float, float | None, float | None]
# Columns of a panel's points and lines.
POINTS = pl.Schema({"series": pl.String(), "x": pl.Float64(), "y": pl.Float64()})


@dataclass(frozen=True)
class Reading:
    """One number of an experiment.

    value: in `unit`; None where there is none.   relation: as in `Potency`; low, high: None where open or
    unknown.
    label: what the number is worth: "input" was put in, "calibrated" follows from numbers fitted to the like,
    "predicted" has evidence beside it that was not used, or follows from measurements of the compound,
    "assumed" follows from numbers of the compound that nobody measured, "extrapolated" is what would be
    calibrated or predicted if the request did not go beyond all evidence.
    claims: ids of the evidence it speaks to.   note: what a reader must know.
    """

    name: str
    value: float | None
    unit: str
    label: Label
    relation: str = "="
    low: float | None = None
    high: float | None = None
    claims: tuple[str, ...] = ()
    note: str = ""
    potency: Potency | None = None

    @classmethod
    def of(
        cls, name: str, potency: Potency, label: Label, *, claims: tuple[str, ...] = (), note: str = ""
    ) -> Reading:
        """A potency as a reading, in nM, with its interval."""
        return cls(
            name=name,
            value=potency.value_nm,
            unit="nM",
            label=label,
            relation=potency.relation,
            low=potency.low_nm,
            high=potency.high_nm,
            claims=claims,
            note="; ".join(part for part in (note, *potency.explanations) if part),
            potency=potency,
        )

    @classmethod
    def measured(
        cls,
        name: str,
        measure: Measure | None,
        unit: str,
        label: Label,
        *,
        claims: tuple[str, ...] = (),
        note: str = "",
    ) -> Reading:
        """A number with its interval as a reading; "none" where there is no number."""
        value, low, high = measure or (None, None, None)
        return cls(name, value, unit, label, "=" if measure else "none", low, high, claims, note)

    def without_interval(self) -> Reading:
        """The reading of a simulation without measurement error, whose interval would only show lack of
        fit."""
        return replace(self, low=None, high=None)

    def detected(self, limits: Mapping[str, float]) -> Reading:
        """The reading as its assay shows it: "<" the limit of detection of its unit where it lies below.

        limits: unit -> the least that is told from nothing, in it.
        """
        least = limits.get(self.unit)
        if least is None or self.value is None or self.value >= least:
            return self
        note = "; ".join(part for part in (self.note, "below what the assay detects") if part)
        return replace(self, value=least, relation="<", low=None, high=None, note=note)

    def as_dict(self) -> dict[str, Any]:
        """The reading by field name, without its potency object."""
        names = ("name", "relation", "value", "low", "high", "unit", "label", "claims", "note")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Panel:
    """One plot of an experiment: what was measured as points, the model itself as lines.

    x: "dose" (nM, logarithmic; 0 is vehicle), "time" (hours), "days" or "level" (a share).   points,
    lines: columns of `POINTS`.   marks: published values on the axis of x: series, x, claim.
    y_log: logarithmic.   y_zero: whether the axis of y begins at 0.
    """

    title: str
    x: Literal["dose", "time", "days", "level"]
    y_title: str
    points: pl.DataFrame
    lines: pl.DataFrame
    marks: tuple[Mark, ...] = ()
    y_log: bool = False
    y_zero: bool = True


@dataclass(frozen=True)
class Experiment:
    """A finished experiment: the settings it ran with, its assumptions, its raw `table` and its
    `readings`.

    question: what the readings answer.   settings: as they were used; `experiments.run` adds those left at
    their defaults.   panels: how it looks.   parameters: every number of the model with unit, role and
    source, as `models.table`.   tables: what the analysis gave besides.   outside: in what it goes beyond the
    evidence.
    """

    name: str
    title: str
    question: str
    compound: str
    table: pl.DataFrame
    readings: tuple[Reading, ...]
    assumptions: tuple[str, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    parameters: pl.DataFrame = field(default_factory=pl.DataFrame)
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    outside: tuple[Outside, ...] = ()

    def beyond(self, found: tuple[Outside, ...]) -> Experiment:
        """The experiment as one that goes beyond the evidence in these things, if in any."""
        if not found:
            return self
        rests = ("calibrated", "predicted")
        readings = [replace(r, label="extrapolated") if r.label in rests else r for r in self.readings]
        return replace(self, readings=tuple(readings), outside=found)

    @property
    def potencies(self) -> tuple[Potency, ...]:
        """The readings that are potencies."""
        return tuple(reading.potency for reading in self.readings if reading.potency is not None)

    def reading(self, name: str) -> Reading:
        """The reading of that name.   Raises KeyError if there is none."""
        return {reading.name: reading for reading in self.readings}[name]
