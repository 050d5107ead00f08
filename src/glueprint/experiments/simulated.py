"""What an experiment simulates, as COMBINE archives: each condition at a middle and its highest dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from glueprint.experiments.cultures import Culture, Later, Wells, before
from glueprint.mechanism import models
from glueprint.workshop import exchange

__all__ = ["Archived", "Run", "Simulated", "packed"]

POINTS = 96
# What tells one condition from another: the model's text, parameters by name, and what is changed later.
Condition = tuple[str, tuple[tuple[str, float], ...], tuple[tuple[float, str, float], ...]]


@dataclass(frozen=True, eq=False)
class Run:
    """Cells under one condition and dose.

    values: parameters by engine name.   later: as of `Culture.at`.   outputs: what the experiment reads.
    """

    cells: Culture
    dose_nm: float
    until_h: float
    outputs: tuple[str, ...]
    values: Mapping[str, float]
    later: Later

    def as_dict(self) -> dict[str, str | float]:
        """Cells, compound, dose, time and what was changed, in words."""
        changes = [f"{name} = {value:g}" for name, value in self.values.items()]
        changes += [f"{name} = {value:g} from {hour:g} h" for hour, name, value in self.later]
        line = self.cells.line
        return {
            "model": self.cells.name,
            "cells": line.name if line else self.cells.name,
            "compound": self.cells.glue.name,
            "dose_nm": self.dose_nm,
            "until_h": self.until_h,
            "changed": ", ".join(changes),
        }


@dataclass(frozen=True, eq=False)
class Archived:
    """A run with its archive."""

    run: Run
    package: exchange.Packed


@dataclass(frozen=True, eq=False)
class Simulated:
    """The runs of an experiment, gathered while it is carried out."""

    runs: dict[Condition, dict[float, Run]] = field(default_factory=dict)

    def note(self, wells: Wells) -> None:
        """Keep wells: those that first show a condition are the design's.

        Later ones are lines of a figure or steps of a search, of which only a longer time and other read-outs
        at the same dose are kept. Wells that differ in a parameter are a figure's line over that parameter.
        """
        values = {name: float(each[0]) for name, each in wells.values.items()}
        if any((each != values[name]).any() for name, each in wells.values.items()):
            return
        text = models.source(wells.cells.name, wells.cells.scenario)
        condition = (text, tuple(sorted(values.items())), tuple(wells.later))
        is_new, doses = condition not in self.runs, self.runs.setdefault(condition, {})
        for dose, until in zip(wells.doses_nm.tolist(), wells.until_h.tolist(), strict=True):
            run = Run(wells.cells, dose, until, wells.outputs, values, tuple(wells.later))
            if dose in doses:
                doses[dose] = _joined(doses[dose], run)
            elif is_new:
                doses[dose] = run

    @property
    def chosen(self) -> tuple[Run, ...]:
        """Of each condition the middle and the highest dose above vehicle, and the one followed longest."""
        found = []
        for doses in self.runs.values():
            tested = sorted(dose for dose in doses if dose > 0.0) or sorted(doses)
            middle_and_top = (tested[(len(tested) - 1) // 2], tested[-1])
            longest = max(reversed(tested), key=lambda dose: doses[dose].until_h)
            picked = sorted({*middle_and_top, longest})
            found += [doses[dose] for dose in picked]
        return tuple(found)


def packed(run: Run) -> Archived:
    """An archive of a run; its course holds what the experiment reads, then all species."""
    model = run.cells.model
    outputs = tuple(dict.fromkeys((*run.outputs, *model.species)))
    given = {**before(run.later), **run.values, "dose_nm": run.dose_nm}
    course = exchange.Course(run.until_h, POINTS, outputs, given, later=run.later)
    text = models.sbml(run.cells.name, run.cells.scenario)
    return Archived(run, exchange.pack(text, course))


def _joined(one: Run, other: Run) -> Run:
    outputs = tuple(dict.fromkeys((*one.outputs, *other.outputs)))
    return replace(one, until_h=max(one.until_h, other.until_h), outputs=outputs)
