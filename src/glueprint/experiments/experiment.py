"""What every in-silico experiment returns: the table a lab would hold, and what is read from it, with
labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from glueprint.curves import Potency

__all__ = ["Experiment", "Label", "Reading"]

Label = Literal["input", "calibrated", "predicted"]


@dataclass(frozen=True)
class Reading:
    """One number of an experiment.

    value: in `unit`; None where there is none.   relation: as in `Potency`; low, high: None where open or
    unknown.
    label: what the number is worth: "input" was put in, "calibrated" follows from numbers fitted to the like,
    "predicted" does not.   claims: ids of the evidence it speaks to.   note: what a reader must know.
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

    def without_interval(self) -> Reading:
        """The reading of a simulation without measurement error, whose interval would only show lack of
        fit."""
        return replace(self, low=None, high=None)

    def as_dict(self) -> dict[str, Any]:
        """The reading by field name, without its potency object."""
        names = ("name", "relation", "value", "low", "high", "unit", "label", "claims", "note")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Experiment:
    """A finished experiment: the settings it ran with, its assumptions, its raw `table` and its
    `readings`."""

    name: str
    title: str
    compound: str
    table: pl.DataFrame
    readings: tuple[Reading, ...]
    assumptions: tuple[str, ...]
    settings: Mapping[str, object]

    @property
    def potencies(self) -> tuple[Potency, ...]:
        """The readings that are potencies."""
        return tuple(reading.potency for reading in self.readings if reading.potency is not None)

    def reading(self, name: str) -> Reading:
        """The reading of that name.   Raises KeyError if there is none."""
        return {reading.name: reading for reading in self.readings}[name]
