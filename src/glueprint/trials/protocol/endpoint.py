"""What a record says of one thing that a trial reports, and the rows of a table that it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

__all__ = [
    "AT",
    "CAUSE_MONTHS",
    "LANDMARK_MONTHS",
    "MEAN",
    "MEAN_MONTHS",
    "MEDIAN",
    "NUMBER",
    "ODDS",
    "RATE",
    "RATIO",
    "SHARE",
    "SPECIAL",
    "TIME",
    "DatasetParameter",
    "Endpoint",
    "Reported",
]

# Kinds of endpoints.
SHARE, TIME, NUMBER, SPECIAL = "share of patients", "time to event", "number", "analysis of its own"
# How they are summarised.
RATE, ODDS = "rate", "odds ratio"
MEDIAN, RATIO, AT, MEAN = "median", "hazard ratio", "free at", "mean"
MEAN_MONTHS = 12  # of restricted means
CAUSE_MONTHS = 6  # of competing causes
LANDMARK_MONTHS = (6.0, 12.0)  # at which curves are read, where the protocol says nothing else
PLAIN_UNITS = ("ratio", "fraction")


@dataclass(frozen=True, eq=False)
class DatasetParameter:
    """A time to event in the datasets of CDISC: code and name of the parameter, and what is said of an
    event."""

    code: str
    name: str
    event: pl.Expr = field(default_factory=lambda: pl.lit("EVENT"))


@dataclass(frozen=True, eq=False)
class Endpoint:
    """One thing that a trial reports.

    name: of its row, or, of a time to event, what the names of its rows hold: `median_<name>`, `hr_<name>`.
    label: in words.   short: for narrow places.   kind: SHARE, TIME, NUMBER, or SPECIAL, which `analysis`
    computes by itself.
    value: from the columns of the table of patients, a flag (SHARE), months from randomisation or another
    beginning (TIME; null: not in it), or a number.   event: of a TIME, whether it happened.   scale: of a
    NUMBER, what turns its median into `unit`.
    estimand: what is estimated, and what happens to whoever stops, changes treatment or dies.
    ends: what a TIME ends with, in words.   curve: whether its curve is kept.   method: of a NUMBER, of whom.
    summaries: how it is reported.   headlines: those among them that an overview shows, and
    `first` those that a reader asks for first.
    claims: what evidence calls it, with the summary, where it may be calibrated to.   reviewed: its name by
    the review committee.   among: the share whose patients alone have it.   dataset: as CDISC has it.
    optional: whether its columns are there in some trials only; else a trial without them is refused.
    recorded: whether they are there because a protocol asks for it in its `records`.
    """

    name: str
    label: str
    kind: str
    estimand: str
    short: str = ""
    value: pl.Expr | None = None
    event: pl.Expr | None = None
    scale: float = 1.0
    unit: str = "%"
    ends: str = ""
    curve: bool = False
    method: str = ""
    summaries: tuple[str, ...] = (RATE,)
    headlines: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)
    reviewed: str = ""
    among: str = ""
    dataset: DatasetParameter | None = None
    optional: bool = False
    recorded: bool = False

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table of patients that it is read from."""
        read = (expression for expression in (self.value, self.event) if expression is not None)
        return tuple(dict.fromkeys(name for one in read for name in one.meta.root_names()))

    def reported(self, months: tuple[float, ...]) -> Iterator[Reported]:
        """Its rows in the table of endpoints; months: those of landmarks."""
        words, short = self.label, self.short or self.label.lower()
        lower = f"{words[:1].lower()}{words[1:]}"
        year = f"{MEAN_MONTHS} months"
        for summary in self.summaries:
            if self.kind in (SPECIAL, NUMBER) or summary == RATE:
                yield Reported(self.name, self, summary, words, short, self.unit)
            elif summary == ODDS:
                odds = f"Odds ratio of {lower}", f"odds ratio of {short}"
                yield Reported(f"{self.name}_odds_ratio", self, summary, *odds, "ratio")
            elif summary == MEDIAN:
                yield Reported(
                    f"median_{self.name}", self, summary, f"Median {lower}", f"median {short}", "months"
                )
            elif summary == RATIO:
                ratio = f"Hazard ratio, {self.ends}", f"hazard ratio {short}"
                yield Reported(f"hr_{self.name}", self, summary, *ratio, "ratio")
                stratified = f"{ratio[0]}, stratified", f"{ratio[1]}, stratified"
                yield Reported(f"hr_{self.name}_stratified", self, summary, *stratified, "ratio")
            elif summary == AT:
                for month in months:
                    at = f"{words} at {month:g} months", f"{short} at {month:g} months"
                    yield Reported(f"{self.name}_at_{month:g}_months", self, summary, *at, "%")
            elif summary == MEAN:
                mean = f"Mean {lower} within {year}", f"mean {short} within {year}"
                yield Reported(f"rmst_{self.name}_{MEAN_MONTHS}_months", self, summary, *mean, "months")
                apart = f"Difference of mean {lower} within {year}", f"difference of mean {short}"
                name = f"rmst_difference_{self.name}_{MEAN_MONTHS}_months"
                yield Reported(name, self, summary, *apart, "months")


@dataclass(frozen=True, eq=False)
class Reported:
    """A row of the table of endpoints: its name there, the endpoint that it is of, how that is summarised,
    and its words."""

    name: str
    endpoint: Endpoint
    summary: str
    label: str
    short: str
    unit: str

    @property
    def heading(self) -> str:
        """Short words with the unit, for the head of a column."""
        return self.short if self.unit in PLAIN_UNITS else f"{self.short}, {self.unit}"
