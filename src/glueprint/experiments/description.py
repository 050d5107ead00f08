"""An experiment as data: its question, its protocol, its settings and what it assumes; and the bench it is
laid out on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.experiments import provenance
from glueprint.experiments.cultures import Culture, Wells, grow
from glueprint.experiments.experiment import Label, Panel, Reading
from glueprint.experiments.lab import Error
from glueprint.experiments.settings import MOST_NOISE_PERCENT, Setting, at_least, whole
from glueprint.mechanism import Compound, Quantity, Scenario

__all__ = ["BLOT_DETECTS", "DAYS", "HOURS", "OF_COMPOUND", "Bench", "Description", "Measured", "in_cells"]

# Of the vehicle's band. Own choice: film and cameras tell a band from its background over two decades.
BLOT_DETECTS = 0.01
# A cell and what acts in it.
DEGRADER = ("kd_nm", "IKZF1", "IKZF3")
# Checks of exposures: longer than these is a slip of the pen.
DAYS = partial(at_least, least=0.0, above=True, most=365.0)
HOURS = partial(at_least, least=0.0, above=True, most=1e4)
# Checked where they are used, as they also change the compound: in place of its own numbers.
OF_COMPOUND: Mapping[str, Setting] = {"kd_nm": Setting(None), "rho": Setting(None)}


def in_cells(line: str) -> Mapping[str, Setting]:
    """The settings of an experiment in cells: their line, and numbers in place of the compound's."""
    return {"line": Setting(line), **OF_COMPOUND}


@dataclass(frozen=True)
class Description:
    """All that tells one experiment from another.

    question: what its default design answers.   protocol: what is done on the bench and read from it.
    settings: its own, by name; error, replicates and seed come with every experiment.   columns: of its
    table.   assumptions: in words, with settings in braces.   model: its cells.   needs: what the compound
    must give, names of `settings.STAND_INS`.   affinity: the setting that stands in for the Kd.
    noise_percent, replicates: error (SD) and wells a condition of a usual bench, own choice.
    through_cereblon: whether the affinity acts at all.   detection: unit -> the least that its assay tells
    from
    nothing.
    """

    name: str
    title: str
    question: str
    protocol: Callable[[Bench], Measured]
    settings: Mapping[str, Setting]
    columns: tuple[str, ...]
    assumptions: tuple[str, ...]
    noise_percent: float
    replicates: int
    model: str = ""
    needs: tuple[str, ...] = DEGRADER
    affinity: str = "kd_nm"
    through_cereblon: bool = True
    detection: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def all_settings(self) -> Mapping[str, Setting]:
        """Its own settings and those of every experiment."""
        return {
            **self.settings,
            "noise_percent": Setting(
                self.noise_percent, partial(at_least, least=0.0, most=MOST_NOISE_PERCENT)
            ),
            "replicates": Setting(self.replicates, partial(whole, least=1, most=1000)),
            "seed": Setting(1, partial(whole, least=0)),
        }


@dataclass(frozen=True)
class Measured:
    """What a protocol gives: the table, the readings, the panels, and the numbers behind them by section."""

    table: pl.DataFrame
    readings: tuple[Reading, ...]
    panels: tuple[Panel, ...]
    behind: Mapping[str, Mapping[str, Quantity]]
    assumptions: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Bench:
    """An experiment laid out for one compound: checked settings, measurement error, cells.

    given: settings by name, as their checks gave them.   values: parameters of the model in place of their
    typical ones.   noted: told of all wells that are simulated.
    """

    description: Description
    glue: Compound
    given: Mapping[str, Any]
    values: Mapping[str, float]
    error: Error
    noted: Callable[[Wells], None] | None = None

    def __getitem__(self, name: str) -> Any:
        """A checked setting."""
        return self.given[name]

    def cells(self, line: str | Path | None = None, glue: Compound | None = None, **choices: Any) -> Culture:
        """The experiment's cells, of a line or of that of the settings; choices: as of `Scenario`."""
        scenario = Scenario.of(glue or self.glue, line=line or self.given.get("line"), **choices)
        return replace(grow(self.description.model, scenario), noted=self.noted)

    def claims(self, reading: str) -> tuple[str, ...]:
        """The claims that a reading speaks to, by its name in data/claims.toml."""
        return provenance.about(self.glue, self.description.name, reading)

    def label(self, claims: tuple[str, ...], behind: Mapping[str, Quantity]) -> Label:
        """What a reading is worth that speaks to these claims and rests on these numbers."""
        return provenance.label(claims, behind, self.glue)

    @property
    def worth(self) -> Label:
        """What a reading is worth that nothing of the evidence stands beside."""
        return provenance.of_compound(self.glue)
